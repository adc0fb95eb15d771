"""The column `parent` of the rows `events`: what each change event was caused by."""

from __future__ import annotations

from typing import Any

import pytest

from simbus import Simulation


def causes(sim: Simulation) -> dict[str, str | None]:
    """For each event, by source and type, what caused it: the source and type of an event, or the text itself."""
    with sim.reader() as reader:
        rows = [dict(row) for row in reader.query("SELECT * FROM events ORDER BY rowid")]
    names = {row["id"]: f"{row['source']} {row['type']}" for row in rows}
    return {names[row["id"]]: names.get(row["parent"], row["parent"]) for row in rows}


def test_s3_causes_an_event_on_the_bus(sim: Simulation) -> None:
    """S3 sends the event of a bucket to EventBridge: what is on the bus was caused by it."""
    sim.bucket("uploads", eventbridge=True).put_object("a")
    sim.run()
    assert causes(sim)["events:default Object Created"] == "s3:uploads ObjectCreated:Put"


def test_one_bus_causes_an_event_on_another(sim: Simulation) -> None:
    """A rule that sends events to another bus."""
    other = sim.event_bus("other")
    sim.event_bus("default", rules={"all": {"event_pattern": {"source": ["shop"]}, "targets": [other]}})
    sim["events:default"].put_events([{"source": "shop", "detail_type": "order", "detail": {}}])
    sim.run()
    assert causes(sim) == {"events:default order": None, "events:other order": "events:default order"}


def test_a_topic_causes_a_message(sim: Simulation) -> None:
    """SNS puts a message into each queue that is subscribed."""
    topic = sim.topic("alerts")
    topic.subscribe(sim.queue("jobs"))
    topic.publish("hello")
    sim.run()
    assert causes(sim)["sqs:jobs SendMessage"] == "sns:alerts Notification"


def test_a_schedule_causes_its_events(sim: Simulation) -> None:
    """The parent is the ARN of the rule."""
    rule = {"schedule_expression": "rate(1 hour)", "targets": [sim.queue("jobs")]}
    sim.event_bus("default", rules={"hourly": rule})
    sim.run(for_="1h")
    assert causes(sim)["events:default Scheduled Event"] == "arn:aws:events:us-east-1:000000000000:rule/hourly"


def test_a_replay_of_an_archive_causes_events(sim: Simulation) -> None:
    """Each was caused by the event that the archive kept."""
    bus = sim.event_bus("default", archives={"all": {}})
    bus.put_events([{"source": "shop", "detail_type": "order", "detail": {}}])
    start = sim.calendar
    sim.run(for_="1m")
    bus.start_replay("again", "all", start, sim.calendar)
    sim.run()
    with sim.reader() as reader:
        first, again = [dict(row) for row in reader.query("SELECT * FROM events ORDER BY rowid")]
    assert (first["parent"], again["parent"]) == (None, first["id"])


def test_what_a_handler_puts_was_caused_by_its_request(sim: Simulation) -> None:
    """And what follows of it by the event, so that the way back goes through each of them."""
    bucket = sim.bucket("uploads", eventbridge=True)
    function = sim.function("f", handler=lambda event, context: bucket.put_object("a")["ETag"])
    answer = function.invoke({})
    sim.run()
    found = causes(sim)
    assert found["s3:uploads ObjectCreated:Put"] == answer.request_id
    assert found["events:default Object Created"] == "s3:uploads ObjectCreated:Put"


def test_a_redrive_causes_a_message(sim: Simulation) -> None:
    """StartMessageMoveTask puts a new message where the old one came from."""
    failed = sim.queue("failed")
    jobs = sim.queue("jobs", redrive_policy={"dead_letter_target_arn": "sqs:failed", "max_receive_count": 1})
    failed.send_message("a")
    failed.start_message_move_task(jobs.arn)
    sim.run()
    assert causes(sim) == {"sqs:failed SendMessage": None, "sqs:jobs SendMessage": "sqs:failed SendMessage"}


@pytest.mark.parametrize(("service", "found"), [("dynamodb", "orders REMOVE"), ("s3", "old ObjectRestore:Completed")])
def test_what_a_service_does_by_itself(sim: Simulation, service: str, found: str) -> None:
    """Time to live and the end of a restore: the parent is the service, as in the record's userIdentity."""
    table: Any = sim.table("orders", hash_key="id", ttl_attribute="ends")
    table.put_item({"id": {"S": "1"}, "ends": {"N": str(sim.world.epoch_ms() // 1000 + 60)}})
    bucket = sim.bucket("old")
    bucket.put_object("a", storage_class="GLACIER")
    bucket.restore_object("a")
    sim.run(for_="12h")
    assert causes(sim)[f"{service}:{found}"] == f"{service}.amazonaws.com"
