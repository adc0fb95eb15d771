"""The tables themselves.

CreateTable, UpdateTable and DeleteTable answer before they are done, as AWS does; for how long a table is CREATING,
UPDATING or DELETING then is the account's `table_transition_delay`. Global tables, backups, exports and resource
policies are not played.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from simbus.aws.dynamodb.common import api, named_table
from simbus.aws.table import Response
from simbus.errors import AwsError
from simbus.sources.dynamodb import definition
from simbus.sources.dynamodb.errors import constraint, invalid
from simbus.sources.dynamodb.manage import check_class

if TYPE_CHECKING:
    from simbus.resources import Resources
    from simbus.sources.dynamodb.table import Table

LIST_LIMIT: Final = 100
Many = Sequence[Mapping[str, Any]]


@api.operation
def create_table(
    account: Resources,
    *,
    TableName: str,
    KeySchema: Many,
    AttributeDefinitions: Many = (),
    LocalSecondaryIndexes: Many | None = None,
    GlobalSecondaryIndexes: Many | None = None,
    BillingMode: str = "PROVISIONED",
    ProvisionedThroughput: Mapping[str, int] | None = None,
    StreamSpecification: Mapping[str, Any] | None = None,
    SSESpecification: Mapping[str, Any] | None = None,
    Tags: Many = (),
    TableClass: str | None = None,
    DeletionProtectionEnabled: bool = False,
) -> Response:
    if not 3 <= len(TableName) <= 255:
        raise invalid("TableName must be at least 3 characters long and at most 255 characters long")
    definition.check_name(TableName, "tableName")
    settings = definition.table_settings(
        attribute_definitions=AttributeDefinitions,
        key_schema=KeySchema,
        local_secondary_indexes=LocalSecondaryIndexes,
        global_secondary_indexes=GlobalSecondaryIndexes,
        billing_mode=BillingMode,
        provisioned_throughput=ProvisionedThroughput,
    )
    if TableClass is not None:
        check_class(TableClass)
    if account.find("dynamodb", TableName) is not None:
        raise AwsError("ResourceInUseException", f"Table already exists: {TableName}")
    stream = StreamSpecification or {}
    table = account.table(
        TableName,
        **settings,
        stream_view_type=stream.get("StreamViewType") if stream.get("StreamEnabled") else None,
        billing_mode=BillingMode,
        provisioned_throughput=ProvisionedThroughput,
        index_throughput={
            each["IndexName"]: each.get("ProvisionedThroughput") for each in GlobalSecondaryIndexes or ()
        },
        tags={tag["Key"]: tag["Value"] for tag in Tags},
        table_class=TableClass,
        sse_specification=SSESpecification,
        deletion_protection_enabled=DeletionProtectionEnabled,
    )
    answer = table.describe_table()["Table"] | {"TableStatus": "CREATING"}
    answer.get("BillingModeSummary", {}).pop("LastUpdateToPayPerRequestDateTime", None)
    for index in answer.get("GlobalSecondaryIndexes", ()):
        index["IndexStatus"] = "CREATING"
    table.begin()
    return {"TableDescription": answer}


@api.operation
def describe_table(account: Resources, *, TableName: str) -> Response:
    return named_table(account, TableName).describe_table()


@api.operation
def update_table(
    account: Resources,
    *,
    TableName: str,
    AttributeDefinitions: Many = (),
    BillingMode: str | None = None,
    ProvisionedThroughput: Mapping[str, int] | None = None,
    GlobalSecondaryIndexUpdates: Many = (),
    StreamSpecification: Mapping[str, Any] | None = None,
    SSESpecification: Mapping[str, Any] | None = None,
    TableClass: str | None = None,
    DeletionProtectionEnabled: bool | None = None,
) -> Response:
    table = named_table(account, TableName)
    return table.update_table(
        attribute_definitions=AttributeDefinitions,
        billing_mode=BillingMode,
        provisioned_throughput=ProvisionedThroughput,
        global_secondary_index_updates=GlobalSecondaryIndexUpdates,
        stream_specification=StreamSpecification,
        sse_specification=SSESpecification,
        table_class=TableClass,
        deletion_protection_enabled=DeletionProtectionEnabled,
        at_once=False,
    )


@api.operation
def delete_table(account: Resources, *, TableName: str) -> Response:
    table = named_table(account, TableName)
    answer = table.delete_table()
    table.begin_deletion(lambda: account.remove(table))
    return answer


@api.operation
def list_tables(account: Resources, *, ExclusiveStartTableName: str = "", Limit: int = LIST_LIMIT) -> Response:
    if Limit > LIST_LIMIT:
        raise constraint(Limit, "limit", f"Member must have value less than or equal to {LIST_LIMIT}")
    names = sorted(table.resource for table in account.resources("dynamodb"))
    rest = [name for name in names if name > ExclusiveStartTableName]
    answer: Response = {"TableNames": rest[:Limit]}
    if len(rest) > Limit:
        answer["LastEvaluatedTableName"] = rest[Limit - 1]
    return answer


# --- time to live, backups, tags ----------------------------------------------------------------------------------


@api.operation
def update_time_to_live(account: Resources, *, TableName: str, TimeToLiveSpecification: Mapping[str, Any]) -> Response:
    return named_table(account, TableName).update_time_to_live(TimeToLiveSpecification, at_once=False)


@api.operation
def describe_time_to_live(account: Resources, *, TableName: str) -> Response:
    return named_table(account, TableName).describe_time_to_live()


@api.operation
def describe_continuous_backups(account: Resources, *, TableName: str) -> Response:
    return _backed_up(account, TableName).describe_continuous_backups()


@api.operation
def update_continuous_backups(
    account: Resources, *, TableName: str, PointInTimeRecoverySpecification: Mapping[str, Any]
) -> Response:
    return _backed_up(account, TableName).update_continuous_backups(PointInTimeRecoverySpecification)


def _backed_up(account: Resources, name: str) -> Table:
    try:
        return named_table(account, name)
    except AwsError:
        raise AwsError("TableNotFoundException", f"Table not found: {name}") from None


@api.operation
def tag_resource(account: Resources, *, ResourceArn: str, Tags: Many) -> None:
    _tagged(account, ResourceArn).tag_resource(Tags)


@api.operation
def untag_resource(account: Resources, *, ResourceArn: str, TagKeys: Sequence[str]) -> None:
    _tagged(account, ResourceArn).untag_resource(TagKeys)


@api.operation
def list_tags_of_resource(account: Resources, *, ResourceArn: str) -> Response:
    """All tags at once: no answer has a NextToken."""
    tags = _tagged(account, ResourceArn).info.tags
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def _tagged(account: Resources, arn: str) -> Table:
    table: Table | None = account.find("dynamodb", arn.rpartition("/")[2])
    if table is None or table.arn != arn:
        raise AwsError(  # AWS's own slip of the pen
            "ResourceNotFoundException", f"Requested resource not found: ResourcArn: {arn} not found"
        )
    table.check_describable()
    return table


# --- the account --------------------------------------------------------------------------------------------------


@api.operation
def describe_limits(account: Resources) -> Response:
    """The default quotas. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html"""
    return {
        "AccountMaxReadCapacityUnits": 80_000,
        "AccountMaxWriteCapacityUnits": 80_000,
        "TableMaxReadCapacityUnits": 40_000,
        "TableMaxWriteCapacityUnits": 40_000,
    }


@api.operation
def describe_endpoints(account: Resources) -> Response:
    address = f"dynamodb.{account.world.account.region}.amazonaws.com"
    return {"Endpoints": [{"Address": address, "CachePeriodInMinutes": 1440}]}
