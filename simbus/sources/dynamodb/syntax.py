"""Reads DynamoDB's expressions into plain trees. The grammar is moto's; what a tree means is simbus's own.

moto (https://github.com/getmoto/moto) is an optional dependency, imported when the first expression is read: only its
two parsers are used. Its evaluation is not: it compares numbers as floats, fails where the kinds of two operands
differ, takes null for missing and returns sets in the order of their hashes.

A tree is a tuple whose first member is its kind:

- conditions: `("and" | "or", left, right)`, `("not", condition)`,
  `("=" | "<>" | "<" | "<=" | ">" | ">=", left, right)`, `("between", operand, low, high)`, `("in", operand, operands)`,
  `("attribute_exists", path)`, `("attribute_type" | "begins_with" | "contains", left, right)`
- operands: `("path", ("name" | "#name" | index, ...))`, `("value", ":name")`, `("size", path)`;
  in updates also `("if_not_exists", path, operand)`, `("list_append" | "+" | "-", left, right)`
- updates: a list of `("SET" | "ADD" | "DELETE", path, operand)` and `("REMOVE", path)`; projections: a list of paths
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from importlib import import_module
from typing import Any

from simbus.errors import AwsError, UsageError
from simbus.sources.dynamodb.errors import invalid

Tree = tuple[Any, ...]
_SPACE = re.compile(r"\s+")
_NAME = re.compile(r"#[A-Za-z0-9_]+|[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_NESTED = re.compile(r"if_not_exists\s*\([^,()]*,\s*[a-z_]+\s*\(")
_LOOSE_COMMA = re.compile(r",\s*(?:SET|REMOVE|ADD|DELETE)\s|,\s*$", re.IGNORECASE)
_COMPARATORS = {
    "OpEqual": "=",
    "OpNotEqual": "<>",
    "OpLessThan": "<",
    "OpLessThanOrEqual": "<=",
    "OpGreaterThan": ">",
    "OpGreaterThanOrEqual": ">=",
    "OpAnd": "and",
    "OpOr": "or",
}
_FUNCTIONS = {
    "FuncAttrExists": "attribute_exists",
    "FuncAttrType": "attribute_type",
    "FuncBeginsWith": "begins_with",
    "FuncContains": "contains",
    "FuncBetween": "between",
    "FuncSize": "size",
}
_ACTIONS = {
    "UpdateExpressionSetAction": "SET",
    "UpdateExpressionRemoveAction": "REMOVE",
    "UpdateExpressionAddAction": "ADD",
    "UpdateExpressionDeleteAction": "DELETE",
}


@cache
def load() -> Any:
    """Import moto's parsers (about half a second, once a process). Raises UsageError where moto is not installed."""
    from simbus.functions.sandbox import outer_world  # late, as it brings the sandbox along

    try:
        with outer_world():
            conditions = import_module("moto.dynamodb.comparisons")
            updates = import_module("moto.dynamodb.parsing.expressions")
            reserved = import_module("moto.dynamodb.parsing.reserved_keywords")
    except ImportError as error:
        raise UsageError(
            f"an expression for a DynamoDB table was given, but its parser can't be imported ({error}); condition, "
            "update, filter, key condition and projection expressions are read by moto. "
            "Install it: pip install 'simbus[dynamodb]'."
        ) from None
    keywords = frozenset(reserved.ReservedKeywords.get_reserved_keywords())
    return conditions.ConditionExpressionParser, updates.UpdateExpressionParser, keywords


@lru_cache(maxsize=1024)
def read_condition(text: str, parameter: str) -> Tree:
    """The tree of a condition, filter or key condition. Raises AwsError ValidationException in `parameter`'s name."""
    parser = load()[0](_SPACE.sub(" ", text).strip(), _Unresolved(), _Unresolved())
    root = _parse(parser.parse, text, parameter)
    try:
        return _condition(root, parameter)
    except _Unknown:
        raise _syntax_error(parameter, text) from None


@lru_cache(maxsize=1024)
def read_update(text: str) -> tuple[Tree, ...]:
    """The actions of an update expression. Raises AwsError ValidationException."""
    return _actions(text, "UpdateExpression")


@lru_cache(maxsize=1024)
def read_projection(text: str) -> tuple[Tree, ...]:
    """The paths of a projection expression: they are listed as in a REMOVE clause."""
    actions = _actions(f"REMOVE {text}", "ProjectionExpression")
    if any(action[0] != "REMOVE" for action in actions):
        raise _syntax_error("ProjectionExpression", text)
    return tuple(action[1][1] for action in actions)


class _Unknown(Exception):
    """A node that has no business where it stands."""


