"""Table `metrics` as a whole: it agrees with the other tables, repeats, and stays small."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from simbus import Simulation
from simbus.logs.reader import InvocationRow
from simbus.metrics import Datapoint

MINUTE = 60_000
functions = st.fixed_dictionaries(
    {
        "duration": st.sampled_from(["0s", "3ms", "20s", "61s", "130s"]),
        "init": st.sampled_from(["0s", "900ms", "9s"]),
        "error_rate": st.sampled_from([0.0, 0.5, 1.0]),
        "reserved": st.sampled_from([None, 1, 2]),
    }
)
calls = st.lists(st.tuples(st.integers(0, 200_000), st.integers(0, 1), st.booleans()), max_size=12)


def at_most(rows: list[InvocationRow], ends_first: bool) -> dict[int, int]:
    """The most that ran at once in each minute, from the rows alone. What ends at the instant at which another begins,
    or a minute begins, does not (`ends_first`) or does run at the same time."""
    edges: list[tuple[int, int]] = []
    for row in rows:
        assert row.started_at is not None
        assert row.ended_at is not None
        began = row.started_at - round(row.init_duration_ms or 0)
        edges += [(began, 1), (row.ended_at, -1)]
    edges.sort(key=lambda edge: (edge[0], edge[1] if ends_first else -edge[1]))
    most: dict[int, int] = defaultdict(int)
    running, at = 0, 0
    for when, change in edges:
        if running:
            for minute in range(minute_of(at), when if ends_first else when + 1, MINUTE):
                most[minute] = max(most[minute], running)
        running, at = running + change, when
        if running:
            most[minute_of(when)] = max(most[minute_of(when)], running)
    return dict(most)


@settings(max_examples=60)
@given(
    made=st.lists(functions, min_size=2, max_size=2),
    calls=calls,
    look=st.lists(st.integers(1, 400), max_size=3),
    ties=st.sampled_from([None, 1]),
)
def test_metrics_agree_with_the_invocations(
    made: list[dict[str, Any]], calls: list[tuple[int, int, bool]], look: list[int], ties: int | None
) -> None:
    """Invocations, Errors and Duration of a minute are those of the rows that started in it; concurrency is their
    overlap; and nobody who looks in the middle of a run changes a row."""
    digest, rows, points = play(made, calls, look, ties, looks=False)
    assert play(made, calls, look, ties, looks=True) == (digest, rows, points)
    for number in range(2):
        name = f"f{number}"
        own = [row for row in rows if row.function == name]
        check_function(own, [point for point in points if point.dimension == f"FunctionName={name}"])


def play(
    made: list[dict[str, Any]], calls: list[tuple[int, int, bool]], look: list[int], ties: int | None, looks: bool
) -> tuple[str, list[InvocationRow], list[Datapoint]]:
    with Simulation(3, ties=ties, account={"concurrent_executions": 103}) as sim:
        functions = [
            sim.function(
                f"f{number}",
                timeout=140,
                reserved_concurrent_executions=given["reserved"] if number else None,
                simulate={
                    "duration": given["duration"],
                    "init_duration": given["init"],
                    "error_rate": given["error_rate"],
                },
            )
            for number, given in enumerate(made)
        ]

        def call(which: int, asynchronous: bool) -> None:
            if asynchronous:
                functions[which].invoke({}, invocation_type="Event")
            else:
                functions[which].start_invoke({}, lambda answer: None)

        for when, which, asynchronous in calls:
            sim.timeline.at(when * 1_000_000, lambda _, w=which, a=asynchronous: call(w, a))
        for seconds in look:
            sim.at(f"{seconds}s", lambda: looks and functions[0].metric("Errors"))
        sim.run()
        sim.finish()
        with sim.reader() as reader:
            return sim.digest(), list(reader.invocations()), list(reader.metrics())


def check_function(rows: list[InvocationRow], points: list[Datapoint]) -> None:
    found: dict[str, dict[int, float]] = defaultdict(dict)
    for point in points:
        assert point.time not in found[point.name], "one row a minute"
        found[point.name][point.time] = point.value
    started = Counter(minute_of(row.started_at) for row in rows)
    failed = Counter(dict.fromkeys(started, 0))
    took: dict[int, list[float]] = defaultdict(list)
    for row in rows:
        failed[minute_of(row.started_at)] += row.status != "ok"
        took[minute_of(row.started_at)].append(row.duration_ms or 0.0)
    assert found["Invocations"] == dict(started)
    assert found["Errors"] == dict(failed)
    assert found["Duration"].keys() == took.keys()
    assert all(abs(found["Duration"][minute] - sum(all_) / len(all_)) < 1e-6 for minute, all_ in took.items())
    low, high = at_most(rows, True), at_most(rows, False)
    assert low.keys() <= found["ConcurrentExecutions"].keys() <= high.keys()
    assert all(low.get(m, 1) <= most <= high[m] for m, most in found["ConcurrentExecutions"].items())


def minute_of(when: int | None) -> int:
    assert when is not None
    return when - when % MINUTE


def test_a_long_run_keeps_no_minutes(sim: Simulation) -> None:
    """What is final goes to the run file as the minutes pass: memory does not grow with virtual time."""
    function = sim.function("f", timeout=900, simulate={"init_duration": "0s", "duration": "800s"})
    for hour in range(200):
        sim.at(f"{hour}h", lambda: function.start_invoke({}, lambda answer: None))
    sim.run(until="100h")
    meter = sim.world.metrics.function("f")
    assert len(list(meter.unwritten())) <= 40
    with sim.reader() as reader:
        [count] = reader.query("SELECT count(*) FROM metrics WHERE name = 'Invocations'")
    assert count[0] >= 99
