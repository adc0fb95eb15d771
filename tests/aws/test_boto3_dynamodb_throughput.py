"""Provisioned capacity through boto3: bursts, throttles, and what botocore's retries make of them in virtual time.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/burst-adaptive-capacity.html
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from simbus import Simulation, UsageError
from simbus.errors import AwsError
from simbus.kernel import SECOND

boto3 = pytest.importorskip("boto3", reason="needs the extra boto3")
from botocore.config import Config  # noqa: E402
from botocore.exceptions import ClientError  # noqa: E402

ONCE = Config(retries={"total_max_attempts": 1})
TEXT = (
    "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning "
    "level with the UpdateTable API."
)
OF_INDEX = (
    "The level of configured provisioned throughput for one or more global secondary indexes of the table was "
    "exceeded. Consider increasing your provisioning level for the under-provisioned global secondary indexes with the "
    "UpdateTable API"
)
UNITS = {"read_capacity_units": 1, "write_capacity_units": 1}


def keyed(number: int, **more: str) -> dict[str, Any]:
    return {"id": {"S": str(number)}, **{name: {"S": value} for name, value in more.items()}}


def put(client: Any, number: int, **more: str) -> dict[str, Any]:
    answer: dict[str, Any] = client.put_item(
        TableName="orders", Item=keyed(number, **more), ReturnConsumedCapacity="TOTAL"
    )
    return answer


def throttled(call: Any, **params: Any) -> dict[str, Any]:
    """The answer with which AWS throttles."""
    with pytest.raises(ClientError) as caught:
        call(**params)
    response: dict[str, Any] = caught.value.response
    assert response["Error"]["Code"] == "ProvisionedThroughputExceededException"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return response


def exhausted(sim: Simulation, **settings: Any) -> Any:
    """A client of a table of one unit a second whose bursts are used up."""
    sim.table("orders", hash_key="id", provisioned_throughput=UNITS, **settings)
    client = sim.client("dynamodb", config=ONCE)
    for number in range(300):
        put(client, number)
    return client


def test_five_minutes_of_unused_capacity_are_kept(sim: Simulation) -> None:
    """300 writes of 1 KB at 1 WCU, at one instant; then one a second. A read has units of its own."""
    client = exhausted(sim)
    answer = throttled(put, client=client, number=300)
    assert answer["Error"]["Message"] == TEXT
    assert answer["ThrottlingReasons"] == [
        {"reason": "TableWriteProvisionedThroughputExceeded", "resource": sim["dynamodb:orders"].arn}
    ]
    assert "Item" in client.get_item(TableName="orders", Key=keyed(1))
    sim.run(for_="2s")
    assert put(client, 300)["ConsumedCapacity"]["CapacityUnits"] == 1.0
    put(client, 301)
    throttled(put, client=client, number=302)
    sim.run(for_="1h")
    for number in range(300):
        put(client, 1000 + number)
    throttled(put, client=client, number=302)


def test_a_request_is_charged_for_what_it_took(sim: Simulation) -> None:
    """One of many units is let in while anything is left, and paid off afterwards: 10 units here, where 1 was left."""
    client = exhausted(sim)
    sim.run(for_="1s")
    assert put(client, 1, v="x" * 10_000)["ConsumedCapacity"]["CapacityUnits"] == 10.0
    sim.run(for_="9s")
    throttled(put, client=client, number=2)
    sim.run(for_="1s")
    put(client, 2)


def test_reads(sim: Simulation) -> None:
    """GetItem, Query and Scan take their tables' read units: what ReturnConsumedCapacity says."""
    table = sim.table("orders", hash_key="id", provisioned_throughput=UNITS)
    table.put_item(keyed(1, v="x" * 300_000))
    client = sim.client("dynamodb", config=ONCE)
    taken = 0.0
    while taken < 300:
        answer = client.get_item(TableName="orders", Key=keyed(1), ConsistentRead=True, ReturnConsumedCapacity="TOTAL")
        taken += answer["ConsumedCapacity"]["CapacityUnits"]
    assert taken == 5 * 74
    query = {"KeyConditionExpression": "id = :id", "ExpressionAttributeValues": {":id": {"S": "1"}}}
    for call, params in (
        (client.get_item, {"Key": keyed(1)}),
        (client.scan, {}),
        (client.query, query),
    ):
        answer = throttled(call, TableName="orders", **params)
        assert answer["ThrottlingReasons"][0]["reason"] == "TableReadProvisionedThroughputExceeded"
    assert len(table) == 1


def test_botocore_backs_off_in_virtual_time(sim: Simulation) -> None:
    """A handler's SDK tries again until a unit is there: every item is written, and it took the time that it takes."""
    table = sim.table("orders", hash_key="id", provisioned_throughput=UNITS)
    for number in range(300):
        table.put_item(keyed(number))

    def handler(event: Any, context: Any) -> int:
        client = boto3.client("dynamodb", region_name="us-east-1")
        for number in range(5):
            client.put_item(TableName="orders", Item=keyed(1000 + number))
        return len(table)

    answer = sim.function("f", handler=handler, timeout=60).invoke({})
    assert answer.json() == 305
    assert sim.now >= 4 * SECOND
    assert sum(point.value for point in table.metric("WriteThrottleEvents")) >= 4


