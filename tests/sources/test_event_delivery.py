"""How matched events are delivered: retries, dead letters, archives, replays; nothing is lost without a row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from worlds import StubTarget, Worldlet

from simbus import AwsError, Simulation
from simbus.kernel import HOUR, MINUTE, SECOND
from simbus.sources.eventbridge.bus import EventBus

OUT = AwsError("ServiceUnavailable", "out of service", 503)
RULE = "arn:aws:events:us-east-1:111111111111:rule/r"


def event(number: int = 1, **more: Any) -> dict[str, Any]:
    return {"Source": "shop", "DetailType": "order", "Detail": json.dumps({"n": number}), **more}


class Flaky(StubTarget):
    """Refuses so many times; notes when it was tried."""

    def __init__(self, stage: Worldlet, name: str) -> None:
        super().__init__(stage.world, name)
        self._timeline = stage.timeline
        self.failures = 0
        self.tried: list[int] = []
        stage.world.register(self)

    def accept(self, delivery: Any) -> None:
        self.tried.append(self._timeline.now)
        if self.failures:
            self.failures -= 1
            raise OUT
        super().accept(delivery)


class Stage(Worldlet):
    """A bus with one rule and one target, `sqs:target`, with the dead-letter queue `sqs:dead`."""

    def __init__(self, *, attempts: int = 185, age: int = 86_400, dead: bool = True, name: str = "sqs:target") -> None:
        super().__init__()
        self.target = Flaky(self, name)
        self.dead = self.stub("sqs:dead")
        self.eventbus = self.event_bus()
        self.eventbus.put_rule("r", event_pattern={"source": ["shop"]})
        policy = {"maximum_retry_attempts": attempts, "maximum_event_age_in_seconds": age}
        target = {"id": "t", "arn": self.target.arn, "retry_policy": policy}
        self.eventbus.put_targets("r", [{**target, "dead_letter_config": {"arn": self.dead.arn}} if dead else target])

    def put(self) -> None:
        self.eventbus.put_events([event()])
        self.timeline.run()

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        return [(row[2], row[4]) for row in self.rows.deliveries]

    @property
    def attributes(self) -> dict[str, str]:
        [letter] = self.dead.deliveries
        assert letter.attributes is not None
        assert {value["DataType"] for value in letter.attributes.values()} == {"String"}
        return {name: value["StringValue"] for name, value in letter.attributes.items()}


def test_a_target_that_comes_back_gets_the_event() -> None:
    """Retried with exponential back-off and full jitter: before retry n at most 2^n seconds, at most 512 s."""
    stage = Stage()
    stage.target.failures = 12
    stage.put()
    assert stage.outcomes == [("sqs:target", "ok")]
    pauses = [after - before for before, after in pairwise(stage.target.tried)]
    assert len(pauses) == 12
    assert all(pause <= min(2**n, 512) * SECOND for n, pause in enumerate(pauses, 1))
    assert max(pauses) > 60 * SECOND


def test_the_attempts_are_exhausted() -> None:
    """The event itself goes to the dead-letter queue, with six attributes (user guide, "Using dead-letter queues")."""
    stage = Stage(attempts=3)
    stage.target.failures = 1000
    stage.put()
    assert len(stage.target.tried) == 4
    assert stage.attributes == {
        "RULE_ARN": RULE,
        "TARGET_ARN": stage.target.arn,
        "ERROR_CODE": "ERROR_FROM_TARGET",
        "ERROR_MESSAGE": "out of service",
        "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
        "RETRY_ATTEMPTS": "3",
    }
    assert json.loads(stage.dead.deliveries[0].payload)["detail"] == {"n": 1}
    assert stage.outcomes == [("sqs:target", "dead_letter")]


def test_185_retries_are_the_default() -> None:
    """The default policy: 185 retries, 24 hours, whichever ends first."""
    stage = Stage()
    stage.target.failures = 1000
    stage.put()
    assert stage.timeline.now <= 24 * HOUR
    assert stage.attributes["EXHAUSTED_RETRY_CONDITION"] == "MaximumRetryAttempts"
    assert len(stage.target.tried) == 186


def test_the_event_is_too_old() -> None:
    """Given up at MaximumEventAgeInSeconds, not before and not after."""
    stage = Stage(age=60)
    stage.target.failures = 1000
    stage.put()
    assert stage.timeline.now == 60 * SECOND
    assert stage.attributes["EXHAUSTED_RETRY_CONDITION"] == "MaximumEventAgeInSeconds"


@pytest.mark.parametrize(
    ("error", "code", "retried"),
    [
        (AwsError("ResourceNotFoundException", "gone", 404), "NO_RESOURCE", False),
        (AwsError("AWS.SimpleQueueService.NonExistentQueue", "gone", 400), "NO_RESOURCE", False),
        (AwsError("AccessDeniedException", "no", 403), "NO_PERMISSIONS", False),
        (AwsError("InvalidParameterValue", "bad", 400), "SDK_CLIENT_ERROR", False),
        (AwsError("TooManyRequestsException", "slow", 429), "THROTTLING", True),
        (AwsError("ProvisionedThroughputExceededException", "slow", 400), "THROTTLING", True),
        (OUT, "ERROR_FROM_TARGET", True),
    ],
)
def test_which_errors_are_retried(error: AwsError, code: str, retried: bool) -> None:
    """5xx and throttles are; what no retry can mend goes straight to the dead-letter queue."""
    stage = Stage(attempts=1)
    stage.target.failing = error
    stage.put()
    assert stage.attributes["ERROR_CODE"] == code
    assert stage.attributes["RETRY_ATTEMPTS"] == ("1" if retried else "0")
    assert ("EXHAUSTED_RETRY_CONDITION" in stage.attributes) == retried


def test_a_target_that_does_not_exist() -> None:
    """Straight to the dead-letter queue, without a retry."""
    stage = Stage()
    del stage.world.targets[stage.target.arn]
    stage.put()
    assert stage.timeline.now == 0
    assert stage.attributes["ERROR_CODE"] == "NO_RESOURCE"


@pytest.mark.parametrize("dead", [False, True])
def test_nowhere_to_go(dead: bool) -> None:
    """No dead-letter queue, or one that refuses as well: the event is dropped, and a hop says why."""
    stage = Stage(dead=dead)
    stage.target.failing = AwsError("AccessDenied", "no", 403)
    stage.dead.failing = OUT
    stage.put()
    assert stage.outcomes == [("sqs:target", "dropped")]
    [hop] = [row for row in stage.rows.hops if row[2] == "dropped"]
    assert hop[4].startswith("NO_PERMISSIONS: no")


def test_a_retry_that_outlives_the_run_is_held() -> None:
    """At the end of the run it is neither delivered nor lost."""
    stage = Stage()
    stage.target.failures = 1000
    stage.eventbus.put_events([event()])
    stage.timeline.run(MINUTE)
    stage.eventbus.final_rows()
    assert stage.outcomes == [("sqs:target", "held")]


def test_only_the_hand_off_to_a_function_counts() -> None:
    """A function that fails has got its event: its own retries and dead letters follow, not the rule's."""
    with Simulation(seed=1) as sim:

        def fail(given: Any, context: Any) -> None:
            raise ValueError("no")

        function = sim.function("f", handler=fail)
        bus = sim.event_bus("default")
        bus.put_rule("r", event_pattern={"source": ["shop"]})
        bus.put_targets("r", [{"arn": function.arn, "dead_letter_config": {"arn": sim.queue("dead").arn}}])
        bus.put_events([event()])
        sim.run()
        assert len(function.invocations) == 3
        assert sim["sqs:dead"].messages == []


