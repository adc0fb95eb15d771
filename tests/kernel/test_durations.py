"""Durations: texts of the scenario file to nanoseconds and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbus.errors import UsageError
from simbus.kernel.durations import LONGEST, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("0s", 0),
        ("7ns", 7),
        ("500us", 500_000),
        ("250ms", 250_000_000),
        ("5s", 5_000_000_000),
        ("1.5s", 1_500_000_000),
        ("10m", 600_000_000_000),
        ("6h", 21_600_000_000_000),
        ("1d", 86_400_000_000_000),
        ("1h30m", 5_400_000_000_000),
        (" 1h 30m ", 5_400_000_000_000),
        ("1m2.5s", 62_500_000_000),
        ("0.000000001s", 1),
        ("1.1s", 1_100_000_000),
    ],
)
def test_a_duration_is_read_exactly(text: str, ns: int) -> None:
    """simbus's own durations take 250ms, 5s, 10m, 6h (design: the scenario file); no float rounding is involved."""
    assert parse_duration(text) == ns


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (10, "is 10; .* Write 10s for seconds or 10ms"),
        ("10", "is '10'; .* Write 10s for seconds"),
        (1.5, "Write 1.5s for seconds"),
        ("-5s", "is '-5s'; .* can't be negative"),
        (-5, "can't be negative"),
        ("soon", "is 'soon'; .* Write for example 250ms"),
        ("", "is ''; .* Write for example"),
        ("5 sec", "Write for example"),
        ("5min", "Write for example"),
        ("1e3s", "Write for example"),
        ("1s1h", "the longer one first"),
        ("1s1s", "each unit once"),
        ("0.5ns", "whole nanoseconds"),
        ("36501d", "at most 36500d"),
        (True, "is True; .* Write a text such as"),
        (None, "is None; .* Write a text such as"),
        (["5s"], "Write a text such as"),
        ("x" * 500, r"is '[x]+\.\.\.; a duration"),
    ],
)
def test_what_is_no_duration_is_refused_with_a_remedy(value: object, says: str) -> None:
    """Bad input gets one clear error; its text starts with "is", so that a caller writes its place in front."""
    with pytest.raises(UsageError, match=f"^{says}" if says.startswith("is") else says):
        parse_duration(value)


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "0 s"),
        (1, "1 ns"),
        (1_500, "1.5 us"),
        (250_000_000, "250 ms"),
        (1_500_000_000, "1.5 s"),
        (60_000_000_000, "1m"),
        (62_500_000_000, "1m 2.5s"),
        (5_400_000_000_000, "1h 30m"),
        (90_000_000_000_000, "1d 1h"),
        (-250_000_000, "-250 ms"),
    ],
)
def test_a_duration_is_shown_in_its_largest_units(ns: int, text: str) -> None:
    """Messages say 1h 30m or 250 ms, never a bare count of nanoseconds."""
    assert format_duration(ns) == text


@given(st.integers(min_value=0, max_value=LONGEST))
def test_what_is_shown_reads_back_as_the_same_number(ns: int) -> None:
    """A duration in a message can be pasted into a scenario file without loss."""
    assert parse_duration(format_duration(ns)) == ns


@given(st.text(alphabet="0123456789.nmushd -", max_size=12))
def test_any_text_is_either_a_duration_or_a_usage_error(text: str) -> None:
    """Garbage never ends in a traceback."""
    try:
        ns, said = parse_duration(text), "is "
    except UsageError as error:
        ns, said = 0, str(error)
    assert 0 <= ns <= LONGEST
    assert said.startswith("is ")
