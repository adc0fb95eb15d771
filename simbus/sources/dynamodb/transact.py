"""Transactions: several operations on items of one or several tables, all or none of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from simbus.errors import AwsError
from simbus.sources.dynamodb.capacity import read_units
from simbus.sources.dynamodb.errors import SchemaMismatch, absent, cancelled, conflict, invalid
from simbus.sources.dynamodb.expressions import Projection
from simbus.sources.dynamodb.many import Tables, asked_projection, check_keys, shown
from simbus.sources.dynamodb.report import Report
from simbus.sources.dynamodb.schema import Key
from simbus.sources.dynamodb.store import TableStore
from simbus.sources.dynamodb.tokens import Token
from simbus.sources.dynamodb.values import Stored, clean_item
from simbus.sources.dynamodb.write import (
    Write,
    prepare_check,
    prepare_delete,
    prepare_put,
    prepare_update,
    reason,
)
from simbus.world import World

TRANSACTION_LIMIT: Final = 100
TRANSACTION_BYTES: Final = 4 * 1024 * 1024
_CONDITION = {
    "ConditionExpression": "condition",
    "ExpressionAttributeNames": "names",
    "ExpressionAttributeValues": "values",
    "ReturnValuesOnConditionCheckFailure": "on_failure",
}
_ACTIONS: dict[str, tuple[Callable[..., Write], dict[str, str]]] = {
    "Put": (prepare_put, {"Item": "item", **_CONDITION}),
    "Delete": (prepare_delete, {"Key": "key", **_CONDITION}),
    "Update": (prepare_update, {"Key": "key", "UpdateExpression": "update", **_CONDITION}),
    "ConditionCheck": (prepare_check, {"Key": "key", **_CONDITION}),
}


def transact_write(
    world: World,
    tables: Tables,
    requests: Sequence[Mapping[str, Mapping[str, Any]]],
    token: str | None = None,
    capacity: str = "NONE",
    metrics: str = "NONE",
) -> dict[str, Any]:
    """TransactWriteItems. Raises AwsError ValidationException, TransactionCanceledException (a RefusedWrite).

    A request whose `token` an equal one has had in the 10 minutes before changes nothing; an unequal one raises
    IdempotentParameterMismatchException. Called by a handler it takes its tables' `transaction_duration`, in which
    other requests for its items are refused: "transaction conflict" of the developer guide, and the two phases of
    "Distributed Transactions at Scale in Amazon DynamoDB" (USENIX ATC 2023).
    """
    report = Report(capacity, metrics, "WriteCapacityUnits")
    check_number(requests)
    named = None if token is None else Token(world, token, requests)
    if named is not None and named.used_before():
        return _done_before(tables, requests, capacity)
    writes = [_action(tables, number, request) for number, request in enumerate(requests, 1)]
    keys = [(write.table.name, write.key) for write in writes if isinstance(write, Write)]
    if len(set(keys)) < len(keys):
        raise invalid("Transaction request cannot include multiple operations on one item")
    results = _prepared(writes)
    _hold(world, [write for write, _ in results], named)
    for (done, result), request in zip(results, requests, strict=True):
        old = done.table.stored.get(done.key)
        if done.table.throughput is not None:
            done.table.throughput.take("Write", done.consumed(old, result), 2.0)
        done.table.write(done.key, result)
        report.write(_table_name(request), done, old, result)
    if named is not None:
        named.end()
    return report.shown()


def _prepared(writes: Sequence[Write | SchemaMismatch]) -> list[tuple[Write, Stored | None]]:
    """What each write leaves. Raises AwsError where one of them cancels the transaction."""
    results: list[tuple[Write, Stored | None]] = []
    reasons: list[dict[str, Any]] = []
    for write in writes:
        try:
            if isinstance(write, SchemaMismatch):
                raise write
            results.append((write, write.admitted()))
            reasons.append({"Code": "None"})
        except AwsError as error:
            reasons.append(reason(error))
    if len(results) < len(writes):
        raise cancelled(reasons)
    if sum(result[1] for _, result in results if result is not None) > TRANSACTION_BYTES:
        # The API reference's sentence, as in transact_get: what AWS itself says is not known.
        raise invalid("The aggregate size of the items in the transaction exceeds 4 MB")
    return results


def _hold(world: World, writes: Sequence[Write], token: Token | None) -> None:
    """Let the transaction take its time: nobody else may write its items meanwhile."""
    actor = world.timeline.actor
    duration = max(write.table.transaction_duration for write in writes)
    if actor is None or not duration:
        return
    if token is not None:
        token.begin()
    for write in writes:
        write.table.busy.add(write.key)
    try:
        actor.pause(duration)
    except BaseException:
        if token is not None:
            token.forget()
        raise
    finally:
        for write in writes:
            write.table.busy.discard(write.key)


def _done_before(tables: Tables, requests: Sequence[Mapping[str, Any]], capacity: str) -> dict[str, Any]:
    """A request whose token is known reads its items (API reference, ClientRequestToken)."""
    report = Report(capacity, "NONE", "ReadCapacityUnits")
    for request in requests:
        ((kind, given),) = request.items()
        table = tables(given.get("TableName"))
        key = (
            table.schema.key_of(clean_item(given["Item"])[0])
            if kind == "Put"
            else table.schema.given_key(given["Key"])[0]
        )
        stored = table.stored.get(key)
        report.read(
            given.get("TableName"),
            table,
            read_units(0 if stored is None else stored[1], transaction=True),
            admitted=True,
        )
    return report.shown()


def _table_name(request: Mapping[str, Mapping[str, Any]]) -> str | None:
    return next(iter(request.values())).get("TableName")


def _action(tables: Tables, number: int, request: Mapping[str, Mapping[str, Any]]) -> Write | SchemaMismatch:
    """One checked action. What does not fit its table's schema cancels the transaction later, and is returned."""
    kinds = list(request)
    if len(kinds) != 1 or kinds[0] not in _ACTIONS:
        raise not_one_action()
    prepare, parameters = _ACTIONS[kinds[0]]
    given = request[kinds[0]]
    check_keys(given, ("TableName", *parameters))
    required = next(iter(parameters))
    arguments = {parameters[name]: value for name, value in given.items() if name != "TableName"}
    if required not in given or (kinds[0] == "Update" and "UpdateExpression" not in given):
        missing = required if required not in given else "UpdateExpression"
        kind = kinds[0]
        raise absent(f"transactItems.{number}.member.{kind[0].lower()}{kind[1:]}.{missing[0].lower()}{missing[1:]}")
    table = tables(given.get("TableName"))
    try:
        return prepare(table, **arguments)
    except SchemaMismatch as error:
        return error


