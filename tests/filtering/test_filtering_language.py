"""The pattern language beyond the recordings: rules of the AWS guides and of the engine that AWS runs."""

from __future__ import annotations

from typing import Any

import pytest

from simbus.errors import AwsError
from simbus.filtering import compile_event_pattern, compile_filter_pattern

MATCHES: list[tuple[Any, Any]] = [
    ({"a": [{"prefix": ""}]}, {"a": ""}),
    ({"a": [{"prefix": {"equals-ignore-case": "eV"}}]}, {"a": "EVENT"}),
    ({"a": [{"suffix": {"equals-ignore-case": ".PNG"}}]}, {"a": "x.png"}),
    ({"a": [{"equals-ignore-case": "straße"}]}, {"a": "STRASSE"}),
    ({"a": [{"anything-but": {"prefix": ["x", "y"]}}]}, {"a": "z"}),
    ({"a": [{"anything-but": {"suffix": ".txt"}}]}, {"a": 1}),
    ({"a": [{"anything-but": "x"}]}, {"a": ["x", "y"]}),
    ({"a": [{"anything-but": [1, 2]}]}, {"a": "1"}),
    ({"a": [{"wildcard": "a*b*c"}]}, {"a": "a-b-b-c"}),
    ({"a": [{"wildcard": "a\\*b"}]}, {"a": "a*b"}),
    ({"a": [{"numeric": ["=", 300]}]}, {"a": 3e2}),
    ({"a": [{"numeric": ["<", 0]}]}, {"a": -0.5}),
    ({"a": [12345678901234567890]}, {"a": 12345678901234567890}),
    ({"a": [True, None]}, {"a": None}),
    ({"a": ["2001:db8::1"]}, {"a": "2001:0db8:0:0:0:0:0:1"}),
    ({"a": [{"exists": False}]}, {"a": {"b": 1}}),
    ({"a": [{"exists": False}]}, {"a": []}),
    ({"a": {"b.c": [1]}}, {"a.b": {"c": 1}}),
    ({"a": {"b": [1]}, "c": ["x"]}, {"a": [[{"b": 1}]], "c": "x"}),
    ({"a": ["x"], "$or": [{"b": [1]}, {"c": [2]}]}, {"a": "x", "c": 2}),
    ({"$or": [{"a": {"$or": [{"b": [1]}, {"c": [2]}]}}, {"d": [3]}]}, {"a": {"c": 2}}),
    ({"a": [1], "$or": [{"a": [2]}, {"b": [3]}]}, {"a": 2}),
]

MISSES: list[tuple[Any, Any]] = [
    ({"a": [True]}, {"a": 1}),
    ({"a": [1]}, {"a": True}),
    ({"a": ["null"]}, {"a": None}),
    ({"a": [None]}, {"a": []}),
    ({"a": [{"exists": True}]}, {"a": {"b": 1}}),
    ({"a": [{"anything-but": "x"}]}, {}),
    ({"a": [{"anything-but": 300}]}, {"a": 300.0}),
    ({"a": [{"wildcard": "a*a"}]}, {"a": "a"}),
    ({"a": [{"numeric": [">", 0, "<", 5]}]}, {"a": 5}),
    ({"a": [{"numeric": [">=", 0]}]}, {"a": True}),
    ({"a": [12345678901234567890]}, {"a": 12345678901234567891}),
    ({"a": [{"cidr": "10.0.0.0/24"}]}, {"a": "::a00:1"}),
    ({"a": [{"prefix": "1"}]}, {"a": 12}),
    ({"a": [1], "$or": [{"a": [2]}, {"b": [3]}]}, {"a": 1}),
    ({"a": ["x"]}, "x"),
]


@pytest.mark.parametrize(("pattern", "event"), MATCHES)
def test_matches(pattern: dict[str, Any], event: Any) -> None:
    """Each pair matches (EventBridge guide, "Comparison operators"; README of event-ruler)."""
    assert compile_event_pattern(pattern).matches(event)


@pytest.mark.parametrize(("pattern", "event"), MISSES)
def test_does_not_match(pattern: dict[str, Any], event: Any) -> None:
    """Each pair does not match (EventBridge guide, "Comparison operators"; README of event-ruler)."""
    assert not compile_event_pattern(pattern).matches(event)


