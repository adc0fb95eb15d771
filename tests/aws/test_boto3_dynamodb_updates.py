"""What UpdateTable's answer and DescribeTable say while a change is under way, and how often capacity may fall.

Measured on AWS in October 2026 by the public notes ack-api-quirks, whose numbers are in the docstrings.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from simbus import Simulation
from simbus.kernel import SECOND

pytest.importorskip("boto3", reason="needs the extra boto3")
from botocore.config import Config
from botocore.exceptions import ClientError

ORDERS = {"TableName": "orders"}
IN_USE = "ResourceInUseException: Attempt to change a resource which is still in use: "
TOO_OFTEN = (
    "LimitExceededException: Subscriber limit exceeded: Provisioned throughput decreases are limited within a given "
    "UTC day. After the first 4 decreases, each subsequent decrease in the same UTC day can be performed at most once "
    "every 3600 seconds. Number of decreases today: {}. Last decrease at {} Coordinated Universal Time. Next "
    "decrease can be made at {} Coordinated Universal Time."
)


def units(read: int, write: int) -> dict[str, int]:
    return {"ReadCapacityUnits": read, "WriteCapacityUnits": write}


def index(name: str, key: str, read: int = 5) -> dict[str, Any]:
    return {
        "IndexName": name,
        "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
        "ProvisionedThroughput": units(read, read),
    }


def attributes(*names: str) -> list[dict[str, str]]:
    return [{"AttributeName": name, "AttributeType": "S"} for name in names]


@pytest.fixture
def client(sim: Simulation) -> Any:
    """A client of a table of 10 units with an index `of_city` of 5; no retries."""
    client = sim.client("dynamodb", config=Config(retries={"total_max_attempts": 1}))
    client.create_table(
        **ORDERS,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=attributes("pk", "city"),
        ProvisionedThroughput=units(10, 10),
        GlobalSecondaryIndexes=[index("of_city", "city")],
    )
    sim.run(for_="10s")
    return client


def update(client: Any, **params: Any) -> dict[str, Any]:
    found: dict[str, Any] = client.update_table(**ORDERS, **params)["TableDescription"]
    return found


def described(client: Any) -> dict[str, Any]:
    found: dict[str, Any] = client.describe_table(**ORDERS)["Table"]
    return found


def refused(call: Any, **params: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**ORDERS, **params)
    error = caught.value.response["Error"]
    return f"{error['Code']}: {error['Message']}"


def shown(table: dict[str, Any]) -> tuple[Any, ...]:
    capacity = table["ProvisionedThroughput"]
    return table["TableStatus"], capacity["ReadCapacityUnits"], capacity["NumberOfDecreasesToday"]


def states(table: dict[str, Any]) -> dict[str, Any]:
    found = table.get("GlobalSecondaryIndexes", ())
    return {each["IndexName"]: (each["IndexStatus"], each.get("Backfilling")) for each in found}


def test_new_units_are_there_when_the_table_is_active_again(sim: Simulation, client: Any) -> None:
    """The answer has the old units and count with the new date (DDB-TABLE-058, 184)."""
    assert set(described(client)["ProvisionedThroughput"]) == {"NumberOfDecreasesToday", *units(1, 1)}
    asked = sim.world.datetime()
    answer = update(client, ProvisionedThroughput=units(8, 8))
    assert shown(answer) == shown(described(client)) == ("UPDATING", 10, 0)
    assert answer["ProvisionedThroughput"]["LastDecreaseDateTime"] == asked
    assert "LastIncreaseDateTime" not in answer["ProvisionedThroughput"]
    sim.run(for_="10s")
    assert shown(described(client)) == ("ACTIVE", 8, 1)
    update(client, ProvisionedThroughput=units(9, 9))
    sim.run(for_="10s")
    capacity = described(client)["ProvisionedThroughput"]
    assert shown(described(client)) == ("ACTIVE", 9, 1)
    assert capacity["LastDecreaseDateTime"] < capacity["LastIncreaseDateTime"]


def test_new_units_count_when_the_table_is_active_again(sim: Simulation, client: Any) -> None:
    """API reference: "The new provisioned throughput settings do not take effect until the UpdateTable operation is
    complete."
    """
    key = {"pk": {"S": "1"}}
    client.put_item(**ORDERS, Item={**key, "v": {"S": "x" * 390_000}})  # 381 units, of 110
    update(client, ProvisionedThroughput=units(10, 1000))
    sim.run(for_="9s")
    with pytest.raises(client.exceptions.ProvisionedThroughputExceededException):
        client.put_item(**ORDERS, Item=key)
    sim.run(for_="2s")
    client.put_item(**ORDERS, Item=key)


def test_four_decreases_a_day_and_one_an_hour(sim: Simulation, client: Any) -> None:
    """One more 3,600 s after the last one; the count begins anew at midnight UTC (DDB-TABLE-184, 185, 326)."""
    for number in range(9, 5, -1):
        update(client, ProvisionedThroughput=units(number, 10))
        sim.run(for_="10s")
    last = described(client)["ProvisionedThroughput"]["LastDecreaseDateTime"]
    assert last == sim.world.datetime()
    at = f"{last:%A}, {last:%B} {last.day}, {last.year} at 12:00:50 AM", f"{last:%A}, {last:%B} {last.day}, {last.year}"
    refusal = TOO_OFTEN.format(4, at[0], f"{at[1]} at 1:00:50 AM")
    assert refused(client.update_table, ProvisionedThroughput=units(5, 10)) == refusal
    assert refused(client.update_table, ProvisionedThroughput=units(5, 20)) == refusal  # the one up, the other down
    update(client, ProvisionedThroughput=units(7, 10))
    sim.run(for_="1h")
    update(client, ProvisionedThroughput=units(5, 10))
    sim.run(for_="10s")
    assert shown(described(client)) == ("ACTIVE", 5, 5)
    assert "Number of decreases today: 5." in refused(client.update_table, ProvisionedThroughput=units(4, 10))
    sim.run(for_="22h")
    update(client, ProvisionedThroughput=units(4, 10))
    sim.run(for_="30m")
    assert "Next decrease can be made at" in refused(client.update_table, ProvisionedThroughput=units(3, 10))
    midnight = "12:00:00 AM Coordinated Universal Time."
    assert refused(client.update_table, ProvisionedThroughput=units(3, 10)).endswith(midnight)
    sim.run(for_="30m")
    assert shown(described(client)) == ("ACTIVE", 4, 0)
    assert "LastDecreaseDateTime" in described(client)["ProvisionedThroughput"]
    update(client, ProvisionedThroughput=units(3, 10))


def test_an_index_counts_for_itself(sim: Simulation, client: Any) -> None:
    """Its units change with the table ACTIVE; a request that is refused changes nothing (DDB-TABLE-157, 165)."""

    def change(number: int) -> list[dict[str, Any]]:
        return [{"Update": {"IndexName": "of_city", "ProvisionedThroughput": units(number, number)}}]

    answer = update(client, GlobalSecondaryIndexUpdates=change(4))
    assert (answer["TableStatus"], states(answer)) == ("ACTIVE", {"of_city": ("UPDATING", None)})
    assert answer["GlobalSecondaryIndexes"][0]["ProvisionedThroughput"]["ReadCapacityUnits"] == 5
    assert refused(client.update_table, GlobalSecondaryIndexUpdates=change(3)) == (
        IN_USE + "Index is being updated. Table: orders Index: of_city"
    )
    assert refused(client.delete_table) == (
        IN_USE + "Cannot delete table while indexes are being created, updated, or deleted."
    )
    for number in range(3, 0, -1):
        sim.run(for_="10s")
        update(client, GlobalSecondaryIndexUpdates=change(number))
    sim.run(for_="10s")
    capacity = described(client)["GlobalSecondaryIndexes"][0]["ProvisionedThroughput"]
    assert (capacity["ReadCapacityUnits"], capacity["NumberOfDecreasesToday"]) == (1, 4)
    assert shown(described(client)) == ("ACTIVE", 10, 0)
    assert refused(client.update_table, GlobalSecondaryIndexUpdates=change(1)).startswith(
        "ValidationException: The provisioned throughput for the index of_city will not change. The requested value "
        "equals the current value. Current ReadCapacityUnits provisioned for index of_city: 1."
    )


def test_the_billing_mode_is_told_at_once(sim: Simulation, client: Any) -> None:
    """So are the units of the new one; LastUpdateToPayPerRequestDateTime when it is done (DDB-TABLE-055, 064)."""
    answer = update(client, BillingMode="PAY_PER_REQUEST")
    assert shown(answer) == shown(described(client)) == ("UPDATING", 0, 0)
    assert answer["BillingModeSummary"] == {"BillingMode": "PAY_PER_REQUEST"}
    sim.run(for_="10s")
    summary = described(client)["BillingModeSummary"]
    assert summary["LastUpdateToPayPerRequestDateTime"] == sim.world.datetime()
    answer = update(
        client,
        BillingMode="PROVISIONED",
        ProvisionedThroughput=units(3, 3),
        GlobalSecondaryIndexUpdates=[{"Update": {"IndexName": "of_city", "ProvisionedThroughput": units(2, 2)}}],
    )
    assert shown(answer) == ("UPDATING", 3, 0)
    assert answer["GlobalSecondaryIndexes"][0]["ProvisionedThroughput"]["ReadCapacityUnits"] == 2
    sim.run(for_="10s")
    found = described(client)
    assert found["BillingModeSummary"] == summary | {"BillingMode": "PROVISIONED"}
    assert "LastIncreaseDateTime" not in found["ProvisionedThroughput"]


def test_an_index_that_is_added_is_backfilled(sim: Simulation, client: Any) -> None:
    """Backfilling false, then true with the table ACTIVE, then none; one at a time (DDB-TABLE-138, 148, 149, 159)."""
    client.put_item(**ORDERS, Item={"pk": {"S": "1"}, "day": {"S": "Monday"}})
    add = [{"Create": index("of_day", "day")}]
    answer = update(client, AttributeDefinitions=attributes("day"), GlobalSecondaryIndexUpdates=add)
    active = ("ACTIVE", None)
    assert answer["TableStatus"] == "UPDATING"
    assert states(answer) == states(described(client)) == {"of_city": active, "of_day": ("CREATING", False)}
    assert answer["GlobalSecondaryIndexes"][1]["ItemCount"] == 0
    sim.run(for_="10s")
    assert described(client)["TableStatus"] == "ACTIVE"
    assert states(described(client))["of_day"] == ("CREATING", True)
    other = [{"Create": index("of_week", "week")}]
    assert refused(
        client.update_table, AttributeDefinitions=attributes("week"), GlobalSecondaryIndexUpdates=other
    ).startswith("LimitExceededException: Subscriber limit exceeded: Only 1 online index can be created or deleted")
    assert refused(client.delete_table).startswith(IN_USE + "Cannot delete table while indexes are being")
    sim.run(for_="10s")
    assert states(described(client)) == {"of_city": active, "of_day": active}
    assert client.scan(**ORDERS, IndexName="of_day")["Count"] == 1
    assert [each["AttributeName"] for each in described(client)["AttributeDefinitions"]] == ["city", "day", "pk"]


def test_an_index_that_is_deleted_is_there_until_it_is_gone(sim: Simulation, client: Any) -> None:
    """DELETING, then gone with its attribute; also one that is backfilled (DDB-TABLE-149, 151)."""
    gone = [{"Delete": {"IndexName": "of_city"}}]
    answer = update(client, GlobalSecondaryIndexUpdates=gone)
    assert (answer["TableStatus"], states(answer)) == ("UPDATING", {"of_city": ("DELETING", None)})
    assert states(described(client)) == {"of_city": ("DELETING", None)}
    assert [each["AttributeName"] for each in described(client)["AttributeDefinitions"]] == ["city", "pk"]
    assert refused(client.scan, IndexName="of_city") == (
        "ValidationException: The table does not have the specified index: of_city"
    )
    client.put_item(**ORDERS, Item={"pk": {"S": "1"}, "city": {"S": "Rome"}})
    sim.run(for_="10s")
    assert "GlobalSecondaryIndexes" not in described(client)
    assert [each["AttributeName"] for each in described(client)["AttributeDefinitions"]] == ["pk"]
    assert refused(client.update_table, GlobalSecondaryIndexUpdates=gone) == (
        "ResourceNotFoundException: Requested resource not found: Index of_city for table orders"
    )
    add = [{"Create": index("of_city", "city")}]
    update(client, AttributeDefinitions=attributes("city"), GlobalSecondaryIndexUpdates=add)
    sim.run(for_="11s")
    assert states(update(client, GlobalSecondaryIndexUpdates=gone)) == {"of_city": ("DELETING", None)}
    sim.run(for_="20s")
    assert "GlobalSecondaryIndexes" not in described(client)


def test_what_is_refused_while_units_change(sim: Simulation, client: Any) -> None:
    """Each in words of its own; deletion protection is none of it (DDB-TABLE-063, 175, 370)."""
    update(client, ProvisionedThroughput=units(12, 12))
    busy = IN_USE + "Table IOPS are currently being updated. Table: orders"
    assert refused(client.update_table, ProvisionedThroughput=units(13, 13)) == busy
    assert refused(client.update_table, BillingMode="PAY_PER_REQUEST") == busy
    gone = [{"Delete": {"IndexName": "of_city"}}]
    assert refused(client.update_table, GlobalSecondaryIndexUpdates=gone) == (
        IN_USE + "Can't create or delete indexes while table IOPS are being updated. Table: orders"
    )
    assert refused(client.delete_table) == IN_USE + "Table: orders is in the process of being updated."
    assert update(client, DeletionProtectionEnabled=True)["TableStatus"] == "UPDATING"
    sim.run(for_="10s")
    assert described(client)["DeletionProtectionEnabled"]
    assert update(client, DeletionProtectionEnabled=False)["TableStatus"] == "ACTIVE"


def test_what_is_refused_while_an_index_changes(sim: Simulation, client: Any) -> None:
    """A new one can't be deleted before it is backfilled; no units change while one goes (DDB-TABLE-149, 376)."""
    add = [{"Create": index("of_day", "day")}]
    update(client, AttributeDefinitions=attributes("day"), GlobalSecondaryIndexUpdates=add)
    indexes = IN_USE + "Cannot delete table while indexes are being created, updated, or deleted."
    assert refused(client.delete_table) == indexes
    assert refused(client.update_table, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "of_day"}}]) == (
        IN_USE + "Index creation is in resource allocation phase. Retry deletion during backfilling phase or when the "
        "index is active. Table: orders Index: of_day"
    )
    gone = [{"Delete": {"IndexName": "of_city"}}]
    assert refused(client.update_table, GlobalSecondaryIndexUpdates=gone).startswith("LimitExceededException: ")
    sim.run(for_="20s")
    update(client, GlobalSecondaryIndexUpdates=gone)
    assert refused(client.update_table, ProvisionedThroughput=units(12, 12)) == (
        IN_USE + "Can't change table IOPS when an index is being deleted. Table: orders Indexes: [of_city]"
    )
    assert refused(client.delete_table) == indexes


def test_what_is_refused_changes_nothing(sim: Simulation, client: Any) -> None:
    """A request is done as a whole or not at all (DDB-TABLE-157, 380)."""
    before = described(client)
    nope = [{"Delete": {"IndexName": "nope"}}]
    assert "Index nope for table" in refused(
        client.update_table, ProvisionedThroughput=units(20, 20), GlobalSecondaryIndexUpdates=nope
    )
    assert described(client) == before
    assert sim.now == 10 * SECOND


def test_python_changes_at_once(sim: Simulation) -> None:
    """`update_table` of a table that is in hand, for a test's own purposes; the limit of decreases holds."""
    table = sim.table("orders", hash_key="pk", provisioned_throughput=units(9, 9))
    for number in range(8, 4, -1):
        answer = table.update_table(provisioned_throughput=units(number, 9))["TableDescription"]
        assert shown(answer) == ("ACTIVE", number, 9 - number)
    with pytest.raises(Exception, match="Number of decreases today: 4"):
        table.update_table(provisioned_throughput=units(4, 9))
    assert sim.world.datetime().tzinfo is UTC
    assert answer["ProvisionedThroughput"]["LastDecreaseDateTime"] == datetime(2026, 1, 1, tzinfo=UTC)