def not_one_action() -> AwsError:
    """An element of TransactItems that is none of the four, or several."""
    return invalid("TransactItems can only contain one of Check, Put, Update or Delete")


def transact_get(
    tables: Tables, requests: Sequence[Mapping[str, Mapping[str, Any]]], capacity: str = "NONE"
) -> dict[str, Any]:
    """TransactGetItems: `{"Responses": [{"Item": ...} or {}]}` in the order of the request; items of up to 4 MB.

    Raises AwsError ValidationException, TransactionCanceledException (a RefusedWrite).
    """
    report = Report(capacity, "NONE", "ReadCapacityUnits")
    check_number(requests)
    wanted, reasons = _wanted(tables, requests)
    if len({(table.name, key) for table, key, _ in wanted}) < len(wanted):
        raise invalid("Transaction request cannot include multiple operations on one item")
    if any(each["Code"] != "None" for each in reasons):
        raise cancelled(reasons)
    if sum(table.stored[key][1] for table, key, _ in wanted if key in table.stored) > TRANSACTION_BYTES:
        # The API reference's sentence: what AWS itself says is not known.
        raise invalid("The aggregate size of the items in the transaction exceeded 4 MB")
    responses = []
    for (table, key, projection), request in zip(wanted, requests, strict=True):
        stored = table.stored.get(key)
        item = {} if stored is None else shown(stored[0], projection)
        responses.append({"Item": item} if item else {})
        size = 0 if stored is None else stored[1]
        report.read(_table_name(request), table, read_units(size, transaction=True), admitted=True)
    return {"Responses": responses, **report.shown()}


def _wanted(
    tables: Tables, requests: Sequence[Mapping[str, Mapping[str, Any]]]
) -> tuple[list[tuple[TableStore, Key, Projection | None]], list[dict[str, Any]]]:
    """What is to be read, and for each request why it cannot be."""
    wanted: list[tuple[TableStore, Key, Projection | None]] = []
    reasons: list[dict[str, Any]] = []
    for number, request in enumerate(requests, 1):
        check_keys(request, ("Get",))
        for member, given in (("get", request.get("Get")), ("get.key", request.get("Get", {}).get("Key"))):
            if given is None:
                raise absent(f"transactItems.{number}.member.{member}")
        given = request["Get"]
        table, projection = tables(given.get("TableName")), asked_projection(given, ("Key", "TableName"))
        try:
            key, _ = table.schema.given_key(given["Key"])
        except SchemaMismatch as error:
            reasons.append(reason(error))
            continue
        wanted.append((table, key, projection))
        reasons.append(_unreadable(table, key))
    return wanted, reasons


def _unreadable(table: TableStore, key: Key) -> dict[str, Any]:
    """Why an item can't be read now; the code None: it can."""
    try:
        if key in table.busy:
            raise conflict()
        if table.throughput is not None:
            table.throughput.admit("Read")
    except AwsError as error:
        return reason(error)
    return {"Code": "None"}


def check_number(requests: Sequence[Any]) -> None:
    """Raise AwsError where there are no actions, or too many."""
    if not 1 <= len(requests) <= TRANSACTION_LIMIT:
        bound = f"less than or equal to {TRANSACTION_LIMIT}" if requests else "greater than or equal to 1"
        raise invalid(
            "1 validation error detected: Value at 'TransactItems' failed to satisfy constraint: "
            f"Member must have length {bound}"
        )
