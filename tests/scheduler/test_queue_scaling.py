"""How many batches of a queue are in flight at once; FIFO groups."""

from __future__ import annotations

from typing import Any

import pytest

from simbus import Simulation
from simbus.kernel import SECOND
from simbus.logs.reader import InvocationRow
from simbus.sources.sqs.queue import Queue

FAST = {"init_duration": "0s", "duration": "1ms"}


def started(sim: Simulation, work: Any, *, error: bool = False) -> list[int]:
    """When invocations began, in ms of virtual time."""
    rows: list[InvocationRow] = work.invocations
    return sorted(row.queued_at - 1_767_225_600_000 for row in rows)


def busiest(work: Any) -> int:
    rows: list[InvocationRow] = work.invocations
    edges = sorted(edge for row in rows for edge in ((row.queued_at, 1), (row.ended_at or 0, -1)))
    running = most = 0
    for _, change in edges:
        running += change
        most = max(most, running)
    return most


def mapped(sim: Simulation, messages: int, *, simulate: dict[str, Any], queue: Any = None, **settings: Any) -> Any:
    jobs: Queue = sim.queue("jobs", visibility_timeout=900, **(queue or {}))
    work = sim.function("work", timeout=900, simulate={**FAST, **simulate})
    sim.event_source_mapping("sqs:jobs", "work", **{"batch_size": 1, **settings})
    for n in range(messages):
        jobs.send_message(str(n))
    return work


def test_it_begins_with_five_batches_and_adds_300_a_minute(sim: Simulation) -> None:
    """Developer Guide: five batches at first, then up to 300 more concurrent invocations a minute."""
    work = mapped(sim, 400, simulate={"duration": "600s"})
    assert work.concurrent_executions == 0
    for second in (1, 60, 65):
        sim.run(until=f"{second * 1000 + 100}ms")
        assert work.concurrent_executions == 5 + second * 5


def test_it_ends_at_1250(sim: Simulation) -> None:
    """Developer Guide: at most 1,250 concurrent invocations a mapping (account: 2,000 here)."""
    with Simulation(1, account={"concurrent_executions": 2_000}) as sim:
        work = mapped(sim, 1_400, simulate={"duration": "900s"})
        sim.run(for_="300s")
        assert work.concurrent_executions == 1_250


@pytest.mark.parametrize("maximum", [2, 7])
def test_maximum_concurrency_is_never_exceeded(sim: Simulation, maximum: int) -> None:
    """ScalingConfig.MaximumConcurrency: no throttles, and no more at once."""
    work = mapped(sim, 60, simulate={"duration": "5s"}, scaling_config={"maximum_concurrency": maximum})
    sim.run()
    assert busiest(work) == maximum
    assert len(work.invocations) == 60


def test_provisioned_pollers_have_ten_invocations_each_and_grow_by_1000_a_minute(sim: Simulation) -> None:
    """Developer Guide, provisioned mode: a poller handles up to 10 concurrent invokes; 2 at first, 3 at most here."""
    config = {"minimum_pollers": 2, "maximum_pollers": 3}
    work = mapped(sim, 60, simulate={"duration": "60s"}, provisioned_poller_config=config)
    sim.run(for_="1ms")
    assert work.concurrent_executions == 20
    sim.run(for_="300ms")
    assert work.concurrent_executions == 25
    sim.run()
    assert busiest(work) == 30


def test_function_errors_lower_the_concurrency_down_to_two(sim: Simulation) -> None:
    """Developer Guide, "Backoff strategy": fewer concurrent invocations when they fail; by one each here, to 2."""
    work = mapped(sim, 40, simulate={"duration": "1s", "error_rate": 1.0})
    sim.run(for_="5s")
    growing, backing_off = [0, 0, 0, 0, 0, 200, 400, 600, 800], [1600, 1800, 2600, 2800, 3600, 3800]
    assert started(sim, work) == growing + backing_off


def test_reported_failures_do_not_lower_it(sim: Simulation) -> None:
    """With ReportBatchItemFailures Lambda does not scale polling down when invocations fail."""
    simulate = {"duration": "1s", "error_rate": 1.0}
    work = mapped(sim, 40, simulate=simulate, function_response_types=["ReportBatchItemFailures"])
    sim.run(for_="3s")
    assert started(sim, work)[:20] == [0] * 5 + [200, 400, 600, 800] + [1000] * 6 + [1200] * 2 + [1400] * 2 + [1600]


