"""CREATING, UPDATING, DELETING: what a table allows meanwhile, through boto3.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html: it is asynchronous; "You can
perform read and write operations only on an ACTIVE table".
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simbus import Simulation
from simbus.kernel import SECOND
from simbus.scenario.build import build
from simbus.scenario.loader import load

boto3 = pytest.importorskip("boto3", reason="needs the extra boto3")
from botocore.exceptions import ClientError  # noqa: E402

KEY = {"pk": {"S": "1"}}
TABLE: dict[str, Any] = {
    "TableName": "orders",
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}
IN_USE = "ResourceInUseException: Attempt to change a resource which is still in use: Table is being {}: orders"
NOT_FOUND = "ResourceNotFoundException: Requested resource not found"


def refused(call: Any, **params: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    return f"{error['Code']}: {error['Message']}"


def status(client: Any) -> str:
    found: str = client.describe_table(TableName="orders")["Table"]["TableStatus"]
    return found


def test_a_table_that_is_being_created_is_not_there_for_items(sim: Simulation) -> None:
    """Items: ResourceNotFoundException (seen on AWS: ExtendDB's pull request 204); a change: ResourceInUseException."""
    client = sim.client("dynamodb")
    arn = client.create_table(**TABLE)["TableDescription"]["TableArn"]
    assert status(client) == "CREATING"
    assert client.list_tables()["TableNames"] == ["orders"]
    for call, params in (
        (client.put_item, {"TableName": "orders", "Item": KEY}),
        (client.get_item, {"TableName": arn, "Key": KEY}),
        (client.scan, {"TableName": "orders"}),
        (client.batch_write_item, {"RequestItems": {"orders": [{"PutRequest": {"Item": KEY}}]}}),
        (client.transact_get_items, {"TransactItems": [{"Get": {"TableName": "orders", "Key": KEY}}]}),
    ):
        assert refused(call, **params) == NOT_FOUND
    assert refused(client.create_table, **TABLE) == "ResourceInUseException: Table already exists: orders"
    assert refused(client.delete_table, TableName="orders") == IN_USE.format("created")
    assert refused(client.update_table, TableName="orders", DeletionProtectionEnabled=True) == IN_USE.format("created")
    on = {"PointInTimeRecoveryEnabled": True}
    assert refused(client.update_continuous_backups, TableName="orders", PointInTimeRecoverySpecification=on) == (
        "ContinuousBackupsUnavailableException: Backups are being enabled for the table: orders. Please retry later"
    )
    assert client.list_tags_of_resource(ResourceArn=arn)["Tags"] == []
    sim.run(for_="9s")
    assert status(client) == "CREATING"
    sim.run(for_="1s")
    assert status(client) == "ACTIVE"
    client.put_item(TableName="orders", Item=KEY)


def test_a_batch_over_several_tables_needs_all_of_them(sim: Simulation) -> None:
    """The second table of a request is looked at as the first one is."""
    sim.table("others", hash_key="pk")
    client = sim.client("dynamodb")
    client.create_table(**TABLE)
    puts = [{"PutRequest": {"Item": KEY}}]
    assert refused(client.batch_write_item, RequestItems={"others": puts, "orders": puts}) == NOT_FOUND
    assert client.scan(TableName="others")["Count"] == 0


def test_a_handler_waits_in_virtual_time(sim: Simulation) -> None:
    """botocore's waiter polls DescribeTable every 20 s; without it the first write fails, as on AWS."""

    def handler(event: Any, context: Any) -> str:
        client = boto3.client("dynamodb", region_name="us-east-1")
        client.create_table(**TABLE)
        try:
            client.put_item(TableName="orders", Item=KEY)
        except client.exceptions.ResourceNotFoundException:
            client.get_waiter("table_exists").wait(TableName="orders")
        client.put_item(TableName="orders", Item=KEY)
        return status(client)

    answer = sim.function("f", handler=handler, timeout=60).invoke({})
    assert answer.json() == "ACTIVE"
    assert 20 * SECOND <= sim.now < 25 * SECOND
    assert len(sim["dynamodb:orders"]) == 1


def test_the_resource_api_waits_as_well(sim: Simulation) -> None:
    """`wait_until_exists` and `wait_until_not_exists` of boto3's Table."""
    table = sim.resource("dynamodb").create_table(**TABLE)
    assert table.table_status == "CREATING"
    table.wait_until_exists()
    table.reload()
    assert table.table_status == "ACTIVE"
    table.put_item(Item={"pk": "1"})
    table.delete()
    table.wait_until_not_exists()
    assert sim.client("dynamodb").list_tables()["TableNames"] == []


def test_python_is_refused_as_well(sim: Simulation) -> None:
    """The same table through its own methods."""
    sim.client("dynamodb").create_table(**TABLE)
    table = sim["dynamodb:orders"]
    with pytest.raises(Exception, match=NOT_FOUND):
        table.put_item(KEY)
    assert table.describe_table()["Table"]["TableStatus"] == "CREATING"
    sim.run(for_="10s")
    table.put_item(KEY)


def test_an_update_takes_a_while_too(sim: Simulation) -> None:
    """UPDATING: the table can be used, another change is refused; a new index can't be read before it is ACTIVE.

    The table is ACTIVE before that.
    """
    sim.table("orders", hash_key="pk")
    client = sim.client("dynamodb")
    client.update_table(
        TableName="orders",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "city")],
        GlobalSecondaryIndexUpdates=[
            {
                "Create": {
                    "IndexName": "of_city",
                    "KeySchema": [{"AttributeName": "city", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            }
        ],
    )
    table = client.describe_table(TableName="orders")["Table"]
    assert (table["TableStatus"], table["GlobalSecondaryIndexes"][0]["IndexStatus"]) == ("UPDATING", "CREATING")
    client.put_item(TableName="orders", Item={**KEY, "city": {"S": "Rome"}})
    assert refused(client.scan, TableName="orders", IndexName="of_city") == (
        "ValidationException: Cannot read from backfilling global secondary index: of_city"
    )
    stream = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    assert refused(client.update_table, TableName="orders", StreamSpecification=stream) == IN_USE.format("updated")
    client.tag_resource(ResourceArn=table["TableArn"], Tags=[{"Key": "a", "Value": "b"}])
    sim.run(for_="10s")
    assert status(client) == "ACTIVE"
    assert refused(client.scan, TableName="orders", IndexName="of_city").startswith("ValidationException: Cannot read")
    sim.run(for_="10s")
    assert client.scan(TableName="orders", IndexName="of_city")["Count"] == 1


def test_a_deletion_takes_a_while_too(sim: Simulation) -> None:
    """DELETING until it is gone: its items are not there any more, its name is not yet free."""
    table = sim.table("orders", hash_key="pk")
    table.put_item(KEY)
    client = sim.client("dynamodb")
    assert client.delete_table(TableName="orders")["TableDescription"]["TableStatus"] == "DELETING"
    assert status(client) == "DELETING"
    assert refused(client.get_item, TableName="orders", Key=KEY) == NOT_FOUND
    assert refused(client.delete_table, TableName="orders") == IN_USE.format("deleted")
    assert refused(client.create_table, **TABLE) == "ResourceInUseException: Table already exists: orders"
    client.get_waiter("table_not_exists").wait(TableName="orders")
    assert sim.now == 20 * SECOND
    client.create_table(**TABLE)
    client.get_waiter("table_exists").wait(TableName="orders")
    assert client.scan(TableName="orders")["Count"] == 0


def test_what_is_told_of_a_table_that_is_deleted(sim: Simulation) -> None:
    """DescribeTable says what DeleteTable has answered, the stream's settings too, and the keys besides.

    Of its time to live nothing is told (ack-api-quirks DDB-TABLE-118).
    """
    table = sim.table("orders", hash_key="pk", stream_view_type="KEYS_ONLY")
    table.put_item(KEY)
    client = sim.client("dynamodb")
    answer = client.delete_table(TableName="orders")["TableDescription"]
    told = client.describe_table(TableName="orders")["Table"]
    assert answer["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    assert {name: value for name, value in told.items() if name in answer} == answer
    assert set(told) - set(answer) == {"AttributeDefinitions", "CreationDateTime", "KeySchema"}
    assert refused(client.describe_time_to_live, TableName="orders") == (
        "ValidationException: Cannot describe time to live while table is in DELETING state: Current table state is "
        "DELETING"
    )


def test_an_outage_while_it_is_created(sim: Simulation) -> None:
    """503 for whatever is asked, also for what describes it; then it is as it is."""
    client = sim.client("dynamodb")
    client.create_table(**TABLE)
    sim["dynamodb:orders"].outage(15 * SECOND)
    with pytest.raises(Exception, match="ServiceUnavailable"):
        sim["dynamodb:orders"].describe_table()
    sim.run(for_="12s")
    with pytest.raises(Exception, match="ServiceUnavailable"):
        sim["dynamodb:orders"].put_item(KEY)
    sim.run(for_="3s")
    client.put_item(TableName="orders", Item=KEY)


def test_how_long_it_takes_is_a_setting(tmp_path: Path) -> None:
    """`account.table_transition_delay`, 0: at once."""
    with Simulation(account={"table_transition_delay": "0s"}) as sim:
        client = sim.client("dynamodb")
        assert client.create_table(**TABLE)["TableDescription"]["TableStatus"] == "CREATING"
        client.put_item(TableName="orders", Item=KEY)
        client.delete_table(TableName="orders")
        client.create_table(**TABLE)
    (tmp_path / "app.yaml").write_text("account: {table_transition_delay: 3s}\ntables: {others: {hash_key: pk}}\n")
    sim, _ = build(load(tmp_path / "app.yaml"))
    with sim:
        client = sim.client("dynamodb")
        client.put_item(TableName="others", Item=KEY)  # those of a scenario are there at once
        client.create_table(**TABLE)
        sim.run(for_="3s")
        assert status(client) == "ACTIVE"
