"""What is written once, and read as whole rows: payloads, deliveries, the routes of invocations."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simbus import Simulation
from simbus.logs.reader import open_run
from simbus.logs.schema import NOTHING


def run_all_ways(sim: Simulation) -> list[tuple[str, Any]]:
    """Events come to one function in every way that there is; returns each request's id and what its handler saw."""
    seen: list[tuple[str, Any]] = []

    def handler(event: Any, context: Any) -> None:
        seen.append((context.aws_request_id, event))

    function = sim.function("f", handler=handler)
    notification = {
        "id": 'an "id" of "bucket":{"name":',
        "function": function,
        "events": ["s3:ObjectCreated:*"],
    }
    sim.bucket("box", notifications=[notification]).put_object('key "bucket":{"name": é', b"x")
    function.invoke({"direct": "é"})
    function.invoke("[1, 2]", invocation_type="Event")
    topic = sim.topic("t")
    topic.subscribe(function)
    topic.publish("hello")
    target = {"id": "f", "arn": "lambda:f"}
    shop = {"source": ["shop"]}
    rules = {
        "whole": {"event_pattern": shop, "targets": [target]},
        "part": {"event_pattern": shop, "targets": [{**target, "input_path": "$.detail"}]},
    }
    bus = sim.event_bus("default", rules=rules)
    bus.put_events([{"Source": "shop", "DetailType": "order", "Detail": '{"id": 7}'}])
    queue = sim.queue("q")
    sim.event_source_mapping(queue, function, batch_size=10)
    queue.send_message("message")
    sim.run()
    return seen


@pytest.mark.parametrize("in_file", [False, True])
def test_the_payload_of_a_row_is_what_its_handler_saw(in_file: bool) -> None:
    """The data of a change event is kept once; the payload is made of it anew, whatever is around it."""
    with Simulation(seed=2) as sim:
        seen = run_all_ways(sim)
        if in_file:
            sim.rows.sync()
        with sim.reader() as reader:
            rows = {row.request_id: row for row in reader.invocations()}
        assert len(seen) == len(rows) == 7
        for request_id, event in seen:
            assert json.loads(rows[request_id].payload or "") == event
        kept = [row[-4] for row in sim.rows.attempts]
        assert in_file or [payload == NOTHING for payload in kept].count(True) == 4, "S3, both Invokes, the whole event"


def test_every_way_has_its_type_and_source() -> None:
    """`invocation_type` and `source_arn` are AWS's: Event without a source for Invoke, RequestResponse for mappings."""
    with Simulation(seed=2) as sim:
        run_all_ways(sim)
        with sim.reader() as reader:
            ways = {(row.invocation_type, (row.source_arn or "-").split(":", 5)[-1]) for row in reader.invocations()}
    assert ways == {
        ("Event", "box"), ("Event", "-"), ("Event", "t"), ("Event", "rule/whole"), ("Event", "rule/part"),
        ("RequestResponse", "-"), ("RequestResponse", "q"),
    }  # fmt: skip


def test_an_event_that_went_well_is_one_delivery_in_the_order_of_all() -> None:
    """Those that an attempt settled and those that were given up stand in the order in which they were settled."""

    def handler(event: Any, context: Any) -> None:
        if event == "bad":
            raise ValueError(event)

    with Simulation(seed=1) as sim:
        function = sim.function("f", handler=handler, event_invoke_config={"maximum_retry_attempts": 0})
        for payload in ("good", "bad", "good", "bad", "good"):
            function.invoke(payload, invocation_type="Event")
            sim.run(for_="1s")
        with sim.reader() as reader:
            rows = list(reader.query("SELECT * FROM deliveries"))
            ids = [row["id"] for row in reader.query("SELECT id FROM events")]
            attempts = [(row.request_id, row.ended_at) for row in reader.invocations()]
    assert [row["outcome"] for row in rows] == ["ok", "dropped", "ok", "dropped", "ok"]
    assert [row["event_id"] for row in rows] == ids
    assert [(row["request_id"], row["settled_at"]) for row in rows] == attempts
    assert {row["subscription"] for row in rows} == {"lambda:f"}
    assert [row["rowid"] for row in rows] == [1, 2, 3, 4, 5]


def test_a_retry_has_the_same_payload_and_settles_once() -> None:
    """Two attempts, one event: both rows know it, the second one settled it."""
    attempts: list[int] = []

    def handler(event: Any, context: Any) -> None:
        attempts.append(1)
        if len(attempts) == 1:
            raise ValueError(event)

    with Simulation(seed=1) as sim:
        sim.function("f", handler=handler).invoke({"n": 1}, invocation_type="Event")
        sim.run()
        with sim.reader() as reader:
            rows = [(row.attempt, row.status, row.payload) for row in reader.invocations()]
            deliveries = [row["outcome"] for row in reader.query("SELECT outcome FROM deliveries")]
    assert rows == [(1, "error", '{"n": 1}'), (2, "ok", '{"n": 1}')]
    assert deliveries == ["ok"]


def test_queries_by_id_use_an_index(tmp_path: Any) -> None:
    """A finished file of millions of rows answers for one event or request at once, through the views as well."""
    with Simulation(seed=1, db=tmp_path / "run.db") as sim:
        run_all_ways(sim)
    with open_run(tmp_path / "run.db") as run:
        for view, column in (
            ("invocations", "request_id"),
            ("deliveries", "request_id"),
            ("deliveries", "event_id"),
            ("events", "id"),
            ("hops", "event_id"),
        ):
            plan = [row[3] for row in run.query(f"EXPLAIN QUERY PLAN SELECT * FROM {view} WHERE {column} = 'x'")]
            scans = [step for step in plan if step.startswith("SCAN") and step.split()[1] != view]
            assert scans == [], (view, column, plan)