PEOPLE = {"people": [{"name": "Ann", "age": 30}, {"name": "Bob", "age": 40}, {"name": "Cy"}]}


@pytest.mark.parametrize(
    ("name", "age", "expected"),
    [
        (["Ann"], [30], True),
        (["Ann"], [40], False),
        (["Bob"], [40], True),
        (["Ann", "Bob"], [40], True),
        (["Cy"], [30], False),
    ],
)
def test_one_element_satisfies_all_its_fields(name: list[str], age: list[int], expected: bool) -> None:
    """Fields of an array of objects must match in the same element (event-ruler README, "And and Or with arrays")."""
    assert compile_event_pattern({"people": {"name": name, "age": age}}).matches(PEOPLE) is expected


def test_absence_counts_in_the_chosen_element() -> None:
    """`exists: false` looks at the element the earlier fields lie in (event-ruler, NameState.getNameTransitions)."""
    event = {"people": [{"id": 1, "zip": 5}, {"id": 2}]}
    assert compile_event_pattern({"people": {"id": [2], "zip": [{"exists": False}]}}).matches(event)
    assert not compile_event_pattern({"people": {"id": [1], "zip": [{"exists": False}]}}).matches(event)


def test_two_arrays_with_equal_content_are_two_arrays() -> None:
    """Only elements of the same array exclude each other; a Python list used twice is two arrays of the event."""
    shared = [{"x": 1}, {"y": 2}]
    pattern = compile_event_pattern({"a": {"x": [1]}, "b": {"y": [2]}})
    assert pattern.matches({"a": shared, "b": shared})


def test_deeply_nested_arrays() -> None:
    """However deep the arrays of an event are nested, their scalars belong to the same path (event-ruler, Event)."""
    deep: list[Any] = ["x"]
    for _ in range(3000):
        deep = [deep]
    assert compile_event_pattern({"a": ["x"]}).matches({"a": deep})


def test_the_last_of_equal_keys_wins() -> None:
    """A key that is there twice counts as it stands last (EventBridge guide, "Creating event patterns")."""
    pattern = compile_event_pattern('{"a": ["x"], "a": ["y"]}')
    assert (pattern.matches({"a": "y"}), pattern.matches({"a": "x"})) == (True, False)


def test_text_behind_the_pattern_is_not_read() -> None:
    """AWS's compiler stops at the closing brace (event-ruler, JsonRuleCompiler.doCompile)."""
    assert compile_event_pattern('{"a": ["x"]} and more').matches({"a": "x"})


REFUSED = [
    ("", "Filter is not an object", "line: 1, column: 1"),
    ('"text"', "Filter is not an object", "line: 1, column: 2"),
    ("{}", "Empty objects are not allowed", "line: 1, column: 3"),
    ('{"a": []}', "Empty arrays are not allowed", "line: 1, column: 9"),
    ('{\n "a": {}\n}', "Empty objects are not allowed", "line: 2, column: 9"),
    ('{"a": [[1]]}', "Match value must be String, number, true, false, or null", "line: 1, column: 9"),
    ('{"a": "x"}', '"a" must be an object or an array', "line: 1, column: 8"),
    ('{"a": [{}]}', "Match expression name not found", "line: 1, column: 10"),
    ('{"a": [{"numeric": 10}]}', "Value of numeric must be an array.", "line: 1, column: 22"),
    ('{"a": [{"numeric": [1]}]}', "Invalid member in numeric match: 1", "line: 1, column: 22"),
    ('{"a": [{"numeric": ["="]}]}', "Value of equals must be numeric", "line: 1, column: 25"),
    ('{"a": [{"numeric": ["<", 1, 2]}]}', "Too many elements in numeric expression", "line: 1, column: 30"),
    ('{"a": [{"numeric": [">", 5, "<", 1]}]}', "Bottom must be less than top", "line: 1, column: 36"),
    ('{"a": [{"exists": 1}]}', "exists match pattern must be either true or false.", "line: 1, column: 20"),
    ('{"a": [{"prefix": "x", "suffix": "y"}]}', "Only one key allowed in match expression", "line: 1, column: 35"),
    ('{"a": [{"anything-but": {"exists": 1}}]}', "Unsupported anything-but pattern: exists", "line: 1, column: 37"),
    ('{"$or": [{"a": [1]}]}', "There must have at least 2 Objects in $or relationship.", "line: 1, column: 21"),
    ('{"$or": {"a": [1]}}', "It must be an Array followed with $or.", "line: 1, column: 10"),
    ('{"$or": [1, 2]}', "Only JSON object is allowed in array of $or relationship.", "line: 1, column: 11"),
    (
        '{"$or": [{"numeric": [1]}, {"a": [1]}]}',
        "numeric is Ruler reserved fieldName which cannot be used inside $or.",
        "line: 1, column: 23",
    ),
    ('{"a": [{"wildcard": "a\\\\b"}]}', "Invalid escape character at pos 2", "line: 1, column: 27"),
    ('{"é": ["😀", []]}', "Match value must be String, number, true, false, or null", "line: 1, column: 15"),
    ("{'a': [1]}", "Unexpected character (''' (code 39)): was expecting double-quote to start field name", "column: 3"),
    ('{"a": [tru]}', "Unrecognized token 'tru': was expecting (JSON String,", "line: 1, column: 11"),
    ('{"a": [1', "Unexpected end-of-input: expected close marker for Array (start marker at [Source:", "column: 9"),
]


