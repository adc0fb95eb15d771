"""The timeline: order, chance, pending and background, and the errors of a run that can't go on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbus import StalledError
from simbus.kernel import SECOND, Timeline


def play(timeline: Timeline, times: list[int]) -> list[int]:
    """Schedule one entry for each time; the order in which they are played."""
    played: list[int] = []
    for number, when in enumerate(times):
        timeline.at(when, played.append, number)
    timeline.run()
    return played


def test_by_time_then_first_in_first_out() -> None:
    """Equal times are played in the order in which they were scheduled."""
    assert play(Timeline(), [5, 1, 5, 1, 0]) == [4, 1, 3, 0, 2]


@given(st.lists(st.integers(0, 5), max_size=30))
def test_the_order_is_a_stable_sort(times: list[int]) -> None:
    """For any times."""
    assert play(Timeline(), times) == sorted(range(len(times)), key=times.__getitem__)


@given(st.lists(st.integers(0, 3), max_size=20), st.integers(0, 100))
def test_ties_shuffle_only_what_is_simultaneous(times: list[int], ties: int) -> None:
    """Another order of equal times, never of different ones; the same number repeats it."""
    order = play(Timeline(1, ties=ties), times)
    assert [times[n] for n in order] == sorted(times)
    assert order == play(Timeline(1, ties=ties), times)


def test_ties_find_every_order() -> None:
    """Three simultaneous entries have six orders."""
    orders = {tuple(play(Timeline(1, ties=ties), [0, 0, 0])) for ties in range(60)}
    assert len(orders) == 6


def test_what_is_scheduled_for_the_past_is_played_now() -> None:
    """Time never runs backwards."""
    timeline = Timeline()
    seen: list[int] = []
    timeline.at(10, lambda _: timeline.at(3, lambda _: seen.append(timeline.now)))
    timeline.run()
    assert seen == [10]


def test_after_counts_from_now() -> None:
    """A chain of delays adds up."""
    timeline = Timeline()
    timeline.after(5, lambda _: timeline.after(7, lambda _: None))
    timeline.run()
    assert timeline.now == 12


def test_each_name_has_a_generator_of_its_own() -> None:
    """It depends on (seed, name): a new name shifts no old one, a name asked for again goes on."""
    alone = Timeline(1)
    numbers = [alone.rng("a").random() for _ in range(4)]
    both = Timeline(1)
    mixed = []
    for _ in range(4):
        both.rng("b").random()
        mixed.append(both.rng("a").random())
    assert mixed == numbers
    assert both.rng("a") is both.rng("a")
    assert Timeline(2).rng("a").random() != numbers[0]
    assert Timeline("1").rng("a").random() == numbers[0], "a seed from a command line is text"


def test_background_holds_no_run_open() -> None:
    """It is played in order with the rest as long as something is pending."""
    timeline = Timeline()
    seen: list[str] = []
    timeline.background(5, seen.append, "early")
    timeline.background(50, seen.append, "late")
    timeline.at(10, seen.append, "pending")
    timeline.run()
    assert seen == ["early", "pending"]
    assert (timeline.now, timeline.pending) == (10, 0)
    timeline.run(until=50)
    assert seen == ["early", "pending", "late"]


def test_until_includes_its_instant() -> None:
    """Up to and including; then the clock stands there."""
    timeline = Timeline()
    seen: list[int] = []
    for when in (9, 10, 11):
        timeline.at(when, seen.append, when)
    timeline.run(until=10)
    assert (seen, timeline.now) == ([9, 10], 10)
    timeline.run(until=5)
    assert timeline.now == 10


def test_run_pending_stops_early_when_nothing_is_pending() -> None:
    """... and never plays what lies behind its limit."""
    timeline = Timeline()
    timeline.at(5, lambda _: None)
    timeline.run_pending(100)
    assert timeline.now == 5
    timeline.at(200, lambda _: None)
    timeline.run_pending(100)
    assert (timeline.now, timeline.pending) == (5, 1)


@pytest.mark.parametrize("how", ["run", "until", "pending", "step"])
def test_what_is_cancelled_is_not_played(how: str) -> None:
    """Wherever it stands in the heaps."""
    timeline = Timeline()
    seen: list[int] = []
    tokens = [timeline.at(when, seen.append, when) for when in (1, 2, 3)]
    tokens.append(timeline.background(2, seen.append, 20))
    for token in (tokens[0], tokens[2], tokens[3]):
        timeline.cancel(token)
    if how == "run":
        timeline.run()
    elif how == "until":
        timeline.run(until=10)
    elif how == "pending":
        timeline.run_pending(10)
    else:
        assert timeline.peek() == 2
        timeline.step()
        assert timeline.peek() is None
    assert seen == [2]


def test_compact_drops_what_is_cancelled() -> None:
    """Long timeouts that were cancelled need no memory until their instant."""
    timeline = Timeline()
    seen: list[int] = []
    tokens = [timeline.at(1000 + n, seen.append, n) for n in range(10)]
    for token in tokens[:9]:
        timeline.cancel(token)
    timeline.compact()
    assert timeline.pending == 1
    timeline.run()
    assert seen == [9]


def test_step_without_an_entry() -> None:
    """IndexError, as documented."""
    with pytest.raises(IndexError):
        Timeline().step()


def test_a_run_that_cannot_go_on_names_what_waits() -> None:
    """Three of them at most."""
    timeline = Timeline()
    timeline.at(2 * SECOND, lambda _: None)
    waits = [timeline.waiting(lambda n=n: f"thing {n}") for n in range(5)]  # type: ignore[misc]
    for wait in waits:
        wait.__enter__()
    with pytest.raises(StalledError, match=r"at 2.000 s .* unfinished: thing 0; thing 1; thing 2 and 2 more"):
        timeline.run()
    for wait in waits:
        wait.__exit__(None, None, None)
    timeline.run()


def test_run_while_plays_until_its_condition_falls() -> None:
    """... and stalls where the timeline runs dry before; background entries count here, too."""
    timeline = Timeline()
    seen: list[int] = []
    timeline.background(5, seen.append, 5)
    timeline.run_while(lambda: not seen, lambda: "five")
    assert seen == [5]
    with pytest.raises(StalledError, match="six"):
        timeline.run_while(lambda: len(seen) < 2, lambda: "six")
    assert timeline.unfinished == {}


def test_it_says_where_it_stands() -> None:
    """The state is readable; entries that were played are counted."""
    timeline = Timeline()
    timeline.at(SECOND, lambda _: None)
    timeline.background(SECOND, lambda _: None)
    assert repr(timeline) == "<Timeline now=0.000s pending=1 background=1>"
    timeline.run(until=SECOND)
    assert timeline.played == 2


def test_arrivals_come_first_whenever_they_were_scheduled() -> None:
    """What comes from outside is played before the rest of its instant, in its own order."""
    timeline = Timeline()
    seen: list[str] = []
    timeline.at(5, seen.append, "a")
    timeline.after(5, seen.append, "b")
    timeline.arrive(5, seen.append, "first")
    timeline.at(3, lambda _: timeline.arrive(5, seen.append, "second"))
    timeline.run()
    assert seen == ["first", "second", "a", "b"]


@given(st.lists(st.integers(0, 2), max_size=8), st.lists(st.integers(0, 2), max_size=8), st.integers(0, 20))
def test_the_position_of_an_arrival_repeats_the_order_of_ties(at: list[int], arrive: list[int], ties: int) -> None:
    """Ties shuffle arrivals too; the position of each, given to `arrive_after`, is enough to repeat the order."""

    def played(how: str) -> list[str]:
        timeline, seen = Timeline(3, ties=ties), []
        for number, when in enumerate(at):
            timeline.at(when, seen.append, f"entry {number}")

        def come(number: int) -> None:
            positions.append((timeline.now, timeline.position, number))
            seen.append(f"arrival {number}")
            if how == "again":
                follow()

        def follow() -> None:
            for when, position, number in rest:
                timeline.arrive_after(position, when, come, number)
                return

        rest = iter(recorded)
        if how == "again":
            follow()
        else:
            for number, when in enumerate(arrive):
                timeline.arrive(when, come, number)
        timeline.run()
        return seen

    positions: list[tuple[int, int, int]] = []
    recorded: list[tuple[int, int, int]] = []
    first = played("first")
    recorded, positions = positions, []
    assert played("again") == first
    assert positions == recorded


def test_a_position_that_is_not_reached_is_the_end_of_the_instant() -> None:
    """A changed run may have fewer entries there; nothing of a later instant comes first."""
    timeline = Timeline()
    seen: list[int] = []
    timeline.at(5, seen.append, 1)
    timeline.at(6, seen.append, 3)
    timeline.arrive_after(9, 5, seen.append, 2)
    timeline.run()
    assert seen == [1, 2, 3]


def test_an_instant_at_which_nothing_is_played_has_no_positions() -> None:
    """Time that passes up to a limit begins a new count."""
    timeline = Timeline()
    timeline.at(5, lambda _: None)
    timeline.run(until=5)
    assert timeline.position == 1
    timeline.run(until=7)
    assert (timeline.now, timeline.position) == (7, 0)


@pytest.mark.parametrize("ties", [None, 1, 2, 3])
def test_what_comes_first_is_before_arrivals_too(ties: int | None) -> None:
    """A fault that begins at an instant acts on what arrives at that instant, whatever the order of the others."""
    timeline = Timeline(ties=ties)
    played: list[str] = []
    timeline.arrive(5, played.append, "arrival")
    timeline.at(5, played.append, "entry")
    timeline.first(5, played.append, "fault")
    timeline.run()
    assert played[0] == "fault"
    assert sorted(played) == ["arrival", "entry", "fault"]
