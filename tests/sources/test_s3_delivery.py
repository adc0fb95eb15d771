"""S3 notifications: who gets which event, what is refused, and what happens where a target is out of service."""

from __future__ import annotations

import json
from typing import Any

import pytest
from worlds import Worldlet

from simbus.errors import AwsError, UsageError
from simbus.kernel import HOUR, SECOND

TOO_LONG = "Size of filter rule value cannot exceed 1024 bytes in UTF-8 representation"


def entry(target: str, *events: str, **rules: str) -> dict[str, Any]:
    key = {"lambda": "LambdaFunctionArn", "sqs": "QueueArn", "sns": "TopicArn"}[target.split(":")[0]]
    found: dict[str, Any] = {key: target, "Events": list(events or ("s3:ObjectCreated:*",))}
    if rules:
        found["Filter"] = {"Key": {"FilterRules": [{"Name": name, "Value": value} for name, value in rules.items()]}}
    return found


def configured(*entries: dict[str, Any]) -> dict[str, Any]:
    groups = {"LambdaFunctionArn": "LambdaFunction", "QueueArn": "Queue", "TopicArn": "Topic"}
    found: dict[str, Any] = {}
    for each in entries:
        found.setdefault(f"{groups[next(iter(each))]}Configurations", []).append(each)
    return found


def ready(*entries: dict[str, Any], targets: tuple[str, ...] = ("lambda:f", "lambda:g")) -> tuple[Any, ...]:
    w = Worldlet()
    stubs = [w.stub(name) for name in targets]
    bucket = w.bucket("uploads")
    bucket.put_bucket_notification_configuration(configured(*entries))
    return (w, bucket, *stubs)


def keys(stub: Any) -> list[str]:
    return [delivery.event.subject for delivery in stub.deliveries]


def refusal(*entries: dict[str, Any]) -> AwsError:
    w = Worldlet()
    for name in ("lambda:f", "lambda:g"):
        w.stub(name)
    w.queue("q")
    with pytest.raises(AwsError) as caught:
        w.bucket("uploads").put_bucket_notification_configuration(configured(*entries))
    assert (caught.value.code, caught.value.status) == ("InvalidArgument", 400)
    return caught.value


def test_the_payload_is_one_record_with_the_id_of_the_configuration():
    """The event message structure; the change event's data are the record itself."""
    w, bucket, f, _ = ready({**entry("lambda:f"), "Id": 'thumb"s'})
    bucket.put_object("a", "x", trace_duration=7)
    (delivery,) = f.deliveries
    (record,) = json.loads(delivery.payload)["Records"]
    assert record["s3"].pop("configurationId") == 'thumb"s'
    assert record == json.loads(w.rows.events[0][6])
    assert (delivery.service, delivery.source_arn, delivery.subscription, delivery.trace_duration) == (
        "s3.amazonaws.com",
        "arn:aws:s3:::uploads",
        "lambda:f",
        7,
    )
    assert w.rows.deliveries == []  # the function settles it when it has run
    bucket.copy_object("b", "uploads/a")
    assert f.deliveries[1].trace_duration is None


def test_prefix_and_suffix():
    """Both must fit; special characters in them are URL-encoded (S3 user guide)."""
    _, bucket, f, g = ready(entry("lambda:f", prefix="img/", suffix=".jpg"), entry("lambda:g", Prefix="red+flowers%40"))
    for key in ("img/a.jpg", "img/a.png", "a.jpg", "red flowers@home", "img/x/b.jpg"):
        bucket.put_object(key)
    assert keys(f) == ["img/a.jpg", "img/x/b.jpg"]
    assert keys(g) == ["red flowers@home"]


def test_event_types():
    """A wildcard stands for one family, a plain name for one event."""
    _, bucket, f, g = ready(
        entry("lambda:f", "s3:ObjectRemoved:*", "s3:ObjectCreated:Copy"), entry("lambda:g", "s3:ObjectCreated:Put")
    )
    bucket.put_object("a")
    bucket.copy_object("b", "uploads/a")
    bucket.post_object("c")
    bucket.delete_object("a")
    assert [delivery.event.type for delivery in f.deliveries] == ["ObjectCreated:Copy", "ObjectRemoved:Delete"]
    assert keys(g) == ["a"]