class _Unresolved(dict[str, Any]):
    """Stands in for names and values: a placeholder stands for itself, so that one tree serves every request."""

    def __missing__(self, key: str) -> Any:
        return key if key.startswith("#") else {"": key}


def _parse(parse: Any, text: str, parameter: str) -> Any:
    """Run one of moto's parsers; its refusals bear AWS's words already, or none."""
    try:
        return parse()
    except AssertionError:
        raise _beyond_moto(parameter, text, "parentheses around sums") from None
    except Exception as error:
        if _NESTED.search(text):
            raise _beyond_moto(parameter, text, "functions as the second argument of if_not_exists") from None
        message = getattr(error, "message", None)
        if not isinstance(message, str):
            raise _syntax_error(parameter, text) from None
        _, _, rest = message.partition("Expression: ")
        raise invalid(f"Invalid {parameter}: {rest}" if rest else message) from None


def _beyond_moto(parameter: str, text: str, what: str) -> UsageError:
    """DynamoDB's grammar has it, so that no answer of AWS may be given for it."""
    return UsageError(f"{parameter} {text!r} can't be read: moto's grammar has no {what}. Write it without them.")


def _syntax_error(parameter: str, text: str) -> AwsError:
    return invalid(f'Invalid {parameter}: Syntax error; token: "{text.strip()}", near: "{text}"')


# --- conditions -----------------------------------------------------------------------------------------------------


def _condition(node: Any, parameter: str) -> Tree:
    kind = type(node).__name__
    if kind == "OpNot":
        return ("not", _condition(node.lhs, parameter))
    if kind in _COMPARATORS:
        return (_COMPARATORS[kind], _condition(node.lhs, parameter), _condition(node.rhs, parameter))
    if kind == "FuncIn":
        operands = tuple(_condition(each, parameter) for each in node.possible_values)
        return ("in", _condition(node.attr, parameter), operands)
    if kind in _FUNCTIONS:
        return (_FUNCTIONS[kind], *(_condition(each, parameter) for each in node.arguments))
    if kind == "AttributeValue":
        return ("value", node.value)
    if kind == "AttributePath":
        return ("path", tuple(_step(each, parameter) for each in node.path))
    raise _Unknown


def _step(step: Any, parameter: str) -> Any:
    """One member of a path, if it may be written there: moto lets other characters through."""
    if isinstance(step, str):
        if not _NAME.fullmatch(step):
            raise _syntax_error(parameter, step)
        if step.upper() in load()[2]:
            raise invalid(f"Invalid {parameter}: Attribute name is a reserved keyword; reserved keyword: {step}")
    return step


# --- updates --------------------------------------------------------------------------------------------------------


def _actions(text: str, parameter: str) -> tuple[Tree, ...]:
    parser = load()[1]
    if _LOOSE_COMMA.search(text):  # moto lets one pass before the next section
        raise _syntax_error(parameter, text)
    root = _parse(lambda: parser.make(_SPACE.sub(" ", text).strip()), text, parameter)
    sections = [name for name in _section_names(root) if name.endswith("Clause")]
    for name in dict.fromkeys(sections):
        if sections.count(name) > 1:
            section = name.removeprefix("UpdateExpression").removesuffix("Clause").upper()
            raise invalid(
                f'Invalid UpdateExpression: The "{section}" section can only be used once in an update expression;'
            )
    root.normalize()
    try:
        return tuple(_action(node, parameter) for node in root.children)
    except _Unknown:
        raise _syntax_error(parameter, text) from None


def _section_names(node: Any) -> list[str]:
    names = [type(node).__name__]
    for child in node.children or ():
        if hasattr(child, "children"):
            names += _section_names(child)
    return names


def _action(node: Any, parameter: str) -> Tree:
    path, *operand = node.children
    return (_ACTIONS[type(node).__name__], _operand(path, parameter), *(_operand(each, parameter) for each in operand))


def _operand(node: Any, parameter: str) -> Tree:
    kind = type(node).__name__
    if kind == "UpdateExpressionPath":
        steps = [each.children[0] for each in node.children if each.children]
        return ("path", tuple(_step(each, parameter) for each in steps))
    if kind == "ExpressionAttributeValue":
        return ("value", node.children[0])
    if kind == "UpdateExpressionFunction":
        name, *arguments = node.children
        return (name, *(_operand(each, parameter) for each in arguments))
    if kind == "UpdateExpressionValue" and len(node.children) == 1:
        return _operand(node.children[0], parameter)
    if kind == "UpdateExpressionValue" and len(node.children) == 3:
        left, operator, right = node.children
        if "UpdateExpressionValue" not in (type(left).__name__, type(right).__name__):
            return (operator.children[0], _operand(left, parameter), _operand(right, parameter))
    raise _Unknown
