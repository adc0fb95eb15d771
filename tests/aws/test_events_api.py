"""EventBridge through boto3. Facts: EventBridge API reference, unless said otherwise."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from simbus import Simulation

boto3 = pytest.importorskip("boto3", reason="needs the extra boto3")


@pytest.fixture
def sim() -> Iterator[Simulation]:
    with Simulation(seed=1) as simulation:
        yield simulation


def test_a_handler_puts_what_a_rule_sends_on(sim: Simulation) -> None:
    """PutEvents of a handler reaches the target of a rule that a test made through boto3."""

    def shop(event: Any, context: Any) -> int:
        detail = json.dumps({"id": event["id"], "total": 7})
        entry = {"Source": "shop", "DetailType": "order", "Detail": detail, "EventBusName": "orders"}
        return int(boto3.client("events").put_events(Entries=[entry])["FailedEntryCount"])

    def bill(event: Any, context: Any) -> None:
        seen.append((event["detail-type"], event["detail"]["id"]))

    seen: list[Any] = []
    function = sim.function("bill", handler=bill)
    events = sim.client("events")
    arn = events.create_event_bus(Name="orders", Tags=[{"Key": "a", "Value": "b"}])["EventBusArn"]
    rule = events.put_rule(
        Name="big", EventBusName="orders", EventPattern='{"detail": {"total": [{"numeric": [">", 5]}]}}'
    )
    assert rule["RuleArn"].endswith(":rule/orders/big")
    assert (
        events.put_targets(Rule="big", EventBusName=arn, Targets=[{"Id": "1", "Arn": function.arn}])["FailedEntryCount"]
        == 0
    )
    assert sim.function("shop", handler=shop).invoke({"id": 3}).json() == 0
    sim.run()
    assert seen == [("order", 3)]
    assert events.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    assert events.list_targets_by_rule(Rule="big", EventBusName="orders")["Targets"] == [
        {"Id": "1", "Arn": function.arn}
    ]


def test_a_replay_of_an_archive(sim: Simulation) -> None:
    """CreateArchive, StartReplay with datetimes, DescribeReplay with a datetime that botocore's users get."""
    events, queue = sim.client("events"), sim.queue("all")
    bus = events.describe_event_bus()["Arn"]
    archive = events.create_archive(ArchiveName="a", EventSourceArn=bus)["ArchiveArn"]
    events.put_rule(Name="r", EventPattern='{"source": ["shop"]}')
    events.put_targets(Rule="r", Targets=[{"Id": "q", "Arn": queue.arn}])
    events.put_events(Entries=[{"Source": "shop", "DetailType": "t", "Detail": "{}"}])
    sim.run(for_="10m")
    start, end = sim.calendar - timedelta(hours=1), sim.calendar
    events.start_replay(
        ReplayName="again", EventSourceArn=archive, EventStartTime=start, EventEndTime=end, Destination={"Arn": bus}
    )
    sim.run(for_="10m")
    described = events.describe_replay(ReplayName="again")
    assert (described["State"], described["EventStartTime"]) == ("COMPLETED", start)
    assert [json.loads(message.body).get("replay-name") for message in queue.messages] == [None, "again"]


def test_rules_are_listed_changed_and_deleted(sim: Simulation) -> None:
    """ListRules pages; a rule with targets can't be deleted; RemoveTargets says what is not there."""
    events, queue = sim.client("events"), sim.queue("q")
    for number in range(3):
        events.put_rule(Name=f"r{number}", ScheduleExpression="rate(1 hour)", State="DISABLED")
    pages = events.get_paginator("list_rules").paginate(PaginationConfig={"PageSize": 2})
    assert [[rule["Name"] for rule in page["Rules"]] for page in pages] == [["r0", "r1"], ["r2"]]
    events.enable_rule(Name="r0")
    assert events.describe_rule(Name="r0")["State"] == "ENABLED"
    events.put_targets(Rule="r0", Targets=[{"Id": "1", "Arn": queue.arn}])
    assert events.list_rule_names_by_target(TargetArn=queue.arn)["RuleNames"] == ["r0"]
    with pytest.raises(events.exceptions.ClientError, match="Rule can't be deleted since it has targets"):
        events.delete_rule(Name="r0")
    assert events.remove_targets(Rule="r0", Ids=["1", "2"])["FailedEntries"][0]["TargetId"] == "2"
    events.delete_rule(Name="r0")
    with pytest.raises(events.exceptions.ResourceNotFoundException):
        events.describe_rule(Name="r0")


def test_a_bus_that_is_deleted_is_gone(sim: Simulation) -> None:
    """DeleteEventBus of one that does not exist is no error; its name is free again."""
    events = sim.client("events")
    for _ in range(2):
        events.create_event_bus(Name="b", Description="mine")
        assert events.describe_event_bus(Name="b")["Description"] == "mine"
        events.delete_event_bus(Name="b")
        events.delete_event_bus(Name="b")
    assert [bus["Name"] for bus in events.list_event_buses()["EventBuses"]] == ["default"]
    with pytest.raises(events.exceptions.ResourceNotFoundException):
        events.describe_event_bus(Name="b")


def test_a_pattern_is_tried(sim: Simulation) -> None:
    """TestEventPattern."""
    events = sim.client("events")
    event = json.dumps({"source": "shop", "detail-type": "t", "detail": {"n": 3}})
    assert events.test_event_pattern(EventPattern='{"detail": {"n": [3]}}', Event=event)["Result"] is True
    with pytest.raises(events.exceptions.InvalidEventPatternException):
        events.test_event_pattern(EventPattern='{"detail": 3}', Event=event)
