"""DynamoDB's grammar of expressions, as one loop with a stack of its own: depth costs no Python frames.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
What syntax.py describes comes out. What may be said only after all has been read is left in `redundant`, `misused`,
`functions` and `operators`.
"""

from __future__ import annotations

from typing import Any, Final

from simbus.sources.dynamodb.lexer import Tokens

Tree = tuple[Any, ...]
_COMPARATORS: Final = frozenset(("=", "<>", "<", "<=", ">", ">="))
_WORDS: Final = frozenset(("AND", "OR", "NOT", "IN", "BETWEEN"))
_SECTIONS: Final = frozenset(("SET", "REMOVE", "ADD", "DELETE"))
_CONDITIONS: Final = frozenset((*_COMPARATORS, "between", "in", "and", "or", "not"))


class _Frame:
    """What is open: the whole expression, a parenthesis, the arguments of a function, the list of an IN."""

    __slots__ = (
        "alternatives", "conditions", "current", "grouped", "kind", "name", "nots", "operands", "pending", "plain"
    )  # fmt: skip

    def __init__(self, kind: str, name: str = "", *, plain: bool = False) -> None:
        self.kind = kind  # whole, group, call or in
        self.name = name  # of the function
        self.plain = plain  # only operands may stand here
        self.operands: list[Tree] = []  # those of the function or IN
        self.alternatives: list[Tree] = []  # sides of OR
        self.conditions: list[Tree] = []  # sides of AND
        self.nots = 0
        self.pending: tuple[str, list[Tree]] | None = None  # an operator that has not got all its operands
        self.current: Tree | None = None  # the operand or condition that has just been read
        self.grouped = False  # ... in parentheses


