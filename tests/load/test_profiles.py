"""How the rate goes over time, and the events that then come."""

from __future__ import annotations

from random import Random

import pytest

from simbus.errors import UsageError
from simbus.kernel import MINUTE, SECOND
from simbus.load import profiles
from simbus.load.rates import read_rates


def times(profile: profiles.Profile, share: float = 1.0, constant: bool = False) -> list[int]:
    return [arrival.when for arrival in profile.arrivals(share, constant, Random(1))]


def test_constant_arrivals_of_one_rate_are_evenly_spaced() -> None:
    """As `arrivals: constant` of a workload: one every 1 / rate, the first at 0."""
    assert times(profiles.step(4, 2 * SECOND), constant=True) == [k * SECOND // 4 for k in range(8)]


def test_a_ramp_brings_as_many_events_as_its_mean_rate_says() -> None:
    """From 0 to 20/s in a minute are 600 events; after half of the time a quarter of them (the area of a triangle)."""
    came = times(profiles.ramp(0, 20, MINUTE, None), constant=True)
    assert len(came) == 600
    assert sum(when < MINUTE // 2 for when in came) == pytest.approx(150, abs=1)
    assert came == sorted(came)


def test_poisson_arrivals_of_another_rate_are_the_same_ones_on_another_scale() -> None:
    """So two rates differ in the rate alone: common random numbers."""
    slow, fast = times(profiles.step(10, MINUTE)), times(profiles.step(20, MINUTE))
    assert [when // 2 for when in slow[:50]] == pytest.approx(fast[:50], abs=1)
    assert 500 < len(slow) < 700


def test_a_spike_is_the_base_rate_the_peak_and_the_base_rate_again() -> None:
    """The peak begins after a fifth of the time, so that there is something to compare it with."""
    profile = profiles.spike(10, 100, MINUTE, 10 * MINUTE, None)
    rates = [profile.mean(*window) for window in profile.windows()]
    assert rates == [10, 10, 100, *[10] * 7]
    came = times(profile, constant=True)
    assert sum(2 * MINUTE <= when < 3 * MINUTE for when in came) == pytest.approx(6000, abs=1)
    assert len(came) == pytest.approx(9 * 600 + 6000, abs=2)


@pytest.mark.parametrize(("minutes", "rows"), [(10, 10), (60, 10), (1, 1), (23, 23), (1440, 10)])
def test_rows_cover_whole_minutes_and_are_about_ten(minutes: int, rows: int) -> None:
    """CloudWatch's peaks are of minutes."""
    windows = profiles.soak(1, minutes * MINUTE, None).windows()
    assert len(windows) == rows
    assert all((end - begin) % MINUTE == 0 for begin, end in windows)


@pytest.mark.parametrize(
    ("length", "window"), [(90 * SECOND, None), (10 * MINUTE, 30 * SECOND), (10 * MINUTE, 3 * MINUTE)]
)
def test_rows_that_are_no_whole_minutes_are_refused(length: int, window: int | None) -> None:
    """Each says what to write."""
    with pytest.raises(UsageError, match="minutes"):
        profiles.soak(1, length, window)


@pytest.mark.parametrize(
    ("text", "rates"),
    [("100,200,500/s", [100, 200, 500]), ("60/m", [1]), ("0.5x,2x", [5, 20]), ("1/s,120/m", [1, 2]), ("2 /s", [2])],
)
def test_rates_are_absolute_or_times_the_own_rate(text: str, rates: list[float]) -> None:
    """A number without a unit has that of the next one."""
    assert read_rates("--rate", text, 10) == rates


@pytest.mark.parametrize("text", ["100", "", "0/s", "-1/s", "1/s,", "ten/s", "1/s,5"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    """With an example."""
    with pytest.raises(UsageError, match="Write for example 100/s"):
        read_rates("--rate", text, 10)
