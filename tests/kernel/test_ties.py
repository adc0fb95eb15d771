"""Orders of simultaneous entries: everywhere, or at some instants only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbus import UsageError
from simbus.kernel import Timeline
from simbus.kernel.ties import Ties

INSTANTS = 4


def orders(ties: Ties | int | None) -> list[list[int]]:
    """What five entries of each instant are played in, one list an instant."""
    timeline = Timeline(1, ties=ties)
    played: list[list[int]] = [[] for _ in range(INSTANTS)]
    for n in range(5):
        for when in range(INSTANTS):
            timeline.at(when, played[when].append, n)
    timeline.run()
    return played


@given(st.integers(0, 50), st.sets(st.integers(0, INSTANTS - 1)))
def test_an_order_limited_to_instants_is_the_same_there_and_first_in_first_out_elsewhere(
    number: int, instants: set[int]
) -> None:
    """So that what does not matter can be taken back one by one, and the rest stays as it was."""
    everywhere, limited = orders(number), orders(Ties(number, frozenset(instants)))
    for when in range(INSTANTS):
        assert limited[when] == (everywhere[when] if when in instants else [0, 1, 2, 3, 4])


def test_instants_with_several_entries_are_counted() -> None:
    timeline = Timeline(1, ties=3)
    seen = timeline.count_simultaneous()
    timeline.at(5, lambda _: timeline.after(0, lambda _: None))
    timeline.arrive(7, lambda _: None)
    timeline.background(7, lambda _: None)
    timeline.at(9, lambda _: None)
    timeline.run()
    assert seen == {5: 2, 7: 2, 9: 1}


@given(st.integers(0, 10**18 - 1), st.none() | st.sets(st.integers(0, 10**15), min_size=1))
def test_they_are_written_and_read(number: int, instants: set[int] | None) -> None:
    ties = Ties(number, None if instants is None else frozenset(instants))
    assert Ties.parse(str(ties)) == ties


def test_how_they_are_written() -> None:
    assert str(Ties(12)) == "12"
    assert str(Ties(12, frozenset((90_000_000_001, 1_500_000_000)))) == "12@1.5s,90.000000001s"
    for wrong in ("", "x", "-1", "3@", "3@5", "3@1s,"):
        with pytest.raises(UsageError):
            Ties.parse(wrong)
