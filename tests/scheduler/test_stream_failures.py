"""What happens to records of a stream that a function can't process: retries, halves, partial responses, age."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from stream_mappings import Seen, StreamMapping, bodies, hops, outcomes, started, text_of

from simbus import Simulation
from simbus.kernel import HOUR, SECOND
from simbus.scheduler.lambda_function import LambdaFunction

ARN = "arn:aws:lambda:us-east-1:000000000000:function:f"
QUICK = {"init_duration": "0s", "duration": "1ms"}


def put(stream: Any, *data: str, key: str = "k") -> None:
    for each in data:
        stream.put_record(each.encode(), key)


def words(count: int, start: int = 0) -> list[str]:
    return [str(number) for number in range(start, start + count)]


def made(sim: Simulation, seen: Any, **settings: Any) -> tuple[Any, LambdaFunction, StreamMapping]:
    """A stream of one shard, a function `f`, and their mapping."""
    stream = sim.stream("s", shard_count=1)
    function = sim.function("f", handler=seen, simulate=QUICK)
    return stream, function, StreamMapping(sim, stream, function, **settings)


# --- retries ----------------------------------------------------------------------------------------------------------


def test_a_failed_batch_is_tried_again_and_blocks_its_shard(sim: Simulation) -> None:
    """N retries are N + 1 invocations (recorded: 1 retry, approximateInvokeCount 2; 2 retries, 3)."""
    failed = sim.queue("failed")
    stream, _, mapping = made(sim, seen := Seen("1"), batch_size=2, maximum_retry_attempts=2, on_failure=failed)
    put(stream, *words(4))
    sim.run()
    assert seen.batches == [["0", "1"]] * 3 + [["2", "3"]]
    [record] = bodies(failed)
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["KinesisBatchInfo"]["batchSize"] == 2
    assert outcomes(sim) == {"dead_letter": 2, "ok": 2}
    assert mapping.result == "OK"


def test_back_off_between_retries(sim: Simulation) -> None:
    """A quarter of a second that doubles up to 5 minutes (see simbus/scheduler/streams/batch.py)."""
    stream, _, _ = made(sim, Seen("0"))
    put(stream, "0")
    sim.run(until="1h")
    at = started(sim)
    waits = [round(b - a - 0.001, 3) for a, b in pairwise(at)]
    assert waits[:11] == [0.25 * 2**n for n in range(11)]
    assert set(waits[11:]) == {300.0}


def test_eight_invocations_before_a_record_of_sixty_seconds_is_discarded(sim: Simulation) -> None:
    """Recorded: test_kinesis_maximum_record_age_exceeded[expire-while-retrying], approximateInvokeCount 8."""
    failed = sim.queue("failed")
    stream, _, _ = made(sim, seen := Seen("0"), maximum_record_age_in_seconds=60, on_failure=failed)
    put(stream, "0")
    sim.run()
    assert len(seen.batches) == 8
    [record] = bodies(failed)
    assert record["requestContext"]["condition"] == "RecordAgeExceeded"
    assert record["requestContext"]["approximateInvokeCount"] == 8
    assert "responseContext" not in record
    assert sim.now == 60 * SECOND  # the record is alone in its batch: nothing is waited for


def test_throttles_cost_no_attempt(sim: Simulation) -> None:
    """Developer guide: what can't be invoked is retried until the record expires; the quota of retries stays."""
    stream, function, _ = made(sim, seen := Seen(), maximum_retry_attempts=0)
    function.put_function_concurrency(0)
    put(stream, "0")
    sim.at("10m", function.delete_function_concurrency)
    sim.run()
    assert seen.processed == ["0"]
    assert len(hops(sim, "throttled")) >= 10
    assert outcomes(sim) == {"ok": 1}


