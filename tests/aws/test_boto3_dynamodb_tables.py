"""Tables through boto3: made, described, changed, deleted."""

from __future__ import annotations

from typing import Any

import pytest

from simbus import Simulation, UsageError
from simbus.kernel import SECOND

pytest.importorskip("boto3", reason="needs the extra boto3")
from botocore.exceptions import ClientError

HASH = {"AttributeName": "pk", "KeyType": "HASH"}
RANGE = {"AttributeName": "sk", "KeyType": "RANGE"}
PK = {"AttributeName": "pk", "AttributeType": "S"}
SK = {"AttributeName": "sk", "AttributeType": "N"}
ALL = {"ProjectionType": "ALL"}
UNITS = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 6}


def index(name: str, *keys: str, projection: Any = ALL, **more: Any) -> dict[str, Any]:
    kinds = zip(keys, ("HASH", "RANGE"), strict=False)
    schema = [{"AttributeName": key, "KeyType": kind} for key, kind in kinds]
    return {"IndexName": name, "KeySchema": schema, "Projection": projection, **more}


def refused(call: Any, **parameters: Any) -> str:
    """Code and message with which AWS refuses."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    return f"{error['Code']}: {error['Message']}"


def create(client: Any, name: str = "orders", **parameters: Any) -> dict[str, Any]:
    """CreateTable's answer; the table is ACTIVE then."""
    given = {"KeySchema": [HASH], "AttributeDefinitions": [PK], "BillingMode": "PAY_PER_REQUEST"} | parameters
    found: dict[str, Any] = client.create_table(TableName=name, **given)["TableDescription"]
    client.get_waiter("table_exists").wait(TableName=name)
    return found


def change(client: Any, **parameters: Any) -> dict[str, Any]:
    """UpdateTable's answer; the table is ACTIVE then."""
    found: dict[str, Any] = client.update_table(TableName="orders", **parameters)["TableDescription"]
    client.get_waiter("table_exists").wait(TableName="orders")
    return found


def test_a_table_with_everything(sim: Simulation) -> None:
    """CreateTable answers CREATING (API reference); botocore's waiter looks every 20 s, in virtual time."""
    client = sim.client("dynamodb")
    made = create(
        client,
        KeySchema=[HASH, RANGE],
        AttributeDefinitions=[PK, SK, {"AttributeName": "city", "AttributeType": "S"}],
        LocalSecondaryIndexes=[index("by_city", "pk", "city", projection={"ProjectionType": "KEYS_ONLY"})],
        GlobalSecondaryIndexes=[
            index("of_city", "city", projection={"ProjectionType": "INCLUDE", "NonKeyAttributes": ["name"]})
        ],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        SSESpecification={"Enabled": True},
        Tags=[{"Key": "team", "Value": "shop"}],
        TableClass="STANDARD_INFREQUENT_ACCESS",
        DeletionProtectionEnabled=True,
    )
    assert made["TableStatus"] == "CREATING"
    assert made["BillingModeSummary"] == {"BillingMode": "PAY_PER_REQUEST"}
    assert made["GlobalSecondaryIndexes"][0]["IndexStatus"] == "CREATING"
    assert sim.now == 20 * SECOND
    table = client.describe_table(TableName="orders")["Table"]
    assert table["TableStatus"] == "ACTIVE"
    assert [each["AttributeName"] for each in table["AttributeDefinitions"]] == ["city", "pk", "sk"]
    assert table["KeySchema"] == [HASH, RANGE]
    local, everywhere = table["LocalSecondaryIndexes"][0], table["GlobalSecondaryIndexes"][0]
    assert local["IndexArn"].endswith(":table/orders/index/by_city")
    assert local["Projection"] == {"ProjectionType": "KEYS_ONLY"}
    assert everywhere["Projection"] == {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["name"]}
    assert everywhere["IndexStatus"] == "ACTIVE"
    assert table["LatestStreamArn"].endswith(f"/stream/{table['LatestStreamLabel']}")
    assert table["SSEDescription"]["Status"] == "ENABLED"
    assert table["TableClassSummary"] == {"TableClass": "STANDARD_INFREQUENT_ACCESS"}
    assert client.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"] == [{"Key": "team", "Value": "shop"}]
    assert refused(client.delete_table, TableName="orders") == (
        "ValidationException: Resource cannot be deleted as it is currently protected against deletion. "
        "Disable deletion protection first."
    )


