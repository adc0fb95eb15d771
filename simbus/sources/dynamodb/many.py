"""Operations on several items, also of several tables, each for itself (batches); what transactions share with them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from simbus.errors import AwsError, UsageError
from simbus.sources.dynamodb import legacy
from simbus.sources.dynamodb.capacity import read_units
from simbus.sources.dynamodb.errors import SchemaMismatch, absent, invalid, no_table
from simbus.sources.dynamodb.expressions import Expressions, Names, Projection
from simbus.sources.dynamodb.report import Report
from simbus.sources.dynamodb.schema import Key
from simbus.sources.dynamodb.store import TableStore
from simbus.sources.dynamodb.throughput import THROTTLED
from simbus.sources.dynamodb.values import Item, copy_item
from simbus.sources.dynamodb.write import (
    Write,
    prepare_delete,
    prepare_put,
)

MISMATCH = "The provided key element does not match the schema"
BATCH_WRITE_LIMIT = 25
BATCH_GET_LIMIT = 100
BATCH_GET_BYTES = 16 * 1024 * 1024
_WRITES = {"PutRequest": "Item", "DeleteRequest": "Key"}
Tables = Callable[[str | None], TableStore]


# --- batches --------------------------------------------------------------------------------------------------------


def batch_write(
    tables: Tables,
    requests: Mapping[str | None, Sequence[Mapping[str, Any]]],
    capacity: str = "NONE",
    metrics: str = "NONE",
) -> dict[str, Any]:
    """BatchWriteItem: all requests are checked before the first one is done. Raises AwsError ValidationException.

    What the capacity of its table does not allow is answered as UnprocessedItems; where it is all that was asked for,
    ProvisionedThroughputExceededException is raised (API reference; BatchGetItem does so, too).
    """
    report = Report(capacity, metrics)
    check_some(requests)
    for name, each in requests.items():
        _check_length(f"RequestItems.{name or tables(name).resource}.member", each, BATCH_WRITE_LIMIT)
    if sum(len(each) for each in requests.values()) > BATCH_WRITE_LIMIT:
        raise invalid("Too many items requested for the BatchWriteItem call")
    for name, each in requests.items():
        for number, request in enumerate(each, 1):
            _check_write(name or tables(name).resource, number, request)
    writes = [(name, _batched(tables(name), request)) for name, each in requests.items() for request in each]
    _check_distinct([(write.table.name, write.key) for _, write in writes])
    unprocessed: dict[str, list[Mapping[str, Any]]] = {}
    throttled, done = None, False
    given = (request for each in requests.values() for request in each)
    for (name, write), request in zip(writes, given, strict=True):
        try:  # a transaction has it, or capacity is short: to be tried again, as the SDKs' batch writers do
            if write.key not in write.table.busy:
                report.write(name, write, *write.perform())
                done = True
                continue
        except AwsError as error:
            throttled = _throttled(error)
        unprocessed.setdefault(name or write.table.resource, []).append(request)
    if throttled is not None and not done:
        raise throttled
    return {"UnprocessedItems": unprocessed, **report.shown()}


def _throttled(error: AwsError) -> AwsError:
    """That error, if it is about capacity; else it is raised."""
    if error.code != THROTTLED:
        raise error
    return error


def _check_write(table: str, number: int, request: Mapping[str, Any]) -> None:
    """Raise AwsError for a WriteRequest that is not exactly one of the two.

    AWS's text for an empty one is that of a value with several types (dynalite has compared it); that it is the one for
    a request with both is remembered only.
    """
    given = {kind: content for kind, content in request.items() if content is not None}
    check_keys(given, tuple(_WRITES))
    for kind, content in given.items():
        member = _WRITES[kind]
        check_keys(content, (member,))
        if content.get(member) is None:
            raise absent(f"requestItems.{table}.member.{number}.member.{_small(kind)}.{_small(member)}")
    if len(given) != 1:
        raise invalid(
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported "
            "datatypes"
        )


def _small(name: str) -> str:
    return name[0].lower() + name[1:]


def _batched(table: TableStore, request: Mapping[str, Any]) -> Write:
    if request.get("PutRequest") is None:
        return prepare_delete(table, request["DeleteRequest"]["Key"])
    try:
        return prepare_put(table, request["PutRequest"]["Item"])
    except SchemaMismatch as error:  # AWS does not say which key of the table it is
        raise invalid(error.message if "Index Key" in error.message else MISMATCH) from None


def batch_get(
    tables: Tables, requests: Mapping[str | None, Mapping[str, Any]], capacity: str = "NONE"
) -> dict[str, Any]:
    """BatchGetItem: up to 16 MB of items; the keys of the others are answered as UnprocessedKeys."""
    report = Report(capacity)
    check_some(requests)
    for name, each in requests.items():
        _check_length(
            f"RequestItems.{name or tables(name).resource}.member.Keys", each.get("Keys", ()), BATCH_GET_LIMIT
        )
    if sum(len(each["Keys"]) for each in requests.values()) > BATCH_GET_LIMIT:
        raise invalid("Too many items requested for the BatchGetItem call")
    asked = [(name, tables(name), request) for name, request in requests.items()]
    wanted = [_Wanted(name, table, request, key) for name, table, request in asked for key in _keys(table, request)]
    projections = {
        name: asked_projection(request, ("Keys", "ConsistentRead", "AttributesToGet")) for name, _, request in asked
    }
    responses: dict[str, list[Item]] = {name or table.resource: [] for name, table, _ in asked}
    unprocessed: dict[str, dict[str, Any]] = {}
    throttled, done, size = None, False, 0
    for one in wanted:
        stored = one.table.stored.get(one.key[0])
        weight = 0 if stored is None else stored[1]
        try:
            if size + weight <= BATCH_GET_BYTES:
                size += weight
                units = read_units(weight, consistent=one.request.get("ConsistentRead", False))
                report.read(one.name, one.table, units)
                done = True
                if stored is not None:
                    responses[one.shown].append(shown(stored[0], projections[one.name]))
                continue
            size = BATCH_GET_BYTES + 1  # nothing more is read
        except AwsError as error:
            throttled = _throttled(error)
        unprocessed.setdefault(one.shown, {**one.request, "Keys": []})["Keys"].append(one.key[1])
    if throttled is not None and not done:
        raise throttled
    return {"Responses": responses, "UnprocessedKeys": unprocessed, **report.shown()}


class _Wanted(NamedTuple):
    """One key of a BatchGetItem, as the table has it and as it was given."""

    name: str | None
    table: TableStore
    request: Mapping[str, Any]
    key: tuple[Key, Mapping[str, Any]]

    @property
    def shown(self) -> str:
        return self.name or self.table.resource


def _keys(table: TableStore, request: Mapping[str, Any]) -> list[tuple[Key, Mapping[str, Any]]]:
    keys = [(table.schema.given_key(key)[0], key) for key in request["Keys"]]
    _check_distinct([key for key, _ in keys])
    return keys


def check_some(requests: Mapping[Any, Any]) -> None:
    """Raise AwsError where a batch asks for nothing."""
    _check_length("RequestItems", requests, len(requests))


def _check_length(where: str, given: Collection[Any], most: int) -> None:
    if not given or len(given) > most:
        bound = f"less than or equal to {most}" if given else "greater than or equal to 1"
        raise invalid(
            f"1 validation error detected: Value at '{where}' failed to satisfy constraint: "
            f"Member must have length {bound}"
        )


def _check_distinct(keys: Sequence[Any]) -> None:
    if len(set(keys)) < len(keys):
        raise invalid("Provided list of item keys contains duplicates")


# --- both -----------------------------------------------------------------------------------------------------------


def finder(own: TableStore | None, find: Callable[[str], object]) -> Tables:
    """Finds tables by name or ARN; None is the table `own`. What is not found raises ResourceNotFoundException."""

    def table(name: str | None) -> TableStore:
        if own is not None and (name is None or name in (own.resource, own.arn)):
            return own
        found = None if name is None else find(name if name.startswith("arn:") else f"dynamodb:{name}")
        if not isinstance(found, TableStore):
            raise no_table()
        found.check_available()
        return found

    return table


def asked_projection(request: Mapping[str, Any], others: Sequence[str]) -> Projection | None:
    """The projection of one entry of a batch or transaction, which may have `others` besides."""
    check_keys(request, (*others, "ProjectionExpression", "ExpressionAttributeNames"))
    return read_projection_of(
        request.get("ProjectionExpression"), request.get("ExpressionAttributeNames"), request.get("AttributesToGet")
    )


def read_projection_of(
    projection: str | None, names: Names, attributes_to_get: Sequence[str] | None = None
) -> Projection | None:
    """The projection of a request that has no other expression."""
    if projection is None and names is None:
        return legacy.attributes_to_get(attributes_to_get)
    legacy.check_forms({"ProjectionExpression": projection}, {"AttributesToGet": attributes_to_get})
    expressions = Expressions(names, None)
    found = expressions.projection(projection)
    expressions.finish()
    return found


def shown(item: Item, projection: Projection | None) -> Item:
    return copy_item(item) if projection is None else projection.of(item)


def check_keys(given: Mapping[str, Any], known: Sequence[str]) -> None:
    for name in given:
        if name not in known:
            raise UsageError(
                f"{name} was given in a batch or transaction; an entry has {', '.join(known)}. Leave it out."
            )
