"""DynamoDB's expressions as plain trees, and what AWS refuses in them without a look at names, values and items.

A tree is a tuple whose first member is its kind:

- conditions: `("and" | "or", condition, condition, ...)`, `("not", condition)`,
  `("=" | "<>" | "<" | "<=" | ">" | ">=", left, right)`, `("between", operand, low, high)`, `("in", operand, operands)`,
  `("attribute_exists" | "attribute_not_exists", path)`, `("attribute_type" | "begins_with" | "contains", left, right)`
- operands: `("path", ("name" | "#name" | index, ...))`, `("value", ":name")`, `("size", path)`;
  in updates also `("if_not_exists", path, operand)`, `("list_append" | "+" | "-", left, right)`
- updates: `("SET" | "ADD" | "DELETE", path, operand)` and `("REMOVE", path)`; projections: paths

Before its operands are checked (see operands.py) a function may have any number of any kind.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from simbus.sources.dynamodb.grammar import Grammar, Tree
from simbus.sources.dynamodb.lexer import Tokens
from simbus.sources.dynamodb.project import Path
from simbus.sources.dynamodb.reserved import RESERVED

__all__ = ["Tree", "read_condition", "read_projection", "read_update"]
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-expression-parameters
SIZE_LIMIT: Final = 4096
OPERATOR_LIMIT: Final = 300
IN_LIMIT: Final = 100
PATH_LIMIT: Final = 32  # dereferences; developer guide, Expressions.Attributes: "Document path depth"
INDEX_LIMIT: Final = 4_294_967_294  # of a list; the text is in scylladb/scylladb#25951, the number is remembered only
CONDITION_FUNCTIONS: Final = {
    "attribute_exists": 1,
    "attribute_not_exists": 1,
    "attribute_type": 2,
    "begins_with": 2,
    "contains": 2,
    "size": 1,
}  # ... and how many operands each takes
UPDATE_FUNCTIONS: Final = {"if_not_exists": 2, "list_append": 2}


@lru_cache(maxsize=1024)
def read_condition(text: str, parameter: str) -> Tree:
    """The tree of a condition, filter or key condition. Raises AwsError ValidationException in `parameter`'s name."""
    grammar = Grammar(_tokens(text, parameter))
    tree = grammar.condition()
    _check_parentheses(grammar)
    _check_functions(grammar, CONDITION_FUNCTIONS, UPDATE_FUNCTIONS, "a condition")
    if grammar.misused is not None:
        grammar.tokens.fail(
            f"The function is not allowed to be used this way in an expression; function: {grammar.misused}"
        )
    _check_names(grammar, tree)
    _check_operators(grammar)
    return tree


@lru_cache(maxsize=1024)
def read_update(text: str) -> tuple[Tree, ...]:
    """The actions of an update expression. Raises AwsError ValidationException."""
    grammar = Grammar(_tokens(text, "UpdateExpression"))
    sections = grammar.update()
    actions = tuple(action for _, actions in sections for action in actions)
    _check_parentheses(grammar)
    for action in actions:
        _check_names(grammar, action)
    _check_functions(grammar, UPDATE_FUNCTIONS, CONDITION_FUNCTIONS, "an update")
    names = [name for name, _ in sections]
    for number, name in enumerate(names):
        if name in names[:number]:
            grammar.tokens.fail(f'The "{name}" section can only be used once in an update expression;')
    _check_operators(grammar)
    return actions


@lru_cache(maxsize=1024)
def read_projection(text: str) -> tuple[Tree, ...]:
    """The paths of a projection expression. Raises AwsError ValidationException."""
    grammar = Grammar(_tokens(text, "ProjectionExpression"))
    paths = grammar.projection()
    for path in paths:
        _check_names(grammar, path)
    return tuple(path[1] for path in paths)


def _tokens(text: str, parameter: str) -> Tokens:
    """The tokens of an expression that is neither empty nor over 4 KB (the size as in a public issue of PynamoDB)."""
    tokens = Tokens(text, parameter)
    if not tokens.word:
        tokens.fail("The expression can not be empty;")
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > SIZE_LIMIT:
        tokens.fail(f"Expression size has exceeded the maximum allowed size; expression size: {size}")
    return tokens


def _check_parentheses(grammar: Grammar) -> None:
    if grammar.redundant:
        grammar.tokens.fail("The expression has redundant parentheses;")


def _check_functions(grammar: Grammar, known: dict[str, int], others: dict[str, int], where: str) -> None:
    """Names are case-sensitive. (The text for a function of the other kind of expression is remembered only.)"""
    for name in grammar.functions:
        if name in others:
            grammar.tokens.fail(f"The function is not allowed in {where} expression; function: {name}")
        if name not in known:
            grammar.tokens.fail(f"Invalid function name; function: {name}")


def _check_names(grammar: Grammar, tree: Tree) -> None:
    """Raise AwsError for a path that can't be, and for an IN of more than 100 operands."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if node[0] == "path":
            _check_path(grammar, node[1])
        elif node[0] == "in":
            if len(node[2]) > IN_LIMIT:
                grammar.tokens.fail(
                    f"The IN operator is provided with too many operands; number of operands: {len(node[2])}"
                )
            waiting += [*reversed(node[2]), node[1]]
        elif node[0] != "value":
            waiting += reversed(node[1:])


def _check_path(grammar: Grammar, path: Path) -> None:
    """Raise AwsError for a reserved word as a name, a position that no list has, and a path that is too deep.

    (The text for the depth is remembered only, and so is that it counts the dereferences.)
    """
    for step in path:
        if isinstance(step, str):
            if step.upper() in RESERVED:
                grammar.tokens.fail(f"Attribute name is a reserved keyword; reserved keyword: {step}")
        elif step > INDEX_LIMIT:
            grammar.tokens.fail(f"List index is not within the allowable range; index: [{step}]")
    if len(path) - 1 > PATH_LIMIT:
        grammar.tokens.fail(f"The document path has too many nesting elements; nesting levels: {len(path) - 1}")


def _check_operators(grammar: Grammar) -> None:
    """At most 300 operators and functions (the text as in github.com/aws/aws-sdk-js/issues/3721).

    AWS stops to count at the first that is too many: the number told is 301, whatever the expression.
    """
    if grammar.operators > OPERATOR_LIMIT:
        grammar.tokens.fail(f"The expression contains too many operators; operator count: {OPERATOR_LIMIT + 1}")