def test_a_table_made_by_boto3_is_like_any_other(sim: Simulation) -> None:
    """What a handler makes, a scenario's functions and mappings find, by name or by ARN."""
    client = sim.client("dynamodb")
    arn = create(client)["TableArn"]
    client.put_item(TableName=arn, Item={"pk": {"S": "1"}})
    assert sim["dynamodb:orders"].items == [{"pk": {"S": "1"}}]
    assert refused(create, client=client) == "ResourceInUseException: Table already exists: orders"
    client.delete_table(TableName=arn)
    client.get_waiter("table_not_exists").wait(TableName="orders")
    assert refused(client.put_item, TableName="orders", Item={"pk": {"S": "1"}}) == (
        "ResourceNotFoundException: Requested resource not found"
    )
    create(client)
    assert len(sim["dynamodb:orders"]) == 0


def test_a_deleted_table_expires_nothing(sim: Simulation) -> None:
    """Its items are gone with it, its stream can be read for 24 hours more (developer guide, Streams)."""
    table = sim.table("orders", hash_key="pk", stream_view_type="KEYS_ONLY", ttl_attribute="until")
    client, streams = sim.client("dynamodb"), sim.client("dynamodbstreams")
    client.put_item(TableName="orders", Item={"pk": {"S": "1"}, "until": {"N": str(sim.world.epoch_ms() // 1000 + 60)}})
    client.delete_table(TableName="orders")
    sim.run(for_="1h")
    (stream,) = streams.list_streams(TableName="orders")["Streams"]
    described = streams.describe_stream(StreamArn=stream["StreamArn"])["StreamDescription"]
    assert described["StreamStatus"] == "DISABLED"
    with sim.reader() as rows:
        assert [tuple(row) for row in rows.query("select type from events")] == [("INSERT",)]
    with pytest.raises(Exception, match="Requested resource not found"):
        table.put_item({"pk": {"S": "1"}})
    sim.run(for_="24h")
    assert streams.list_streams()["Streams"] == []


PREFIX = "ValidationException: One or more parameter values were invalid: "


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"BillingMode": "PROVISIONED"},
            PREFIX + "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED",
        ),
        (
            {"ProvisionedThroughput": UNITS},
            PREFIX + "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is "
            "PAY_PER_REQUEST",
        ),
        (
            {"AttributeDefinitions": [PK, SK]},
            PREFIX + "Number of attributes in KeySchema does not exactly match number of attributes defined in "
            "AttributeDefinitions",
        ),
        (
            {"AttributeDefinitions": [SK]},
            PREFIX + "Some index key attributes are not defined in AttributeDefinitions. Keys: [pk], "
            "AttributeDefinitions: [sk]",
        ),
        (
            {"KeySchema": [{**HASH, "KeyType": "RANGE"}]},
            "ValidationException: Invalid KeySchema: The first KeySchemaElement is not a HASH key type",
        ),
        (
            {"AttributeDefinitions": [PK, SK], "GlobalSecondaryIndexes": [index("one", "pk")]},
            PREFIX + "Some AttributeDefinitions are not used. AttributeDefinitions: [pk, sk], keys used: [pk]",
        ),
        (
            {"AttributeDefinitions": [PK, SK], "LocalSecondaryIndexes": [index("one", "pk", "sk")]},
            PREFIX + "Table KeySchema does not have a range key, which is required when specifying a "
            "LocalSecondaryIndex",
        ),
        (
            {"GlobalSecondaryIndexes": [index("one", "pk"), index("one", "pk")]},
            PREFIX + "Duplicate index name: one",
        ),
        (
            {"GlobalSecondaryIndexes": [index("one", "pk", projection={**ALL, "NonKeyAttributes": ["a"]})]},
            PREFIX + "ProjectionType is ALL, but NonKeyAttributes is specified",
        ),
        (
            {"AttributeDefinitions": [{**PK, "AttributeType": "BOOL"}]},
            "ValidationException: 1 validation error detected: Value 'BOOL' at "
            "'attributeDefinitions.1.member.attributeType' failed to satisfy constraint: "
            "Member must satisfy enum value set: [B, N, S]",
        ),
        (
            {"name": "a b c"},
            "ValidationException: 1 validation error detected: Value 'a b c' at 'tableName' failed to satisfy "
            "constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
        ),
    ],
)
def test_refused_definitions(sim: Simulation, parameters: Any, message: str) -> None:
    """AWS's words, as dynalite's tests have compared them with DynamoDB."""
    assert refused(create, client=sim.client("dynamodb"), **parameters) == message


