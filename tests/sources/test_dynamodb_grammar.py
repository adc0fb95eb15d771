"""What holds for every expression: found by Hypothesis."""

from __future__ import annotations

from typing import Any

import pytest
from dynamodb_stubs import Stage
from hypothesis import given
from hypothesis import strategies as st

from simbus.errors import AwsError
from simbus.sources.dynamodb.table import Table

KEY = {"id": {"S": "1"}}
ITEM: dict[str, Any] = {
    **KEY,
    "a": {"N": "1"},
    "b": {"S": "x"},
    "l": {"L": [{"N": "1"}]},
    "m": {"M": {"x": {"S": "y"}}},
}
ATOMS = {"attribute_exists(a)": True, "attribute_exists(c)": False, "a = b": False, "a<>b": True, "size(l) < a": False}
PRECEDENCE = {"or": 0, "and": 1, "not": 2}

trees = st.recursive(
    st.sampled_from(sorted(ATOMS)),
    lambda inner: (
        st.tuples(st.just("not"), inner)
        | st.tuples(st.sampled_from(("and", "or")), st.lists(inner, min_size=2, max_size=4))
    ),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def table() -> Table:
    made = Stage().table()
    made.put_item(ITEM)
    return made


def written(tree: Any, around: int = -1) -> str:
    """The tree with as few parentheses as AWS's precedence (NOT, AND, OR) needs."""
    if isinstance(tree, str):
        return tree
    kind, inner = tree
    own = PRECEDENCE[kind]
    text = f"NOT {written(inner, 3)}" if kind == "not" else f" {kind} ".join(written(each, own + 1) for each in inner)
    return f"({text})" if own < around else text


def truth(tree: Any) -> bool:
    if isinstance(tree, str):
        return ATOMS[tree]
    kind, inner = tree
    if kind == "not":
        return not truth(inner)
    return (all if kind == "and" else any)(truth(each) for each in inner)


@given(tree=trees)
def test_conditions_mean_what_their_precedence_says(table: Table, tree: Any) -> None:
    """NOT binds closer than AND, AND than OR (developer guide, Expressions.OperatorsAndFunctions)."""
    assert table.scan(filter_expression=written(tree))["Count"] == truth(tree)


_TOKENS = """a b id l m #n :v ( ) , . [ ] 0 = <> < AND OR NOT IN BETWEEN size contains begins_with attribute_exists
    attribute_type if_not_exists list_append SET REMOVE ADD DELETE + - name ! é"""
WORDS = _TOKENS.split()


@given(words=st.lists(st.sampled_from(WORDS), max_size=10), value=st.sampled_from(({"N": "1"}, {"S": "x"}, {"L": []})))
def test_whatever_is_written_has_an_answer_of_aws(table: Table, words: list[str], value: Any) -> None:
    """An expression of any tokens is done or refused with ValidationException; a refused update changes nothing."""
    text = " ".join(words)
    names = {"#n": "a"} if "#n" in words else None
    values = {":v": value} if ":v" in words else None
    given = {"expression_attribute_names": names, "expression_attribute_values": values}
    before = table.items
    for call, params in (
        (table.scan, {"filter_expression": text, **given}),
        (table.query, {"key_condition_expression": text, **given}),
        (table.get_item, {"key": KEY, "projection_expression": text, "expression_attribute_names": names}),
        (table.update_item, {"key": KEY, "update_expression": text, **given}),
    ):
        try:
            call(**params)
        except AwsError as error:
            if error.code != "ValidationException":
                raise
        else:
            table.put_item(ITEM)
        assert table.items == before
