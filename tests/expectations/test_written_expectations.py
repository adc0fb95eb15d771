"""An expectation in one line, as results show it: what `simbus load --expect` takes."""

from __future__ import annotations

from typing import Any

import pytest

from simbus.errors import UsageError
from simbus.expectations.item import mistake, parse


@pytest.mark.parametrize(
    ("text", "item"),
    [
        ("p99_age < 2s", {"p99_age": "< 2s"}),
        ("lost == 0", {"lost": "== 0"}),
        ("lambda:charge throttles<=5", {"function": "charge", "throttles": "<=5"}),
        ("sqs:jobs messages always <= 100", {"queue": "jobs", "messages": "<= 100", "always": True}),
        ("sqs:jobs -> lambda:work max_age > 1m", {"queue": "jobs", "function": "work", "max_age": "> 1m"}),
        ("kinesis:clicks iterator_age < 1m", {"stream": "clicks", "iterator_age": "< 1m"}),
        ("events:default lost == 0", {"source": "events:default", "lost": "== 0"}),
        ("cost < $0.05", {"cost": "< $0.05"}),
    ],
)
def test_what_a_summary_shows_can_be_written(text: str, item: dict[str, Any]) -> None:
    """The keys are those of `expect:` in a scenario."""
    assert parse(text) == item
    assert mistake(item) is None


@pytest.mark.parametrize("text", ["", "p99_age", "p99_age 2s", "lost: 0", "a b c < 1", "lambda:a lambda:b lost == 0"])
def test_another_form_is_refused(text: str) -> None:
    """With examples."""
    with pytest.raises(UsageError, match="Write for example"):
        parse(text)
