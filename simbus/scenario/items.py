"""Items of DynamoDB as a workload writes them: typed, or plain where that can mean one thing only.

`{S: text}`, `{N: "5"}`, `{L: [...]}` ... is DynamoDB's JSON. A plain text, number, boolean or null is S, N, BOOL or
NULL; a plain text or number in a key attribute takes the key's type, so that `id: "{n}"` fits both. A plain list or
mapping could be a list or a set, a map or a typed value: it is written typed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from simbus.errors import UsageError

if TYPE_CHECKING:
    from simbus.sources.dynamodb.schema import Schema
    from simbus.sources.dynamodb.table import Table

Values = dict[str, Any]
VERBS = ("put_item", "update_item", "delete_item")
_NAMES = {
    "item": "item",
    "key": "key",
    "update_expression": "update",
    "condition_expression": "condition",
    "expression_attribute_names": "names",
    "expression_attribute_values": "values",
}


def write(table: Table, verb: str, values: Values) -> None:
    """Do the write of one arrival. Raises AwsError."""
    getattr(table, verb)(**_arguments(table, values))


def rehearse(table: Table, verb: str, values: Values) -> None:
    """Check a write as AWS does before it looks at the table. Raises AwsError, UsageError."""
    from simbus.sources.dynamodb import write as writes  # most scenarios have no table, and need none of DynamoDB

    arguments = _arguments(table, values)
    prepare = getattr(writes, f"prepare_{verb.removesuffix('_item')}")
    prepare(table, **{_NAMES[name]: value for name, value in arguments.items()})


def _arguments(table: Table, values: Values) -> Values:
    arguments = {name: value for name, value in values.items() if name in _NAMES}
    for name in ("item", "key"):
        if name in arguments:
            arguments[name] = _item(table.schema, arguments[name])
    if "expression_attribute_values" in arguments:
        given = arguments["expression_attribute_values"]
        arguments["expression_attribute_values"] = {name: _typed(value) for name, value in given.items()}
    return arguments


def _item(schema: Schema, item: Mapping[str, Any]) -> Values:
    return {
        name: _key_value(schema.kind(name), name, value) if name in schema.names else _typed(value)
        for name, value in item.items()
    }


def _key_value(kind: str, name: str, value: Any) -> Values:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return _typed(value)
    if kind == "B":
        raise UsageError(
            f"{value!r} is a plain value for the binary key {name}, which could be text or base64. "
            "Write {B: ...} with base64."
        )
    return {kind: _text(value)}


def _typed(value: Any) -> Values:
    """A typed value; the scalars in a written one are made the texts that DynamoDB's JSON has."""
    if isinstance(value, Mapping):
        return {kind: _content(kind, content) for kind, content in value.items()}
    if value is None or isinstance(value, bool):
        return {"NULL": True} if value is None else {"BOOL": value}
    return {"S": value} if isinstance(value, str) else {"N": _text(value)}


def _content(kind: str, content: Any) -> Any:
    if kind in ("S", "N"):
        return _text(content)
    if kind in ("SS", "NS") and isinstance(content, list):
        return [_text(each) for each in content]
    if kind == "L" and isinstance(content, list):
        return [_typed(each) for each in content]
    if kind == "M" and isinstance(content, Mapping):
        return {name: _typed(each) for name, each in content.items()}
    return content


def _text(value: Any) -> Any:
    """A number as text: it comes of a template, or stands in the file without quotes."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
