"""Batches and transactions: several items, also of several tables. PartiQL is not played.

The first table that a request names does it, so that it is an operation of a source as any other one is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from simbus.aws.dynamodb.common import api, table_of
from simbus.aws.table import Response
from simbus.sources.dynamodb.many import check_some
from simbus.sources.dynamodb.transact import check_number, not_one_action

if TYPE_CHECKING:
    from simbus.resources import Resources
    from simbus.sources.dynamodb.table import Table


@api.operation
def batch_write_item(
    account: Resources,
    *,
    RequestItems: Mapping[str, Any],
    ReturnConsumedCapacity: str = "NONE",
    ReturnItemCollectionMetrics: str = "NONE",
) -> Response:
    return _first(account, RequestItems).batch_write_item(
        RequestItems,
        return_consumed_capacity=ReturnConsumedCapacity,
        return_item_collection_metrics=ReturnItemCollectionMetrics,
    )


@api.operation
def batch_get_item(
    account: Resources, *, RequestItems: Mapping[str, Any], ReturnConsumedCapacity: str = "NONE"
) -> Response:
    table = _first(account, RequestItems)
    return table.batch_get_item(RequestItems, return_consumed_capacity=ReturnConsumedCapacity)


@api.operation
def transact_write_items(
    account: Resources,
    *,
    TransactItems: Sequence[Mapping[str, Any]],
    ClientRequestToken: str | None = None,
    ReturnConsumedCapacity: str = "NONE",
    ReturnItemCollectionMetrics: str = "NONE",
) -> Response:
    return _first_of(account, TransactItems).transact_write_items(
        TransactItems,
        client_request_token=ClientRequestToken,
        return_consumed_capacity=ReturnConsumedCapacity,
        return_item_collection_metrics=ReturnItemCollectionMetrics,
    )


@api.operation
def transact_get_items(
    account: Resources, *, TransactItems: Sequence[Mapping[str, Any]], ReturnConsumedCapacity: str = "NONE"
) -> Response:
    table = _first_of(account, TransactItems)
    return table.transact_get_items(TransactItems, return_consumed_capacity=ReturnConsumedCapacity)


def _first(account: Resources, requests: Mapping[str, Any]) -> Table:
    check_some(requests)
    return table_of(account, next(iter(requests)))


def _first_of(account: Resources, requests: Sequence[Mapping[str, Any]]) -> Table:
    check_number(requests)
    for request in requests[:1]:
        for given in request.values():
            return table_of(account, given["TableName"])
    raise not_one_action()
