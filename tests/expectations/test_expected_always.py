"""`always` and order: figures that are built from several rows, against a plain reading of the same rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simbus import Simulation
from simbus.expectations import expect
from simbus.expectations.figures import FIGURES
from simbus.expectations.rows import Point, Rows, Subject
from simbus.logs.reader import open_run
from simbus.logs.writer import RunWriter
from tests.run_rows import add_attempt, add_delivery

MINUTE = 60_000


def run_of(folder: Path, fill: Callable[[RunWriter], None]) -> Path:
    """A run file with these rows."""
    with RunWriter(folder / "run.db") as rows:
        fill(rows)
    return folder / "run.db"


def test_a_share_holds_in_each_minute_that_has_an_attempt(tmp_path: Path) -> None:
    """As a CloudWatch alarm with a period of a minute sees it, with missing data not breaching."""

    def fill(rows: RunWriter) -> None:
        for n in range(98):
            add_attempt(rows, f"a{n}", "f", n, n + 1)
        add_attempt(rows, "b", "f", 5 * MINUTE, 5 * MINUTE + 1, status="error")
        add_attempt(rows, "c", "f", 5 * MINUTE + 9, 6 * MINUTE)

    file = run_of(tmp_path, fill)
    expect(file, function="f", error_rate="<= 0.01")
    [result] = expect(file, function="f", error_rate="<= 0.5", always=True)
    assert (result.what, result.found, result.at) == ("lambda:f error_rate always", 0.5, "1970-01-01T00:05:00Z")
    [least] = expect(file, function="f", invocations=">= 2", always=True)
    assert least.found == 2
    with pytest.raises(AssertionError, match=r"expected < 0.5, found 0.5 at 1970-01-01T00:05:00Z"):
        expect(file, function="f", error_rate="< 0.5", always=True)


def test_a_count_that_never_came_is_zero_and_another_figure_is_nothing(tmp_path: Path) -> None:
    """No attempt: never throttled, but no rate of errors either."""
    file = run_of(tmp_path, lambda rows: None)
    expect(file, function="f", throttles=0, always=True)
    with pytest.raises(AssertionError, match="found nothing"):
        expect(file, function="f", error_rate=0, always=True)


def test_the_depth_of_a_queue_follows_every_way_in_and_out() -> None:
    """A message comes by SendMessage and by redrive; it goes when it is deleted (by a mapping, a filter, a consumer, a
    purge), redriven, moved back, or older than the retention period."""
    with Simulation(seed=1) as sim:
        dead = sim.queue("dead", message_retention_period=3600)
        policy = {"dead_letter_target_arn": dead, "max_receive_count": 1}
        jobs = sim.queue("jobs", visibility_timeout=30, redrive_policy=policy)
        old = sim.queue("old", message_retention_period=60)

        def work(event: dict[str, Any], context: Any) -> None:
            if "bad" in event["Records"][0]["body"]:
                raise ValueError

        criteria = {"filters": [{"pattern": '{"body": [{"prefix": "k"}, {"prefix": "bad"}]}'}]}
        sim.event_source_mapping(jobs, sim.function("work", handler=work), batch_size=1, filter_criteria=criteria)
        levels: dict[str, list[int]] = {queue.name: [] for queue in (jobs, dead, old)}

        def look() -> None:
            for queue in (jobs, dead, old):
                levels[queue.name].append(len(queue.messages))

        for body in ("keep", "keep", "skip", "bad", "bad", "bad"):
            sim.at("1s", lambda body=body: jobs.send_message(body))  # type: ignore[misc]
        sim.at("2s", lambda: old.send_message("unread"))
        sim.at("3s", lambda: old.send_message("read"))
        sim.at("4s", lambda: old.delete_message(old.receive_messages(2)[1].receipt_handle))
        sim.at("10m", lambda: dead.delete_message(dead.receive_messages()[0].receipt_handle))
        sim.at("11m", lambda: dead.start_message_move_task("sqs:old"))
        sim.at("30m", lambda: old.purge_queue())
        instants = (0, 1_500, 3_500, 4_500, 45_000, 70_000, 601_000, 661_000, 1_801_000)
        for instant in instants:
            sim.at(f"{instant}ms", look)
        sim.run(until="1h")
        start = sim.world.epoch_ms(0)
        sim.finish()
        with sim.reader() as run:
            for name, counted in levels.items():
                series = FIGURES["messages"].series
                assert series is not None
                points = list(series(run, Subject(name)))
                assert all(point.value >= 0 for point in points)
                assert [level_at(points, start + instant) for instant in instants] == counted, name
        assert levels["sqs:dead"][5] == 3
        assert levels["sqs:jobs"][2] == 3


def level_at(points: list[Point], instant: int) -> float:
    return next((point.value for point in reversed(points) if point.time <= instant), 0)


Processing = tuple[int, int, int, int]  # key, request, began, lasted


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 4), st.integers(0, 9), st.integers(0, 9)), max_size=8))
def test_an_event_is_out_of_order_when_a_later_one_of_its_key_began_before_it_was_through(
    events: list[Processing],
) -> None:
    """SQS and Lambda promise this for a message group and a partition key; for all else it is luck."""
    times = {request: (began, began + lasted) for _, request, began, lasted in events}

    def fill(rows: RunWriter) -> None:
        for request, span in times.items():
            add_attempt(rows, f"r{request}", "f", *span)
        for number, (key, request, _, _) in enumerate(events):
            rows.events.append((f"e{number}", number, "kinesis:s", "PutRecord", f"k{key}", None, "{}"))
            add_delivery(rows, f"e{number}", f"r{request}", 99, "ok")

    wanted = sum(
        any(
            later_key == key and other != request and times[other][0] < times[request][1]
            for later_key, other, _, _ in events[number + 1 :]
        )
        for number, (key, request, _, _) in enumerate(events)
    )
    with TemporaryDirectory() as folder, open_run(run_of(Path(folder), fill)) as run:
        assert found(run, "out_of_order") == wanted


def found(run: Rows, name: str) -> float | None:
    at_end = FIGURES[name].at_end
    assert at_end is not None
    return at_end(run, Subject())


@pytest.mark.parametrize("factor", [1, 10])
def test_a_shard_is_processed_in_order_per_partition_key(factor: int) -> None:
    """Developer Guide, "ParallelizationFactor": Lambda still ensures in-order processing at the partition-key level."""
    with Simulation(seed=3) as sim:
        clicks = sim.stream("clicks", shard_count=1)
        work = sim.function("work", simulate={"duration": {"exponential": "2s"}, "error_rate": 0.2}, timeout=60)
        sim.event_source_mapping(
            clicks, work, starting_position="TRIM_HORIZON", batch_size=3, parallelization_factor=factor
        )
        for number in range(60):
            sim.at(f"{number}s", lambda n=number: clicks.put_record("x", f"user-{n % 5}"))  # type: ignore[misc]
        sim.run()
        sim.expect(stream=clicks, function=work, out_of_order=0, duplicates=0, lost=0)