def test_a_template_that_makes_no_json() -> None:
    """An object inside of the quotes of a JSON template: INVALID_JSON; a text that is no JSON: Lambda refuses it."""
    for template, name, code in (
        ('{"a": "<all>"}', "sqs:target", "INVALID_JSON"),
        ('"<quote>"', "lambda:target", "SDK_CLIENT_ERROR"),
    ):
        stage = Stage(name=name)
        paths = {"all": "$.detail", "quote": "$.detail.quote"}
        target = {
            "id": "t",
            "arn": stage.target.arn,
            "input_transformer": {"input_paths_map": paths, "input_template": template},
            "dead_letter_config": {"arn": stage.dead.arn},
        }
        stage.eventbus.put_targets("r", [target])
        stage.eventbus.put_events([event(Detail={"quote": 'a " b'})])
        assert stage.attributes["ERROR_CODE"] == code
        assert stage.target.deliveries == []


@given(
    st.lists(st.tuples(st.sampled_from(["shop", "other"]), st.integers(0, 20)), min_size=1, max_size=12),
    st.lists(st.tuples(st.booleans(), st.sampled_from([None, 403, 503, "flaky"])), min_size=1, max_size=5),
)
def test_nothing_is_lost(events: list[tuple[str, int]], targets: list[tuple[bool, Any]]) -> None:
    """Every (matched event, target) ends exactly once: delivered, in the dead-letter queue, or counted as dropped."""
    stage = Worldlet()
    dead, bus = stage.stub("sqs:dead"), stage.event_bus()
    bus.put_rule("r", event_pattern={"source": ["shop"]})
    stubs = []
    for number, (has_dead, behaviour) in enumerate(targets):
        stub = stage.stub(f"sqs:t{number}")
        stubs.append(stub)
        if behaviour is not None:
            stub.failing = AwsError("X", "no", 503 if behaviour == "flaky" else behaviour)
        if behaviour == "flaky":
            stage.timeline.at(30 * SECOND, lambda stub: setattr(stub, "failing", None), stub)
        target = {"id": f"t{number}", "arn": stub.arn, "retry_policy": {"maximum_retry_attempts": 4}}
        bus.put_targets("r", [{**target, "dead_letter_config": {"arn": dead.arn}} if has_dead else target])
    for source, delay in events:
        stage.timeline.at(delay * SECOND, lambda source: bus.put_events([event(Source=source)]), source)
    stage.timeline.run()
    matched = sum(source == "shop" for source, _ in events)
    outcomes = [(row[0], row[2], row[4]) for row in stage.rows.deliveries]
    assert len(outcomes) == len({each[:2] for each in outcomes}) == matched * len(targets)
    delivered = sum(len(stub.deliveries) for stub in stubs)
    ended = [outcome for *_, outcome in outcomes]
    assert (ended.count("ok"), ended.count("dead_letter")) == (delivered, len(dead.deliveries))
    assert ended.count("dropped") == matched * len(targets) - delivered - len(dead.deliveries)