def test_a_quiet_queue_brings_it_back_to_five(sim: Simulation) -> None:
    """Developer Guide: with little traffic the concurrency falls back to 5."""
    work = mapped(sim, 200, simulate={"duration": "10s"})
    sim.run()
    before = len(work.invocations)
    assert busiest(work) > 20
    for n in range(20):
        sim["sqs:jobs"].send_message(str(n))
    sim.run(for_="100ms")
    assert work.concurrent_executions == 5
    sim.run()
    assert len(work.invocations) == before + 20


# --- FIFO ------------------------------------------------------------------------------------------------------------


class Groups:
    """A FIFO queue whose handler keeps what it sees of each group: `(group, body, begin, end)`."""

    def __init__(self, sim: Simulation, *, fails: str = "", **mapping: Any) -> None:
        self.sim = sim
        self.seen: list[tuple[str, str, int, int]] = []
        self.fails = fails
        self.dead = sim.queue("dead.fifo", fifo_queue=True)
        self.queue = sim.queue(
            "jobs.fifo",
            fifo_queue=True,
            visibility_timeout=30,
            redrive_policy={"dead_letter_target_arn": "sqs:dead.fifo", "max_receive_count": 3},
        )
        sim.function("work", handler=self._handle, timeout=30, simulate=FAST)
        sim.event_source_mapping(self.queue, "work", **mapping)

    def _handle(self, event: Any, _: Any) -> None:
        import time

        begin = self.sim.now
        time.sleep(2)
        for record in event["Records"]:
            self.seen.append((record["attributes"]["MessageGroupId"], record["body"], begin, self.sim.now))
        if any(record["attributes"]["MessageGroupId"] == self.fails for record in event["Records"]):
            raise ValueError("this group fails")

    def send(self, groups: str, each: int) -> None:
        for n in range(each):
            for group in groups:
                self.queue.send_message(f"{group}{n}", message_group_id=group, message_deduplication_id=f"{group}{n}")


def test_a_group_is_in_order_and_one_batch_at_a_time(sim: Simulation) -> None:
    """Recorded (test_fifo_message_group_parallelism); other groups run at the same time."""
    groups = Groups(sim, batch_size=1)
    groups.send("abc", 4)
    sim.run()
    for name in "abc":
        mine = [row for row in groups.seen if row[0] == name]
        assert [body for _, body, _, _ in mine] == [f"{name}{n}" for n in range(4)]
        assert [begin // SECOND for _, _, begin, _ in mine] == [0, 2, 4, 6]


def test_no_more_batches_than_active_groups(sim: Simulation) -> None:
    """Developer Guide: the concurrency of a FIFO queue is the number of its active message groups at most."""
    groups = Groups(sim, batch_size=1, scaling_config={"maximum_concurrency": 100})
    groups.send("ab", 10)
    sim.run()
    assert max(sum(b <= begin < e for _, _, b, e in groups.seen) for _, _, begin, _ in groups.seen) == 2


def test_a_failing_group_blocks_itself_only(sim: Simulation) -> None:
    """The others go on; the failing one waits for its visibility timeout and is redriven in the end, in order."""
    groups = Groups(sim, batch_size=1, fails="a")
    groups.send("ab", 3)
    sim.run()
    good = [(body, begin // SECOND) for name, body, begin, _ in groups.seen if name == "b"]
    assert good == [("b0", 0), ("b1", 2), ("b2", 4)]
    bad = [body for name, body, _, _ in groups.seen if name == "a"]
    assert bad == ["a0"] * 3 + ["a1"] * 3 + ["a2"] * 3
    assert [message.body for message in groups.dead.messages] == ["a0", "a1", "a2"]


def test_a_batch_may_hold_several_groups(sim: Simulation) -> None:
    """Developer Guide: messages of several groups may come in one batch."""
    groups = Groups(sim, batch_size=10)
    groups.send("ab", 2)
    sim.run()
    assert [body for _, body, _, _ in groups.seen] == ["a0", "a1", "b0", "b1"]
    assert {begin for _, _, begin, _ in groups.seen} == {1}


def test_a_group_goes_on_when_somebody_else_took_what_stood_in_its_way(sim: Simulation) -> None:
    """A message that another consumer had received and deletes frees the ones behind it: the poller is woken."""
    groups = Groups(sim, enabled=False, batch_size=1)
    groups.send("a", 2)
    [first] = groups.queue.receive_messages()
    [mapping] = sim.event_source_mappings.list_event_source_mappings()["EventSourceMappings"]
    sim.event_source_mappings.update_event_source_mapping(uuid=mapping["UUID"], enabled=True)
    sim.at("5s", lambda: groups.queue.delete_message(first.receipt_handle))
    sim.run()
    assert [(body, begin // SECOND) for _, body, begin, _ in groups.seen] == [("a1", 5)]
