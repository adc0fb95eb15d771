"""The key condition of a query: what AWS allows as one, and which keys it asks for.

The texts and their order are those that dynalite (https://github.com/architect/dynalite) has compared with AWS.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from simbus.sources.dynamodb.errors import bad_parameter, invalid
from simbus.sources.dynamodb.order import Range
from simbus.sources.dynamodb.schema import Schema
from simbus.sources.dynamodb.syntax import Tree
from simbus.sources.dynamodb.values import comparable

_MIRRORED: Final = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_NO_OPERATOR: Final = {
    "or": "OR",
    "not": "NOT",
    "in": "IN",
    "<>": "<>",
    "attribute_exists": "attribute_exists",
    "attribute_not_exists": "attribute_not_exists",
    "attribute_type": "attribute_type",
    "contains": "contains",
}
_FIRST_IS_KEY: Final = {"between": "BETWEEN", "begins_with": "begins_with"}


def key_parts(tree: Tree) -> list[Tree]:
    """The conditions of a key condition, in their order; each begins with its attribute, on whichever side it was
    written. Raises AwsError for what can't be one of them."""
    if tree[0] in _NO_OPERATOR:
        raise invalid(f"Invalid operator used in KeyConditionExpression: {_NO_OPERATOR[tree[0]]}")
    if tree[0] == "and":
        parts: list[Tree] = []
        for each in tree[1:]:
            parts += key_parts(each)
        names = [part[1][1][0] for part in parts]
        if len(set(names)) < len(names):
            raise invalid(
                "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key"
            )
        return parts
    kind, *operands = tree
    _check_part(kind, operands)
    if operands[0][0] != "path":
        return [(_MIRRORED[kind], operands[1], operands[0])]
    return [tree]


def _check_part(kind: str, operands: Sequence[Tree]) -> None:
    where = "Invalid condition in KeyConditionExpression"
    if kind in _FIRST_IS_KEY and operands[0][0] != "path":
        raise invalid(f"{where}: {_FIRST_IS_KEY[kind]} operator must have the key attribute as its first operand")
    named = False
    for operand in operands:
        if operand[0] == "size":
            raise invalid("KeyConditionExpressions cannot contain nested operations")
        if operand[0] == "path":
            if named:
                raise invalid(f"{where}: Multiple attribute names used in one condition")
            if len(operand[1]) > 1:
                raise invalid("KeyConditionExpressions cannot have conditions on nested attributes")
            named = True
    if not named:
        raise invalid(f"{where}: No key attribute specified")


def key_condition_of(parts: Sequence[Tree], schema: Schema) -> tuple[Any, Range | None]:
    """The hash key's content, and which range keys are wanted. Raises AwsError ValidationException."""
    by_name: dict[str, Tree] = {part[1][1][0]: part for part in parts}
    if len(parts) > 2:
        raise invalid(
            f"The number of query conditions ({len(parts)}) exceeds the number of key attributes defined in the schema "
            f"({len(schema.names)})"
        )
    hashed = by_name.pop(schema.hash_key, None)
    if hashed is None:
        raise invalid(f"Query condition missed key schema element: {schema.hash_key}")
    ranged = None if schema.range_key is None else by_name.pop(schema.range_key, None)
    if by_name and schema.range_key is not None and ranged is None:
        raise invalid(f"Query condition missed key schema element: {schema.range_key}")
    if by_name or hashed[0] != "=":
        raise invalid("Query key condition not supported")
    for part in [hashed] if ranged is None else [hashed, ranged]:
        if any(schema.kind(part[1][1][0]) not in operand[1] for operand in part[2:]):
            raise bad_parameter("Condition parameter type does not match schema type")
        for operand in part[2:]:  # as in a Key: neither empty (getmoto/moto#7062) nor too long
            schema.content(part[1][1][0], operand[1])
    wanted = None if ranged is None else Range(ranged[0], tuple(comparable(each[1]) for each in ranged[2:]))
    return hashed[2][1][schema.hash_kind], wanted