def test_batches_leave_what_is_too_much(sim: Simulation) -> None:
    """UnprocessedItems, UnprocessedKeys; the exception where nothing at all was possible (API reference)."""
    client = exhausted(sim)
    writes = {"orders": [{"PutRequest": {"Item": keyed(number)}} for number in range(1000, 1025)]}
    throttled(client.batch_write_item, RequestItems=writes)
    sim.run(for_="10s")
    left = client.batch_write_item(RequestItems=writes)["UnprocessedItems"]["orders"]
    assert left == writes["orders"][10:]
    keys = {"orders": {"Keys": [keyed(number) for number in range(100)], "ConsistentRead": True}}
    for _ in range(3):
        answer = client.batch_get_item(RequestItems=keys)
    assert answer["UnprocessedKeys"] == {}
    sim.run(for_="7s")
    answer = client.batch_get_item(RequestItems=keys)
    assert len(answer["Responses"]["orders"]) == 7
    assert answer["UnprocessedKeys"]["orders"]["ConsistentRead"] is True
    assert len(answer["UnprocessedKeys"]["orders"]["Keys"]) == 93
    throttled(client.batch_get_item, RequestItems=keys)


def test_transactions_are_cancelled(sim: Simulation) -> None:
    """The reason ProvisionedThroughputExceeded with the table's message; a transaction costs twice as much."""
    client = exhausted(sim)
    actions = [{"Put": {"TableName": "orders", "Item": keyed(1000 + number)}} for number in range(2)]
    with pytest.raises(client.exceptions.TransactionCanceledException) as caught:
        client.transact_write_items(TransactItems=actions)
    assert caught.value.response["CancellationReasons"] == [
        {"Code": "ProvisionedThroughputExceeded", "Message": TEXT} for _ in actions
    ]
    sim.run(for_="1s")
    answer = client.transact_write_items(TransactItems=actions, ReturnConsumedCapacity="TOTAL")
    assert answer["ConsumedCapacity"][0]["WriteCapacityUnits"] == 4.0
    sim.run(for_="3s")
    throttled(put, client=client, number=1)
    gets = [{"Get": {"TableName": "orders", "Key": keyed(number)}} for number in range(100)]
    for _ in range(2):
        client.transact_get_items(TransactItems=gets)
    with pytest.raises(client.exceptions.TransactionCanceledException, match="ProvisionedThroughputExceeded"):
        client.transact_get_items(TransactItems=gets)


def test_an_index_holds_back_its_table(sim: Simulation) -> None:
    """A global index has units of its own: a write that it has no room for is refused (developer guide, GSI)."""
    sim.table(
        "orders",
        hash_key="id",
        provisioned_throughput={"read_capacity_units": 1000, "write_capacity_units": 1000},
        global_secondary_indexes=[{"index_name": "of_city", "hash_key": "city", "provisioned_throughput": UNITS}],
    )
    client = sim.client("dynamodb", config=ONCE)
    for number in range(300):
        put(client, number, city="Rome")
    answer = throttled(put, client=client, number=300, city="Rome")
    assert answer["Error"]["Message"] == OF_INDEX
    assert answer["ThrottlingReasons"][0]["reason"] == "IndexWriteProvisionedThroughputExceeded"
    assert answer["ThrottlingReasons"][0]["resource"].endswith(":table/orders/index/of_city")
    put(client, 300)  # not in the index
    sim.run(for_="1s")
    put(client, 301, city="Oslo")


def test_a_new_table_has_saved_nothing(sim: Simulation) -> None:
    """One of CreateTable has a second's units, and what it saves since; on demand there is no limit."""
    client = sim.client("dynamodb", config=ONCE)
    client.create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 2},
    )
    client.get_waiter("table_exists").wait(TableName="orders")
    assert sim.now == 20 * SECOND
    for number in range(42):
        put(client, number)
    throttled(put, client=client, number=2)
    client.update_table(TableName="orders", BillingMode="PAY_PER_REQUEST")
    throttled(put, client=client, number=2)  # the old capacity until the table is ACTIVE (developer guide)
    client.get_waiter("table_exists").wait(TableName="orders")
    for number in range(1000):
        put(client, number)


def test_a_failed_condition_costs_the_item_that_is_there(sim: Simulation) -> None:
    """Developer guide, capacity-mode: a conditional write that fails consumes write capacity."""
    table = sim.table("orders", hash_key="id", provisioned_throughput=UNITS)
    table.put_item(keyed(1, v="x" * 200_000))
    client = sim.client("dynamodb", config=ONCE)
    with pytest.raises(client.exceptions.ConditionalCheckFailedException):
        client.put_item(TableName="orders", Item=keyed(1), ConditionExpression="attribute_not_exists(id)")
    throttled(put, client=client, number=2)


