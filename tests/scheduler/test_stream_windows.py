"""Tumbling windows: the state from batch to batch, the invocation that ends a window, and what goes wrong with them.

Source: Developer Guide, "Implementing stateful stream processing" of Kinesis and DynamoDB.
"""

from __future__ import annotations

import json
from typing import Any

from stream_mappings import Seen, StreamMapping, bodies, hops, outcomes, text_of

from simbus import Simulation
from simbus.kernel import HOUR, MINUTE, SECOND

QUICK = {"init_duration": "0s", "duration": "1ms"}


class Counting:
    """A handler that counts records in the state, and keeps what it was called with."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.failing = False
        self.extra: dict[str, Any] = {}

    def __call__(self, event: dict[str, Any], context: Any) -> Any:
        self.calls.append(event)
        if self.failing:
            raise ValueError("not now")
        count = event["state"].get("count", 0) + len(event["Records"])
        return {"state": {"count": count, **self.extra}}

    @property
    def told(self) -> list[tuple[str, int, int, bool]]:
        """Start of the window, records, count so far, final, of each call."""
        return [
            (
                call["window"]["start"][11:16],
                len(call["Records"]),
                call["state"].get("count", 0),
                call["isFinalInvokeForWindow"],
            )
            for call in self.calls
        ]


def put(stream: Any, *data: str, key: str = "k") -> None:
    for each in data:
        stream.put_record(each.encode(), key)


def made(sim: Simulation, handler: Any, length: int = 120, **settings: Any) -> tuple[Any, StreamMapping]:
    stream = sim.stream("s", shard_count=1)
    function = sim.function("f", handler=handler, simulate=QUICK)
    return stream, StreamMapping(sim, stream, function, tumbling_window_in_seconds=length, **settings)


def test_the_event_of_a_window(sim: Simulation) -> None:
    """The guide's example event: its keys in their order; the state of the first batch is empty."""
    stream, _ = made(sim, counting := Counting())
    put(stream, "a")
    sim.run()
    first, last = counting.calls
    assert list(first) == [
        "Records", "window", "state", "shardId", "eventSourceARN", "isFinalInvokeForWindow", "isWindowTerminatedEarly"
    ]  # fmt: skip
    assert first["window"] == {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T00:02:00Z"}
    assert first["state"] == {}
    assert (first["shardId"], first["eventSourceARN"]) == ("shardId-000000000000", stream.arn)
    assert (first["isFinalInvokeForWindow"], first["isWindowTerminatedEarly"]) == (False, False)
    assert last["Records"] == []
    assert last["state"] == {"count": 1}
    assert (last["isFinalInvokeForWindow"], last["isWindowTerminatedEarly"]) == (True, False)


def test_state_goes_from_batch_to_batch_and_ends_with_the_window(sim: Simulation) -> None:
    """Windows lie at multiples of their length; a batch holds records of one window only."""
    stream, _ = made(sim, counting := Counting(), length=60, batch_size=2)
    for second in (0, 10, 50, 59, 60, 61, 200):
        sim.at(f"{second}s", lambda: put(stream, "x"))
    sim.run()
    assert counting.told == [
        ("00:00", 1, 0, False), ("00:00", 1, 1, False), ("00:00", 1, 2, False), ("00:00", 1, 3, False),
        ("00:00", 0, 4, True),
        ("00:01", 1, 0, False), ("00:01", 1, 1, False),
        ("00:01", 0, 2, True),
        ("00:03", 1, 0, False),
        ("00:03", 0, 1, True),
    ]  # fmt: skip
    assert outcomes(sim) == {"ok": 7}


def test_a_window_without_news_ends_two_minutes_after_its_last_record(sim: Simulation) -> None:
    """The guide: Lambda waits for up to 2 minutes before it assumes that a window is over; that holds the run open."""
    stream, _ = made(sim, counting := Counting(), length=30)
    put(stream, "x")
    sim.run()
    assert counting.told[-1] == ("00:00", 0, 1, True)
    assert 2 * MINUTE <= sim.now < 2 * MINUTE + SECOND
    counting.calls.clear()
    put(stream, "y")
    sim.run()
    assert sim.now < 5 * MINUTE
    assert [call["isFinalInvokeForWindow"] for call in counting.calls] == [False, True]


def test_a_long_window_is_not_over_before_its_own_end(sim: Simulation) -> None:
    """However long nothing comes: more records may still belong to it."""
    stream, _ = made(sim, counting := Counting(), length=900)
    put(stream, "x")
    sim.at("10m", lambda: put(stream, "y"))
    sim.run()
    assert counting.told == [("00:00", 1, 0, False), ("00:00", 1, 1, False), ("00:00", 0, 2, True)]
    assert 15 * MINUTE <= sim.now < 15 * MINUTE + SECOND


def test_a_response_without_state_is_a_failure(sim: Simulation) -> None:
    """The guide: without the state property Lambda considers it a failed invocation."""
    failed = sim.queue("failed")
    seen = Seen(answer={"done": True})
    stream, mapping = made(sim, seen, maximum_retry_attempts=1, on_failure=failed)
    put(stream, "a")
    sim.run()
    assert len(seen.batches) == 2 + 1  # and the last invocation of the window
    assert bodies(failed)[0]["responseContext"]["functionError"] is None
    assert outcomes(sim) == {"dead_letter": 1}
    assert mapping.result == "OK"


def test_a_state_above_one_megabyte_ends_the_window_early(sim: Simulation) -> None:
    """isWindowTerminatedEarly; what comes later in the same two minutes begins with an empty state."""
    counting = Counting()
    stream, _ = made(sim, counting, batch_size=1)
    counting.extra = {"text": "x" * 1_048_576}
    put(stream, "a")
    sim.at("10s", lambda: counting.extra.clear())
    sim.at("10s", lambda: put(stream, "b"))
    sim.run()
    flags = [(call["isFinalInvokeForWindow"], call["isWindowTerminatedEarly"]) for call in counting.calls]
    assert flags == [(False, False), (True, True), (False, False), (True, False)]
    assert [call["state"].get("count") for call in counting.calls] == [None, 1, None, 1]
    assert {call["window"]["start"] for call in counting.calls} == {"2026-01-01T00:00:00Z"}


def test_a_state_that_grows_too_large_in_half_a_batch_ends_the_window_before_the_other_half(sim: Simulation) -> None:
    """The window ends at once; the other half begins the next one."""
    calls: list[tuple[list[str], bool, bool]] = []

    def handler(event: Any, context: Any) -> Any:
        data = [text_of(record) for record in event["Records"]]
        calls.append((data, event["isFinalInvokeForWindow"], event["isWindowTerminatedEarly"]))
        if len(data) == 2 or (event["isFinalInvokeForWindow"] and len(calls) == 3):
            raise ValueError("too many, or not now")
        return {"state": {"text": "x" * 1_048_576 if data == ["a"] else ""}}

    stream, _ = made(sim, handler, bisect_batch_on_function_error=True)
    put(stream, "a", "b")
    sim.run()
    assert calls == [
        (["a", "b"], False, False), (["a"], False, False), ([], True, True), ([], True, True),
        (["b"], False, False), ([], True, False),
    ]  # fmt: skip
    assert outcomes(sim) == {"ok": 2}


def test_a_last_invocation_that_fails_blocks_the_shard(sim: Simulation) -> None:
    """The guide: processing is suspended until a successful invocation; retry limits apply."""
    stream, _ = made(sim, counting := Counting(), length=60)
    put(stream, "a")
    sim.at("50s", lambda: setattr(counting, "failing", True))
    sim.at("70s", lambda: put(stream, "next window"))
    sim.at("300s", lambda: setattr(counting, "failing", False))
    sim.run()
    tried = [call for call in counting.calls if call["isFinalInvokeForWindow"]]
    assert len(tried) > 5
    assert all(call["state"] == {"count": 1} for call in tried[:5])
    assert counting.told[-2:] == [("00:01", 1, 0, False), ("00:01", 0, 1, True)]
    assert outcomes(sim) == {"ok": 2}


def test_a_last_invocation_that_fails_too_often_is_given_up(sim: Simulation) -> None:
    """MaximumRetryAttempts: the state is lost, the records had been processed; there is nothing to report."""
    failed = sim.queue("failed")
    stream, _ = made(sim, counting := Counting(), length=60, maximum_retry_attempts=2, on_failure=failed)
    put(stream, "a")
    sim.at("50s", lambda: setattr(counting, "failing", True))
    sim.run()
    assert len(counting.calls) == 4
    assert bodies(failed) == []
    assert hops(sim, "gave_up") == ["the last invocation of a window: RetryAttemptsExhausted after 3 invocations"]
    assert outcomes(sim) == {"ok": 1}


def test_a_last_invocation_is_not_tried_for_ever(sim: Simulation) -> None:
    """Without a limit of retries it is tried as long as a record lives."""
    stream, _ = made(sim, counting := Counting(), length=60)
    put(stream, "a")
    sim.at("50s", lambda: setattr(counting, "failing", True))
    sim.run()
    assert sim.now == 24 * HOUR
    assert hops(sim, "gave_up") == ["the last invocation of a window: its records are too old"]


def test_a_failed_batch_of_a_window_is_retried_with_the_same_state(sim: Simulation) -> None:
    """Retries, halves and partial responses work as without windows."""
    calls: list[tuple[list[str], int]] = []

    def handler(event: Any, context: Any) -> Any:
        data = [text_of(record) for record in event["Records"]]
        count = event["state"].get("count", 0)
        calls.append((data, count))
        if "bad" in data:
            raise ValueError("bad")
        return {"state": {"count": count + len(data)}}

    stream, _ = made(sim, handler, bisect_batch_on_function_error=True, maximum_retry_attempts=1)
    put(stream, "a", "b", "bad", "d")
    sim.run()
    assert calls == [
        (["a", "b", "bad", "d"], 0), (["a", "b"], 0), (["bad", "d"], 2), (["bad"], 2), (["bad"], 2), (["d"], 2),
        ([], 3),
    ]  # fmt: skip
    assert outcomes(sim) == {"ok": 3, "dropped": 1}


def test_a_partial_response_of_a_window_hands_its_state_on(sim: Simulation) -> None:
    """TimeWindowEventResponse holds the state and batchItemFailures."""
    states: list[dict[str, Any]] = []

    def handler(event: Any, context: Any) -> Any:
        states.append(event["state"])
        failures = []
        if len(event["Records"]) == 3:
            failures = [{"itemIdentifier": event["Records"][1]["kinesis"]["sequenceNumber"]}]
        return {"state": {"calls": len(states)}, "batchItemFailures": failures}

    stream, _ = made(sim, handler, function_response_types=["ReportBatchItemFailures"])
    put(stream, "a", "b", "c")
    sim.run()
    assert states == [{}, {"calls": 1}, {"calls": 2}]
    assert outcomes(sim) == {"ok": 3}


def test_a_shard_that_ends_ends_its_window_and_children_start_anew(sim: Simulation) -> None:
    """The guide: the window of a shard that ends is closed, its children begin with a fresh state."""
    stream, _ = made(sim, counting := Counting(), length=900)
    put(stream, "a", "b")
    stream.split_shard("shardId-000000000000", str(1 << 127))
    sim.at("31s", lambda: put(stream, "c"))
    sim.run(until="1m")
    assert [(call["shardId"][-1], len(call["Records"]), call["isFinalInvokeForWindow"]) for call in counting.calls] == [
        ("0", 2, False), ("0", 0, True), (counting.calls[2]["shardId"][-1], 1, False)
    ]  # fmt: skip
    assert counting.calls[2]["state"] == {}


def test_disabling_keeps_the_state(sim: Simulation) -> None:
    """What is aggregated so far belongs to the checkpoint."""
    stream, mapping = made(sim, counting := Counting(), length=900)
    put(stream, "a")
    sim.run(until="5s")
    mapping.update(enabled=False)
    sim.run(until="10s")
    put(stream, "b")
    mapping.update(enabled=True)
    sim.run()
    assert counting.told == [("00:00", 1, 0, False), ("00:00", 1, 1, False), ("00:00", 0, 2, True)]


def test_filtered_records_are_in_no_window(sim: Simulation) -> None:
    """Filters come first: no window opens for what does not pass."""
    filters = {"filters": [{"pattern": {"data": {"n": [1]}}}]}
    stream, _ = made(sim, counting := Counting(), length=60, filter_criteria=filters)
    put(stream, json.dumps({"n": 2}))
    sim.at("10s", lambda: put(stream, json.dumps({"n": 1})))
    sim.run()
    assert counting.told == [("00:00", 1, 0, False), ("00:00", 0, 1, True)]


def test_the_window_counts_against_six_megabytes(sim: Simulation) -> None:
    """The payload limit of a synchronous invocation holds for the event as a whole, also before a window is open."""
    handler = Counting()
    stream = sim.stream("s", shard_count=1)
    stream.put_record(b"", "k")
    around = len(stream.event_payload(stream.shards[0].read(0)[0], "arn:aws:iam::000000000000:role/simbus"))
    body = b"x" * ((6_291_456 // 8 - 4 - around) // 4 * 3)  # eight of them fit, but not with the window around them
    for number in range(1, 10):
        sim.at(f"{number}s", lambda: stream.put_record(body, "k"))
    sim.run()
    function = sim.function("f", handler=handler, simulate=QUICK)
    StreamMapping(sim, stream, function, tumbling_window_in_seconds=120, batch_size=8, starting_position="AT_TIMESTAMP",
                  starting_position_timestamp=sim.world.epoch_ns / 1e9 + 1)  # fmt: skip
    sim.run()
    with sim.reader() as rows:
        payloads = [row["payload"] for row in rows.query("SELECT payload FROM invocations ORDER BY rowid")]
    assert max(map(len, payloads)) <= 6_291_456
    assert [len(call["Records"]) for call in handler.calls] == [7, 2, 0]