# --- archives and replays ---------------------------------------------------------------------------------------------


@pytest.fixture
def sim() -> Iterator[Simulation]:
    with Simulation(seed=1) as simulation:
        yield simulation


@pytest.fixture
def bus(sim: Simulation) -> EventBus:
    sim.queue("q", visibility_timeout=43_200)
    return sim.event_bus("default", rules={"r": {"event_pattern": {"source": ["shop"]}, "targets": ["sqs:q"]}})


def numbers(sim: Simulation) -> list[int]:
    """The numbers of the events that have come, and delete them."""
    queue, found = sim["sqs:q"], []
    while messages := queue.receive_messages(10):
        for message in messages:
            found.append(json.loads(message.body)["detail"]["n"])
            queue.delete_message(message.receipt_handle)
    return found


def refused(call: Any, *args: Any, **options: Any) -> tuple[str, str]:
    with pytest.raises(AwsError) as caught:
        call(*args, **options)
    return caught.value.code, caught.value.message


def test_the_life_of_an_archive(sim: Simulation, bus: EventBus) -> None:
    """CreateArchive to DeleteArchive in AWS's JSON, with its errors (recordings TestArchive::*)."""
    arn = "arn:aws:events:us-east-1:000000000000:archive/all"
    created = bus.create_archive("all", event_pattern={"source": ["shop"]}, retention_days=1, description="d")
    assert (created["ArchiveArn"], created["State"]) == (arn, "ENABLED")
    bus.put_events([event(), event(Source="other")])
    described = bus.describe_archive("all")
    assert described.pop("CreationTime") == created["CreationTime"]
    assert described.pop("SizeBytes") > 200
    assert described == {
        "ArchiveArn": arn,
        "ArchiveName": "all",
        "Description": "d",
        "EventPattern": '{"source": ["shop"]}',
        "EventSourceArn": bus.arn,
        "EventCount": 1,
        "RetentionDays": 1,
        "State": "ENABLED",
    }
    bus.update_archive("all", retention_days=0, event_pattern="{}")
    bus.put_events([event(Source="other")])
    [listed] = bus.list_archives(event_source_arn=bus.arn)["Archives"]
    assert (listed["EventCount"], listed["RetentionDays"]) == (2, 0)
    assert bus.list_archives(name_prefix="x") == {"Archives": []}
    assert refused(sim.event_bus("other").create_archive, "all") == (
        "ResourceAlreadyExistsException",
        "Archive all already exists.",
    )
    bus.delete_archive("all")
    for call in (bus.describe_archive, bus.update_archive, bus.delete_archive):
        assert refused(call, "all") == ("ResourceNotFoundException", "Archive all does not exist.")
    assert refused(bus.create_archive, "x", event_pattern='{"a": 1}')[0] == "InvalidEventPatternException"
    assert refused(bus.create_archive, "x", retention_days=-1)[0] == "ValidationException"


def test_an_archive_forgets(sim: Simulation, bus: EventBus) -> None:
    """What is older than the retention is dropped, so that memory is bounded by it."""
    bus.create_archive("all", retention_days=1)
    for hour in range(72):
        sim.at(f"{hour}h", lambda: bus.put_events([event()]))
    sim.run()
    assert bus.describe_archive("all")["EventCount"] == 24
    assert len(bus._archives.archives["all"]._events) == 24