@pytest.mark.parametrize(("text", "reason", "position"), REFUSED)
def test_refusal_and_its_position(text: str, reason: str, position: str) -> None:
    """AWS names the rule and where its parser stood (event-ruler, JsonRuleCompiler; Jackson's token positions)."""
    with pytest.raises(AwsError) as caught:
        compile_event_pattern(text)
    assert caught.value.message.startswith(f"Event pattern is not valid. Reason: {reason}")
    assert caught.value.message.endswith(f"{position}]")
    assert f'\n at [Source: (String)"{text}"; line: ' in caught.value.message


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        ("10.0.0.0", "Malformed CIDR, one '/' required"),
        ("10.0.0.0/x", "Malformed CIDR, mask bits must be an integer"),
        ("10.0.0.0/-1", "Malformed CIDR, mask bits must not be negative"),
        ("10.0.0.0/32", "IPv4 mask bits must be < 32"),
        ("::/128", "IPv6 mask bits must be < 128"),
        ("10.0.0.256/8", "Invalid IP address: 10.0.0.256"),
        ("host/8", "Nonstandard IP address: host"),
    ],
)
def test_cidr_refusals_have_no_position(block: str, reason: str) -> None:
    """What is wrong inside a CIDR block is said without a position (recording content_ip_address_v6_bad_ip_EXC)."""
    with pytest.raises(AwsError) as caught:
        compile_event_pattern({"a": [{"cidr": block}]})
    assert caught.value.message == f"Event pattern is not valid. Reason: {reason}"


def test_long_patterns_are_quoted_in_part() -> None:
    """Jackson quotes the first 500 characters of the source (class ContentReference)."""
    text = '{"a": ["' + "x" * 600 + '", []]}'
    with pytest.raises(AwsError, match=r"x\"\[truncated 115 chars\]; line: 1, column: 613\]"):
        compile_event_pattern(text)


def test_more_than_1000_combinations() -> None:
    """$or may make at most 1,000 rule combinations (EventBridge guide, "OR matching")."""
    ten = {"$or": [{"a": [n]} for n in range(10)]}
    levels = [{f"k{level}": ten} for level in range(4)]
    pattern = {key: value for level in levels for key, value in level.items()}
    with pytest.raises(AwsError, match="1000 rule combinations"):
        compile_event_pattern(pattern)
    assert compile_event_pattern(dict(list(pattern.items())[:3]))


@pytest.mark.parametrize(
    "leaf",
    [
        {"cidr": "10.0.0.0/8"},
        {"wildcard": "a*"},
        {"anything-but": {"prefix": "a"}},
        {"prefix": {"equals-ignore-case": "a"}},
    ],
)
def test_lambda_takes_fewer_operators(leaf: dict[str, Any]) -> None:
    """Lambda's table of filter rules does not list these (Lambda guide, "Filter rule syntax")."""
    assert compile_event_pattern({"a": [leaf]})
    with pytest.raises(AwsError, match="Invalid filter pattern definition") as caught:
        compile_filter_pattern({"a": [leaf]})
    assert caught.value.code == "InvalidParameterValueException"