def test_a_function_that_is_gone_is_waited_for_until_the_records_leave(sim: Simulation) -> None:
    """The mapping of a deleted function stays Enabled (recorded: ..._lifecycle_delete_function); nothing arrives."""
    stream, function, mapping = made(sim, Seen(), maximum_retry_attempts=0)
    function.delete_function()
    put(stream, "0")
    sim.run()
    assert sim.now == 24 * HOUR
    assert outcomes(sim) == {"dropped": 1}
    assert mapping.result == "PROBLEM: Function call failed"
    assert hops(sim, "throttled")[0] == "ResourceNotFoundException"


# --- poison -----------------------------------------------------------------------------------------------------------


def poisoned(sim: Simulation, seen: Seen, **settings: Any) -> StreamMapping:
    """10,000 records in one shard, 1,000 a second."""
    stream, _, mapping = made(sim, seen, batch_size=100, **settings)
    for number in range(10_000):
        sim.timeline.at(number * SECOND // 1000, lambda number: put(stream, str(number)), number)
    return mapping


def test_bisecting_isolates_one_bad_record_of_ten_thousand(sim: Simulation) -> None:
    """BisectBatchOnFunctionError and 3 retries: alone in its failure record, everything else is processed, in order."""
    failed = sim.queue("failed")
    seen = Seen("5050")
    poisoned(sim, seen, bisect_batch_on_function_error=True, maximum_retry_attempts=3, on_failure=failed)
    sim.run()
    assert seen.processed == [word for word in words(10_000) if word != "5050"]
    [record] = bodies(failed)
    assert record["KinesisBatchInfo"]["batchSize"] == 1
    assert record["requestContext"]["approximateInvokeCount"] == 4
    assert outcomes(sim) == {"ok": 9_999, "dead_letter": 1}
    assert len(hops(sim, "bisect")) == 7  # 100, 50, 25, 13 or 12, ... 2
    assert sim.now < 20 * SECOND


def test_without_bisecting_a_bad_record_blocks_its_shard_for_a_day(sim: Simulation) -> None:
    """MaximumRetryAttempts -1: the shard stands until the record leaves the stream at 24 h; then it goes on."""
    seen = Seen("5050")
    poisoned(sim, seen)
    sim.run(until="23h")
    assert seen.processed == words(5_001)
    sim.run()
    assert seen.processed == words(5_001) + words(4_899, 5_101)
    assert outcomes(sim) == {"ok": 9_900, "dropped": 100}
    assert 24 * HOUR < sim.now < 24 * HOUR + 15 * SECOND
    ages = [point.value for point in sim["lambda:f"].metric("IteratorAge")]
    assert ages[0] < 60_000
    assert max(ages) > 86_000_000  # milliseconds: nearly 24 hours
    with sim.reader() as reader:
        [rows] = reader.query("SELECT count(*) AS n FROM hops")
        assert rows["n"] < 1000  # a row per try, and one per record that is given up


def test_what_is_left_of_a_batch_goes_on_when_its_first_records_leave_the_stream(sim: Simulation) -> None:
    """Records that leave the stream are cut out of a batch that is tried again; the rest is delivered."""
    stream, _, _ = made(sim, seen := Seen("bad"), maximum_batching_window_in_seconds=300, batch_size=3)
    put(stream, "bad")
    sim.at("3m", lambda: put(stream, "good"))
    sim.at("4m", lambda: put(stream, "fine"))
    sim.run()
    assert seen.batches[0] == ["bad", "good", "fine"]
    assert seen.processed == ["good", "fine"]
    assert outcomes(sim) == {"dropped": 1, "ok": 2}


# --- bisect -----------------------------------------------------------------------------------------------------------


def test_halves_keep_the_order_and_the_second_is_the_larger(sim: Simulation) -> None:
    """Which half of an odd batch is larger is not documented: here the second one."""
    stream, _, _ = made(sim, seen := Seen("3"), bisect_batch_on_function_error=True, maximum_retry_attempts=1)
    put(stream, *words(5))
    sim.run()
    assert seen.batches == [words(5), ["0", "1"], ["2", "3", "4"], ["2"], ["3", "4"], ["3"], ["3"], ["4"]]
    assert seen.processed == ["0", "1", "2", "4"]


def test_splitting_uses_up_no_retry(sim: Simulation) -> None:
    """Developer guide: "Splitting batches doesn't consume the retry quota", not even a quota of none."""
    stream, _, _ = made(sim, seen := Seen("1"), bisect_batch_on_function_error=True, maximum_retry_attempts=0)
    put(stream, *words(4))
    sim.run()
    assert seen.batches == [words(4), ["0", "1"], ["0"], ["1"], ["2", "3"]]
    assert outcomes(sim) == {"ok": 3, "dropped": 1}


def test_two_bad_records_make_two_failure_records(sim: Simulation) -> None:
    """Each is isolated on its own."""
    failed = sim.queue("failed")
    stream, _, _ = made(
        sim, Seen("2", "6"), bisect_batch_on_function_error=True, maximum_retry_attempts=1, on_failure=failed
    )
    put(stream, *words(8))
    sim.run()
    sizes = [record["KinesisBatchInfo"]["batchSize"] for record in bodies(failed)]
    assert sizes == [1, 1]
    assert outcomes(sim) == {"ok": 6, "dead_letter": 2}


# --- partial responses ------------------------------------------------------------------------------------------------


def reporting(*bad: str) -> Any:
    """A handler that reports the first bad record of its batch."""
    batches: list[list[str]] = []

    def handler(event: dict[str, Any], context: Any) -> Any:
        batches.append([text_of(record) for record in event["Records"]])
        failures = [record for record in event["Records"] if text_of(record) in bad]
        return {"batchItemFailures": [{"itemIdentifier": r["kinesis"]["sequenceNumber"]} for r in failures]}

    handler.batches = batches  # type: ignore[attr-defined]
    return handler


REPORT = {"function_response_types": ["ReportBatchItemFailures"]}


def test_the_attempt_that_shrinks_a_batch_is_not_counted(sim: Simulation) -> None:
    """Recorded: test_kinesis_report_batch_item_failures. 3 retries, batches of 3, the last of six records fails:
    approximateInvokeCount 4, batchSize 1, and the bad record is delivered five times."""
    failed = sim.queue("failed")
    handler = reporting("5")
    stream, _, _ = made(sim, handler, batch_size=3, maximum_retry_attempts=3, on_failure=failed, **REPORT)
    put(stream, *words(6))
    sim.run()
    assert handler.batches == [["0", "1", "2"], ["3", "4", "5"]] + [["5"]] * 4
    [record] = bodies(failed)
    assert record["requestContext"]["approximateInvokeCount"] == 4
    assert record["KinesisBatchInfo"]["batchSize"] == 1
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST", "functionError": None}
    assert outcomes(sim) == {"ok": 5, "dead_letter": 1}


def test_the_checkpoint_is_before_the_lowest_reported_record(sim: Simulation) -> None:
    """Everything from the lowest one on is retried, whatever else was processed."""
    handler = reporting("2", "4")
    stream, _, _ = made(sim, handler, batch_size=6, maximum_retry_attempts=1, **REPORT)
    put(stream, *words(6))
    sim.run()
    # "2" is the first of what is left: that fails as a whole, and is given up as a whole
    assert handler.batches == [words(6), ["2", "3", "4", "5"], ["2", "3", "4", "5"]]
    assert outcomes(sim) == {"ok": 2, "dropped": 4}


def test_partial_responses_with_bisect(sim: Simulation) -> None:
    """The batch is split at the reported number; one that names its first record fails, and is halved."""
    failed = sim.queue("failed")
    handler = reporting("2")
    stream, _, _ = made(
        sim, handler, bisect_batch_on_function_error=True, maximum_retry_attempts=1, on_failure=failed, **REPORT
    )
    put(stream, *words(6))
    sim.run()
    assert handler.batches == [words(6), ["2", "3", "4", "5"], ["2", "3"], ["2"], ["2"], ["3"], ["4", "5"]]
    assert outcomes(sim) == {"ok": 5, "dead_letter": 1}


def test_a_response_means_nothing_unless_it_is_asked_for(sim: Simulation) -> None:
    """Without ReportBatchItemFailures the return value is ignored."""
    handler = reporting("0", "1")
    stream, _, _ = made(sim, handler)
    put(stream, *words(3))
    sim.run()
    assert handler.batches == [words(3)]
    assert outcomes(sim) == {"ok": 3}


def test_a_number_that_is_not_in_the_batch_fails_it_as_a_whole(sim: Simulation) -> None:
    """Recorded: item_identifier_not_present_failure."""
    seen = Seen(answer={"batchItemFailures": [{"itemIdentifier": "123"}]})
    stream, _, _ = made(sim, seen, maximum_retry_attempts=1, **REPORT)
    put(stream, *words(3))
    sim.run()
    assert seen.batches == [words(3)] * 2
    assert outcomes(sim) == {"dropped": 3}


# --- record age -------------------------------------------------------------------------------------------------------


def test_old_records_are_cut_out_and_the_rest_is_delivered(sim: Simulation) -> None:
    """Recorded: test_kinesis_maximum_record_age_exceeded_discard_records, approximateInvokeCount 1 without a try."""
    failed = sim.queue("failed")
    seen = Seen()
    stream = sim.stream("s", shard_count=1)
    put(stream, "old", "older")
    sim.run(until="65s")
    put(stream, *words(5))
    function = sim.function("f", handler=seen)
    StreamMapping(sim, stream, function, maximum_record_age_in_seconds=60, on_failure=failed)
    sim.run()
    assert seen.batches == [words(5)]
    [record] = bodies(failed)
    assert record["KinesisBatchInfo"]["batchSize"] == 2
    assert record["requestContext"]["condition"] == "RecordAgeExceeded"
    assert record["requestContext"]["approximateInvokeCount"] == 1
    assert outcomes(sim) == {"dead_letter": 2, "ok": 5}


def test_age_and_retries_in_one_batch_are_reported_each_for_its_own_records(sim: Simulation) -> None:
    """Nothing may be lost where a batch first loses its old records and then runs out of retries."""
    failed = sim.queue("failed")
    stream, _, _ = made(
        sim, seen := Seen("1"), batch_size=2, maximum_batching_window_in_seconds=30, maximum_retry_attempts=7,
        maximum_record_age_in_seconds=60, on_failure=failed,
    )  # fmt: skip
    put(stream, "0")
    sim.at("29s", lambda: put(stream, "1"))
    sim.run()
    records = bodies(failed)
    assert [record["requestContext"]["condition"] for record in records] == [
        "RecordAgeExceeded",
        "RetryAttemptsExhausted",
    ]
    assert [record["KinesisBatchInfo"]["batchSize"] for record in records] == [1, 1]
    assert [record["requestContext"]["approximateInvokeCount"] for record in records] == [7, 8]
    assert seen.batches == [["0", "1"]] * 7 + [["1"]]
    assert outcomes(sim) == {"dead_letter": 2}


def test_the_age_limit_holds_while_the_function_is_throttled(sim: Simulation) -> None:
    """Developer guide: what can't be invoked is retried until the records exceed the maximum age."""
    failed = sim.queue("failed")
    stream, function, _ = made(sim, Seen(), maximum_record_age_in_seconds=120, on_failure=failed)
    function.put_function_concurrency(0)
    put(stream, "0")
    sim.run()
    assert sim.now == 120 * SECOND
    assert bodies(failed)[0]["requestContext"]["approximateInvokeCount"] == 1


# --- failure records --------------------------------------------------------------------------------------------------


def test_the_record_of_a_failure(sim: Simulation) -> None:
    """Keys in AWS's order and their values (recorded: ..._with_on_failure_destination_config)."""
    failed = sim.queue("failed")
    stream, function, _ = made(sim, Seen("1"), maximum_retry_attempts=0, on_failure=failed)
    put(stream, "0")
    sim.at("300ms", lambda: put(stream, "1"))
    sim.run()
    [record] = bodies(failed)
    numbers = [r.sequence_number for r in stream.shards[0].read(0)]
    assert list(record) == ["requestContext", "responseContext", "version", "timestamp", "KinesisBatchInfo"]
    assert record == {
        "requestContext": {
            "requestId": function.invocations[0].request_id,
            "functionArn": ARN,
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 1,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": sim.world.iso(),
        "KinesisBatchInfo": {
            "shardId": "shardId-000000000000",
            "startSequenceNumber": numbers[0],
            "endSequenceNumber": numbers[1],
            "approximateArrivalOfFirstRecord": "2026-01-01T00:00:00.000Z",
            "approximateArrivalOfLastRecord": "2026-01-01T00:00:00.300Z",
            "batchSize": 2,
            "streamArn": stream.arn,
        },
    }


def test_a_record_in_a_bucket_has_the_whole_event(sim: Simulation) -> None:
    """Recorded: ..._with_s3_on_failure_destination; its key: developer guide, "aws/lambda/<ESM-UUID>/<shardId>/..."."""
    bucket = sim.bucket("failed")
    stream, _, mapping = made(sim, seen := Seen("0"), maximum_retry_attempts=0, on_failure=bucket)
    put(stream, "0")
    sim.run()
    [key] = [each["Key"] for each in bucket.list_objects()["Contents"]]
    assert key.startswith(f"aws/lambda/{mapping.uuid}/shardId-000000000000/2026/01/01/2026-01-01T00.00.01-")
    assert len(key.rpartition("T00.00.01-")[2]) == 36
    record = json.loads(bucket.get_object(key)["Body"])
    assert list(record)[-1] == "payload"
    assert json.loads(record["payload"]) == seen.events[0]


def test_the_record_of_a_table_has_no_milliseconds(sim: Simulation) -> None:
    """Recorded for DynamoDB: DDBStreamBatchInfo, arrivals to the second, the record's own time with milliseconds."""
    topic, box = sim.topic("failed"), sim.queue("box")
    topic.subscribe(box, raw_message_delivery=True)
    table = sim.table("orders", hash_key="id", stream_view_type="KEYS_ONLY")
    StreamMapping(sim, table, sim.function("f", handler=Seen("a")), maximum_retry_attempts=0, on_failure=topic)
    sim.at("1700ms", lambda: table.put_item({"id": {"S": "a"}}))
    sim.run()
    [record] = bodies(box)
    info = record["DDBStreamBatchInfo"]
    assert info["approximateArrivalOfFirstRecord"] == info["approximateArrivalOfLastRecord"] == "2026-01-01T00:00:01Z"
    assert info["streamArn"] == table.stream.arn
    assert record["timestamp"].endswith("Z")
    assert "." in record["timestamp"]


def test_a_destination_that_is_gone_loses_the_records(sim: Simulation) -> None:
    """DestinationDeliveryFailures: the record is sent once, and not again."""
    failed = sim.queue("failed")
    stream, _, _ = made(sim, Seen("0"), maximum_retry_attempts=0, on_failure=failed)
    sim.world.targets.pop(failed.arn)
    put(stream, "0")
    sim.run()
    assert outcomes(sim) == {"dropped": 1}
    assert len(hops(sim, "DestinationDeliveryFailures")) == 1


@pytest.mark.parametrize("status", ["timeout", "exit"])
def test_a_function_that_dies_fails_like_one_that_raises(sim: Simulation, status: str) -> None:
    """Timeouts and crashes are function errors: `Unhandled`."""
    import sys
    import time

    def handler(event: Any, context: Any) -> None:
        if status == "exit":
            sys.exit(1)
        time.sleep(5)

    failed = sim.queue("failed")
    stream, _, _ = made(sim, handler, maximum_retry_attempts=1, on_failure=failed)
    put(stream, "0")
    sim.run()
    [record] = bodies(failed)
    assert record["responseContext"]["functionError"] == "Unhandled"
    assert record["requestContext"]["approximateInvokeCount"] == 2
    with sim.reader() as reader:
        assert {row["status"] for row in reader.query("SELECT status FROM invocations")} == {status}