def test_a_put_replaces_the_whole_configuration():
    """PutBucketNotificationConfiguration; an empty one clears it."""
    _, bucket, f, g = ready(entry("lambda:f"))
    bucket.put_bucket_notification_configuration(configured(entry("lambda:g", prefix="x")))
    bucket.put_object("xa")
    bucket.put_bucket_notification_configuration({})
    bucket.put_object("xb")
    assert (keys(f), keys(g)) == ([], ["xa"])
    assert bucket.get_bucket_notification_configuration() == {}


def test_queues_get_a_test_event_and_functions_none():
    """S3 user guide: on saving, a message without Records."""
    w = Worldlet()
    queue, function, bucket = w.queue("q"), w.stub("lambda:f"), w.bucket("uploads")
    both = configured(entry("sqs:q"), entry("lambda:f", "s3:ObjectRemoved:*"))
    bucket.put_bucket_notification_configuration(both, skip_destination_validation=True)
    assert queue.messages == []
    bucket.put_bucket_notification_configuration(both)
    (test,) = [json.loads(message.body) for message in queue.messages]
    assert list(test) == ["Service", "Event", "Time", "Bucket", "RequestId", "HostId"]
    assert (test["Event"], test["Time"], test["Bucket"]) == ("s3:TestEvent", "2026-01-01T00:00:00.000Z", "uploads")
    assert function.deliveries == []
    bucket.put_object("a")
    assert [row[2:] for row in w.rows.deliveries] == [("sqs:q", 1_767_225_600_000, "ok")]


def test_overlapping_configurations():
    """AWS's two answers: without filters the configurations overlap, with them they are ambiguous."""
    error = refusal(entry("lambda:f"), entry("lambda:g", "s3:ObjectCreated:Put"))
    assert error.message == (
        "Configurations overlap. Configurations on the same bucket cannot share a common event type."
    )
    assert error.extra == {"ArgumentName": "Event", "ArgumentValue": "s3:ObjectCreated:*, s3:ObjectCreated:Put"}
    error = refusal(entry("lambda:f", prefix="img/"), entry("lambda:g", prefix="img/a", suffix=".jpg"))
    assert error.message == (
        "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are "
        "overlapping for the same event type."
    )
    ready(entry("lambda:f", prefix="a"), entry("lambda:g", prefix="b"))
    ready(entry("lambda:f", suffix=".jpg"), entry("lambda:g", suffix=".png"))
    ready(entry("lambda:f"), entry("lambda:g", "s3:ObjectRemoved:*"))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (entry("lambda:f", "s3:ObjectCreated:Delete"), "The event is not supported for notifications"),
        (entry("lambda:f", "s3:ObjectAcl:*"), "The event is not supported for notifications"),
        (entry("lambda:f", "ObjectCreated:Put"), "The event is not supported for notifications"),
        (entry("lambda:f", middle="x"), "filter rule name must be either prefix or suffix"),
        (entry("lambda:f", prefix="x", Prefix="y"), "Cannot specify more than one prefix rule in a filter."),
        (entry("lambda:f", prefix="x" * 1025), TOO_LONG),
        ({**entry("sqs:q"), "QueueArn": "lambda:f"}, "The ARN could not be parsed"),
        ({**entry("sqs:q"), "QueueArn": "sqs:q.fifo"}, "FIFO SQS queues are not supported."),
        ({**entry("sns:t"), "TopicArn": "sns:t.fifo"}, "FIFO SNS topics are not supported."),
        (entry("sns:absent"), "Unable to validate the following destination configurations"),
    ],
)  # fmt: skip
def test_configurations_that_are_refused(bad, message):
    """InvalidArgument with S3's texts."""
    assert refusal(bad).message == message


