"""What AWS refuses in an expression whose placeholders are resolved, before it looks at an item.

The texts and their order are those that dynalite (https://github.com/architect/dynalite) has compared with AWS.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from simbus.errors import AwsError
from simbus.sources.dynamodb.errors import invalid
from simbus.sources.dynamodb.project import Path, shown_path
from simbus.sources.dynamodb.syntax import CONDITION_FUNCTIONS, UPDATE_FUNCTIONS, Tree
from simbus.sources.dynamodb.values import KINDS, Value, comparable

_ORDERED: Final = ("S", "N", "B")
_COMPARED: Final = ("<", "<=", ">", ">=")
_DISTINCT: Final = ("=", "<>", *_COMPARED, "begins_with", "contains", "attribute_type")
_LEAVES: Final = ("path", "value")
_EASY: Final = (
    "attribute_exists",
    "attribute_not_exists",
    "=",
    "<>",
)  # nothing can be wrong with their operands' kinds
_NO_TYPE: Final = "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}"  # what attribute_type is told by a path
_KIND_NAMES: Final = {
    "S": "STRING",
    "N": "NUMBER",
    "B": "BINARY",
    "SS": "STRING_SET",
    "NS": "NUMBER_SET",
    "BS": "BINARY_SET",
    "BOOL": "BOOLEAN",
    "NULL": "NULL",
    "L": "LIST",
    "M": "MAP",
}
_CHANGED: Final = {"ADD": ("SS", "NS", "BS", "N"), "DELETE": ("SS", "NS", "BS")}


class _Checks:
    """Checks in the name of one parameter of the request."""

    def __init__(self, parameter: str) -> None:
        self.parameter = parameter

    def refused(self, what: str) -> AwsError:
        return invalid(f"Invalid {self.parameter}: {what}")

    def count(self, node: Tree) -> None:
        wanted = CONDITION_FUNCTIONS.get(node[0]) or UPDATE_FUNCTIONS.get(node[0])
        if wanted is not None and len(node) - 1 != wanted:
            raise self.refused(
                "Incorrect number of operands for operator or function; "
                f"operator or function: {node[0]}, number of operands: {len(node) - 1}"
            )

    def distinct(self, node: Tree) -> None:
        if node[0] in _DISTINCT and node[1][0] == "path" and node[1] == node[2]:
            raise self.refused(
                "The first operand must be distinct from the remaining operands for this operator or function; "
                f"operator: {node[0]}, first operand: {shown_path(node[1][1])}"
            )

    def kinds(self, node: Tree) -> None:
        kind = node[0]
        if kind in ("attribute_exists", "attribute_not_exists", "if_not_exists") and node[1][0] != "path":
            raise self.refused(f"Operator or function requires a document path; operator or function: {kind}")
        if kind in _COMPARED or kind == "between":
            self._allow(node, _ORDERED)
        if kind == "between":
            self._bounds(node[2], node[3])
        elif kind == "begins_with":
            self._allow(node, ("S", "B"))
        elif kind == "attribute_type":
            self._type_name(node)
        elif kind == "size":
            self._allow(node, tuple(each for each in KINDS if each not in ("N", "BOOL", "NULL")))
        elif kind == "list_append":
            self._allow(node, ("L",))
        elif kind in ("+", "-"):
            self._allow(node, ("N",))

    def _allow(self, node: Tree, allowed: Sequence[str]) -> None:
        for operand in node[1:]:
            kind = _kind(operand)
            if kind is not None and kind not in allowed:
                raise self._wrong(node[0], kind)

    def _wrong(self, operator: str, kind: str) -> AwsError:
        return self.refused(
            "Incorrect operand type for operator or function; "
            f"operator or function: {'BETWEEN' if operator == 'between' else operator}, operand type: {kind}"
        )

    def _bounds(self, low: Tree, high: Tree) -> None:
        if low[0] != "value" or high[0] != "value":
            return
        shown = (
            f"lower bound operand: AttributeValue: {_shown(low[1])}, "
            f"upper bound operand: AttributeValue: {_shown(high[1])}"
        )
        if _kind(low) != _kind(high):
            what = "The BETWEEN operator requires same data type for lower and upper bounds"
            raise self.refused(f"{what}; {shown}")
        if comparable(low[1]) > comparable(high[1]):
            what = "The BETWEEN operator requires upper bound to be greater than or equal to lower bound"
            raise self.refused(f"{what}; {shown}")

    def _type_name(self, node: Tree) -> None:
        kind = _kind(node[2])
        if kind != "S":
            raise self._wrong(node[0], _NO_TYPE if kind is None else kind)
        name = node[2][1]["S"]
        if name not in KINDS:
            raise self.refused(f"Invalid attribute type name found; type: {name}, valid types: {{{','.join(KINDS)}}}")

    def changed(self, action: Tree) -> None:
        """ADD and DELETE take sets; ADD takes a number as well."""
        allowed = _CHANGED.get(action[0])
        if allowed is not None and (kind := next(iter(action[2][1]))) not in allowed:
            raise self.refused(
                "Incorrect operand type for operator or function; operator: "
                f"{action[0]}, operand type: {_KIND_NAMES[kind]}, typeSet: ALLOWED_FOR_{action[0]}_OPERAND"
            )


def check_predicate(node: Tree, parameter: str) -> None:
    """Raise AwsError for what is wrong with one comparison or function of a condition."""
    if node[0] in _EASY and all(each[0] in _LEAVES for each in node[1:]):
        if len(node) == 2 and node[1][0] == "path":
            return
        if len(node) == 3 and node[1] != node[2] and node[0] not in CONDITION_FUNCTIONS:
            return
    checks, nodes = _Checks(parameter), _inner_first(node)
    for check in (checks.count, checks.distinct, checks.kinds):
        for each in nodes:
            check(each)


def check_actions(actions: Sequence[Tree]) -> None:
    """Raise AwsError for what is wrong with the actions of an update."""
    check_paths([action[1][1] for action in actions], "UpdateExpression")
    checks = _Checks("UpdateExpression")
    for action in actions:
        checks.changed(action)
    for action in actions:
        if action[0] == "SET" and action[2][0] not in _LEAVES:
            for node in _inner_first(action[2]):
                checks.count(node)
                checks.kinds(node)


def check_paths(paths: Sequence[Path], parameter: str) -> None:
    """Raise AwsError where one path is another or leads through it, or where a place is a map for one, a list for
    the other."""
    if len({path[0] for path in paths}) == len(paths):
        return
    pairs = [(other, one) for number, one in enumerate(paths) for other in paths[:number]]
    for wrong, what in ((_overlap, "overlap"), (_conflict, "conflict")):
        for first, second in pairs:
            if wrong(first, second):
                raise _Checks(parameter).refused(
                    f"Two document paths {what} with each other; must remove or rewrite one of these paths; "
                    f"path one: {shown_path(first)}, path two: {shown_path(second)}"
                )


def _overlap(one: Path, other: Path) -> bool:
    shared = min(len(one), len(other))
    return one[:shared] == other[:shared]


def _conflict(one: Path, other: Path) -> bool:
    for left, right in zip(one, other, strict=False):
        if left != right:
            return isinstance(left, int) is not isinstance(right, int)
    return False


def _inner_first(node: Tree) -> list[Tree]:
    """The functions and operators of an operand or comparison, each after its own operands."""
    found: list[Tree] = []
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if each[0] not in ("path", "value"):
            found.append(each)
            waiting += (each[1], *each[2]) if each[0] == "in" else each[1:]
    return found[::-1]


def _kind(operand: Tree) -> str | None:
    """The kind of an operand that is known without an item."""
    if operand[0] == "value":
        kind: str = next(iter(operand[1]))
        return kind
    return "N" if operand[0] == "size" else None


def _shown(value: Value) -> str:
    ((kind, content),) = value.items()
    return f"{{{kind}:{content}}}"
