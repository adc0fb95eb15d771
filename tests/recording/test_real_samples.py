"""The forms of events, read from real recordings of AWS and from the samples of Powertools, aws-lambda-go and SAM."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aws_recorded import DATA

from simbus import Simulation
from simbus.arn import short_name
from simbus.recording.source import Input, open_input

SAMPLES = DATA.parent / "sample-events"
pytestmark = pytest.mark.skipif(not SAMPLES.exists(), reason="../shared/data is not here")

EVENTS = sorted(
    (path.relative_to(SAMPLES).as_posix(), service, count)
    for service, paths in {
        "s3": {
            "powertools/tests/events/s3Event.json": 1,
            "powertools/tests/events/s3EventDeleteObject.json": 1,
            "powertools/tests/events/s3EventDecodedKey.json": 1,
            "aws-lambda-go/events/testdata/s3-event.json": 1,
            "sam-generate-event/events/s3/S3Put.json": 1,
            "sam-generate-event/events/s3/S3Delete.json": 1,
        },
        "sns": {
            "powertools/tests/events/snsEvent.json": 1,
            "aws-lambda-go/events/testdata/sns-event.json": 1,
            "aws-lambda-go/events/testdata/cloudwatch-alarm-sns-payload-single-metric.json": 1,
            "sam-generate-event/events/sns/Sns.json": 1,
        },
        "sqs": {
            "powertools/tests/events/sqsEvent.json": 2,
            "powertools/tests/events/snsSqsEvent.json": 1,
            "powertools/tests/events/sqsDlqTriggerEvent.json": 1,
            "powertools/tests/events/s3SqsEvent.json": 1,
            "aws-lambda-go/events/testdata/sqs-event.json": 1,
            "sam-generate-event/events/sqs/Sqs.json": 1,
        },
        "kinesis": {
            "powertools/tests/events/kinesisStreamEvent.json": 2,
            "powertools/tests/events/kinesisStreamCloudWatchLogsEvent.json": 2,
            "aws-lambda-go/events/testdata/kinesis-event.json": 2,
            "aws-lambda-go/events/testdata/kinesis-time-window-event.json": 1,
        },
        "dynamodb": {
            "powertools/tests/events/dynamoStreamEvent.json": 2,
            "aws-lambda-go/events/testdata/dynamodb-event.json": 2,
            "sam-generate-event/events/dynamodb/DynamoDBUpdate.json": 3,
        },
        "codecommit": {
            "aws-lambda-go/events/testdata/code-commit-event.json": 1,
            "sam-generate-event/events/codecommit/CodeCommit.json": 1,
        },
    }.items()
    for path, count in ((SAMPLES / name, number) for name, number in paths.items())
)


@pytest.fixture
def shop(sim: Simulation) -> Simulation:
    """A resource of each service."""
    sim.queue("dead")
    sim.queue("jobs", redrive_policy={"dead_letter_target_arn": "sqs:dead", "max_receive_count": 3})
    sim.function("work", dead_letter_config="sqs:dead")
    sim.bucket("uploads")
    sim.topic("alerts")
    sim.stream("clicks", shard_count=1)
    sim.table("orders", hash_key="Id", attribute_types={"Id": "N"})
    sim.table("binary", hash_key="key")
    sim.repository("code")
    return sim


TARGETS = {
    "s3": "s3:uploads",
    "sns": "sns:alerts",
    "sqs": "sqs:jobs",
    "kinesis": "kinesis:clicks",
    "dynamodb": "dynamodb:orders",
    "codecommit": "codecommit:code",
}


@pytest.mark.parametrize(("name", "service", "count"), EVENTS, ids=str)
def test_an_event_of_lambda(name: str, service: str, count: int, shop: Simulation) -> None:
    """It is known for what it is, and done again at its source, without an error of AWS."""
    target = "dynamodb:binary" if name.endswith("dynamodb-event.json") else TARGETS[service]
    replay = shop.replay(SAMPLES / name, targets=[target])
    assert replay.source.format.name == "lambda-event"
    shop.run()
    assert replay.issued + sum(replay.source.skipped.values()) == count
    with shop.reader() as reader:
        refused = [row["detail"] for row in reader.query("SELECT detail FROM hops WHERE kind = 'client_error'")]
        # One sample has an empty string set, which no table can hold.
        assert refused == [] or (name, len(refused)) == ("aws-lambda-go/events/testdata/dynamodb-event.json", 1)
        sources = {row[0] for row in reader.query("SELECT source FROM events")}
    assert sources == {target}


@pytest.mark.parametrize("name", ["sqs/Sqs", "s3/S3Put", "sns/Sns"])
def test_a_function_as_the_target(name: str, shop: Simulation) -> None:
    """Any sample is a test event of a function."""
    path = SAMPLES / f"sam-generate-event/events/{name}.json"
    shop.replay(path, targets=["lambda:work"])
    shop.run()
    [invocation] = shop["lambda:work"].invocations
    assert json.loads(invocation.payload) == json.loads(path.read_bytes())


def event_bridge_events() -> Iterator[Path]:
    for path in sorted(SAMPLES.rglob("*.json")):
        text = path.read_text()
        if '"detail-type"' in text and '"detail":' in text:
            yield path


def test_events_of_eventbridge(shop: Simulation) -> None:
    """25 of them, most of AWS's own services: each gets to a rule that wants everything of its source."""
    names = [path for path in event_bridge_events() if isinstance(json.loads(path.read_bytes()).get("detail"), dict)]
    assert len(names) >= 20
    sources = sorted({json.loads(path.read_bytes())["source"] for path in names})
    shop.event_bus("default", rules={"all": {"event_pattern": {"source": sources}, "targets": ["sqs:jobs"]}})
    for path in names:
        assert shop.replay(path).source.format.name == "eventbridge"
    shop.run()
    kinds = sorted(json.loads(message.body)["detail-type"] for message in shop["sqs:jobs"].messages)
    assert kinds == sorted(json.loads(path.read_bytes())["detail-type"] for path in names)


