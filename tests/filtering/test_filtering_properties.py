"""What holds for every pattern and every event."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from simbus.errors import AwsError
from simbus.filtering import compile_event_pattern, compile_filter_pattern, compile_filter_policy

KEYS = st.sampled_from(["a", "b", "a.b", "$or", "prefix", "numeric", "anything-but", "exists", "wildcard", "cidr", ""])
TEXTS = st.one_of(st.text(max_size=6), st.sampled_from(["=", ">", "<=", "10.0.0.0/8", "::1", "a*b*", "**", "\\"]))
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXTS)
DOCUMENTS: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=12,
)
EVENTS = st.dictionaries(KEYS, DOCUMENTS, max_size=3)


@given(pattern=st.one_of(DOCUMENTS.map(json.dumps), st.text()), event=EVENTS)
def test_a_pattern_compiles_or_is_refused(pattern: str, event: dict[str, Any]) -> None:
    """Any text is either refused with an AWS error or gives a pattern that answers yes or no."""
    for compile_pattern in (compile_event_pattern, compile_filter_pattern):
        try:
            verdict: object = compile_pattern(pattern).matches(event)
        except AwsError as error:
            verdict = bool(error.message)
        assert verdict in (True, False)
    try:
        policy = compile_filter_policy(pattern, "MessageBody")
        verdict = policy.matches_body(json.dumps(event))
    except AwsError as error:
        verdict = not error.message.startswith("Invalid parameter: Attributes Reason: FilterPolicy: ") and error
    assert verdict in (True, False)


@given(value=SCALARS, excluded=st.one_of(TEXTS, st.integers(-9, 9), st.lists(TEXTS, min_size=1, max_size=3)))
def test_anything_but_is_the_complement(value: Any, excluded: Any) -> None:
    """On a scalar that is there, anything-but says the opposite of equality (EventBridge guide)."""
    listed = excluded if isinstance(excluded, list) else [excluded]
    equal = compile_event_pattern({"k": listed}).matches({"k": value})
    other = compile_event_pattern({"k": [{"anything-but": excluded}]}).matches({"k": value})
    if not isinstance(value, str) or value.count(":") < 2:  # a listed IP address also equals its other spellings
        assert equal != other


@given(event=EVENTS)
def test_exists_true_and_false_are_opposites(event: dict[str, Any]) -> None:
    """A path either has a scalar or has none; outside arrays the two forms of exists say opposite things."""
    there = compile_event_pattern({"a": [{"exists": True}]}).matches(event)
    assert compile_event_pattern({"a": [{"exists": False}]}).matches(event) != there


@given(value=st.integers(-(2**63), 2**63 - 1))
def test_a_number_equals_itself(value: int) -> None:
    """Numbers too large for a double are still equal to themselves (event-ruler: compared as text)."""
    pattern = compile_event_pattern({"n": [value]})
    assert pattern.matches({"n": value})
    assert not pattern.matches({"n": value + 1})


@given(text=st.text(), cut=st.integers(0, 20))
def test_affixes_and_wildcards_agree(text: str, cut: int) -> None:
    """A prefix, a suffix and the wildcard made of both match the text they are cut from."""
    head, tail = text[:cut], text[cut:]
    escaped = [part.replace("\\", "\\\\").replace("*", "\\*") for part in (head, tail)]
    assert compile_event_pattern({"t": [{"prefix": head}]}).matches({"t": text})
    assert compile_event_pattern({"t": [{"suffix": tail}]}).matches({"t": text})
    try:
        pattern = compile_event_pattern({"t": [{"wildcard": "*".join(escaped)}]})
    except AwsError as error:
        assume("too complex" not in error.message)
        raise
    assert pattern.matches({"t": text})
    assert pattern.matches({"t": f"{head}-{tail}"})


@given(pattern=st.dictionaries(st.sampled_from("abc"), st.lists(SCALARS, min_size=1, max_size=3), min_size=1))
def test_an_event_of_listed_values_matches(pattern: dict[str, list[Any]]) -> None:
    """Keys are joined by AND, the members of a list by OR."""
    compiled = compile_event_pattern(pattern)
    assert compiled.matches({key: values[-1] for key, values in pattern.items()})
    assert compiled.matches(dict(pattern))
