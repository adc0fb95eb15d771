"""The tables themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simbus.aws.dynamodb.common import api, named_table
from simbus.aws.table import Response

if TYPE_CHECKING:
    from simbus.resources import Resources


@api.operation
def describe_table(account: Resources, *, TableName: str) -> Response:
    return named_table(account, TableName).describe_table()
