"""The table of DynamoDB's operations, and how a request names its table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simbus.aws.table import Api
from simbus.errors import AwsError
from simbus.sources.dynamodb.definition import check_name
from simbus.sources.dynamodb.errors import no_table

if TYPE_CHECKING:
    from simbus.resources import Resources
    from simbus.sources.dynamodb.table import Table

api = Api("dynamodb")


def table_of(account: Resources, given: str) -> Table:
    """The table of that name or ARN. Raises AwsError ResourceNotFoundException in the words of the item operations."""
    found: Table | None = account.find("dynamodb", given.rpartition("/")[2] if given.startswith("arn:") else given)
    if found is None:
        if not given.startswith("arn:"):
            check_name(given, "tableName", at_least=1)
        raise no_table()
    return found


def named_table(account: Resources, given: str) -> Table:
    """The same; its refusal names the table, as that of the operations on tables does."""
    try:
        return table_of(account, given)
    except AwsError as error:
        if error.code != "ResourceNotFoundException":
            raise
        name = given.rpartition("/")[2]
        raise AwsError(error.code, f"{error.message}: Table: {name} not found") from None
