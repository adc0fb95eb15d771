"""Whether a condition holds for an item, as DynamoDB decides it.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
Values of different kinds are never equal and have no order; what does not exist is equal to nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import ge, gt, le, lt
from typing import Any

from simbus.errors import AwsError
from simbus.sources.dynamodb.errors import invalid
from simbus.sources.dynamodb.project import at_path, shown_path
from simbus.sources.dynamodb.syntax import Tree
from simbus.sources.dynamodb.values import KINDS, SET_KINDS, Item, Value, comparable

_ORDERED = ("S", "N", "B")
_ORDER: dict[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


def holds(node: Tree, item: Item) -> bool:
    """Whether the condition (a resolved tree) holds for the item."""
    kind = node[0]
    if kind == "and":
        return holds(node[1], item) and holds(node[2], item)
    if kind == "or":
        return holds(node[1], item) or holds(node[2], item)
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
    "attribute_type": _of_type,
    "begins_with": _begins_with,
    "contains": _contains,
}


_DISTINCT = ("=", "<>", *_ORDER, "begins_with", "contains")


# --- what AWS refuses before it looks at an item --------------------------------------------------------------------


def check_condition(node: Tree, parameter: str) -> None:
    """Raise AwsError ValidationException for literal operands of a kind that the operator does not take."""
    kind = node[0]
    if kind in ("path", "value", "size"):
        return
    children = (node[1], *node[2]) if kind == "in" else node[1:]
    for child in children:
        check_condition(child, parameter)
    if kind in _DISTINCT and children[0][0] == "path" and children[0] in children[1:]:
        raise invalid(
            f"Invalid {parameter}: The first operand must be distinct from the remaining operands for this operator or "
            f"function; operator: {kind}, first operand: {shown_path(children[0][1])}"
        )
    if kind in _ORDER or kind == "between":
        _check_kinds(kind, children, _ORDERED, parameter)
    if kind == "between":
        _check_bounds(node[2], node[3], parameter)
    if kind == "begins_with":
        _check_kinds(kind, children, ("S", "B"), parameter)
    if kind == "attribute_type":
        _check_type_name(node[2][1], parameter)


def _check_kinds(operator: str, operands: tuple[Tree, ...], allowed: tuple[str, ...], parameter: str) -> None:
    for operand in operands:
        if operand[0] == "value" and next(iter(operand[1])) not in allowed:
            raise wrong_operand(operator, operand[1], parameter)


def wrong_operand(operator: str, value: Value, parameter: str) -> AwsError:
    return invalid(
        f"Invalid {parameter}: Incorrect operand type for operator or function; "
        f"operator or function: {operator.upper() if operator == 'between' else operator}, "
        f"operand type: {next(iter(value))}"
    )


def _check_bounds(low: Tree, high: Tree, parameter: str) -> None:
    if low[0] != "value" or high[0] != "value":
        return
    shown = f"lower bound operand: AttributeValue: {_shown(low[1])}, upper bound operand: AttributeValue: " + _shown(
        high[1]
    )
    if not _same_order(low[1], high[1]):
        raise invalid(
            f"Invalid {parameter}: The BETWEEN operator requires same data type for lower and upper bounds; {shown}"
        )
    if comparable(low[1]) > comparable(high[1]):
        raise invalid(
            f"Invalid {parameter}: The BETWEEN operator requires upper bound to be greater than or equal to lower "
            f"bound; {shown}"
        )


def _shown(value: Value) -> str:
    ((kind, content),) = value.items()
    return f"{{{kind}:{content}}}"


def _check_type_name(value: Value, parameter: str) -> None:
    if "S" not in value:
        raise wrong_operand("attribute_type", value, parameter)
    if value["S"] not in KINDS:
        raise invalid(
            f"Invalid {parameter}: Invalid attribute type name found; type: {value['S']}, "
            f"valid types: {{{','.join(KINDS)}}}"
        )
