"""Templates in a workload: `img/{n}.jpg`, `user-{n % 50}`. Compiled once, never evaluated as Python.

An expression knows the names n (how many came before, from 0), now (milliseconds since the epoch in virtual time),
uuid (a new one each time) and rand (a number from 0 up to, not including, 1), numbers, the operators + - * // % and
parentheses. A value that is exactly one `{expression}` keeps its type, any other becomes text. `{{` is a literal `{`
and the `}}` that closes it a literal `}`. Braces that hold no expression (JSON text) stay as they are.
"""

from __future__ import annotations

import ast
import operator
import re
import warnings
from collections.abc import Callable
from random import Random
from typing import Any

from simbus.errors import UsageError
from simbus.world import World, uuid

MAX_LENGTH = 200
"""The longest expression, in characters."""


class Scope:
    """What the names of a template mean at this moment. `n` is set anew for every item of a workload."""

    __slots__ = ("n", "rng", "world")

    def __init__(self, world: World, rng: Random) -> None:
        self.world = world
        self.rng = rng
        self.n = 0


Template = Callable[[Scope], Any]

_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_NAMES: dict[str, Template] = {
    "n": lambda scope: scope.n,
    "now": lambda scope: scope.world.epoch_ms(),
    "uuid": lambda scope: uuid(scope.rng),
    "rand": lambda scope: scope.rng.random(),
}
_EXPRESSION = re.compile(r"\{([^{}]+)\}")
_RULE = f"an expression has the names {', '.join(_NAMES)}, numbers, the operators + - * // % and parentheses"


def compile_template(value: Any) -> Template | None:
    """What makes the value of a template in a scope; None where the value holds no expression and is always the same.

    `value` is plain data: the texts in its lists and mappings (keys too) are templates. `fill` unites both cases.
    Raises UsageError, whose text goes on after the path ("is '{m}'; ...").
    """
    if isinstance(value, str):
        return _compile_text(value)
    if isinstance(value, list):
        return _compile_list(value)
    if isinstance(value, dict):
        keys, values = _compile_list(list(value)), _compile_list(list(value.values()))
        if keys is None and values is None:
            return None
        make_keys, make_values = keys or _always(list(value)), values or _always(list(value.values()))
        return lambda scope: dict(zip(map(str, make_keys(scope)), make_values(scope), strict=True))
    return None


def template(value: Any) -> Template:
    """Like `compile_template`, also for a value that is always the same (its doubled braces made single)."""
    return compile_template(value) or _always(literal(value))


def literal(value: Any) -> Any:
    """A value without expressions as it is meant: `{{` and the `}}` that closes it are single braces."""
    if isinstance(value, str):
        return "".join(part for part in _parts(value) if isinstance(part, str))
    if isinstance(value, list):
        return [literal(item) for item in value]
    if isinstance(value, dict):
        return {literal(key): literal(item) for key, item in value.items()}
    return value


def _always(value: Any) -> Template:
    return lambda scope: value


def _compile_list(values: list[Any]) -> Template | None:
    compiled = [compile_template(value) for value in values]
    if not any(compiled):
        return None
    makers = [made or _always(literal(value)) for made, value in zip(compiled, values, strict=True)]
    return lambda scope: [make(scope) for make in makers]


def _compile_text(text: str) -> Template | None:
    if "{" not in text:
        return None
    parts = [part for part in _parts(text) if part != ""]
    if all(isinstance(part, str) for part in parts):
        return None
    if len(parts) == 1:
        make = parts[0]
        assert not isinstance(make, str)
        return make
    makers = [_always(part) if isinstance(part, str) else part for part in parts]
    return lambda scope: "".join([str(make(scope)) for make in makers])


def _parts(text: str) -> list[str | Template]:
    """Literal texts and compiled expressions, in their order."""
    parts: list[str | Template] = []
    opened: list[str] = []  # how each brace that is still open was written: { or {{
    position = 0
    while position < len(text):
        step, made = _next_part(text, position, opened)
        if isinstance(made, str) and parts and isinstance(parts[-1], str):
            parts[-1] += made
        else:
            parts.append(made)
        position += step
    return parts


def _next_part(text: str, position: int, opened: list[str]) -> tuple[int, str | Template]:
    """How many characters the next part takes, and what it is."""
    if text.startswith("{{", position):
        opened.append("{{")
        return 2, "{"
    if text[position] == "{":
        found = _EXPRESSION.match(text, position)
        made = None if found is None else _expression(found[1])
        if found is not None and made is not None:
            return len(found[0]), made
        opened.append("{")
        return 1, "{"
    if text[position] == "}":
        doubled = text.startswith("}}", position) and (not opened or opened[-1] == "{{")
        if opened:
            opened.pop()
        return (2 if doubled else 1), "}"
    end = min((at for at in (text.find("{", position), text.find("}", position)) if at >= 0), default=len(text))
    return end - position, text[position:end]


def _expression(source: str) -> Template | None:
    """Compile what stands in braces; None where it is no expression. Raises UsageError for one that can't be."""
    if len(source) > MAX_LENGTH:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python warns of what only looks like its code
            tree = ast.parse(source.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
    return _compile(tree, source) if _is_meant(tree) else None


def _is_meant(tree: ast.expr) -> bool:
    """Whether braces hold an expression: a name alone, something with a name of ours, or sums of numbers."""
    names = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]
    if isinstance(tree, ast.Name) or any(name in _NAMES for name in names):
        return True
    return not names and isinstance(tree, ast.BinOp)


def _compile(node: ast.expr, source: str) -> Template:
    if isinstance(node, ast.Name):
        if node.id not in _NAMES:
            raise UsageError(f"has {{{source}}}; {_RULE}. Write {{{{{source}}}}} if the braces are meant as they are.")
        return _NAMES[node.id]
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return _always(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        operand = _number(node.operand, source)
        return (lambda scope: -operand(scope)) if isinstance(node.op, ast.USub) else operand
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        divides = isinstance(node.op, ast.FloorDiv | ast.Mod)
        if divides and isinstance(node.right, ast.Constant) and node.right.value == 0:
            raise UsageError(f"has {{{source}}}; nothing can be divided by zero. Change the divisor.")
        return _binary(_OPERATORS[type(node.op)], _number(node.left, source), _number(node.right, source), source)
    raise UsageError(f"has {{{source}}}; {_RULE}. Write it with these, or double the braces.")


def _number(node: ast.expr, source: str) -> Template:
    """Compile an operand. uuid is a text, with which no operator works."""
    if isinstance(node, ast.Name) and node.id == "uuid":
        raise UsageError(f"has {{{source}}}; uuid is a text, and operators take numbers. Write {{uuid}} on its own.")
    return _compile(node, source)


def _binary(apply: Callable[[Any, Any], Any], left: Template, right: Template, source: str) -> Template:
    def evaluate(scope: Scope) -> Any:
        try:
            return apply(left(scope), right(scope))
        except ZeroDivisionError:
            raise UsageError(
                f"has {{{source}}}, which divides by zero where n is {scope.n}; nothing can be divided by zero. "
                "Change the divisor."
            ) from None

    return evaluate
