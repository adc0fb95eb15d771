"""One write: the item it is about, the condition it depends on, and what it leaves there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from simbus.errors import AwsError
from simbus.sources.dynamodb import legacy
from simbus.sources.dynamodb.capacity import Consumed, check_return
from simbus.sources.dynamodb.errors import RefusedWrite, conflict, constraint, failed_condition, invalid
from simbus.sources.dynamodb.expressions import Condition, Expressions, Names, Values
from simbus.sources.dynamodb.project import project
from simbus.sources.dynamodb.schema import Key
from simbus.sources.dynamodb.store import TableStore
from simbus.sources.dynamodb.syntax import Tree
from simbus.sources.dynamodb.throughput import THROTTLED
from simbus.sources.dynamodb.update import check_key_untouched, updated
from simbus.sources.dynamodb.values import Item, Stored, clean_item, copy_item

ITEM_LIMIT = 400 * 1024
_UPDATE_NULL = "UpdateExpression and ConditionExpression are null"
UPDATE_RETURNS = ("ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW")


class Write(msgspec.Struct, frozen=True):
    """A checked request to write. `change` makes the new item from the old one; `changed` are an update's paths."""

    table: TableStore
    key: Key
    condition: Condition | None
    change: Callable[[Stored | None], Stored | None]
    show_old: bool = False
    changed: Sequence[Any] = ()

    def result(self) -> Stored | None:
        """What it would leave. Raises AwsError ConditionalCheckFailedException, ValidationException."""
        if self.key in self.table.busy:
            raise conflict()
        old = self.table.stored.get(self.key)
        if self.condition is not None and not self.condition.holds(None if old is None else old[0]):
            raise failed_condition(copy_item(old[0]) if old is not None and self.show_old else None)
        return self.change(old)

    def admitted(self) -> Stored | None:
        """The same, if the table's capacity lets it. Raises AwsError ProvisionedThroughputExceededException, too.

        A condition that fails costs the units of the item that is there (developer guide, capacity-mode).
        """
        limits = self.table.throughput
        if limits is None:
            return self.result()
        limits.admit("Write")
        old = self.table.stored.get(self.key)
        try:
            new = self.result()
        except RefusedWrite:
            limits.take("Write", self.consumed(old, None, in_indexes=False))
            raise
        limits.admit_indexes(self.consumed(old, new).of_index)
        return new

    def consumed(self, old: Stored | None, new: Stored | None, *, in_indexes: bool = True) -> Consumed:
        """What the write takes of the table and its indexes."""
        consumed = Consumed(self.table.resource, self.table.indexes if in_indexes else {})
        consumed.add_write(old, new)
        return consumed

    def perform(self) -> tuple[Stored | None, Stored | None]:
        """Write, and return the old item and the new one."""
        old = self.table.stored.get(self.key)
        if self.table.throughput is not None:
            new = self.admitted()
            self.table.throughput.take("Write", self.consumed(old, new))
            self.table.write(self.key, new)
            return old, new
        new = self.change(old) if self.condition is None and not self.table.busy else self.result()
        self.table.write(self.key, new)
        return old, new


def _keep(old: Stored | None) -> Stored | None:
    return old


def _nothing(_old: Stored | None) -> None:
    return None


def prepare_put(
    table: TableStore,
    item: Mapping[str, Any],
    condition: str | None = None,
    names: Names = None,
    values: Values = None,
    on_failure: str = "NONE",
    expected: legacy.Conditions = None,
    operator: str | None = None,
) -> Write:
    """A PutItem. Raises AwsError ValidationException."""
    stored = clean_item(item)
    key = table.schema.key_of(stored[0])
    for index in table.indexes.values():
        index.check_item(stored[0])
    if stored[1] > ITEM_LIMIT:
        raise invalid("Item size has exceeded the maximum allowed size")
    checked = read(condition, names, values, expected, operator)
    return Write(table, key, checked, lambda _old: stored, shows_old(on_failure))


def prepare_delete(
    table: TableStore,
    key: Mapping[str, Any],
    condition: str | None = None,
    names: Names = None,
    values: Values = None,
    on_failure: str = "NONE",
    expected: legacy.Conditions = None,
    operator: str | None = None,
) -> Write:
    """A DeleteItem."""
    found, _ = table.schema.given_key(key)
    checked = read(condition, names, values, expected, operator)
    return Write(table, found, checked, _nothing, shows_old(on_failure))


def prepare_check(
    table: TableStore,
    key: Mapping[str, Any],
    condition: str | None = None,
    names: Names = None,
    values: Values = None,
    on_failure: str = "NONE",
) -> Write:
    """The ConditionCheck of a transaction: it changes nothing."""
    if condition is None:
        raise invalid("The expression can not be empty; ConditionCheck needs a ConditionExpression")
    found, _ = table.schema.given_key(key)
    return Write(table, found, read(condition, names, values), _keep, shows_old(on_failure))


