"""YAML text as a tree of nodes that know where they stand, and the plain data in it.

The scalars are those of YAML 1.2: only `true` and `false` are booleans, `on` and `yes` are texts, 1:30 is no
sexagesimal number, a timestamp stays the text that it is. A number with a leading zero (an account id) stays a text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import yaml

MAX_DEPTH = 100
"""How deep mappings and lists may be nested."""

MAX_NODES = 1_000_000
"""How many nodes a file may have once its aliases are expanded."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAGS = {f"tag:yaml.org,2002:{kind}": kind for kind in ("str", "int", "float", "bool", "null", "map", "seq")}
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)", re.ASCII)
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **{sign + name: float(sign + "inf") for sign in ("", "+", "-") for name in (".inf", ".Inf", ".INF")},
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}


class Position(NamedTuple):
    """Where something stands in the file; both count from 1."""

    line: int
    column: int


class YamlError(Exception):
    """The text is not the YAML that simbus reads: where, and what to do about it."""

    def __init__(self, position: Position, message: str) -> None:
        super().__init__(message)
        self.position = position
        self.message = message


@dataclass(slots=True)
class Node:
    """A scalar (`value` is its plain value), a list of nodes, or a mapping of key to (position of the key, node)."""

    position: Position
    value: Any

    def child(self, key: str | int) -> tuple[Position, Node] | None:
        """What a key or an index leads to, and the position to show for it; None where there is no such child."""
        if isinstance(self.value, Mapping):
            return self.value.get(str(key))
        if isinstance(self.value, list) and isinstance(key, int) and 0 <= key < len(self.value):
            node = self.value[key]
            return node.position, node
        return None


class Mapping(dict[str, tuple[Position, Node]]):
    """The entries of a mapping node, in the order of the file."""


def compose(text: str) -> Node | None:
    """The one document of a YAML text as a tree; None for an empty text. Raises YamlError."""
    try:
        return _Composer(yaml.parse(text, _LOADER)).document()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise YamlError(
            Position(line, 1), f"holds the character {error.character!r}, which YAML does not allow. Remove it."
        ) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        last = text.count("\n") + 1  # the parser counts one line more where the text ends too early
        where = Position(min(mark.line + 1, last), mark.column + 1) if mark else Position(1, 1)
        if "maximum nesting depth" in str(error.problem):  # newer versions of libyaml have a limit of their own
            raise YamlError(where, _too_deep()) from None
        context = f" {error.context}" if error.context else ""
        tabbed = mark is not None and text.split("\n")[where.line - 1][mark.column : mark.column + 1] == "\t"
        remedy = "Indent with blanks: YAML takes no tabs there" if tabbed else "Mend the syntax"
        raise YamlError(where, f"is not YAML: {error.problem}{context}. {remedy}.") from None


def plain(root: Node) -> Any:
    """The plain data of a tree: dicts, lists and scalars, aliases expanded. Raises YamlError."""
    budget = [MAX_NODES]

    def expand(node: Node, depth: int) -> Any:
        budget[0] -= 1
        if budget[0] < 0:
            raise YamlError(
                root.position,
                f"has more than {MAX_NODES:,} values once its aliases are expanded, the most that simbus reads. "
                "Write less, or repeat fewer aliases.",
            )
        if depth > MAX_DEPTH:
            raise YamlError(node.position, _too_deep())
        if isinstance(node.value, Mapping):
            return {key: expand(child, depth + 1) for key, (_, child) in node.value.items()}
        if isinstance(node.value, list):
            return [expand(child, depth + 1) for child in node.value]
        return node.value

    return expand(root, 0)


def _too_deep() -> str:
    return f"is nested more than {MAX_DEPTH} levels deep; that is the most that simbus reads. Flatten it."


def _position(event: Any) -> Position:
    return Position(event.start_mark.line + 1, event.start_mark.column + 1)