class Grammar:
    """Reads what one expression consists of."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.redundant = False
        self.misused: str | None = None
        self.functions: list[str] = []
        self.operators = 0
        self._update = False
        self._keywords: frozenset[str] = frozenset()

    def path(self) -> Tree:
        """A document path: names, `#name`s and positions."""
        word = self.tokens.word
        if not _is_name(word) or word.upper() in self._keywords:
            self.tokens.refuse()
        self.tokens.take()
        return ("path", (word, *self._steps()))

    def _steps(self) -> list[str | int]:
        tokens = self.tokens
        steps: list[str | int] = []
        while tokens.word in (".", "["):
            if tokens.take() == ".":
                if not _is_name(tokens.word):
                    tokens.refuse()
                steps.append(tokens.take())
            else:
                if not tokens.word.isdigit():
                    tokens.refuse()
                steps.append(int(tokens.take()))
                tokens.expect("]")
        return steps

    # --- conditions ---------------------------------------------------------------------------------------------------

    def condition(self) -> Tree:
        """A whole condition."""
        self._keywords = _WORDS
        stack = [_Frame("whole")]
        while True:
            frame = stack[-1]
            if frame.current is None:
                self._begin(stack)
                continue
            word = self.tokens.word
            if word in (".", "[") and frame.current[0] == "path":
                frame.current, frame.grouped = ("path", (*frame.current[1], *self._steps())), False
            elif frame.pending is not None:
                self._operand(frame)
            elif word == ")" and frame.kind != "whole":
                self._close(stack)
            elif word == "," and frame.kind in ("call", "in"):
                self.tokens.take()
                frame.operands.append(self._used(frame.current))
                frame.current = None
            elif not word and frame.kind == "whole":
                return self._joined(frame)
            elif frame.plain or not self._operator(stack, word):
                self.tokens.refuse()

    def _begin(self, stack: list[_Frame]) -> None:
        """The beginning of an operand or of a condition."""
        tokens, frame = self.tokens, stack[-1]
        word = tokens.word
        if word == "(":
            tokens.take()
            stack.append(_Frame("group", plain=frame.plain or frame.pending is not None))
        elif word.upper() == "NOT" and not self._update:
            if frame.plain or frame.pending is not None:
                tokens.refuse()
            tokens.take()
            self.operators += 1
            frame.nots += 1
        elif word.startswith(":") and len(word) > 1:
            frame.current, frame.grouped = ("value", tokens.take()), False
        elif tokens.after == "(" and _is_name(word) and word[0] != "#" and word.upper() not in self._keywords:
            stack.append(_Frame("call", tokens.take(), plain=True))
            tokens.take()
            self.functions.append(word)
            self.operators += 1
        else:
            frame.current, frame.grouped = self.path(), False

    def _operator(self, stack: list[_Frame], word: str) -> bool:
        """AND, OR, or the operator of a comparison. False: that is none, or none for what stands before it."""
        frame = stack[-1]
        assert frame.current is not None
        upper = word.upper()
        if upper in ("AND", "OR"):
            self._condition(frame)
            self.tokens.take()
            if upper == "OR":
                frame.alternatives.append(_join("and", frame.conditions))
                frame.conditions = []
        elif frame.current[0] in _CONDITIONS or not (upper in ("BETWEEN", "IN") or word in _COMPARATORS):
            return False
        elif upper == "IN":
            self.tokens.take()
            self.tokens.expect("(")
            frame_of_list = _Frame("in", plain=True)
            frame_of_list.operands.append(self._used(frame.current))
            stack.append(frame_of_list)
        else:
            frame.pending = upper.lower(), [self._used(frame.current)]
            self.tokens.take()
        self.operators += 1
        frame.current = None
        return True

    def _operand(self, frame: _Frame) -> None:
        """Another operand of the comparison has been read."""
        assert frame.pending is not None
        assert frame.current is not None
        operator, operands = frame.pending
        operands.append(self._used(frame.current))
        frame.current = None
        if operator == "between" and len(operands) == 2:
            if self.tokens.word.upper() != "AND":
                self.tokens.refuse()
            self.tokens.take()
            return
        frame.pending, frame.current, frame.grouped = None, (operator, *operands), False

    def _condition(self, frame: _Frame) -> None:
        """What has been read is a condition: a side of AND or OR, or all of it."""
        node = frame.current
        if node is None or node[0] in ("path", "value"):
            self.tokens.refuse()
        if node[0] == "size" and self.misused is None:
            self.misused = "size"
        if frame.nots % 2:
            node = node[1] if node[0] == "not" else ("not", node)
        frame.conditions.append(node)
        frame.nots = 0

    def _used(self, node: Tree) -> Tree:
        """The same node; as an operand it may be no function but size."""
        if node[0] not in ("path", "value", "size") and not self._update and self.misused is None:
            self.misused = node[0]
        return node

    def _joined(self, frame: _Frame) -> Tree:
        self._condition(frame)
        return _join("or", [*frame.alternatives, _join("and", frame.conditions)])

    def _close(self, stack: list[_Frame]) -> None:
        frame = stack.pop()
        above = stack[-1]
        assert frame.current is not None
        if frame.kind != "group":
            operands = [*frame.operands, self._used(frame.current)]
            node: Tree = ("in", operands[0], tuple(operands[1:])) if frame.kind == "in" else (frame.name, *operands)
            above.current, above.grouped = node, False
        else:
            alone = not (frame.nots or frame.conditions or frame.alternatives)
            self.redundant = self.redundant or (alone and frame.grouped)
            above.current, above.grouped = frame.current if alone else self._joined(frame), True
        self.tokens.take()

    # --- updates ------------------------------------------------------------------------------------------------------

    def update(self) -> list[tuple[str, list[Tree]]]:
        """The sections of an update, each with its actions."""
        self._update = True
        self._keywords = _SECTIONS
        tokens = self.tokens
        sections = []
        while True:
            section = tokens.word.upper()
            if section not in _SECTIONS:
                tokens.refuse()
            tokens.take()
            actions = [self._action(section)]
            while tokens.word == ",":
                tokens.take()
                actions.append(self._action(section))
            sections.append((section, actions))
            if not tokens.word:
                return sections

    def _action(self, section: str) -> Tree:
        tokens = self.tokens
        path = self.path()
        if section == "REMOVE":
            return (section, path)
        if section == "SET":
            tokens.expect("=")
            return (section, path, self._value())
        if not tokens.word.startswith(":") or len(tokens.word) == 1:
            tokens.refuse()
        return (section, path, ("value", tokens.take()))

    def _value(self) -> Tree:
        """What SET gives to a path: an operand, or the sum or difference of two."""
        stack = [_Frame("whole")]
        while True:
            frame = stack[-1]
            if frame.current is None:
                self._begin(stack)
                continue
            word = self.tokens.word
            if frame.pending is not None:
                operator, operands = frame.pending
                frame.pending, frame.current, frame.grouped = None, (operator, *operands, frame.current), False
            elif word in ("+", "-") and not frame.plain and frame.current[0] not in ("+", "-"):
                self.operators += 1
                frame.pending, frame.current = (self.tokens.take(), [frame.current]), None
            elif word == ")" and frame.kind != "whole":
                self._close(stack)
            elif word == "," and frame.kind == "call":
                self.tokens.take()
                frame.operands.append(frame.current)
                frame.current = None
            elif frame.kind == "whole":
                return frame.current  # whatever comes next, the section knows whether it may
            else:
                self.tokens.refuse()

    # --- projections --------------------------------------------------------------------------------------------------

    def projection(self) -> list[Tree]:
        """Paths, with commas between them."""
        paths = [self.path()]
        while self.tokens.word == ",":
            self.tokens.take()
            paths.append(self.path())
        if self.tokens.word:
            self.tokens.refuse()
        return paths


def _is_name(word: str) -> bool:
    """A name or a `#name`."""
    return len(word) > 1 if word[:1] == "#" else word[:1].isalpha() and word.isascii()


def _join(kind: str, nodes: list[Tree]) -> Tree:
    """Conditions joined by AND or OR; one that is joined in the same way gives its own."""
    if len(nodes) == 1:
        return nodes[0]
    joined: list[Tree] = []
    for node in nodes:
        joined.extend(node[1:] if node[0] == kind else (node,))
    return (kind, *joined)
