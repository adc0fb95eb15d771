"""Batches and transactions: several items, also of several tables. PartiQL is not played."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from simbus.aws.dynamodb.common import api
from simbus.aws.table import Response
from simbus.sources.dynamodb import many, transact

if TYPE_CHECKING:
    from simbus.resources import Resources


@api.operation
def batch_write_item(
    account: Resources,
    *,
    RequestItems: Mapping[str | None, Any],
    ReturnConsumedCapacity: str = "NONE",
    ReturnItemCollectionMetrics: str = "NONE",
) -> Response:
    return many.batch_write(_tables(account), RequestItems, ReturnConsumedCapacity, ReturnItemCollectionMetrics)


@api.operation
def batch_get_item(
    account: Resources, *, RequestItems: Mapping[str | None, Any], ReturnConsumedCapacity: str = "NONE"
) -> Response:
    return many.batch_get(_tables(account), RequestItems, ReturnConsumedCapacity)


@api.operation
def transact_write_items(
    account: Resources,
    *,
    TransactItems: Sequence[Mapping[str, Any]],
    ClientRequestToken: str | None = None,
    ReturnConsumedCapacity: str = "NONE",
    ReturnItemCollectionMetrics: str = "NONE",
) -> Response:
    return transact.transact_write(
        account.world,
        _tables(account),
        TransactItems,
        ClientRequestToken,
        ReturnConsumedCapacity,
        ReturnItemCollectionMetrics,
    )


@api.operation
def transact_get_items(
    account: Resources, *, TransactItems: Sequence[Mapping[str, Any]], ReturnConsumedCapacity: str = "NONE"
) -> Response:
    return transact.transact_get(_tables(account), TransactItems, ReturnConsumedCapacity)


def _tables(account: Resources) -> many.Tables:
    return many.finder(None, account.world.find)
