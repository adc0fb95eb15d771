"""The words in which Invoke refuses a payload that is no JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbus import AwsError, Simulation
from simbus.scheduler.jackson import location, problem
from simbus.scheduler.payload import json_text

VALUES = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
UNQUOTED = "has to be escaped using backslash to be included in"
NO_DIGIT = "expected digit (0-9) to follow minus sign, for valid numeric value"
OBJECT_AT_1 = "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 1]"

# payload -> Jackson's message, line, column
PROBLEMS: dict[bytes, tuple[str, int, int]] = {
    b"\x99\xeb,j\x07\xa1zYh": (f"Unexpected character ((CTRL-CHAR, code 153)): expected a valid value {VALUES}", 1, 1),
    b"n\x87r\x9e\xe9": ("Invalid UTF-8 start byte 0x87", 1, 3),
    b"hello": (f"Unrecognized token 'hello': was expecting {VALUES}", 1, 6),
    b"truth": (f"Unrecognized token 'truth': was expecting {VALUES}", 1, 6),
    b"{'a': 1}": ("Unexpected character (''' (code 39)): was expecting double-quote to start field name", 1, 2),
    b'{"a" 1}': ("Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value", 1, 6),
    b'{"a": 1,\n}': ("Unexpected character ('}' (code 125)): was expecting double-quote to start field name", 2, 1),
    b"[1,]": ("Unexpected character (']' (code 93)): expected a value", 1, 4),
    b"[1 2]": ("Unexpected character ('2' (code 50)): was expecting comma to separate Array entries", 1, 4),
    b"[1}": (f"Unexpected close marker '}}': expected ']' (for Array starting at {OBJECT_AT_1})", 1, 3),
    b'{"a": 1': (f"Unexpected end-of-input: expected close marker for Object (start marker at {OBJECT_AT_1})", 1, 8),
    b'{"a":': ("Unexpected end-of-input within/between Object entries", 1, 6),
    b'{"a': ("Unexpected end-of-input in field name", 1, 4),
    b'"a\nb"': (f"Illegal unquoted character ((CTRL-CHAR, code 10)): {UNQUOTED} string value", 1, 3),
    b'"\\x"': ("Unrecognized character escape 'x' (code 120)", 1, 3),
    b"01": ("Invalid numeric value: Leading zeroes not allowed", 1, 3),
    b"-a": (f"Unexpected character ('a' (code 97)) in numeric value: {NO_DIGIT}", 1, 2),
    b"NaN": (
        "Non-standard token 'NaN': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow",
        1,
        4,
    ),
}


@pytest.mark.parametrize("payload", PROBLEMS)
def test_the_words_of_jackson(payload: bytes) -> None:
    """The first is recorded (test_lambda_invoke_payload_encoding_error), the others are Jackson 2.18's source."""
    message, line, column = PROBLEMS[payload]
    with pytest.raises(AwsError) as caught:
        json_text(payload)
    assert caught.value.code == "InvalidRequestContentException"
    head, _, tail = caught.value.message.rpartition("\n at ")
    assert head == f"Could not parse request body into json: Could not parse payload into json: {message}"
    assert tail.endswith(f"; line: {line}, column: {column}]")


def strict(text: str) -> bool:
    """Whether Python's parser takes it too; Jackson knows no NaN."""

    def refuse(name: str) -> Any:
        raise ValueError(name)

    try:
        json.loads(text, parse_constant=refuse)
    except ValueError:
        return False
    return True


@given(st.text(alphabet='{}[]:,"\\/untrefalsb0123456789.-+Ee \n\té', max_size=12))
def test_no_problem_exactly_where_another_parser_finds_none(text: str) -> None:
    """What is refused is JSON's own rule, whatever the words."""
    assert (problem(text.encode()) is None) == strict(text)


@given(st.binary(max_size=12))
def test_any_bytes_get_an_answer(data: bytes) -> None:
    """Whatever is sent, it is JSON or there is a place where it is not."""
    found = problem(data)
    if found is not None:
        assert 0 <= found.position <= len(data) + 1
        assert location(data, found.position).startswith("[Source: REDACTED")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(json_values, st.booleans())
def test_json_has_no_problem(value: Any, ascii_only: bool) -> None:
    """What an encoder wrote is taken."""
    text = json.dumps(value, ensure_ascii=ascii_only)
    if "\\ud" not in text:
        assert problem(text.encode("utf-8", "replace")) is None


def test_a_nesting_of_1000_is_allowed() -> None:
    """StreamReadConstraints.DEFAULT_MAX_DEPTH is 1,000."""
    assert json_text(b"[" * 1_000 + b"]" * 1_000)
    with pytest.raises(AwsError, match=r"nesting depth \(1001\) exceeds the maximum allowed"):
        json_text(b"[" * 1_001 + b"]" * 1_001)


def test_a_lone_surrogate_is_taken(sim: Simulation) -> None:
    """Jackson lets an escaped lone surrogate pass: the function decides."""
    answer = sim.function("f", simulate={"response": 1}).invoke(b'"\\ud800"')
    assert answer.json() == 1
