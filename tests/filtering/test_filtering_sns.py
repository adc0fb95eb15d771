"""SNS filter policies beyond the recordings."""

from __future__ import annotations

from typing import Any

import pytest

from simbus.errors import AwsError
from simbus.filtering import ON_SET_ATTRIBUTES, compile_filter_policy


def _refusal(policy: Any, scope: Any = "MessageAttributes") -> str:
    with pytest.raises(AwsError) as caught:
        compile_filter_policy(policy, scope, ON_SET_ATTRIBUTES)
    assert caught.value.code == "InvalidParameter"
    return caught.value.message.removeprefix(ON_SET_ATTRIBUTES)


@pytest.mark.parametrize(
    ("values", "attribute", "expected"),
    [
        ([99], {"Type": "Number", "Value": "99.0"}, True),
        (["99"], {"Type": "Number", "Value": "99"}, False),
        ([99], {"Type": "String", "Value": "99"}, False),
        (["a"], {"DataType": "String", "StringValue": "a"}, True),
        ([True], {"Type": "String.Array", "Value": '["x", true]'}, True),
        ([{"anything-but": "x"}], {"Type": "String.Array", "Value": '["x", "y"]'}, True),
        ([{"exists": True}], {"Type": "Binary", "Value": "AAE="}, False),
        ([{"exists": False}], {"Type": "Binary", "Value": "AAE="}, True),
        ([{"anything-but": {"prefix": "a"}}], {"Type": "String", "Value": "ba"}, True),
        ([{"numeric": [">", 10**20]}], {"Type": "Number", "Value": "1e21"}, True),
    ],
)
def test_attribute_types(values: list[Any], attribute: dict[str, str], expected: bool) -> None:
    """Text is text, Number is a number, String.Array is its elements, Binary is ignored (SNS guide)."""
    assert compile_filter_policy({"key": values}).matches_attributes({"key": attribute}) is expected


@pytest.mark.parametrize("body", ["plain", '"text"', "[1]", "1", "", "{", '{"key": "x"}\x00', '{"key": "\ud800"}'])
def test_bodies_that_never_match(body: str) -> None:
    """A body that is not a JSON object passes no policy (recording test_filter_policy_on_message_body)."""
    assert not compile_filter_policy({"key": [{"exists": False}]}, "MessageBody").matches_body(body)


@pytest.mark.parametrize("policy", ["", "{}", {}])
def test_an_empty_policy_lets_all_pass(policy: Any) -> None:
    """Setting an empty policy removes the filter (recording test_filter_policy, messages-4)."""
    for_body = compile_filter_policy(policy, "MessageBody")
    assert for_body.matches("plain")
    assert compile_filter_policy(policy).matches("plain", {})


def test_nesting_is_for_bodies() -> None:
    """Attributes have no depth: SNS refuses a nested policy for them (SNS guide, filter policy constraints)."""
    nested = {"a": {"b": ["x"]}}
    assert _refusal(nested) == "Filter policy scope MessageAttributes does not support nested filter policy"
    assert compile_filter_policy(nested, "MessageBody").matches_body('{"a": {"b": "x"}}')


@pytest.mark.parametrize(("third", "accepted"), [(25, True), (26, False)])
def test_combinations_count_the_depth(third: int, accepted: bool) -> None:
    """The product of values times depth may not exceed 150: here 3 x 1 x 1 x 2 x n (SNS guide, constraints)."""
    policy = {"a": [1, 2, 3], "b": {"c": list(range(third))}}
    if accepted:
        assert compile_filter_policy(policy, "MessageBody")
    else:
        assert _refusal(policy, "MessageBody") == "Filter policy is too complex"


def test_only_top_level_keys_of_a_body_policy_count() -> None:
    """Keys below the top level do not count toward the five (SNS guide, "Key counting examples")."""
    policy: dict[str, Any] = {name: ["x"] for name in "abcd"} | {"e": {name: ["x"] for name in "fgh"}}
    assert compile_filter_policy(policy, "MessageBody")
    assert _refusal(policy | {"i": ["x"]}, "MessageBody") == "Filter policy can not have more than 5 keys"


@pytest.mark.parametrize(
    ("leaf", "message"),
    [
        ({"anything-but": {"suffix": "x"}}, "Unsupported anything-but pattern: suffix"),
        ({"anything-but": {"prefix": ["x"]}}, "prefix match pattern must be a string"),
        ({"anything-but": {"prefix": ""}}, "Null prefix not allowed"),
        ({"wildcard": "x*"}, "Unrecognized match type wildcard"),
        ({"prefix": {"equals-ignore-case": "x"}}, "prefix match pattern must be a string"),
    ],
)
def test_sns_takes_fewer_operators(leaf: dict[str, Any], message: str) -> None:
    """Inside anything-but SNS knows only prefix (SNS guide, "String value matching")."""
    assert _refusal({"key": [leaf]}).startswith(f"{message}\n at [Source: (String)")


def test_text_that_is_not_json() -> None:
    """SNS says what its parser said."""
    assert _refusal('{"key": [x]}').startswith("failed to parse JSON. Unrecognized token 'x'")
    assert _refusal('["x"]').startswith("Filter is not an object\n at [Source: (String)")
