"""Operations on the items of one table. Each is a method of the source, whose parameters are AWS's in snake_case."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from simbus.aws.dynamodb.common import api, table_of
from simbus.aws.table import Operation, Response
from simbus.errors import AwsError
from simbus.sources.dynamodb.expressions import check_expressions
from simbus.sources.dynamodb.table import Table

if TYPE_CHECKING:
    from simbus.resources import Resources


def _method(name: str) -> None:
    """Let the method of that name answer AWS's operation, with every parameter that it has."""
    method = getattr(Table, name)
    parameters = {_aws(each): each for each in inspect.signature(method).parameters if each != "self"}

    def function(account: Resources, *, TableName: str, **params: Any) -> Response:
        try:
            table = table_of(account, TableName)
        except AwsError:
            check_expressions(params)  # AWS reads them before it looks for the table
            raise
        response: Response = method(table, **{parameters[key]: value for key, value in params.items()})
        if "ConsumedCapacity" in response:
            response["ConsumedCapacity"]["TableName"] = TableName  # an ARN where one was given
        return response

    api.operations[_aws(name)] = Operation(function, frozenset((*parameters, "TableName")))


def _aws(name: str) -> str:
    return "".join(part[0].upper() + part[1:] for part in name.split("_"))


for _name in ("put_item", "get_item", "update_item", "delete_item", "query", "scan"):
    _method(_name)
