"""Whatever happens to functions, queues, topics and buckets: nothing is lost unseen, and no limit is passed.

A hypothesis state machine makes random functions (limits, error rates, durations, retries, dead-letter queues), lets
random things happen to them, and reads the rows of the run at the end.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter, defaultdict
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from simbus import AwsError, Simulation
from simbus.logs.reader import InvocationRow

ACCOUNT_LIMIT = 108
PEAK, UNRESERVED = "ConcurrentExecutions", "UnreservedConcurrentExecutions"
ROOM = 8  # what may be reserved: 100 stay unreserved

functions = st.fixed_dictionaries(
    {
        "reserved": st.sampled_from([None, None, 0, 1, 2]),
        "retries": st.integers(0, 2),
        "age": st.sampled_from([60, 90, 300, 21_600]),
        "error_rate": st.sampled_from([0.0, 0.3, 1.0]),
        "duration": st.sampled_from(["0s", "10ms", "2s", "5s"]),
        "init": st.sampled_from(["0s", "200ms", "12s"]),
        "memory": st.sampled_from([None, None, 200]),
        "dead_letter": st.booleans(),
        "on_failure": st.booleans(),
        "on_success": st.booleans(),
    }
)


class Lambda(RuleBasedStateMachine):
    """Functions behind a bucket and a topic, and callers of all kinds."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: Counter[str] = Counter()
        self.sync = 0

    @initialize(
        seed=st.integers(0, 1000), ties=st.sampled_from([None, 1, 2]), made=st.lists(functions, min_size=1, max_size=3)
    )
    def begin(self, seed: int, ties: int | None, made: list[dict[str, Any]]) -> None:
        self.sim = sim = Simulation(seed, ties=ties, account={"concurrent_executions": ACCOUNT_LIMIT})
        self.dead, self.records = sim.queue("dead"), sim.queue("records")
        self.made = made
        self.limits: dict[str, list[int | None]] = {}
        self.functions = [self._function(n, given) for n, given in enumerate(made)]
        events = ["s3:ObjectCreated:*"]
        self.bucket = sim.bucket("uploads", notifications=[{"function": self.functions[0], "events": events}])
        self.topic = sim.topic("topic")
        for function in self.functions:
            self.topic.subscribe(function)

    def _function(self, number: int, given: dict[str, Any]) -> Any:
        config: dict[str, Any] = {
            "maximum_retry_attempts": given["retries"],
            "maximum_event_age_in_seconds": given["age"],
        }
        for which in ("on_failure", "on_success"):
            if given[which]:
                config[which] = self.records
        self.limits[f"f{number}"] = [given["reserved"]]
        return self.sim.function(
            f"f{number}",
            reserved_concurrent_executions=given["reserved"],
            dead_letter_config=self.dead if given["dead_letter"] else None,
            event_invoke_config=config,
            simulate={
                "error_rate": given["error_rate"],
                "duration": given["duration"],
                "init_duration": given["init"],
                "max_memory_used": given["memory"],
            },
        )

    @rule(count=st.integers(1, 5))
    def put(self, count: int) -> None:
        for n in range(count):
            self.bucket.put_object(f"key{n}", "body")

    @rule(count=st.integers(1, 5))
    def publish(self, count: int) -> None:
        for n in range(count):
            self.topic.publish(str(n))

    @rule(count=st.integers(1, 5), which=st.integers(0, 2))
    def invoke_later(self, count: int, which: int) -> None:
        for n in range(count):
            self.functions[which % len(self.functions)].invoke(n, invocation_type="Event")

    @rule(count=st.integers(1, 5), which=st.integers(0, 2))
    def invoke_now(self, count: int, which: int) -> None:
        def done(answer: Any) -> None:
            self.answers["throttled" if isinstance(answer, AwsError) else answer.function_error or "ok"] += 1

        for n in range(count):
            self.sync += 1
            self.functions[which % len(self.functions)].start_invoke(n, done)

    @rule(which=st.integers(0, 2), amount=st.sampled_from([None, 0, 1, 2]))
    def reserve(self, which: int, amount: int | None) -> None:
        """What runs goes on when a reservation shrinks, so the largest one is the limit that is checked."""
        function = self.functions[which % len(self.functions)]
        if amount is None:
            function.delete_function_concurrency()
        else:
            function.put_function_concurrency(amount)
        self.limits[function.resource].append(amount)

    @rule(delay=st.sampled_from(["10ms", "1s", "1m", "1h"]))
    def play(self, delay: str) -> None:
        self.sim.run(for_=delay)

    @precondition(lambda self: hasattr(self, "sim"))
    @rule(duration=st.sampled_from([1, 120]))
    def destinations_fail(self, duration: int) -> None:
        self.dead.outage(duration * 1_000_000_000)
        self.records.outage(duration * 1_000_000_000)

    # --- what must hold at the end ---------------------------------------------------------------------------------

    def teardown(self) -> None:
        if not hasattr(self, "sim"):
            return
        with self.sim as sim:
            sim.run()
            sim.finish()
            with sim.reader() as reader:
                rows = list(reader.invocations())
                deliveries = [dict(row) for row in reader.query("SELECT * FROM deliveries")]
                events = {row["id"]: row["source"] for row in reader.query("SELECT id, source FROM events")}
            self.check_attempts(rows)
            self.check_concurrency(rows)
            self.check_deliveries(deliveries, events, rows)
            self.check_metrics(deliveries, rows)
            assert sum(self.answers.values()) == self.sync
            assert [function.concurrent_executions for function in self.functions] == [0] * len(self.functions)

    def check_attempts(self, rows: list[InvocationRow]) -> None:
        """One request id for all attempts of an event, numbered from 1, one after the other, retries + 1 at most."""
        attempts: dict[str, list[InvocationRow]] = defaultdict(list)
        for row in rows:
            attempts[row.request_id].append(row)
            assert row.started_at is not None
            assert row.ended_at is not None
            assert row.queued_at <= row.started_at <= row.ended_at
        for request in attempts.values():
            assert [row.attempt for row in request] == list(range(1, len(request) + 1))
            assert len({(row.function, row.payload, row.queued_at) for row in request}) == 1
            retries = self.made[int(request[0].function[1:])]["retries"]
            assert len(request) <= (retries + 1 if request[0].invocation_type == "Event" else 1)
            assert all(row.status != "ok" for row in request[:-1]), "nothing is retried after a success"
            for before, after in itertools.pairwise(request):
                assert before.ended_at is not None
                assert after.started_at is not None
                assert after.started_at - before.ended_at >= 60_000 * before.attempt

    def check_concurrency(self, rows: list[InvocationRow]) -> None:
        """No function ever runs more than the largest reservation it had, no environment two at a time."""
        for name, limits in self.limits.items():
            mine = [row for row in rows if row.function == name]
            assert _at_most(mine) <= max(ACCOUNT_LIMIT if limit is None else limit for limit in limits)
            for stream in {row.log_stream for row in mine}:
                assert _at_most([row for row in mine if row.log_stream == stream]) <= 1
        assert _at_most(rows) <= ACCOUNT_LIMIT

    def check_deliveries(
        self, deliveries: list[dict[str, Any]], events: dict[str, str], rows: list[InvocationRow]
    ) -> None:
        """Each event is settled exactly once per subscription; `ok` has run, what is dropped had nowhere to go."""
        matched = Counter((event, source) for event, source in events.items())
        succeeded = {row.request_id for row in rows if row.status == "ok"}
        settled: Counter[str] = Counter()
        for row in deliveries:
            settled[row["event_id"]] += 1
            function = row["subscription"]
            if not function.startswith("lambda:"):
                continue
            given = self.made[int(function[-1])]
            assert row["outcome"] != "held", "a run to the end leaves nothing waiting"
            if row["outcome"] == "ok":
                assert row["request_id"] in succeeded
            else:
                assert row["request_id"] not in succeeded
            if row["outcome"] == "dead_letter":
                assert given["dead_letter"] or given["on_failure"]
        for event, source in matched:
            expected = {"s3:uploads": 1, "sns:topic": len(self.functions)}.get(
                source, int(source.startswith("lambda:"))
            )
            assert settled[event] == expected, (source, settled[event])
        self._check_dropped(deliveries)

    def check_metrics(self, deliveries: list[dict[str, Any]], rows: list[InvocationRow]) -> None:
        """CloudWatch's sums are those of the other tables: one row of a metric a minute, and none for what is zero."""
        sums: Counter[tuple[str, str]] = Counter()
        with self.sim.reader() as reader:
            points = list(reader.metrics())
            hops = Counter((row["kind"], row["place"]) for row in reader.query("SELECT kind, place FROM hops"))
        assert len({(point.time, point.name, point.dimension) for point in points}) == len(points)
        for point in points:
            assert point.time % 60_000 == 0
            sums[point.name, point.dimension] += int(point.value)
        for name in self.limits:
            mine = [row for row in rows if row.function == name]
            ended = [row for row in deliveries if row["subscription"] == f"lambda:{name}"]
            dropped = [row for row in ended if row["outcome"] in ("dead_letter", "dropped")]
            dimension = f"FunctionName={name}"
            assert sums["Invocations", dimension] == len(mine)
            assert sums["Errors", dimension] == sum(row.status != "ok" for row in mine)
            assert sums["Throttles", dimension] == hops["throttled", f"lambda:{name}"]
            assert sums["AsyncEventsDropped", dimension] == len(dropped)
            peaks = [point.value for point in points if (point.name, point.dimension) == (PEAK, dimension)]
            assert max(peaks, default=0) >= _at_most(mine)
        account = {
            name: [p.value for p in points if (p.name, p.dimension) == (name, "")] for name in (PEAK, UNRESERVED)
        }
        assert max(account[PEAK], default=0) >= max(_at_most(rows), *account[UNRESERVED], 0)
        assert max(account[PEAK], default=0) <= ACCOUNT_LIMIT
        for kind in ("DeadLetterErrors", "DestinationDeliveryFailures"):
            counted = sum(value for (name, _), value in sums.items() if name == kind)
            assert counted == sum(count for (which, _), count in hops.items() if which == kind)

    def _check_dropped(self, deliveries: list[dict[str, Any]]) -> None:
        """Without an outage an event is dropped only where its function names no place to put it."""
        with self.sim.reader() as reader:
            failed = {row["event_id"] for row in reader.query("SELECT event_id FROM hops WHERE kind LIKE 'De%'")}
        for row in deliveries:
            if row["outcome"] == "dropped" and row["event_id"] not in failed:
                given = self.made[int(row["subscription"][-1])]
                assert not given["dead_letter"]
                assert not given["on_failure"]
        kept = [row["request_id"] for row in deliveries if row["outcome"] == "dead_letter"]
        dead = {message.message_attributes["RequestID"]["StringValue"] for message in self.dead.messages}
        records = [json.loads(message.body)["requestContext"] for message in self.records.messages]
        told = {record["requestId"] for record in records if record["condition"] != "Success"}
        assert set(kept) == dead | told
        assert len(kept) == len(set(kept))


def _at_most(rows: list[InvocationRow]) -> int:
    """The largest number of attempts whose [started_at, ended_at) overlap."""
    edges = sorted(edge for row in rows for edge in ((row.started_at or 0, 1), (row.ended_at or 0, -1)))
    running = most = 0
    for _, change in edges:
        running += change
        most = max(most, running)
    return most


TestLambda = Lambda.TestCase
TestLambda.settings = settings(
    max_examples=60,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
