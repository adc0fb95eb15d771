"""Every recorded verdict of AWS on event patterns, event source filters and filter policies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simbus.errors import AwsError
from simbus.filtering import (
    ON_SET_ATTRIBUTES,
    ON_SUBSCRIBE,
    FilterPolicy,
    compile_event_pattern,
    compile_filter_pattern,
    compile_filter_policy,
)

RECORDED = Path(__file__).parents[3] / "shared" / "data" / "aws-recorded"

pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="the recordings of AWS are not in this checkout")


def _cases(file: str) -> list[dict[str, Any]]:
    path = RECORDED / file
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []


def _masked(text: str) -> str:
    """The recordings stand `<partition>` and `<region>` for what the client sent."""
    return text.replace("arn:aws:events:us-east-1", "arn:<partition>:events:<region>")


PATTERNS = _cases("eventbridge_patterns.json")


@pytest.mark.parametrize("case", PATTERNS, ids=[case["name"] for case in PATTERNS])
def test_event_pattern_verdict(case: dict[str, Any]) -> None:
    """TestEventPattern on AWS gave this verdict, or this message (eventbridge_patterns.json)."""
    if case["expected"] == "exception":
        with pytest.raises(AwsError) as caught:
            compile_event_pattern(case["pattern"])
        error = case["recorded"]["exception_message"]["Error"]
        assert (caught.value.code, _masked(caught.value.message)) == (error["Code"], error["MessageRaw"])
    else:
        matched = compile_event_pattern(case["pattern"]).matches(case["event"])
        assert matched == (case["expected"] == "match")


SQS_FILTERS = [case for case in _cases("sqs_esm.json") if "filter" in (case["param"] or {})]


@pytest.mark.parametrize("case", SQS_FILTERS, ids=[case["name"] for case in SQS_FILTERS])
def test_queue_filter(case: dict[str, Any]) -> None:
    """The mapping delivered the one message and dropped the other (sqs_esm.json, test_sqs_event_filter)."""
    pattern = compile_filter_pattern(json.dumps(case["param"]["filter"]))
    assert pattern.matches({"body": case["param"]["item_matching"]})
    assert not pattern.matches({"body": case["param"]["item_not_matching"]})


INVALID = [
    (case["name"], mapping["params"]["FilterCriteria"]["Filters"][0]["Pattern"], answer["Error"])
    for file in ("sqs_esm.json", "dynamodb_esm.json")
    for case in _cases(file)
    if "invalid_event_filter" in case["name"]
    for mapping, answer in zip(case["setup"]["mapping"], case["recorded_api"].values(), strict=True)
]


@pytest.mark.parametrize(("name", "pattern", "error"), INVALID, ids=[name for name, _, _ in INVALID])
def test_invalid_filter(name: str, pattern: str, error: dict[str, str]) -> None:
    """CreateEventSourceMapping refused the pattern with this answer (test_*_invalid_event_filter)."""
    with pytest.raises(AwsError) as caught:
        compile_filter_pattern(pattern)
    assert (caught.value.code, caught.value.message) == (error["Code"], error["Message"])


TABLE_FILTERS = [
    case for case in _cases("dynamodb_esm.json") if "test_dynamodb_event_filter" in case["name"] and case["inputs"]
]


@pytest.mark.parametrize("case", TABLE_FILTERS, ids=[case["name"] for case in TABLE_FILTERS])
def test_table_filter(case: dict[str, Any]) -> None:
    """The delivered records match the filter, and as many of the puts as were delivered do (dynamodb_esm.json)."""
    pattern = compile_filter_pattern(case["param"]["filter"])
    delivered = [record for call in case["recorded"]["lambda-log-events"] for record in call["Records"]]
    assert delivered
    assert all(pattern.matches(record) for record in delivered)
    first, second = (
        {"eventName": "INSERT", "dynamodb": {"NewImage": case["param"][f"item_to_put{n}"]}} for n in (1, 2)
    )
    if case["param"]["item_to_put1"] == case["param"]["item_to_put2"]:
        second = {**second, "eventName": "MODIFY"}
    assert [pattern.matches(first), pattern.matches(second)].count(True) == case["param"]["calls"]


POLICIES = [case for case in _cases("sns.json") if "TestSNSFilterPolicy" in case["name"]]


def _refused() -> Iterator[tuple[str, str, str, str]]:
    for case in POLICIES:
        calls = [call for call in case["setup"]["resource"] if call.get("failed") == "InvalidParameter"]
        answers = {name: answer for name, answer in case["recorded_api"].items() if "Error" in answer}
        for call, (name, answer) in zip(calls, answers.items(), strict=True):
            is_subscribe = call["op"] == "sns:Subscribe"
            params = call["params"]
            policy = params["Attributes"]["FilterPolicy"] if is_subscribe else params["AttributeValue"]
            yield name, policy, ON_SUBSCRIBE if is_subscribe else ON_SET_ATTRIBUTES, answer["Error"]["Message"]


REFUSED = list(_refused())


@pytest.mark.parametrize(("name", "policy", "prefix", "message"), REFUSED, ids=[case[0] for case in REFUSED])
def test_filter_policy_refused(name: str, policy: str, prefix: str, message: str) -> None:
    """Subscribe refused the policy with this message (sns.json, TestSNSFilterPolicyConditions)."""
    with pytest.raises(AwsError) as caught:
        compile_filter_policy(policy, "MessageAttributes", prefix)
    assert (caught.value.code, caught.value.message) == ("InvalidParameter", message)


def _policies(case: dict[str, Any]) -> list[FilterPolicy]:
    scope, policies = "MessageAttributes", []
    for call in case["setup"]["resource"]:
        if call["op"] == "sns:SetSubscriptionAttributes":
            name, value = call["params"]["AttributeName"], call["params"]["AttributeValue"]
            if name == "FilterPolicyScope":
                scope = value
            elif name == "FilterPolicy":
                policies.append(compile_filter_policy(value, scope, ON_SET_ATTRIBUTES))
    return policies


# Which of the policies a case sets was in force when each message was published, read from the test's steps.
IN_FORCE = {
    "test_filter_policy": [0, 0, 1, 2],
    "test_exists_filter_policy": [0, 0, 1, 1],
    "test_filter_policy_on_message_body_dot_attribute": [0, 0, 0, 1, 1, 1, 1, 1],
}
DELIVERIES = [case for case in POLICIES if case["inputs"]]


def _delivered(case: dict[str, Any]) -> list[Any]:
    """The distinct bodies that arrived, in order; a message that was not deleted is received again."""
    bodies: list[Any] = []
    for answer in case["recorded"].values():
        for message in answer.get("Messages", ()):
            body = message["Body"]
            text = body["Message"] if isinstance(body, dict) and "Message" in body else body
            if text not in bodies:
                bodies.append(text)
    return bodies


def _shape(value: Any) -> Any:
    """A body with the texts that the recording replaced left out."""
    if isinstance(value, dict):
        return {key: _shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shape(item) for item in value]
    return value if isinstance(value, str) and value.startswith(("ObjectCreated", "auto-", "10.", "2001")) else None


def _comparable(body: Any) -> Any:
    try:
        return _shape(json.loads(body) if isinstance(body, str) else body) or body
    except ValueError:
        return body


@pytest.mark.parametrize("case", DELIVERIES, ids=[case["name"] for case in DELIVERIES])
def test_filter_policy_delivers(case: dict[str, Any]) -> None:
    """Exactly these published messages arrived at the queue (sns.json, TestSNSFilterPolicy*)."""
    published = [call["params"] for call in case["inputs"] for _ in range(call.get("times", 1))]
    policies = _policies(case)
    in_force = IN_FORCE.get(case["name"].split("::")[-1], [0] * len(published))
    passed = [
        message["Message"]
        for message, at in zip(published, in_force, strict=True)
        if policies[at].matches(message["Message"], message.get("MessageAttributes"))
    ]
    assert [_comparable(body) for body in passed] == [_comparable(body) for body in _delivered(case)]