def test_a_directory_of_test_events(shop: Simulation) -> None:
    """The whole folder of samples: the function is invoked with each that is JSON; some are broken on purpose."""
    folder = SAMPLES / "aws-lambda-go/events/testdata"
    replay = shop.replay(folder, targets=["lambda:work"], skip_invalid=True)
    assert replay.source.format.name == "test-events"
    shop.run()
    assert replay.issued + replay.source.invalid == len(list(folder.rglob("*.json")))
    assert 1 <= replay.source.invalid <= 3


# --- real messages of AWS ------------------------------------------------------------------------------------------


def recorded_messages(file: str, test: str, key: str) -> dict[str, Any]:
    """The answer of ReceiveMessage in a recording of AWS, with the bodies as texts again and names put in."""
    cases = json.loads((DATA / f"{file}.json").read_bytes())
    [case] = [case for case in cases if test in case["name"]]
    answer = case["recorded"][key]
    for message in answer["Messages"]:
        body = message["Body"]
        message["Body"] = body if isinstance(body, str) else json.dumps(body)
    text = json.dumps(answer).replace("<resource:2>", "work").replace("<resource:1>", "work")
    for name in ("partition", "region"):
        text = text.replace(f"<{name}>", {"partition": "aws", "region": "us-east-1"}[name])
    return dict(json.loads(text))


def opened(sim: Simulation, path: Path, answer: dict[str, Any], **options: Any) -> Input:
    answer = {"Messages": [{k: v for k, v in each.items() if k != "Attributes"} for each in answer["Messages"]]}
    path.write_text(json.dumps(answer))
    return open_input(path, sim, **options)


def test_a_real_dead_letter_of_a_function(shop: Simulation, tmp_path: Path) -> None:
    """Recording TestLambdaDLQ::test_dead_letter_queue."""
    answer = recorded_messages("async_destinations", "test_dead_letter_queue", "receive_result")
    [operation] = opened(shop, tmp_path / "dlq.json", answer).operations()
    assert (operation.resource, operation.verb) == ("lambda:work", "invoke")
    assert operation.arguments == {"payload": {"raise_error": 1}, "invocation_type": "Event"}


@pytest.mark.parametrize(
    ("test", "key", "payload"),
    [
        ("test_assess_lambda_destination_invocation", "receive_message_result", {"raise_error": 1}),
        ("test_retries", "queue_destination_payload", {"message": "<test-msg-id>"}),
    ],
)
def test_a_real_record_in_a_queue(test: str, key: str, payload: Any, shop: Simulation, tmp_path: Path) -> None:
    """Recordings TestLambdaDestinationSqs: the record of an invocation as the body of a message."""
    answer = recorded_messages("async_destinations", test, key)
    text = json.dumps(answer).replace('\\"date\\"', '\\"2024-01-01T00:00:00.000Z\\"')
    [operation] = opened(shop, tmp_path / "queue.json", json.loads(text)).operations()
    assert (operation.resource, operation.arguments["payload"]) == ("lambda:work", payload)


@pytest.mark.parametrize(
    ("file", "test", "key"),
    [
        ("kinesis_esm", "test_kinesis_event_source_mapping_with_on_failure_destination_config", "sqs_payload"),
        ("dynamodb_esm", "mapping_with_on_failure_destination_config", "destination_queue_messages"),
    ],
)
def test_a_real_failure_of_a_stream(file: str, test: str, key: str, shop: Simulation, tmp_path: Path) -> None:
    """Recordings of both streams: the record names shard and sequence numbers, so there is nothing to do again."""
    answer = recorded_messages(file, test, key)
    source = opened(shop, tmp_path / "queue.json", answer, skip_invalid=True)
    assert (source.invalid, list(source.operations())) == (1, [])


def test_a_real_failure_of_a_stream_in_s3(shop: Simulation, tmp_path: Path) -> None:
    """Recording TestKinesisSource::test_kinesis_event_source_mapping_with_s3_on_failure_destination: `payload`."""
    cases = json.loads((DATA / "kinesis_esm.json").read_bytes())
    [case] = [each for each in cases if "s3_on_failure_destination" in each["name"]]
    text = json.dumps(case["recorded"]["record_body"]).replace('"<approximate-arrival-timestamp>"', "1.7e9")
    (tmp_path / "object.json").write_text(text)
    [operation] = open_input(tmp_path / "object.json", shop, targets=["kinesis:clicks"]).operations()
    assert (operation.verb, operation.arguments["partition_key"]) == ("put_record", "custom")


def test_arns_of_other_partitions() -> None:
    """A bucket of China is a bucket."""
    assert short_name("arn:aws-cn:s3:::uploads") == ("s3", "uploads", None)
