"""Transactions that meet each other on an item.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from simbus import Simulation
from simbus.kernel import MILLISECOND

boto3 = pytest.importorskip("boto3", reason="needs the extra boto3")
from botocore.exceptions import ClientError  # noqa: E402

client = boto3.client("dynamodb", region_name="us-east-1")
KEY = {"id": {"S": "1"}}
ONE = {"UpdateExpression": "ADD n :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
ORDERS = {"TableName": "orders", "Key": KEY}


def transact(**more: Any) -> Any:
    return client.transact_write_items(TransactItems=[{"Update": {**ORDERS, **ONE}}], **more)


def outcome(call: Callable[[], Any]) -> Callable[[Any, Any], Any]:
    """A handler that makes the call and returns the error's code, and the reasons of a cancelled transaction."""

    def handler(event: Any, context: Any) -> Any:
        try:
            call()
        except ClientError as error:
            return [error.response["Error"]["Code"], error.response.get("CancellationReasons", [])]
        return "done"

    return handler


def second(call: Callable[[], Any], **settings: Any) -> tuple[Any, int]:
    """What a call comes to that is made 3 ms after the transaction of another function; and the counter's end."""
    with Simulation(seed=1) as sim:
        table = sim.table("orders", hash_key="id", **settings)
        quick = {"init_duration": "0s", "duration": "0s"}
        first, other = (
            sim.function(name, handler=outcome(each), simulate=quick)
            for name, each in (("first", transact), ("other", call))
        )
        sim.timeline.at(0, lambda _: first.invoke({}, invocation_type="Event"))
        sim.timeline.at(3 * MILLISECOND, lambda _: other.invoke({}, invocation_type="Event"))
        sim.run()
        with sim.reader() as rows:
            found = list(rows.query("select function, response from invocations"))
        answers = {row[0]: json.loads(row[1]) for row in found}
        assert answers["first"] == "done"
        return answers["other"], int(table.items[0]["n"]["N"])


CONFLICT = [{"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}]


def test_a_transaction_is_cancelled() -> None:
    """TransactionCanceledException with the reason TransactionConflict."""
    assert second(transact) == (["TransactionCanceledException", CONFLICT], 1)


def test_a_single_write_is_refused() -> None:
    """PutItem, UpdateItem and DeleteItem: TransactionConflictException."""
    assert second(lambda: client.update_item(**ORDERS, **ONE)) == (["TransactionConflictException", []], 1)


def test_reads() -> None:
    """TransactGetItems is cancelled, GetItem reads what was before (isolation levels of the developer guide)."""
    get = {"Get": ORDERS}
    found, _ = second(lambda: client.transact_get_items(TransactItems=[get]))
    assert found == ["TransactionCanceledException", CONFLICT]
    assert second(lambda: client.get_item(**ORDERS)) == ("done", 1)


def test_a_batch_leaves_the_item_unprocessed() -> None:
    """A batch writer sends it again."""

    def write() -> None:
        with boto3.resource("dynamodb").Table("orders").batch_writer() as batch:
            batch.put_item(Item={"id": "1", "n": 9})

    assert second(write) == ("done", 9)


def test_the_same_token_at_once() -> None:
    """TransactionInProgressException, which botocore tries again: the second request finds that it is done."""
    first = [{"Update": {**ORDERS, **ONE}}]

    def handler(event: Any, context: Any) -> None:
        client.transact_write_items(TransactItems=first, ClientRequestToken="token")

    with Simulation(seed=1) as sim:
        table = sim.table("orders", hash_key="id")
        function = sim.function("f", handler=handler, simulate={"init_duration": "0s"})
        for at in (0, 3):
            sim.timeline.at(at * MILLISECOND, lambda _: function.invoke({}, invocation_type="Event"))
        sim.run()
        assert [each.status for each in function.invocations] == ["ok", "ok"]
        assert table.items[0]["n"] == {"N": "1"}


def test_it_can_be_switched_off() -> None:
    """`transaction_duration` 0: a transaction is done at one instant."""
    assert second(transact, transaction_duration="0s") == ("done", 2)


def test_a_handler_that_dies_in_a_transaction_holds_nothing() -> None:
    """Its items are free again, and its token was never used."""
    with Simulation(seed=1) as sim:
        table = sim.table("orders", hash_key="id", transaction_duration="10s")
        function = sim.function("f", handler=lambda event, context: transact(ClientRequestToken="t"), timeout=1)
        assert function.invoke({}).function_error
        assert len(table) == 0
        transact(ClientRequestToken="t")
        assert table.items[0]["n"] == {"N": "1"}
