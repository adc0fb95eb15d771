"""Operations on several items, also of several tables: batches (each for itself) and transactions (all or nothing)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from simbus.errors import AwsError, UsageError
from simbus.sources.dynamodb.errors import cancelled, invalid, no_table
from simbus.sources.dynamodb.expressions import Expressions, Names, Projection
from simbus.sources.dynamodb.schema import Key
from simbus.sources.dynamodb.store import TableStore
from simbus.sources.dynamodb.values import Item, Stored, copy_item
from simbus.sources.dynamodb.write import (
    Write,
    prepare_check,
    prepare_delete,
    prepare_put,
    prepare_update,
    reason,
)

BATCH_WRITE_LIMIT = 25
BATCH_GET_LIMIT = 100
BATCH_GET_BYTES = 16 * 1024 * 1024
TRANSACTION_LIMIT = 100
TRANSACTION_BYTES = 4 * 1024 * 1024
Tables = Callable[[str | None], TableStore]
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


# --- batches --------------------------------------------------------------------------------------------------------


def batch_write(tables: Tables, requests: Mapping[str | None, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """BatchWriteItem: all requests are checked before the first one is done. Raises AwsError ValidationException."""
    if sum(len(each) for each in requests.values()) > BATCH_WRITE_LIMIT:
        raise invalid("Too many items requested for the BatchWriteItem call")
    _check_some(requests)
    writes = [_batched(tables(name), request) for name, each in requests.items() for request in each]
    _check_distinct([(write.table.name, write.key) for write in writes])
    for write in writes:
        write.perform()
    return {"UnprocessedItems": {}}


def _batched(table: TableStore, request: Mapping[str, Any]) -> Write:
    if list(request) == ["PutRequest"] and list(request["PutRequest"]) == ["Item"]:
        return prepare_put(table, request["PutRequest"]["Item"])
    if list(request) == ["DeleteRequest"] and list(request["DeleteRequest"]) == ["Key"]:
        return prepare_delete(table, request["DeleteRequest"]["Key"])
    raise UsageError(
        f"batch_write_item of {table.name}: {request!r} is no write request; "
        'one is {"PutRequest": {"Item": ...}} or {"DeleteRequest": {"Key": ...}}. Write one of the two.'
    )


def batch_get(tables: Tables, requests: Mapping[str | None, Mapping[str, Any]]) -> dict[str, Any]:
    """BatchGetItem: up to 16 MB of items; the keys of the others are answered as UnprocessedKeys."""
    if sum(len(each.get("Keys", ())) for each in requests.values()) > BATCH_GET_LIMIT:
        raise invalid("Too many items requested for the BatchGetItem call")
    _check_some({name: each.get("Keys", ()) for name, each in requests.items()})
    responses: dict[str, list[Item]] = {}
    unprocessed: dict[str, dict[str, Any]] = {}
    size = 0
    for name, request in requests.items():
        table = tables(name)
        projection = _projection(request, ("Keys",))
        keys = [(table.schema.given_key(key)[0], key) for key in request["Keys"]]
        _check_distinct([key for key, _ in keys])
        found = responses.setdefault(table.resource, [])
        for key, given in keys:
            stored = table.stored.get(key)
            size += 0 if stored is None else stored[1]
            if size > BATCH_GET_BYTES:
                unprocessed.setdefault(table.resource, {**request, "Keys": []})["Keys"].append(given)
            elif stored is not None:
                found.append(_shown(stored[0], projection))
    return {"Responses": responses, "UnprocessedKeys": unprocessed}


def _check_some(requests: Mapping[Any, Sequence[Any]]) -> None:
    if not requests or not all(requests.values()):
        raise invalid(
            "1 validation error detected: Value at 'requestItems' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1"
        )


def _check_distinct(keys: Sequence[Any]) -> None:
    if len(set(keys)) < len(keys):
        raise invalid("Provided list of item keys contains duplicates")


# --- transactions ---------------------------------------------------------------------------------------------------


def transact_write(tables: Tables, requests: Sequence[Mapping[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """TransactWriteItems. Raises AwsError ValidationException, TransactionCanceledException (a RefusedWrite)."""
    _check_number(requests)
    writes = [_action(tables, request) for request in requests]
    if len({(write.table.name, write.key) for write in writes}) < len(writes):
        raise invalid("Transaction request cannot include multiple operations on one item")
    results: list[Stored | None] = []
    reasons: list[dict[str, Any]] = []
    for write in writes:
        try:
            results.append(write.result())
            reasons.append({"Code": "None"})
        except AwsError as error:
            reasons.append(reason(error))
    if len(results) < len(writes):
        raise cancelled(reasons)
    if sum(result[1] for result in results if result is not None) > TRANSACTION_BYTES:
        raise invalid("Collection of items in the transaction exceeds the 4 MB limit")
    for write, result in zip(writes, results, strict=True):
        write.table.write(write.key, result)
    return {}


def _action(tables: Tables, request: Mapping[str, Mapping[str, Any]]) -> Write:
    kinds = list(request)
    if len(kinds) != 1 or kinds[0] not in _ACTIONS:
        raise invalid("TransactItems can only contain one of Check, Put, Update or Delete")
    prepare, parameters = _ACTIONS[kinds[0]]
    given = request[kinds[0]]
    _check_keys(given, ("TableName", *parameters))
    required = next(iter(parameters))
    arguments = {parameters[name]: value for name, value in given.items() if name != "TableName"}
    if required not in given or (kinds[0] == "Update" and "UpdateExpression" not in given):
        missing = required if required not in given else "UpdateExpression"
        raise invalid(
            f"1 validation error detected: Value null at 'transactItems.member.{kinds[0].lower()}."
            f"{missing[0].lower()}{missing[1:]}' failed to satisfy constraint: Member must not be null"
        )
    return prepare(tables(given.get("TableName")), **arguments)


def transact_get(tables: Tables, requests: Sequence[Mapping[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """TransactGetItems: `{"Responses": [{"Item": ...} or {}]}` in the order of the request."""
    _check_number(requests)
    wanted: list[tuple[TableStore, Key, Projection | None]] = []
    for request in requests:
        if list(request) != ["Get"] or "Key" not in request["Get"]:
            raise UsageError(
                f'transact_get_items: {request!r} is no read; one is {{"Get": {{"Key": ...}}}}. Write it like that.'
            )
        given = request["Get"]
        table = tables(given.get("TableName"))
        wanted.append((table, table.schema.given_key(given["Key"])[0], _projection(given, ("Key", "TableName"))))
    responses = []
    for table, key, projection in wanted:
        stored = table.stored.get(key)
        responses.append({} if stored is None else {"Item": _shown(stored[0], projection)})
    return {"Responses": responses}


def _check_number(requests: Sequence[Any]) -> None:
    if not 1 <= len(requests) <= TRANSACTION_LIMIT:
        bound = f"less than or equal to {TRANSACTION_LIMIT}" if requests else "greater than or equal to 1"
        raise invalid(
            "1 validation error detected: Value at 'transactItems' failed to satisfy constraint: "
            f"Member must have length {bound}"
        )


# --- both -----------------------------------------------------------------------------------------------------------


def finder(own: TableStore, find: Callable[[str], object]) -> Tables:
    """Finds tables by name or ARN; None is the table itself. What is not found raises ResourceNotFoundException."""

    def table(name: str | None) -> TableStore:
        if name is None or name in (own.resource, own.arn):
            return own
        found = find(name if name.startswith("arn:") else f"dynamodb:{name}")
        if not isinstance(found, TableStore):
            raise no_table()
        return found

    return table


def _projection(request: Mapping[str, Any], others: Sequence[str]) -> Projection | None:
    _check_keys(request, (*others, "ProjectionExpression", "ExpressionAttributeNames"))
    return read_projection_of(request.get("ProjectionExpression"), request.get("ExpressionAttributeNames"))


def read_projection_of(projection: str | None, names: Names) -> Projection | None:
    """The projection of a request that has no other expression."""
    if projection is None and names is None:
        return None
    expressions = Expressions(names, None)
    found = expressions.projection(projection)
    expressions.finish()
    return found


def _shown(item: Item, projection: Projection | None) -> Item:
    return copy_item(item) if projection is None else projection.of(item)


def _check_keys(given: Mapping[str, Any], known: Sequence[str]) -> None:
    for name in given:
        if name not in known:
            raise UsageError(
                f"{name} was given in a batch or transaction; an entry has {', '.join(known)}. Leave it out."
            )