def test_minutes_are_replayed_in_their_order(sim: Simulation, bus: EventBus) -> None:
    """By the event's own time, minute by minute; within one the order is any (API reference, StartReplay)."""
    bus.create_archive("all")
    for number in range(30):
        bus.put_events([event(number, Time=f"2025-12-31T23:{59 - number // 10}:{number % 10:02}Z")])
    assert sorted(numbers(sim)) == list(range(30))
    bus.start_replay("again", "all", "2025-12-31T23:58:00Z", "2025-12-31T23:59:59Z")
    sim.run()
    again = numbers(sim)
    assert (sorted(again[:10]), sorted(again[10:])) == (list(range(10, 20)), list(range(10)))
    assert again[:10] != sorted(again[:10])
    assert bus.describe_archive("all")["EventCount"] == 30
    described = bus.describe_replay("again")
    assert described["State"] == "COMPLETED"
    assert described["EventLastReplayedTime"].isoformat() == "2025-12-31T23:59:09+00:00"


def test_a_replay_goes_to_the_rules_that_it_names(sim: Simulation, bus: EventBus) -> None:
    """FilterArns: only these rules see it; their patterns count all the same."""
    other = sim.queue("other")
    bus.put_rule("other", event_pattern={"source": ["shop"]})
    bus.put_targets("other", [other])
    bus.create_archive("all")
    bus.put_events([event()])
    arn = "arn:aws:events:us-east-1:000000000000:rule/other"
    destination = {"Arn": bus.arn, "FilterArns": [arn]}
    bus.start_replay("again", "all", sim.calendar, "2026-01-02", destination=destination)
    sim.run()
    assert (len(numbers(sim)), len(other.messages)) == (1, 2)
    first, again = (json.loads(message.body) for message in other.messages)
    assert again == {**first, "replay-name": "again"}


def test_replays_that_are_refused(sim: Simulation, bus: EventBus) -> None:
    """AWS's words (recordings TestReplay::test_start_replay_error_*)."""
    bus.create_archive("all")
    start, end = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
    bus.start_replay("one", "all", start, end)
    parameter = "Parameter {} is not valid. Reason: {}"

    def answer(name: str = "x", archive: str = "all", begin: str = start, finish: str = end, **more: Any) -> Any:
        return refused(bus.start_replay, name, archive, begin, finish, **more)

    assert answer("one") == ("ResourceAlreadyExistsException", "Replay one already exists.")
    reason = parameter.format("EventSourceArn", "Archive nope does not exist.")
    assert answer(archive="arn:aws:events:us-east-1:0:archive/nope") == ("ValidationException", reason)
    reason = parameter.format("EventEndTime", "EventStartTime must be before EventEndTime.")
    assert answer(finish=start) == ("ValidationException", reason)
    sim.event_bus("other")
    reason = parameter.format("Destination.Arn", "Cross event bus replay is not permitted.")
    assert answer(destination="events:other") == ("ValidationException", reason)
    unknown = {"Arn": bus.arn.replace("default", "nope")}
    assert answer(destination=unknown) == ("ResourceNotFoundException", "Event bus nope does not exist.")
    reason = parameter.format("Destination.Arn", "Must contain an event bus ARN.")
    assert answer(destination={"Arn": "arn:aws:sqs:us-east-1:0:q"}) == ("ValidationException", reason)
    missing = ("ResourceNotFoundException", "Replay nope does not exist.")
    assert refused(bus.describe_replay, "nope") == refused(bus.cancel_replay, "nope") == missing
    for number in range(9):
        bus.start_replay(f"more-{number}", "all", start, end)
    assert answer() == ("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
    sim.run()
    assert {replay["State"] for replay in bus.list_replays()["Replays"]} == {"COMPLETED"}
    assert refused(bus.cancel_replay, "one")[0] == "IllegalStatusException"


def test_a_running_replay_is_cancelled(sim: Simulation, bus: EventBus) -> None:
    """No further minute is played; CANCELLING, then CANCELLED."""
    bus.create_archive("all")
    for number in range(5):
        bus.put_events([event(number, Time=f"2025-12-31T23:5{number}:00Z")])
    numbers(sim)
    bus.start_replay("again", "all", "2025-12-31", "2026-01-01")
    sim.run(for_="61s500ms")
    assert bus.describe_replay("again")["State"] == "RUNNING"
    assert bus.cancel_replay("again")["State"] == "CANCELLING"
    sim.run()
    assert bus.describe_replay("again")["State"] == "CANCELLED"
    assert numbers(sim) == [0, 1]
