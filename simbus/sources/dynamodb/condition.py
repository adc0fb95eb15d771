"""Whether a condition holds for an item, as DynamoDB decides it.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
Values of different kinds are never equal and have no order; what does not exist is equal to nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import ge, gt, le, lt
from typing import Any

from simbus.sources.dynamodb.project import at_path
from simbus.sources.dynamodb.syntax import Tree
from simbus.sources.dynamodb.values import SET_KINDS, Item, Value, comparable

_ORDERED = ("S", "N", "B")
_ORDER: dict[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


def holds(node: Tree, item: Item) -> bool:
    """Whether the condition (a resolved tree) holds for the item."""
    kind = node[0]
    if kind in ("and", "or"):
        wanted = kind == "or"
        for each in node[1:]:  # a loop: every level of nesting is one frame of Python's
            if holds(each, item) is wanted:
                return wanted
        return not wanted
    if kind == "not":
        return not holds(node[1], item)
    if kind == "in":
        left = _operand(node[1], item)
        return left is not None and any(_operand(each, item) == left for each in node[2])
    return _TESTS[kind](*(_operand(each, item) for each in node[1:]))


def _operand(node: Tree, item: Item) -> Value | None:
    """The value of an operand; None where nothing stands there."""
    if node[0] == "value":
        return node[1]  # type: ignore[no-any-return]
    if node[0] == "path":
        return at_path(item, node[1])
    value = _operand(node[1], item)
    if value is None:
        return None
    ((kind, content),) = value.items()
    return None if kind in ("N", "BOOL", "NULL") else {"N": str(len(content))}


def _comparison(compare: Callable[[Any, Any], bool]) -> Callable[[Value | None, Value | None], bool]:
    def test(left: Value | None, right: Value | None) -> bool:
        if left is None or right is None or not _same_order(left, right):
            return False
        return compare(comparable(left), comparable(right))

    return test


def _same_order(left: Value, right: Value) -> bool:
    (kind,) = left
    return kind in _ORDERED and kind in right


def _equal(left: Value | None, right: Value | None) -> bool:
    return left is not None and left == right


def _not_equal(left: Value | None, right: Value | None) -> bool:
    return not _equal(left, right)


def _between(value: Value | None, low: Value | None, high: Value | None) -> bool:
    return _TESTS["<="](low, value) and _TESTS["<="](value, high)


def _exists(value: Value | None) -> bool:
    return value is not None


def _is_absent(value: Value | None) -> bool:
    return value is None


def _of_type(value: Value | None, wanted: Value | None) -> bool:
    return value is not None and wanted is not None and wanted.get("S") in value


def _begins_with(value: Value | None, prefix: Value | None) -> bool:
    if value is None or prefix is None:
        return False
    ((kind, start),) = prefix.items()
    return kind in ("S", "B") and kind in value and bool(value[kind].startswith(start))


def _contains(value: Value | None, wanted: Value | None) -> bool:
    """Part of a text or of bytes, a member of a set, an element of a list."""
    if value is None or wanted is None:
        return False
    ((kind, content),) = value.items()
    if kind == "L":
        return wanted in content
    part = SET_KINDS.get(kind, kind if kind in ("S", "B") else None)
    return part in wanted and wanted[part] in content


_TESTS: dict[str, Callable[..., bool]] = {
    "=": _equal,
    "<>": _not_equal,
    **{sign: _comparison(compare) for sign, compare in _ORDER.items()},
    "between": _between,
    "attribute_exists": _exists,
    "attribute_not_exists": _is_absent,
    "attribute_type": _of_type,
    "begins_with": _begins_with,
    "contains": _contains,
}
