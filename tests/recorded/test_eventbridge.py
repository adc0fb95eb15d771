"""EventBridge against the recordings of AWS: eventbridge_core, _targets, _inputs and _archive_replay.

Each case is built from its `setup`, fed with its `inputs`, and what reached the targets is compared field for field.
The patterns (eventbridge_patterns) are compared in tests/filtering/test_filtering_recorded.py.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

import pytest
from aws_recorded import ACCOUNT, REGION, equal, fill, load_case, load_cases

from simbus import Account, Simulation
from simbus.sources.eventbridge.bus import EventBus

_DATE = re.compile(r'(?<=[ "])date(?=[ ,"])')
FILES = ("eventbridge_core", "eventbridge_targets", "eventbridge_inputs", "eventbridge_archive_replay")


class Case(NamedTuple):
    """`verdict`: equal, different or not applicable, and why."""

    verdict: str = "equal"
    why: str = ""


NESTED = "TestInputTransformer::test_input_transformer_nested_keys_replacement"
TEXT = "TestInputTransformer::test_put_events_with_input_transformer_input_template_string"
PREDEFINED = "<aws.events.rule-arn> <aws.events.rule-name> <aws.events.event.ingestion-time>"
ALL_VARIABLES = f'"Message containing all pre defined variables {PREDEFINED}"'
LISTS = (
    '"<listsingle> single list item <listmulti> multiple list items <systemstring> system account id <payload> payload '
    '<userId> user id"'
)
# What reached the queues or functions is compared; `parts` of the recording in the order of the boxes.
DELIVERED = {
    "eventbridge_core": [
        "TestEvents::test_put_events_time",
        "TestEvents::test_put_events_response_entries_order",
        "TestEventBus::test_put_events_bus_to_bus[path]",
        "TestEventRule::test_process_to_multiple_matching_rules_single_target",
    ],
    "eventbridge_targets": [
        "TestEventsTargetEvents::test_put_events_with_target_events[bus_combination1]",
        "TestEventsTargetEvents::test_put_events_with_target_events[bus_combination2]",
        "TestEventsTargetLambda::test_put_events_with_target_lambda_list_entry",
        "TestEventsTargetLambda::test_put_events_with_target_lambda_list_entries_partial_match",
        "TestEventsTargetSns::test_put_events_with_target_sns[standard]",
        "TestEventsTargetSns::test_put_events_with_target_sns[domain]",
        "TestEventsTargetSqs::test_put_events_with_target_sqs",
    ],
    "eventbridge_inputs": [
        "TestInputPath::test_put_events_with_input_path",
        "TestInputPath::test_put_events_with_input_path_nested[event_detail0]",
        "TestInputPath::test_put_events_with_input_path_nested[event_detail1]",
        "TestInputPath::test_put_events_with_input_path_multiple_targets",
        "TestInputTransformer::test_put_events_with_input_transformer_input_template_json",
        f"TestInputTransformer::test_input_transformer_predefined_variables[{ALL_VARIABLES}]",
        f'{TEXT}["Event of <detail-type> type, at time <timestamp>, info extracted from detail <command>"]',
        f'{TEXT}["{{[/Check with special starting characters for event of <detail-type> type"]',
        f'{NESTED}[{{"method": "PUT", "path": "users-service/users/<userId>", "bod": <payload>}}]',
        f'{NESTED}["Payload of <payload> with path users-service/users/<userId> and <userId>"]',
        f'{NESTED}[{{"method": "PUT", "path": "users-service/users/<userId>", "id": <userId>, "body": <payload>}}]',
        f'{NESTED}[{{"method": "PUT", "path": "users-service/users/<userId>", "bod": [<userId>, "hardcoded"]}}]',
        f'{NESTED}[{{"method": "PUT", "nested": {{"level1": {{"level2": {{"level3": "users-service/users/<userId>"'
        '} } }, "bod": "<userId>"}]',
        f'{NESTED}[{{"id" : <userId>}}]',
        f'{NESTED}[{{"singlelistitem": <listsingle>}}]',
        f"{NESTED}[{LISTS}]",
        f'{NESTED}[{{"multi_replacement": "users/<userId>/second/<userId>"}}]',
    ],
}
OWN_TESTS = {
    "TestEventRule::test_put_multiple_rules_with_same_name": Case(),
    "TestEventsTargetCloudWatchLogs::test_put_events_with_target_cloudwatch_logs": Case(),
    "TestReplay::test_start_list_describe_canceled_replay[default]": Case(),
}
CASES = {**{name: Case() for names in DELIVERED.values() for name in names}, **OWN_TESTS}


def test_every_recorded_case_is_in_the_table() -> None:
    """The table names every case of the four files and nothing else."""
    names = [case["name"] for file in FILES for case in load_cases(file)]
    assert not names or sorted(names) == sorted(CASES)


class Play:
    """Plays one recorded case; functions keep what they get, queues what reaches them."""

    def __init__(self, file: str, name: str) -> None:
        self.case = load_case(file, name)
        self.sim = Simulation(seed=1, account=Account(id=ACCOUNT, region=REGION))
        self.events: list[Any] = []
        self.answers: list[dict[str, Any]] = []
        self.topic_arn = ""

    def __enter__(self) -> Play:
        for requests in fill(self.case["setup"]).values():
            for each in requests:
                if each["op"] == "lambda:CreateFunction":
                    self._call(each)
        for each in fill(self.case["setup"]).get("resource", ()):
            self._call(each)
        return self

    def __exit__(self, *_: object) -> None:
        self.sim.close()

    def feed(self) -> None:
        for each in fill(self.case["inputs"]):
            for _ in range(each.get("times", 1)):
                self._call(each)
        self.sim.run()

    def _call(self, request: dict[str, Any]) -> None:
        operation = getattr(self, "_" + request["op"].replace(":", "_"), None)
        if operation is not None:
            operation(**request["params"])

    def bus(self, name: str = "default") -> EventBus:
        return self.sim[f"events:{name.rpartition('/')[2]}"]

    def _lambda_CreateFunction(self, FunctionName: str, **_: Any) -> None:
        self.sim.function(FunctionName, handler=lambda event, context: self.events.append(event))

    def _sqs_CreateQueue(self, QueueName: str) -> None:
        self.sim.queue(QueueName)

    def _sns_CreateTopic(self, Name: str) -> None:
        self.topic_arn = self.sim.topic(Name).arn

    def _sns_Subscribe(self, Endpoint: str, **_: Any) -> None:
        self.sim["sns:topic-1"].subscribe(Endpoint)

    def _events_CreateEventBus(self, Name: str) -> None:
        bus = self.sim.event_bus(Name)
        self.answers.append({"EventBusArn": bus.arn})

    def _events_PutRule(
        self, Name: str, EventPattern: str, EventBusName: str = "default", State: str = "ENABLED", **_: Any
    ) -> None:
        self.answers.append(self.bus(EventBusName).put_rule(Name, event_pattern=EventPattern, state=State))

    def _events_PutTargets(self, Rule: str, Targets: list[Any], EventBusName: str = "default") -> None:
        self.answers.append(self.bus(EventBusName).put_targets(Rule, Targets))

    def _events_PutEvents(self, Entries: list[Any]) -> None:
        self.answers.append(self.bus().put_events(Entries))

    def _events_CreateArchive(
        self, ArchiveName: str, EventSourceArn: str, EventPattern: str, RetentionDays: int
    ) -> None:
        bus = self.bus(EventSourceArn)
        bus.create_archive(ArchiveName, event_pattern=EventPattern, retention_days=RetentionDays)

    def received(self, queue: str) -> list[dict[str, Any]]:
        """Each message of a queue as ReceiveMessage shows it; it is deleted."""
        found = []
        for message in self.sim[f"sqs:{queue}"].receive_messages(10):
            self.sim[f"sqs:{queue}"].delete_message(message.receipt_handle)
            shown = {
                "MessageId": message.message_id,
                "ReceiptHandle": message.receipt_handle,
                "MD5OfBody": message.md5_of_body,
                "Body": message.body,
            }
            found.append(shown)
        return found

    @property
    def queues(self) -> list[list[dict[str, Any]]]:
        return [self.received(queue.resource) for queue in self.sim.resources("sqs")]


def metadata(answer: dict[str, Any]) -> dict[str, Any]:
    return {**answer, "ResponseMetadata": {"HTTPHeaders": {}, "HTTPStatusCode": 200}}


def masked(recorded: Any) -> Any:
    """A recording as `equal` reads it."""
    if isinstance(recorded, dict):
        return {key: masked(value) for key, value in recorded.items()}
    if isinstance(recorded, list):
        return [masked(value) for value in recorded]
    if isinstance(recorded, str) and recorded == "m-d5-of-body":
        return "<m-d5-of-body>"
    if isinstance(recorded, str) and recorded != "date":  # inside of a text the recorder's words stand bare
        return _DATE.sub("<datetime>", recorded.replace('"id":"message-id"', '"id":"<uuid>"'))
    return recorded


@pytest.mark.parametrize(("file", "name"), [(file, name) for file, names in DELIVERED.items() for name in names])
def test_what_reaches_the_targets(file: str, name: str) -> None:
    """The recorded messages and events, field for field (recording: the case's name)."""
    with Play(file, name) as play:
        play.feed()
        recorded = masked(play.case["recorded"])
        if "events" in recorded:
            equal(recorded["events"], play.events)
            return
        parts = recorded.pop("sqs-messages", recorded)
        queues = [queue for queue in play.queues if queue]
        if name.endswith("response_entries_order"):
            detail = json.loads(play.case["inputs"][0]["params"]["Entries"][0]["Detail"])
            for part in parts.values():
                part[0]["Body"]["detail"] = detail  # the recorder has masked it
            equal(play.case["recorded_api"]["put-events-response"], metadata(play.answers[-1]))
            assert json.loads(queues[0][0]["Body"])["id"] == play.answers[-1]["Entries"][0]["EventId"]
        equal(list(parts.values()), queues)


def test_rules_of_the_same_name() -> None:
    """PutRule of an existing name replaces the rule: one ARN, one rule (test_put_multiple_rules_with_same_name)."""
    with Play("eventbridge_core", "test_put_multiple_rules_with_same_name") as play:
        api = {**play.case["recorded_api"], **play.case["recorded"]}
        first, again = play.answers[-2:]
        rules = play.bus("bus-1").list_rules()
        actual = {"put-rule": metadata(first), "list-rules": metadata(rules), "re-put-rule": metadata(again)}
        equal({name: api[name] for name in actual}, actual)


def test_a_log_group_as_target() -> None:
    """The event is the message of one log event (test_put_events_with_target_cloudwatch_logs)."""
    with Play("eventbridge_targets", "test_put_events_with_target_cloudwatch_logs") as play:
        play.feed()
        with play.sim.reader() as reader:
            rows = list(reader.query("SELECT timestamp, message, ingestion_time FROM log_events"))
            groups = list(reader.query("SELECT log_group FROM log_streams"))
        log_events = [
            {"timestamp": timestamp, "message": message, "ingestionTime": ingestion_time}
            for timestamp, message, ingestion_time in rows
        ]
        names = ("event_bus_response", "rule_response", "put_targets_response", "put_events_response")
        actual = dict(zip(names, map(metadata, play.answers), strict=True))
        equal({**play.case["recorded"], **play.case["recorded_api"]}, {"log_events": log_events, **actual})
        assert [tuple(group) for group in groups] == [("log-group-1",)]


def test_a_replay_and_one_that_is_cancelled() -> None:
    """STARTING, COMPLETED, CANCELLING; the three events again, with `replay-name` (the case's name)."""
    with Play("eventbridge_archive_replay", "test_start_list_describe_canceled_replay[default]") as play:
        put, first, second = (each["params"] for each in fill(play.case["inputs"]))
        play.bus().put_events(put["Entries"])
        play.sim.run(for_="1m")
        assert len(play.received("queue-1")) == 3
        started = play.bus().start_replay(**replay(first))
        play.sim.run()
        listed = play.bus().list_replays(name_prefix=first["ReplayName"])
        described = play.bus().describe_replay(first["ReplayName"])
        again = play.received("queue-1")
        play.bus().start_replay(**replay(second))
        cancelled = play.bus().cancel_replay(second["ReplayName"])
        described_cancelled = play.bus().describe_replay(second["ReplayName"])
        play.sim.run()
        assert play.received("queue-1") == []
        assert play.bus().describe_replay(second["ReplayName"])["State"] == "CANCELLED"
        actual = {
            "start-replay": started,
            "list-replays": listed,
            "describe-replay": described,
            "cancel-replay": cancelled,
            "describe-replay-canceled": described_cancelled,
        }
        recorded = masked({**play.case["recorded"], **play.case["recorded_api"]})
        for part in ("list-replays", "describe-replay", "describe-replay-canceled"):
            for each in recorded[part].get("Replays", [recorded[part]]):
                each["ReplayName"] = "<name>"  # the recorder has written the bare word
        equal(recorded, {"replay-messages": again, **{name: metadata(part) for name, part in actual.items()}})


def replay(params: dict[str, Any]) -> dict[str, Any]:
    """A recorded StartReplay, its period that of the simulation."""
    return {
        "replay_name": params["ReplayName"],
        "description": params["Description"],
        "event_source_arn": params["EventSourceArn"],
        "event_start_time": "2026-01-01T00:00:00Z",
        "event_end_time": "2026-01-01T00:01:00Z",
        "destination": params["Destination"],
    }
