"""The search of the highest rate, apart from any simulation."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from simbus.load.search import Bounds, bracket, verdict, wanted


def search(fits: Callable[[float], bool], bounds: Bounds) -> dict[float, bool]:
    holds: dict[float, bool] = {}
    while rates := wanted(bounds, holds):
        assert not set(rates) & set(holds)
        assert len(holds) < 100
        holds |= {rate: fits(rate) for rate in rates}
    return holds


BOUNDS = Bounds(lowest=0.01, highest=10_000, start=5, precision=0.05)


@pytest.mark.parametrize("capacity", [0.05, 1, 4.99, 5, 123, 9_000])
def test_the_highest_rate_is_found_within_the_precision(capacity: float) -> None:
    """From above and from below the first rate."""
    holds = search(lambda rate: rate <= capacity, BOUNDS)
    held, failed = bracket(holds)
    assert held is not None
    assert failed is not None
    assert held <= capacity < failed <= held * 1.06  # three digits are the grain
    assert len(holds) < 30


def test_what_holds_everywhere_is_tried_up_to_the_highest_rate() -> None:
    """And said to hold there."""
    holds = search(lambda _: True, BOUNDS)
    assert max(holds) == 10_000
    assert "hold up to 10,000/s" in verdict(BOUNDS, holds)[0]


def test_what_fails_everywhere_is_tried_down_to_the_lowest_rate() -> None:
    """And said to fail there."""
    holds = search(lambda _: False, BOUNDS)
    assert (min(holds), max(holds)) == (0.01, 40), "not for minutes up to the highest"
    assert "do not hold at any rate from 0.01/s to 40/s" in verdict(BOUNDS, holds)[0]


def test_expectations_that_fail_below_a_rate_that_holds_are_told() -> None:
    """`invocations: ">= 100"` fails at low rates: the answer is no limit then."""
    holds = search(lambda rate: 3 < rate < 300, BOUNDS)
    held, failed = bracket(holds)
    assert held is not None
    assert held < 300 <= (failed or 0)
    assert "They also fail below it, at 2.5/s: what they limit is not the rate alone" in verdict(BOUNDS, holds)[1]