def test_what_the_structure_needs():
    """MalformedXML without events; ids are unique; unknown keys are named."""
    _, bucket, *_ = ready()
    put = bucket.put_bucket_notification_configuration
    with pytest.raises(AwsError) as caught:
        put({"LambdaFunctionConfigurations": [{"LambdaFunctionArn": "lambda:f", "Events": []}]})
    assert caught.value.code == "MalformedXML"
    twice = [{**entry("lambda:f", event), "Id": "x"} for event in ("s3:ObjectCreated:*", "s3:ObjectRemoved:*")]
    with pytest.raises(AwsError, match="IDs must be unique"):
        put(configured(*twice))
    with pytest.raises(UsageError, match="Lambdas"):
        put({"Lambdas": []})


def test_a_qualified_function_is_a_target_of_its_own():
    """A notification can name an alias by its ARN; it is the target registered under that ARN."""
    w = Worldlet()
    live = w.stub("lambda:f")
    live.arn += ":live"
    w.world.targets[live.arn] = live
    bucket = w.bucket("uploads")
    bucket.put_bucket_notification_configuration(configured(entry("lambda:f:live")))
    bucket.put_object("a")
    assert keys(live) == ["a"]


def test_a_target_out_of_service_is_tried_again():
    """Assumption of simbus (AWS documents no schedule): after 1 s, doubling up to 5 minutes."""
    w, bucket, f, _ = ready(entry("lambda:f"))
    f.failing = AwsError("ServiceUnavailable", "down", 503)
    bucket.put_object("a")
    w.timeline.at(10 * SECOND, lambda _: setattr(f, "failing", None))
    w.timeline.run()
    assert (keys(f), w.timeline.now) == (["a"], 15 * SECOND)
    assert [hop[2:4] for hop in w.rows.hops] == [("delivery_retry", "lambda:f")] * 4


def test_an_effort_ends_after_six_hours():
    """Then the event is dropped: a hop with the reason and a delivery that says so."""
    w = Worldlet()
    queue, bucket = w.queue("q"), w.bucket("uploads")
    bucket.put_bucket_notification_configuration(configured(entry("sqs:q")))
    queue.outage(7 * HOUR)
    bucket.put_object("a")
    w.timeline.run()
    assert 6 * HOUR - 300 * SECOND < w.timeline.now <= 6 * HOUR
    assert [row[4] for row in w.rows.deliveries] == ["dropped"]
    assert "given up after 6 h" in w.rows.hops[-1][4]


def test_what_still_waits_at_the_end_is_held():
    """Contract: `held` is still waiting when the run ended."""
    w, bucket, f, _ = ready(entry("lambda:f"))
    f.failing = AwsError("ServiceUnavailable", "down", 503)
    bucket.put_object("a")
    w.timeline.run(until=5 * SECOND)
    bucket.put_bucket_notification_configuration({})
    bucket.final_rows()
    assert [row[2:] for row in w.rows.deliveries] == [("lambda:f", None, "held")]


def test_a_refusal_is_final():
    """4xx, or a target that is gone: a hop row, and the event is dropped."""
    w, bucket, f, g = ready(entry("lambda:f"), entry("lambda:g", "s3:ObjectRemoved:*"))
    f.failing = AwsError("ResourceNotFoundException", "gone", 404)
    del w.world.targets[g.arn]
    bucket.put_object("a")
    bucket.delete_object("a")
    assert [(row[2], row[4]) for row in w.rows.deliveries] == [("lambda:f", "dropped"), ("lambda:g", "dropped")]
    assert [(hop[2], hop[3]) for hop in w.rows.hops] == [("dropped", "lambda:f"), ("dropped", "lambda:g")]
    assert w.timeline.pending == 0


def test_the_same_seed_gives_the_same_records():
    """Determinism: ids, sequencers and version ids."""

    def play(seed: int) -> list[Any]:
        w = Worldlet(seed)
        bucket = w.bucket("uploads", versioning=True)
        for n in range(5):
            bucket.put_object(str(n))
        bucket.delete_object("1")
        return w.rows.events

    assert play(1) == play(1)
    assert play(1) != play(2)
    assert len({row[0] for row in play(1)}) == 6