class _Composer:
    """Builds the tree out of the parser's events."""

    def __init__(self, events: Iterator[Any]) -> None:
        self._events = events
        self._anchors: dict[str, Node] = {}

    def document(self) -> Node | None:
        root = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise YamlError(
                        _position(event), "a second document begins; a scenario file is one. Remove what follows ---."
                    )
                root = self._node(next(self._events), 0)
        return root

    def _node(self, event: Any, depth: int) -> Node:
        where = _position(event)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, where)
        if depth > MAX_DEPTH:
            raise YamlError(where, _too_deep())
        kind = self._tag(event, where)
        if isinstance(event, yaml.ScalarEvent):
            node = Node(where, _scalar(event, kind, where))
        else:
            node = Node(where, [] if isinstance(event, yaml.SequenceStartEvent) else Mapping())
            if kind not in (None, "seq" if isinstance(node.value, list) else "map"):
                raise YamlError(where, f"is tagged {event.tag}, which does not fit. Remove the tag.")
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        if isinstance(node.value, Mapping):
            self._mapping(node.value, depth)
        elif isinstance(node.value, list) and isinstance(event, yaml.SequenceStartEvent):
            while not isinstance(item := next(self._events), yaml.SequenceEndEvent):
                node.value.append(self._node(item, depth + 1))
        return node

    def _alias(self, event: Any, where: Position) -> Node:
        found = self._anchors.get(event.anchor)
        if found is None:
            raise YamlError(where, f"*{event.anchor} is an alias of nothing before it. Write &{event.anchor} there.")
        return found

    def _tag(self, event: Any, where: Position) -> str | None:
        """The kind that a tag demands (`str`), None where there is none."""
        if event.tag is None or event.tag == "!":
            return None
        if event.tag not in _TAGS:
            raise YamlError(where, f"the tag {event.tag} makes no plain data; simbus reads only that. Remove the tag.")
        return _TAGS[event.tag]

    def _mapping(self, entries: Mapping, depth: int) -> None:
        merged: list[Node] = []
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            where = _position(event)
            key = self._key(event, depth)
            if key == "<<" and isinstance(event, yaml.ScalarEvent) and not event.style:
                merged += self._merged(depth)
                continue
            if key in entries:
                first = entries[key][0].line
                raise YamlError(
                    where, f"the key {key!r} stands twice in one mapping (first in line {first}). Keep one of them."
                )
            entries[key] = (where, self._node(next(self._events), depth + 1))
        for node in merged:
            for key, entry in node.value.items():
                entries.setdefault(key, entry)

    def _key(self, event: Any, depth: int) -> str:
        """A key as text: a number or a boolean as it is written."""
        if isinstance(event, yaml.ScalarEvent):
            self._tag(event, _position(event))
            if event.anchor is not None:
                self._anchors[event.anchor] = Node(_position(event), event.value)
            return str(event.value)
        node = self._node(event, depth + 1)
        if isinstance(node.value, Mapping | list):
            raise YamlError(_position(event), "a key is a list or a mapping; it must be a text. Write a text.")
        return str(node.value)

    def _merged(self, depth: int) -> list[Node]:
        """The mappings that `<<` names, in order of precedence."""
        node = self._node(next(self._events), depth + 1)
        nodes = node.value if isinstance(node.value, list) else [node]
        for each in nodes:
            if not isinstance(each.value, Mapping):
                raise YamlError(node.position, "<< merges something that is no mapping. Name mappings after <<.")
        return nodes


def _scalar(event: Any, kind: str | None, where: Position) -> Any:
    """The plain value of a scalar: quoted and block scalars are texts, plain ones are resolved as in YAML 1.2."""
    text: str = event.value
    if kind == "str" or (kind is None and (event.style or event.tag == "!")):
        return text
    value = _resolve(text, where)
    if kind == "float" and type(value) is int:
        return float(value)
    if kind not in (None, _kind(value)):
        raise YamlError(where, f"{text!r} is tagged {event.tag}, which it is not. Remove the tag.")
    return value


def _resolve(text: str, where: Position) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    try:
        if _INT.fullmatch(text):
            return int(text)
        if _BASED.fullmatch(text):
            return int(text, 0)
    except ValueError:
        raise YamlError(
            where, f"is a number of {len(text)} digits, which is too long. Quote it, or shorten it."
        ) from None
    return float(text) if _FLOAT.fullmatch(text) else text


def _kind(value: Any) -> str:
    kinds = {str: "str", bool: "bool", int: "int", float: "float"}
    return kinds.get(type(value), "null")
