"""Whatever happens to queues and their mappings: no message is lost unseen, none is deleted before a success.

A hypothesis state machine makes random queues (standard and FIFO), functions that fail in every way, and mappings; lets
random things happen to them; and reads the rows of the run at the end.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from simbus import Simulation
from simbus.expectations.figures import FIGURES
from simbus.expectations.rows import Subject
from simbus.logs.reader import RunReader

TIMEOUT = 3
RETENTION = 400

queues = st.fixed_dictionaries(
    {
        "fifo": st.booleans(),
        "visibility": st.sampled_from([3, 5, 30]),
        "redrive": st.sampled_from([None, 1, 3]),
        "mappings": st.integers(1, 2),
        "batch_size": st.integers(1, 12),
        "window": st.sampled_from([0, 1, 5]),
        "maximum": st.sampled_from([None, 2, 3]),
        "provisioned": st.booleans(),
        "reporting": st.booleans(),
        "filtered": st.booleans(),
        "enabled": st.booleans(),
    }
)
functions = st.fixed_dictionaries(
    {
        "fails": st.sampled_from([0.0, 0.3, 1.0]),
        "sleeps": st.sampled_from([0.0, 0.5, 2.0, 5.0]),
        "init": st.sampled_from(["0s", "2s"]),
        "reserved": st.sampled_from([None, None, 0, 1, 2]),
    }
)
PATTERN = json.dumps({"body": {"n": [{"numeric": [">", 1]}]}})


def _handler(given: dict[str, Any], reporting: bool) -> Any:
    """Fails now and then: the whole batch, or (where it reports) some of its items, or with nonsense."""

    def handler(event: Any, _: Any) -> Any:
        import random
        import time

        time.sleep(given["sleeps"])
        if random.random() < given["fails"]:
            kind = random.choice(["raise", "items", "nonsense"]) if reporting else "raise"
            if kind == "raise":
                raise ValueError("intentional")
            if kind == "nonsense":
                return {"batchItemFailures": [{"itemIdentifier": "nobody"}]}
            failed = [record["messageId"] for record in event["Records"] if random.random() < 0.5]
            return {"batchItemFailures": [{"itemIdentifier": name} for name in failed]}
        return None

    return handler


class Queues(RuleBasedStateMachine):
    """One to two queues, each with one or two functions."""

    @initialize(
        seed=st.integers(0, 1000),
        ties=st.sampled_from([None, 1, 2]),
        made=st.lists(queues, min_size=1, max_size=2),
        function=functions,
    )
    def begin(self, seed: int, ties: int | None, made: list[dict[str, Any]], function: dict[str, Any]) -> None:
        self.sim = Simulation(seed, ties=ties)
        self.made = made
        self.sent = self.replaced = 0
        self.mappings: list[tuple[int, Any]] = []
        self.queues = [self._queue(number, given, function) for number, given in enumerate(made)]

    def _queue(self, number: int, given: dict[str, Any], function: dict[str, Any]) -> Any:
        end = ".fifo" if given["fifo"] else ""
        attributes: dict[str, Any] = {"visibility_timeout": given["visibility"], "fifo_queue": given["fifo"]}
        if given["redrive"] is not None:
            self.sim.queue(f"dead{number}{end}", fifo_queue=given["fifo"])
            attributes["redrive_policy"] = {
                "dead_letter_target_arn": f"sqs:dead{number}{end}",
                "max_receive_count": given["redrive"],
            }
        queue = self.sim.queue(f"q{number}{end}", message_retention_period=RETENTION, **attributes)
        for which in range(given["mappings"]):
            name = f"f{number}{which}"
            self.sim.function(
                name,
                handler=_handler(function, given["reporting"]),
                timeout=TIMEOUT,
                reserved_concurrent_executions=function["reserved"],
                simulate={"init_duration": function["init"], "duration": "0s"},
            )
            self.mappings.append((number, self.sim.event_source_mapping(queue, name, **self._settings(given))))
        return queue

    def _settings(self, given: dict[str, Any]) -> dict[str, Any]:
        window = 0 if given["fifo"] else given["window"]
        settings: dict[str, Any] = {
            "batch_size": given["batch_size"] if window else min(given["batch_size"], 10),
            "maximum_batching_window_in_seconds": window,
            "enabled": given["enabled"],
        }
        if given["reporting"]:
            settings["function_response_types"] = ["ReportBatchItemFailures"]
        if given["filtered"]:
            settings["filter_criteria"] = {"filters": [{"pattern": PATTERN}]}
        if given["maximum"] is not None:
            settings["scaling_config"] = {"maximum_concurrency": given["maximum"]}
        elif given["provisioned"]:
            settings["provisioned_poller_config"] = {"minimum_pollers": 2, "maximum_pollers": 2}
        return settings

    # --- what happens ------------------------------------------------------------------------------------------------

    @rule(which=st.integers(0, 1), count=st.integers(1, 15), groups=st.integers(1, 3))
    def send(self, which: int, count: int, groups: int) -> None:
        queue = self.queues[which % len(self.queues)]
        if self.sim.now < queue.out_until:
            return
        for n in range(count):
            self.sent += 1
            body = json.dumps({"n": n, "id": self.sent})
            if queue.settings.fifo_queue:
                ids = {"message_group_id": str(n % groups), "message_deduplication_id": str(self.sent)}
                queue.send_message(body, **ids)
            else:
                queue.send_message(body, delay_seconds=5 if n == 3 else 0)

    @rule(delay=st.sampled_from(["10ms", "1s", "4s", "35s", "200s"]))
    def play(self, delay: str) -> None:
        self.sim.run(for_=delay)
        for number, mapping in self.mappings:
            maximum = self.made[number]["maximum"]
            assert maximum is None or mapping.poller.busy <= maximum

    @rule(which=st.integers(0, 3), enabled=st.booleans(), batch_size=st.integers(1, 10))
    def update(self, which: int, enabled: bool, batch_size: int) -> None:
        _, mapping = self.mappings[which % len(self.mappings)]
        self.sim.event_source_mappings.update_event_source_mapping(
            uuid=mapping.uuid, enabled=enabled, batch_size=batch_size
        )

    @rule(which=st.integers(0, 3), amount=st.sampled_from([None, 0, 1, 3]))
    def reserve(self, which: int, amount: int | None) -> None:
        _, mapping = self.mappings[which % len(self.mappings)]
        function = self.sim[f"lambda:{mapping.target.port.function.resource}"]
        if amount is None:
            function.delete_function_concurrency()
        else:
            function.put_function_concurrency(amount)

    @rule(which=st.integers(0, 1), seconds=st.sampled_from([1, 40]))
    def outage(self, which: int, seconds: int) -> None:
        self.queues[which % len(self.queues)].outage(seconds * 1_000_000_000)

    @precondition(lambda self: hasattr(self, "sim"))
    @rule(which=st.integers(0, 3))
    def replace(self, which: int) -> None:
        """Delete a mapping while it works, and make it again."""
        place = which % len(self.mappings)
        number, mapping = self.mappings[place]
        self.sim.event_source_mappings.delete_event_source_mapping(mapping.uuid)
        again = self.sim.event_source_mapping(
            self.queues[number], mapping.target.port.function.resource, **self._settings(self.made[number])
        )
        self.mappings[place] = (number, again)
        self.replaced += 1

    # --- what must hold at the end -----------------------------------------------------------------------------------

    def teardown(self) -> None:
        if not hasattr(self, "sim"):
            return
        with self.sim as sim:
            sim.run()
            sim.finish()
            with sim.reader() as reader:
                self.invocations = list(reader.query("SELECT * FROM invocations ORDER BY queued_at, rowid"))
                self.messages = list(reader.query("SELECT * FROM messages"))
                self.deliveries = list(reader.query("SELECT * FROM deliveries"))
                filtered = {row[0] for row in reader.query("SELECT event_id FROM hops WHERE kind = 'filtered'")}
                self.check_figures(reader)
            self.had: dict[str, list[Any]] = defaultdict(list)
            for row in self.invocations:
                for record in json.loads(row["payload"])["Records"]:
                    self.had[record["messageId"]].append(row)
            self.check_messages(filtered)
            self.check_concurrency()
            self.check_groups()
            assert all(mapping.poller.busy == 0 for _, mapping in self.mappings)

    def check_figures(self, reader: RunReader) -> None:
        """What is expected of a queue is counted from rows: how many messages it holds at each moment, duplicates."""
        depth, duplicates = FIGURES["messages"], FIGURES["duplicates"]
        assert depth.series is not None
        assert depth.at_end is not None
        assert duplicates.at_end is not None
        for queue in self.sim.resources("sqs"):
            subject = Subject(queue.name)
            levels = [point.value for point in depth.series(reader, subject)]
            assert min(levels, default=0) >= 0
            assert (levels or [0])[-1] == depth.at_end(reader, subject) == len(queue.messages)
        answered = reader.query(
            "SELECT count(*) FROM invocations i JOIN json_each(i.payload, '$.Records') r "
            "WHERE i.status = 'ok' GROUP BY i.function, json_extract(r.value, '$.messageId') HAVING count(*) > 1"
        )
        assert duplicates.at_end(reader, Subject()) <= sum(row[0] - 1 for row in answered)

    def check_messages(self, filtered: set[str]) -> None:
        """Each message is processed, in the DLQ, too old, or still in its queue; and its event says the same, once."""
        settled: dict[str, list[Any]] = defaultdict(list)
        for row in self.deliveries:
            settled[row["event_id"]].append(row)
        own = [row for row in self.messages if row["queue"].startswith("q")]
        dead = {row["message_id"] for row in self.messages if row["queue"].startswith("dead")}
        assert len({row["message_id"] for row in own}) == len(own) == self.sent
        for row in own:
            name, state, outcomes = row["message_id"], row["state"], settled[row["message_id"]]
            if name in filtered:
                assert (state, outcomes) == ("deleted", [])
                continue
            assert len(outcomes) == 1, (state, [tuple(each) for each in outcomes])
            [delivery] = outcomes
            if state == "deleted":
                assert delivery["outcome"] == "ok"
            elif state == "redriven":
                assert delivery["outcome"] == "dead_letter"
                assert name in dead
            elif state == "expired":
                assert delivery["outcome"] in ("dropped", "ok")
            else:
                assert delivery["outcome"] == "held"
            if delivery["outcome"] == "ok":
                by = [each for each in self.had[name] if each["request_id"] == delivery["request_id"]]
                assert [each["status"] for each in by] == ["ok"]
                assert by[0]["ended_at"] <= delivery["settled_at"]

    def check_concurrency(self) -> None:
        """A mapping never has more batches at its function than its MaximumConcurrency."""
        for number, given in enumerate(self.made):
            for which in range(given["mappings"] if given["maximum"] is not None else 0):
                mine = [row for row in self.invocations if row["function"] == f"f{number}{which}"]
                edges = sorted(edge for row in mine for edge in ((row["queued_at"], 1), (row["ended_at"], -1)))
                running = most = 0
                for _, change in edges:
                    running += change
                    most = max(most, running)
                assert most <= given["maximum"] * (1 + self.replaced)  # one that is deleted finishes what it has

    def check_groups(self) -> None:
        """The messages of a group are handed out for the first time in the order in which they were sent."""
        first: dict[str, list[tuple[int, int]]] = defaultdict(list)
        seen: set[str] = set()
        for position, row in enumerate(self.invocations):
            for record in json.loads(row["payload"])["Records"]:
                attributes = record["attributes"]
                if "SequenceNumber" in attributes and record["messageId"] not in seen:
                    seen.add(record["messageId"])
                    lane = record["eventSourceARN"] + attributes["MessageGroupId"]
                    first[lane].append((int(attributes["SequenceNumber"]), position))
        for numbers in first.values():
            assert numbers == sorted(numbers)


TestQueues = Queues.TestCase
TestQueues.settings = settings(
    max_examples=100,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
