"""What an update expression makes of an item.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
Every operand is read from the item as it was before the update; the positions of list elements are those of before.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from simbus.errors import AwsError
from simbus.sources.dynamodb.errors import invalid
from simbus.sources.dynamodb.project import Path, at_path
from simbus.sources.dynamodb.syntax import Tree
from simbus.sources.dynamodb.values import NUMBERS, Item, Value, copy_item, copy_value, number_text, sorted_set


def updated(item: Item, actions: Sequence[Tree]) -> Item:
    """A new item: `item` after the actions (resolved trees). Raises AwsError ValidationException."""
    result = copy_item(item)
    for action in actions:
        if action[0] == "SET":
            _put(result, action[1][1], copy_value(_value(action[2], item)))
        elif action[0] != "REMOVE":
            _change_set_or_number(result, item, *action)
    removed = [action[1][1] for action in actions if action[0] == "REMOVE"]
    for path in sorted(removed, key=_position, reverse=True):
        _remove(result, path)
    return result


def _position(path: Path) -> list[tuple[int, str]]:
    """Sorts the later elements of a list behind the earlier ones."""
    return [(step, "") if isinstance(step, int) else (-1, step) for step in path]


# --- operands -------------------------------------------------------------------------------------------------------


def _value(node: Tree, item: Item) -> Value:
    kind = node[0]
    if kind == "value":
        return node[1]  # type: ignore[no-any-return]
    if kind == "path":
        found = at_path(item, node[1])
        if found is None:
            raise invalid("The provided expression refers to an attribute that does not exist in the item")
        return found
    if kind == "if_not_exists":
        found = at_path(item, node[1][1])
        return _value(node[2], item) if found is None else found
    left, right = _value(node[1], item), _value(node[2], item)
    if kind == "list_append":
        return {"L": [*_of_kind(left, "L"), *_of_kind(right, "L")]}
    numbers = [Decimal(_of_kind(value, "N")) for value in (left, right)]
    return {"N": _sum(numbers[0], numbers[1] if kind == "+" else -numbers[1])}


def _sum(left: Decimal, right: Decimal) -> str:
    """The sum, rounded to 38 significant digits as DynamoDB's arithmetic does."""
    return number_text(_DIGITS.plus(NUMBERS.add(left, right)))


_DIGITS = NUMBERS.copy()
_DIGITS.prec = 38


def _of_kind(value: Value, kind: str) -> Any:
    if kind not in value:
        raise _wrong_type()
    return value[kind]


def _wrong_type() -> AwsError:
    return invalid("An operand in the update expression has an incorrect data type")


# --- places ---------------------------------------------------------------------------------------------------------


def _parent(item: Item, path: Path) -> Any:
    """The dict or list that holds the last step of the path. Raises AwsError where there is none."""
    if len(path) == 1:
        return item
    above = at_path(item, path[:-1])
    content = None if above is None else above.get("L" if isinstance(path[-1], int) else "M")
    if content is None:
        raise invalid("The document path provided in the update expression is invalid for update")
    return content


def _put(item: Item, path: Path, value: Value) -> None:
    """Put a value there; beyond the end of a list it is appended."""
    parent, step = _parent(item, path), path[-1]
    if isinstance(step, int) and step >= len(parent):
        parent.append(value)
    else:
        parent[step] = value


def _remove(item: Item, path: Path) -> None:
    parent, step = _parent(item, path), path[-1]
    if isinstance(step, int):
        del parent[step : step + 1]
    else:
        parent.pop(step, None)


def _change_set_or_number(result: Item, item: Item, kind: str, target: Tree, operand: Tree) -> None:
    """ADD and DELETE: members into a set and out of it; ADD also adds to a number (a missing one is 0)."""
    given = _value(operand, item)
    ((given_kind, content),) = given.items()
    before = at_path(item, target[1])
    if before is not None and given_kind not in before:
        raise _wrong_type()
    if given_kind == "N":
        start = Decimal(0) if before is None else Decimal(before["N"])
        _put(result, target[1], {"N": _sum(start, Decimal(content))})
        return
    members = [] if before is None else before[given_kind]
    if kind == "ADD":
        _put(result, target[1], {given_kind: sorted_set(given_kind, {*members, *content})})
        return
    left = [each for each in members if each not in content]
    if left:
        _put(result, target[1], {given_kind: left})
    else:
        _remove(result, target[1])


# --- checks ---------------------------------------------------------------------------------------------------------


def check_key_untouched(actions: Sequence[Tree], key_names: Sequence[str]) -> None:
    for action in actions:
        if action[1][1][0] in key_names:
            raise invalid(
                f"One or more parameter values were invalid: Cannot update attribute {action[1][1][0]}. "
                "This attribute is part of the key"
            )