def prepare_update(
    table: TableStore,
    key: Mapping[str, Any],
    update: str | None,
    condition: str | None = None,
    names: Names = None,
    values: Values = None,
    on_failure: str = "NONE",
    updates: Mapping[str, Mapping[str, Any]] | None = None,
    expected: legacy.Conditions = None,
    operator: str | None = None,
) -> Write:
    """An UpdateItem: it makes the item where there is none."""
    found, key_item = table.schema.given_key(key)
    actions: list[Tree] = []
    checked = None
    if updates is not None or expected is not None or operator is not None:
        others = {"AttributeUpdates": updates, "Expected": expected, "ConditionalOperator": operator}
        legacy.check_forms({"UpdateExpression": update, "ConditionExpression": condition}, others)
        Expressions(names, values, _UPDATE_NULL).finish()
        actions = legacy.attribute_updates(updates or {})
        checked = _condition(legacy.expected(expected, operator))
    elif update is not None or condition is not None or names is not None or values is not None:
        expressions = Expressions(names, values, _UPDATE_NULL)
        actions = expressions.update(update)
        checked = expressions.condition(condition)
        expressions.finish()
    check_key_untouched(actions, table.schema.names)
    heads = {str(action[1][1][0]) for action in actions}

    def change(old: Stored | None) -> Stored:
        new = clean_item(updated(key_item if old is None else old[0], actions))
        for index in table.indexes.values():
            index.check_update(new[0], heads)
        if new[1] > ITEM_LIMIT:
            raise invalid("Item size to update has exceeded the maximum allowed size")
        return new

    return Write(table, found, checked, change, shows_old(on_failure), [action[1][1] for action in actions])


def read(
    condition: str | None,
    names: Names,
    values: Values,
    expected: legacy.Conditions = None,
    operator: str | None = None,
) -> Condition | None:
    """The condition of a request that has no other expression."""
    if expected is not None or operator is not None:
        legacy.check_forms({"ConditionExpression": condition}, {"Expected": expected, "ConditionalOperator": operator})
        Expressions(names, values).finish()
        return _condition(legacy.expected(expected, operator))
    if condition is None and names is None and values is None:
        return None
    expressions = Expressions(names, values)
    found = expressions.condition(condition)
    expressions.finish()
    return found


def _condition(tree: Tree | None) -> Condition | None:
    return None if tree is None else Condition(tree)


def shows_old(on_failure: str) -> bool:
    """ReturnValuesOnConditionCheckFailure: ALL_OLD or NONE."""
    if on_failure == "NONE":
        return False
    if on_failure != "ALL_OLD":
        rule = "Member must satisfy enum value set: [ALL_OLD, NONE]"
        raise constraint(on_failure, "returnValuesOnConditionCheckFailure", rule)
    return True


# --- what the caller asked to be told ------------------------------------------------------------------------------


def check_returns(return_values: str, allowed: Sequence[str]) -> None:
    """Raise AwsError ValidationException for a ReturnValues that the operation does not know."""
    if return_values not in UPDATE_RETURNS:
        rule = f"Member must satisfy enum value set: [{', '.join(UPDATE_RETURNS)}]"
        raise constraint(return_values, "returnValues", rule)
    if return_values not in allowed:
        raise invalid("ReturnValues can only be ALL_OLD or NONE")


def perform(write: Write, return_values: str, capacity: str, metrics: str) -> dict[str, Any]:
    """Write, and answer as PutItem, UpdateItem and DeleteItem do. Raises AwsError."""
    counted, measured = capacity != "NONE" and check_return(capacity), metrics != "NONE" and check_metrics(metrics)
    old, new = write.perform()
    answer = {} if return_values == "NONE" else _attributes(write, old, new, return_values)
    if counted:
        answer["ConsumedCapacity"] = write.consumed(old, new).shown(capacity)
    if measured and (found := write.table.collection(write.key[0])) is not None:
        answer["ItemCollectionMetrics"] = found
    return answer


def check_metrics(how: str) -> bool:
    """Whether ReturnItemCollectionMetrics asks for any. Raises AwsError ValidationException."""
    if how not in ("SIZE", "NONE"):
        raise constraint(how, "returnItemCollectionMetrics", "Member must satisfy enum value set: [SIZE, NONE]")
    return how == "SIZE"


def _attributes(write: Write, old: Stored | None, new: Stored | None, return_values: str) -> dict[str, Item]:
    """The answer: `{"Attributes": ...}`, or `{}` where there are none."""
    if return_values == "NONE":
        return {}
    shown = old if return_values.endswith("OLD") else new
    if shown is None:
        return {}
    item = project(shown[0], write.changed) if return_values.startswith("UPDATED") else copy_item(shown[0])
    return {"Attributes": item} if item else {}


_REASONS = {
    "ConditionalCheckFailedException": "ConditionalCheckFailed",
    "TransactionConflictException": "TransactionConflict",
    THROTTLED: "ProvisionedThroughputExceeded",
}


def reason(error: AwsError) -> dict[str, Any]:
    """Why a write cancels its transaction, as an entry of CancellationReasons."""
    code = _REASONS.get(error.code, "ValidationError")
    details: dict[str, Any] = getattr(error, "details", {})
    return {"Code": code, "Message": error.message, **details}