def test_metrics(sim: Simulation) -> None:
    """ConsumedWriteCapacityUnits and WriteThrottleEvents, a sum a minute, by CloudWatch's names."""
    client = exhausted(sim)
    throttled(put, client=client, number=300)
    cloudwatch = sim.client("cloudwatch")
    for name, expected in (("ConsumedWriteCapacityUnits", 300.0), ("WriteThrottleEvents", 1.0)):
        found = cloudwatch.get_metric_statistics(
            Namespace="AWS/DynamoDB",
            MetricName=name,
            Dimensions=[{"Name": "TableName", "Value": "orders"}],
            StartTime=sim.world.datetime(0),
            EndTime=sim.world.datetime(3600 * SECOND),
            Period=60,
            Statistics=["Sum"],
        )
        assert [point["Sum"] for point in found["Datapoints"]] == [expected]
    listed = cloudwatch.list_metrics(Namespace="AWS/DynamoDB")["Metrics"]
    assert [each["MetricName"] for each in listed] == ["ConsumedWriteCapacityUnits", "WriteThrottleEvents"]


def test_a_table_may_go_on_demand_and_come_back(sim: Simulation) -> None:
    """Its metrics are one series; what it saved before is gone."""
    table = sim.table("orders", hash_key="id", provisioned_throughput=UNITS)
    table.put_item(keyed(1))
    table.update_table(billing_mode="PAY_PER_REQUEST")
    table.put_item(keyed(2))
    table.update_table(
        billing_mode="PROVISIONED", provisioned_throughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
    )
    table.put_item(keyed(3))
    with pytest.raises(AwsError, match="ProvisionedThroughputExceededException"):
        table.put_item(keyed(4))
    assert [point.value for point in table.metric("ConsumedWriteCapacityUnits")] == [2.0]


def test_a_global_index_is_read_with_its_own_units(sim: Simulation) -> None:
    """A query of an index takes that index' read units, and leaves the table's alone."""
    table = sim.table(
        "orders",
        hash_key="id",
        provisioned_throughput={"read_capacity_units": 1000, "write_capacity_units": 1000},
        global_secondary_indexes=[{"index_name": "of_city", "hash_key": "city", "provisioned_throughput": UNITS}],
    )
    table.put_item(keyed(1, city="Rome", v="x" * 390_000))
    for _ in range(7):  # 47.5 units each, of 300
        answer = table.scan(index_name="of_city", return_consumed_capacity="INDEXES")
    assert answer["ConsumedCapacity"]["GlobalSecondaryIndexes"]["of_city"]["CapacityUnits"] == 48.0
    with pytest.raises(AwsError) as caught:
        table.scan(index_name="of_city")
    assert caught.value.message == OF_INDEX
    assert table.scan()["Count"] == 1


def test_metrics_of_an_on_demand_table_are_refused(sim: Simulation) -> None:
    """simbus does not count them: no data point would look like no traffic."""
    table = sim.table("orders", hash_key="id")
    with pytest.raises(UsageError, match="on-demand capacity"):
        table.metric("ConsumedWriteCapacityUnits")
    with pytest.raises(UsageError, match="a table of on-demand capacity: simbus does not play this"):
        sim.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/DynamoDB",
            MetricName="ConsumedWriteCapacityUnits",
            Dimensions=[{"Name": "TableName", "Value": "orders"}],
            StartTime=sim.world.datetime(0),
            EndTime=sim.world.datetime(3600 * SECOND),
            Period=60,
            Statistics=["Sum"],
        )


def test_on_demand_there_is_no_limit(sim: Simulation) -> None:
    """The default of `sim.table`: nothing that needs no capacity is throttled."""
    sim.table("orders", hash_key="id")
    client = sim.client("dynamodb", config=ONCE)
    for number in range(400):
        put(client, number)
    summary = client.describe_table(TableName="orders")["Table"]["BillingModeSummary"]
    assert summary["BillingMode"] == "PAY_PER_REQUEST"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"billing_mode": "PROVISIONED"}, "the table has no provisioned_throughput"),
        ({"billing_mode": "ON_DEMAND"}, "it is PAY_PER_REQUEST or PROVISIONED"),
        ({"billing_mode": "PAY_PER_REQUEST", "provisioned_throughput": UNITS}, "Remove the one or the other"),
        ({"provisioned_throughput": {"read_capacity_units": 0, "write_capacity_units": 1}}, "numbers of 1 or more"),
        (
            {
                "provisioned_throughput": UNITS,
                "global_secondary_indexes": [{"index_name": "of_city", "hash_key": "city"}],
            },
            "index of_city has no provisioned_throughput",
        ),
        ({"provisioned_throughput": UNITS, "index_throughput": {"other": UNITS}}, "no global index of it"),
    ],
)
def test_refused_settings(sim: Simulation, settings: dict[str, Any], message: str) -> None:
    """What CreateTable would refuse."""
    with pytest.raises(UsageError, match=message):
        sim.table("orders", hash_key="id", **settings)


def test_the_digest_of_a_throttled_run_is_the_same() -> None:
    """Buckets count in virtual time only."""

    def digest() -> str:
        with Simulation(seed=3) as sim:
            exhausted(sim)
            sim.run(for_="1m")
            return json.dumps(sim.digest())

    assert digest() == digest()
