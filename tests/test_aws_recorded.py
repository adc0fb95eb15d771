"""The comparison with the recordings must itself be able to fail (README of ../shared/data/aws-recorded)."""

from __future__ import annotations

import pytest
from aws_recorded import DATA, differences, equal, fill, load_case, load_cases, normalise

ONE = "059f36b4-87a3-44ab-83d2-661975830a7d"
TWO = "2e1424d4-f796-459a-8184-9c92662be6da"


def test_equal_placeholders_stand_for_equal_values():
    """`<scope:n>` is the same value wherever it occurs in the compared part."""
    recorded = {"id": "<uuid:1>", "text": "id <uuid:1> in <region>", "other": "<uuid:2>"}
    good = {"id": ONE, "text": f"id {ONE} in eu-west-1", "other": TWO}
    equal(recorded, good)
    assert normalise(recorded, good) == recorded
    assert list(differences(recorded, {**good, "text": f"id {TWO} in eu-west-1"})) == ["$.text"]
    assert list(differences(recorded, {**good, "other": ONE})) == ["$.other"]


@pytest.mark.parametrize(
    ("recorded", "good", "bad"),
    [
        ("<timestamp:2022-07-13T13:48:01.000Z>", "2026-01-01T00:00:00.123Z", "2026-01-01T00:00:00Z"),
        ("<timestamp:2022-07-13T13:48:01Z>", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.123Z"),
        ("<uuid:1>", ONE, "no-uuid"),
        ("date", "2026-01-01T00:00:00.000Z", "today"),
        ("sequencer", "0055AED6DCD90281E5", "xyz"),
        ("<md5-hash>", "8d777f385d3dfec8815d20f7496026dc", "8d77"),
        ("arn:<partition>:sqs:<region>:111111111111:<resource:1>", "arn:aws:sqs:us-east-1:111111111111:q", "arn:aws:q"),
        ("plain", "plain", "other"),
        (1, 1, True),
        (None, None, 0),
        ([1, 2], [1, 2], [1, 2, 3]),
        ({"a": 1}, '{"a": 1}', '{"a": 1, "b": 2}'),
        ({"a": None}, {"a": None}, {}),
    ],
)
def test_a_value_must_have_the_class_of_its_placeholder(recorded, good, bad):
    """The shape of a recorded time, identifier or number is part of the recorded fact."""
    equal(recorded, good)
    with pytest.raises(AssertionError, match="differs from the AWS recording"):
        equal(recorded, bad)


def test_a_known_difference_must_still_be_one():
    """A difference that was accepted and has gone is reported, so that the list of them stays true."""
    equal({"a": 1, "b": 2}, {"a": 1, "b": 3}, known={"$.b": "simbus counts otherwise"})
    with pytest.raises(AssertionError, match="no longer different"):
        equal({"a": 1}, {"a": 1}, known={"$.a": "why"})


def test_setup_names_are_filled_in():
    """Set-up and inputs name their resources `{queue-1}`, in order of creation."""
    assert fill({"QueueName": "{queue-1}", "x": ['{"a": "{queue-2}"}', 3]}, {"queue-2": "dead"}) == {
        "QueueName": "queue-1",
        "x": ['{"a": "dead"}', 3],
    }


@pytest.mark.skipif(not DATA.exists(), reason="the AWS recordings are not at hand")
def test_every_recording_is_equal_to_itself_under_other_values():
    """No recorded text is taken for a placeholder that it is not: each case agrees with its own plain parts."""
    cases = load_cases("s3_notifications")
    assert len(cases) == 19
    case = load_case("s3_notifications", "TestS3NotificationsToSQS::test_key_encoding")
    changed = {"receive_messages": {"messages": [{"s3": {"object": {"key": "a@b"}}}]}}
    found = differences(case["recorded"], changed)
    assert "$.receive_messages.messages[0].s3.object.key" in found
    assert "$.receive_messages.messages[0].eventName" in found
