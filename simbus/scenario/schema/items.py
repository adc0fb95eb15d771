"""The verbs of a workload that write items of a table: put_item, update_item, delete_item."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from simbus.scenario.schema.base import Check, Model, name_of, refuse, same
from simbus.scenario.source import shown

KINDS = ("S", "N", "B", "SS", "NS", "BS", "M", "L", "BOOL", "NULL")
_TEMPLATE = "May hold templates: {n}, {n % 50}, {now}, {uuid}, {rand}."
_PLAIN = (
    "A value is typed ({S: text}, {N: 5}, {L: [...]}), or a plain text, number, boolean or null (S, N, BOOL, NULL; in "
    "a key attribute the key's type). " + _TEMPLATE
)


def attribute_value(value: Any) -> Any:
    """Refuse what could mean more than one thing: a plain list or mapping."""
    if isinstance(value, list):
        raise refuse("is a plain list, which could be a list or a set. Write {L: [...]}, {SS: [...]} or {NS: [...]}.")
    if isinstance(value, dict):
        if len(value) != 1 or next(iter(value)) not in KINDS:
            raise refuse(
                f"is {shown(value)} that is no typed value; one has a single key of {', '.join(KINDS)}. "
                "Write {M: {...}} for a map."
            )
        ((kind, content),) = value.items()
        inner = content if kind == "L" and isinstance(content, list) else ()
        if kind == "M" and isinstance(content, dict):
            inner = list(content.values())
        for each in inner:
            attribute_value(each)
    return value


AttributeValue = Annotated[Any, Check(attribute_value, {})]
TableName = Annotated[str, name_of("dynamodb")]


class _Write(Model):
    table: TableName = same("table_name", "table")
    condition_expression: str | None = None
    expression_attribute_names: dict[str, str] | None = None
    expression_attribute_values: dict[str, AttributeValue] | None = Field(default=None, description=_PLAIN)


class PutItem(_Write):
    """dynamodb:PutItem."""

    item: dict[str, AttributeValue] = Field(description=_PLAIN)


class UpdateItem(_Write):
    """dynamodb:UpdateItem."""

    key: dict[str, AttributeValue] = Field(description=_PLAIN)
    update_expression: str | None = None


class DeleteItem(_Write):
    """dynamodb:DeleteItem."""

    key: dict[str, AttributeValue] = Field(description=_PLAIN)
