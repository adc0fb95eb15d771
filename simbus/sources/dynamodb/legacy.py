"""The parameters that expressions have replaced, as the trees of these expressions.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LegacyConditionalParameters.html
Expected, QueryFilter, ScanFilter, KeyConditions, ConditionalOperator, AttributeUpdates and AttributesToGet. Messages:
those that dynalite (https://github.com/architect/dynalite) has compared with AWS.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

from simbus.sources.dynamodb.errors import bad_parameter, constraint, invalid
from simbus.sources.dynamodb.expressions import Projection
from simbus.sources.dynamodb.syntax import Tree
from simbus.sources.dynamodb.values import SET_KINDS, Value, clean, comparable

Conditions = Mapping[str, Mapping[str, Any]] | None
_SCALARS = ("S", "N", "B")
_ALL = (*_SCALARS, *SET_KINDS)
_COMPARISONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "EQ": ("=", (*_ALL, "BOOL", "NULL", "L", "M")),
    "NE": ("<>", (*_ALL, "BOOL", "NULL", "L", "M")),
    "LE": ("<=", _SCALARS),
    "LT": ("<", _SCALARS),
    "GE": (">=", _SCALARS),
    "GT": (">", _SCALARS),
    "CONTAINS": ("contains", (*_SCALARS, "BOOL")),
    "NOT_CONTAINS": ("contains", (*_SCALARS, "BOOL")),
    "BEGINS_WITH": ("begins_with", ("S", "B")),
    "IN": ("in", _SCALARS),
    "BETWEEN": ("between", _SCALARS),
    "NULL": ("attribute_exists", ()),
    "NOT_NULL": ("attribute_exists", ()),
}
_INDEXABLE = ("EQ", "LE", "LT", "GE", "GT", "BEGINS_WITH", "BETWEEN")


def check_forms(expressions: Mapping[str, Any], others: Mapping[str, Any]) -> None:
    """Raise AwsError where a request has parameters of both kinds. None: not given."""
    both = [[name for name, value in given.items() if value is not None] for given in (others, expressions)]
    if all(both):
        raise invalid(
            "Can not use both expression and non-expression parameters in the same request: "
            f"Non-expression parameters: {{{', '.join(both[0])}}} Expression parameters: {{{', '.join(both[1])}}}"
        )


def expected(given: Conditions, operator: str | None) -> Tree | None:
    """The condition of Expected. Raises AwsError ValidationException."""
    return _joined([_expected(name, each) for name, each in (given or {}).items()], operator)


def filtered(given: Conditions, operator: str | None) -> Tree | None:
    """The condition of a QueryFilter or ScanFilter. Raises AwsError ValidationException."""
    return _joined([_condition(name, each) for name, each in (given or {}).items()], operator)


def key_conditions(given: Mapping[str, Mapping[str, Any]]) -> list[Tree]:
    """The parts of a key condition. Raises AwsError ValidationException."""
    if len(given) not in (1, 2):
        raise invalid("Conditions can be of length 1 or 2 only")
    found = [_condition(name, each) for name, each in given.items()]
    if any(each["ComparisonOperator"] not in _INDEXABLE for each in given.values()):
        raise invalid("Attempted conditional constraint is not an indexable operation")
    return found


def attribute_updates(given: Mapping[str, Mapping[str, Any]]) -> list[Tree]:
    """The actions of AttributeUpdates. Raises AwsError ValidationException."""
    return [_update(("path", (name,)), each) for name, each in given.items()]


def attributes_to_get(names: Sequence[str] | None) -> Projection | None:
    """The projection to whole attributes. Raises AwsError ValidationException."""
    if names is None:
        return None
    for number, name in enumerate(names):
        if name in names[:number]:
            raise bad_parameter(f"Duplicate value in attribute name: {name}")
    return Projection([(name,) for name in names])


def _joined(trees: list[Tree], operator: str | None) -> Tree | None:
    if operator is not None and operator not in ("AND", "OR"):
        raise constraint(operator, "conditionalOperator", "Member must satisfy enum value set: [OR, AND]")
    if operator is not None and len(trees) < 2:
        raise invalid(
            "ConditionalOperator can only be used when Filter or Expected has two or more elements"
            if trees
            else "ConditionalOperator cannot be used without Filter or Expected"
        )
    kind = "and" if operator is None else operator.lower()
    return reduce(lambda left, right: (kind, left, right), trees) if trees else None


def _expected(name: str, given: Mapping[str, Any]) -> Tree:
    path = ("path", (name,))
    value, values = given.get("Value"), given.get("AttributeValueList")
    if value is not None and values is not None:
        raise bad_parameter(f"Value and AttributeValueList cannot be used together for Attribute: {name}")
    operator = given.get("ComparisonOperator")
    if operator is not None:
        if "Exists" in given:
            raise bad_parameter(f"Exists and ComparisonOperator cannot be used together for Attribute: {name}")
        if operator not in ("NULL", "NOT_NULL") and value is None and values is None:
            raise bad_parameter(
                f"Value or AttributeValueList must be used with ComparisonOperator: {operator} for Attribute: {name}"
            )
        return _comparison(path, operator, values if value is None else [value])
    if values is not None:
        raise bad_parameter(f"AttributeValueList can only be used with a ComparisonOperator for Attribute: {name}")
    exists = given.get("Exists")
    if exists is False:
        if value is not None:
            raise bad_parameter(f"Value cannot be used when Exists is false for Attribute: {name}")
        return ("not", ("attribute_exists", path))
    if value is None:
        shown = "null" if exists is None else "true"
        raise bad_parameter(f"Value must be provided when Exists is {shown} for Attribute: {name}")
    return ("=", path, ("value", clean(value)[0]))


def _condition(name: str, given: Mapping[str, Any]) -> Tree:
    return _comparison(("path", (name,)), given.get("ComparisonOperator"), given.get("AttributeValueList"))


def _comparison(path: Tree, operator: str | None, given: Sequence[Any] | None) -> Tree:
    if operator not in _COMPARISONS:
        names = ", ".join(_COMPARISONS)
        raise constraint(operator, "comparisonOperator", f"Member must satisfy enum value set: [{names}]")
    kind, allowed = _COMPARISONS[operator]
    values = [clean(each)[0] for each in given or ()]
    _check_values(operator, values, allowed)
    operands = [("value", each) for each in values]
    node: Tree = ("in", path, tuple(operands)) if kind == "in" else (kind, path, *operands)
    return ("not", node) if operator in ("NULL", "NOT_CONTAINS") else node


def _check_values(operator: str, values: list[Value], allowed: tuple[str, ...]) -> None:
    wanted = {"NULL": 0, "NOT_NULL": 0, "BETWEEN": 2}.get(operator, 1)
    if len(values) != wanted and not (operator == "IN" and values):
        raise bad_parameter(f"Invalid number of argument(s) for the {operator} ComparisonOperator")
    kinds = [next(iter(value)) for value in values]
    if len(set(kinds)) > 1:
        raise bad_parameter("AttributeValues inside AttributeValueList must be of same type")
    if kinds and kinds[0] not in allowed:
        raise bad_parameter(f"ComparisonOperator {operator} is not valid for {kinds[0]} AttributeValue type")
    if operator == "BETWEEN" and comparable(values[0]) > comparable(values[1]):
        raise invalid(
            "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound"
        )


def _update(path: Tree, given: Mapping[str, Any]) -> Tree:
    action = given.get("Action", "PUT")
    if action not in ("PUT", "ADD", "DELETE"):
        raise constraint(action, "action", "Member must satisfy enum value set: [ADD, PUT, DELETE]")
    if given.get("Value") is None:
        if action != "DELETE":
            raise bad_parameter("Only DELETE action is allowed when no attribute value is specified")
        return ("REMOVE", path)
    value = clean(given["Value"])[0]
    (kind,) = value
    if action == "PUT":
        return ("SET", path, ("value", value))
    if action == "DELETE":
        if kind not in SET_KINDS:
            raise bad_parameter(f"DELETE action with value is not supported for the type {kind}")
        return ("DELETE", path, ("value", value))
    if kind == "L":
        before: Tree = ("if_not_exists", path, ("value", {"L": []}))
        return ("SET", path, ("list_append", before, ("value", value)))
    if kind != "N" and kind not in SET_KINDS:
        raise bad_parameter(f"ADD action is not supported for the type {kind}")
    return ("ADD", path, ("value", value))