def test_several_attributes_in_one_key_of_an_index_are_not_played(sim: Simulation) -> None:
    """Since November 2025 a global index may have up to four of them; simbus says that it has not."""
    many = {**index("one", "pk"), "KeySchema": [HASH, {**HASH, "AttributeName": "sk"}]}
    with pytest.raises(UsageError, match="one HASH and one RANGE attribute"):
        create(sim.client("dynamodb"), AttributeDefinitions=[PK, SK], GlobalSecondaryIndexes=[many])


def test_tables_are_listed_by_name(sim: Simulation) -> None:
    """Pages of up to 100 names (API reference, ListTables)."""
    for name in ("ccc", "aaa", "bbb"):
        sim.table(name, hash_key="pk")
    client = sim.client("dynamodb")
    pages = list(client.get_paginator("list_tables").paginate(PaginationConfig={"PageSize": 2}))
    assert [page["TableNames"] for page in pages] == [["aaa", "bbb"], ["ccc"]]
    assert [table.name for table in sim.resource("dynamodb").tables.all()] == ["aaa", "bbb", "ccc"]


def test_update_table(sim: Simulation) -> None:
    """One index at a time, and throughput only where it is provisioned (API reference, UpdateTable)."""
    client = sim.client("dynamodb")
    create(client, BillingMode="PROVISIONED", ProvisionedThroughput=UNITS)
    assert "BillingModeSummary" not in client.describe_table(TableName="orders")["Table"]
    update = {"TableName": "orders"}
    assert refused(client.update_table, **update, ProvisionedThroughput=UNITS).startswith(
        "ValidationException: The provisioned throughput for the table will not change."
    )
    assert refused(client.update_table, **update).startswith("ValidationException: At least one of ")
    made = change(
        client,
        AttributeDefinitions=[PK, SK],
        GlobalSecondaryIndexUpdates=[{"Create": index("by_sk", "sk", ProvisionedThroughput=UNITS)}],
    )
    assert (made["TableStatus"], made["GlobalSecondaryIndexes"][0]["IndexStatus"]) == ("UPDATING", "CREATING")
    again = [{"Create": index("by_sk", "sk", ProvisionedThroughput=UNITS)}]
    assert refused(client.update_table, **update, AttributeDefinitions=[PK, SK], GlobalSecondaryIndexUpdates=again) == (
        "ValidationException: Attempting to create an index which already exists"
    )
    stream = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    change(client, BillingMode="PAY_PER_REQUEST", StreamSpecification=stream)
    change(client, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by_sk"}}])
    table = client.describe_table(TableName="orders")["Table"]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert table["ProvisionedThroughput"]["ReadCapacityUnits"] == 0
    assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    assert "GlobalSecondaryIndexes" not in table


def test_time_to_live(sim: Simulation) -> None:
    """Enabled for a table with items, they expire as well (developer guide, time to live).

    Such a table is ENABLING or DISABLING first; a second change within an hour is refused (API reference), after what
    is wrong with it in itself (ack-api-quirks DDB-TABLE-143, 147).
    """
    client = sim.client("dynamodb")
    create(client)
    client.put_item(TableName="orders", Item={"pk": {"S": "1"}, "until": {"N": str(sim.world.epoch_ms() // 1000 + 60)}})
    on = {"Enabled": True, "AttributeName": "until"}
    assert client.update_time_to_live(TableName="orders", TimeToLiveSpecification=on)["TimeToLiveSpecification"] == on
    described = client.describe_time_to_live(TableName="orders")["TimeToLiveDescription"]
    assert described == {"TimeToLiveStatus": "ENABLING", "AttributeName": "until"}
    call = client.update_time_to_live
    assert refused(call, TableName="orders", TimeToLiveSpecification=on) == (
        "ValidationException: TimeToLive is already enabled"
    )
    assert refused(call, TableName="orders", TimeToLiveSpecification={**on, "AttributeName": "x"}) == (
        "ValidationException: TimeToLive is active on a different AttributeName: current AttributeName is until"
    )
    sim.run(for_="10s")
    described = client.describe_time_to_live(TableName="orders")["TimeToLiveDescription"]
    assert described == {"TimeToLiveStatus": "ENABLED", "AttributeName": "until"}
    sim.run(for_="51s")
    assert client.scan(TableName="orders")["Count"] == 0
    off = {**on, "Enabled": False}
    too_often = "ValidationException: Time to live has been modified multiple times within a fixed interval"
    assert refused(call, TableName="orders", TimeToLiveSpecification=off) == too_often
    sim.run(for_="1h")
    client.put_item(TableName="orders", Item={"pk": {"S": "2"}})
    call(TableName="orders", TimeToLiveSpecification=off)
    described = client.describe_time_to_live(TableName="orders")["TimeToLiveDescription"]
    assert described == {"TimeToLiveStatus": "DISABLING", "AttributeName": "until"}
    assert refused(call, TableName="orders", TimeToLiveSpecification=on) == too_often
    sim.run(for_="10s")
    described = client.describe_time_to_live(TableName="orders")["TimeToLiveDescription"]
    assert described == {"TimeToLiveStatus": "DISABLED"}
    assert refused(call, TableName="orders", TimeToLiveSpecification=off) == (
        "ValidationException: TimeToLive is already disabled"
    )


def test_time_to_live_of_an_empty_table(sim: Simulation) -> None:
    """At once: ENABLING was never seen of one (ack-api-quirks DDB-TABLE-145); that of `sim.table` is there already."""
    client = sim.client("dynamodb")
    create(client)
    on = {"Enabled": True, "AttributeName": "until"}
    client.update_time_to_live(TableName="orders", TimeToLiveSpecification=on)
    sim.table("others", hash_key="pk", ttl_attribute="until")
    for name in ("orders", "others"):
        described = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        assert described == {"TimeToLiveStatus": "ENABLED", "AttributeName": "until"}
    off = {**on, "Enabled": False}
    client.update_time_to_live(TableName="others", TimeToLiveSpecification=off)
    sim["dynamodb:orders"].update_time_to_live(off)  # of Python, for a test's own purposes
    assert sim["dynamodb:orders"].ttl_attribute is None


def test_tags_and_backups(sim: Simulation) -> None:
    """They are kept and told; AWS's message on tags has a slip of the pen."""
    client = sim.client("dynamodb")
    arn = create(client)["TableArn"]
    client.tag_resource(ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    client.untag_resource(ResourceArn=arn, TagKeys=["a"])
    assert client.list_tags_of_resource(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    assert refused(client.list_tags_of_resource, ResourceArn=arn + "s") == (
        f"ResourceNotFoundException: Requested resource not found: ResourcArn: {arn}s not found"
    )
    on = {"PointInTimeRecoveryEnabled": True}
    client.update_continuous_backups(TableName="orders", PointInTimeRecoverySpecification=on)
    found = client.describe_continuous_backups(TableName="orders")["ContinuousBackupsDescription"]
    assert found["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    assert refused(client.describe_continuous_backups, TableName="none") == (
        "TableNotFoundException: Table not found: none"
    )


def test_what_is_not_played_is_refused_by_name(sim: Simulation) -> None:
    """PartiQL, backups, global tables."""
    client = sim.client("dynamodb")
    with pytest.raises(UsageError, match="dynamodb ExecuteStatement: simbus does not play this"):
        client.execute_statement(Statement="select * from orders")
