"""The recordings of EventBridge once more, through boto3: each request as it was sent, each answer as it came.

Case by case (eventbridge_core, _targets, _inputs, _archive_replay): every one is equal. `test_eventbridge.py` has the
same through Python. The recorded answers of Kinesis are those of CreateEventSourceMapping: see `test_lambda_api.py`.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from aws_recorded import equal, fill
from test_eventbridge import DELIVERED, Play, masked

pytest.importorskip("boto3", reason="needs the extra boto3")
from botocore import xform_name

ENDS = {"EventStartTime": datetime(2026, 1, 1, tzinfo=UTC), "EventEndTime": datetime(2026, 1, 1, 0, 1, tzinfo=UTC)}


class Sent(Play):
    """Sends the requests of a case with boto3. `answers` are those of EventBridge, without headers."""

    def _call(self, request: dict[str, Any]) -> None:
        op, params = request["op"], request["params"]
        if op == "lambda:CreateFunction":
            super()._call(request)
        elif op.startswith(("events:", "logs:", "sns:", "sqs:")) and op not in NOT_SENT:
            answer = self.send(op, **params)
            if op.startswith("events:"):
                self.answers.append(answer)

    def send(self, op: str, **params: Any) -> dict[str, Any]:
        service, _, operation = op.partition(":")
        answer: dict[str, Any] = getattr(self.sim.client(service), xform_name(operation))(**params)
        answer["ResponseMetadata"] = {"HTTPHeaders": {}, "HTTPStatusCode": answer["ResponseMetadata"]["HTTPStatusCode"]}
        return texts(answer)

    def received(self, queue: str) -> list[dict[str, Any]]:
        """Each message of a queue; it is deleted."""
        sqs = self.sim.client("sqs")
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        found: list[dict[str, Any]] = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for message in found:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found


NOT_SENT = ("sqs:SetQueueAttributes", "logs:PutResourcePolicy")  # policies only: simbus lets services send


def texts(answer: Any) -> Any:
    """Times as texts, as in the recordings."""
    if isinstance(answer, dict):
        return {name: texts(value) for name, value in answer.items()}
    if isinstance(answer, list):
        return [texts(value) for value in answer]
    return answer.isoformat() if isinstance(answer, datetime) else answer


@pytest.mark.parametrize(("file", "name"), [(file, name) for file, names in DELIVERED.items() for name in names])
def test_what_reaches_the_targets(file: str, name: str) -> None:
    """The recorded messages and events, and the answers to PutEvents where they were recorded."""
    with Sent(file, name) as play:
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
            equal(play.case["recorded_api"]["put-events-response"], play.answers[-1])
        equal(list(parts.values()), queues)


def test_rules_of_the_same_name() -> None:
    """TestEventRule::test_put_multiple_rules_with_same_name: PutRule, ListRules."""
    with Sent("eventbridge_core", "test_put_multiple_rules_with_same_name") as play:
        api = {**play.case["recorded_api"], **play.case["recorded"]}
        first, again = play.answers[-2:]
        rules = play.send("events:ListRules", EventBusName="bus-1")
        actual = {"put-rule": first, "list-rules": rules, "re-put-rule": again}
        equal({name: api[name] for name in actual}, actual)


def test_a_log_group_as_target() -> None:
    """TestEventsTargetCloudWatchLogs: CreateEventBus, PutRule, PutTargets, PutEvents; and the log event."""
    with Sent("eventbridge_targets", "test_put_events_with_target_cloudwatch_logs") as play:
        play.feed()
        logs = play.sim.client("logs")
        [stream] = logs.describe_log_streams(logGroupName="log-group-1")["logStreams"]
        events = logs.get_log_events(logGroupName="log-group-1", logStreamName=stream["logStreamName"])["events"]
        names = ("event_bus_response", "rule_response", "put_targets_response", "put_events_response")
        actual = dict(zip(names, play.answers, strict=True))
        equal({**play.case["recorded"], **play.case["recorded_api"]}, {"log_events": events, **actual})


def test_a_replay_and_one_that_is_cancelled() -> None:
    """TestReplay: StartReplay, ListReplays, DescribeReplay, CancelReplay."""
    with Sent("eventbridge_archive_replay", "test_start_list_describe_canceled_replay[default]") as play:
        put, first, second = (each["params"] for each in fill(play.case["inputs"]))
        play.send("events:PutEvents", **put)
        play.sim.run(for_="1m")
        assert len(play.received("queue-1")) == 3
        actual = {"start-replay": play.send("events:StartReplay", **{**first, **ENDS})}
        play.sim.run()
        actual["list-replays"] = play.send("events:ListReplays", NamePrefix=first["ReplayName"])
        actual["describe-replay"] = play.send("events:DescribeReplay", ReplayName=first["ReplayName"])
        actual["replay-messages"] = play.received("queue-1")  # type: ignore[assignment]
        play.send("events:StartReplay", **{**second, **ENDS})
        actual["cancel-replay"] = play.send("events:CancelReplay", ReplayName=second["ReplayName"])
        actual["describe-replay-canceled"] = play.send("events:DescribeReplay", ReplayName=second["ReplayName"])
        recorded = masked({**play.case["recorded"], **play.case["recorded_api"]})
        for part in ("list-replays", "describe-replay", "describe-replay-canceled"):
            for each in recorded[part].get("Replays", [recorded[part]]):
                each["ReplayName"] = "<name>"  # the recorder has written the bare word
        equal(recorded, actual)
