"""Reading streams for a function: polls, batches, windows, starting positions, resharding, enable and disable."""

from __future__ import annotations

import json
from typing import Any

from stream_mappings import Seen, StreamMapping, hops, outcomes, started, text_of

from simbus import Simulation
from simbus.kernel import HOUR, MINUTE, SECOND

MIDDLE = str(1 << 127)


def put(stream: Any, *data: str, key: str = "k") -> None:
    for each in data:
        stream.put_record(each.encode(), key)


def words(count: int, start: int = 0) -> list[str]:
    return [str(number) for number in range(start, start + count)]


# --- polls and batches ------------------------------------------------------------------------------------------------


def test_kinesis_is_polled_once_a_second_per_shard(sim: Simulation) -> None:
    """Developer guide, "Polling and batching streams": a base rate of once per second for each shard."""
    seen, stream = Seen(), sim.stream("s", shard_count=1)
    StreamMapping(sim, stream, sim.function("f", handler=seen))
    for when in ("300ms", "999ms", "1500ms", "7200ms"):
        sim.at(when, lambda when=when: put(stream, when))
    sim.run()
    assert seen.batches == [["300ms", "999ms"], ["1500ms"], ["7200ms"]]
    assert [int(at) for at in started(sim)] == [1, 2, 8]


def test_dynamodb_is_polled_four_times_a_second(sim: Simulation) -> None:
    """Developer guide, "Polling and batching streams" of DynamoDB: a base rate of 4 times per second."""
    seen = Seen()
    table = sim.table("orders", hash_key="id", stream_view_type="KEYS_ONLY")
    StreamMapping(sim, table, sim.function("f", handler=seen, simulate={"init_duration": "0s"}))
    for when in ("100ms", "240ms", "260ms"):
        sim.at(when, lambda when=when: table.put_item({"id": {"S": when}}))
    sim.run()
    assert seen.batches == [["100ms", "240ms"], ["260ms"]]
    assert started(sim) == [0.25, 0.5]


def test_an_empty_stream_does_not_hold_a_run_open(sim: Simulation) -> None:
    """Polls of empty sources are no pending work; nothing is played for them either."""
    stream = sim.stream("s", shard_count=4)
    StreamMapping(sim, stream, sim.function("f"))
    played = sim.timeline.played
    sim.run()
    assert sim.now == 0
    sim.run(until="6h")
    assert sim.timeline.played - played < 10


def test_a_batch_has_at_most_batch_size_records_of_one_shard(sim: Simulation) -> None:
    """A batch never mixes shards, keeps their order, and what is left over goes at once."""
    seen, stream = Seen(), sim.stream("s", shard_count=2)
    StreamMapping(sim, stream, sim.function("f", handler=seen), batch_size=4)
    for number in range(10):
        stream.put_record(f"a{number}".encode(), "a", explicit_hash_key="0")
        stream.put_record(f"b{number}".encode(), "b", explicit_hash_key=MIDDLE)
    sim.run()
    assert sorted(map(len, seen.batches)) == [2, 2, 4, 4, 4, 4]
    for letter in "ab":
        of_shard = [batch for batch in seen.batches if batch[0].startswith(letter)]
        assert [word for batch in of_shard for word in batch] == [f"{letter}{number}" for number in range(10)]


def test_the_batching_window_starts_with_the_first_record_that_is_read(sim: Simulation) -> None:
    """MaximumBatchingWindowInSeconds: gathered until the window ends, or until the batch is full."""
    seen, stream = Seen(), sim.stream("s", shard_count=1)
    StreamMapping(sim, stream, sim.function("f", handler=seen), batch_size=3, maximum_batching_window_in_seconds=5)
    put(stream, "a")
    sim.at("3500ms", lambda: put(stream, "b"))
    sim.at("20s", lambda: put(stream, "c", "d"))
    sim.at("22500ms", lambda: put(stream, "e", "f"))
    sim.run()
    assert seen.batches == [["a", "b"], ["c", "d", "e"], ["f"]]
    assert [int(at) for at in started(sim)] == [6, 23, 28]


def test_the_next_window_starts_when_the_invocation_has_completed(sim: Simulation) -> None:
    """Developer guide: the next window begins as soon as the previous function invocation completes."""
    seen, stream = Seen(), sim.stream("s", shard_count=1)
    function = sim.function("f", handler=seen, timeout=20, simulate={"duration": "10s", "init_duration": "0s"})
    StreamMapping(sim, stream, function, maximum_batching_window_in_seconds=5)
    put(stream, "a")
    sim.at("8s", lambda: put(stream, "b"))
    sim.run()
    assert started(sim) == [6.0, 21.0]


def test_a_payload_has_at_most_six_megabytes_with_all_that_is_in_it(sim: Simulation) -> None:
    """A batch is sent when its payload reaches 6 MB; the metadata of the records count."""
    sizes: list[int] = []
    stream = sim.stream("s", shard_count=1)
    function = sim.function("f", handler=lambda event, context: sizes.append(len(event["Records"])))
    for number in range(14):
        sim.at(f"{number}s", lambda: stream.put_record(b"x" * 1_000_000, "k"))
    sim.run()
    StreamMapping(sim, stream, function)
    sim.run()
    with sim.reader() as reader:
        payloads = [row["payload"] for row in reader.query("SELECT payload FROM invocations ORDER BY rowid")]
    assert sizes == [4, 4, 2, 4]  # the first poll got 10 MB (GetRecords), which are 10 records
    assert all(len(payload) <= 6_291_456 for payload in payloads)
    assert len(payloads[0]) + len(payloads[0]) // 4 > 6_291_456


def test_a_record_that_is_larger_than_a_payload_is_given_up(sim: Simulation) -> None:
    """Records of Kinesis may have 10 MiB, a payload 6 MB: it can't be sent, and must not block the shard for ever."""
    seen, stream = Seen(), sim.stream("s", shard_count=1, max_record_size_in_ki_b=10_240)
    failed = sim.queue("failed")
    StreamMapping(sim, stream, sim.function("f", handler=seen), on_failure=failed)
    stream.put_record(b"x" * 5_000_000, "k")
    sim.at("10s", lambda: put(stream, "next"))
    sim.run()
    assert seen.batches == [["next"]]
    assert json.loads(failed.messages[0].body)["requestContext"]["approximateInvokeCount"] == 0
    assert outcomes(sim) == {"dead_letter": 1, "ok": 1}


# --- filters ----------------------------------------------------------------------------------------------------------


def test_filters_come_before_batching(sim: Simulation) -> None:
    """Developer guide: Lambda evaluates filters per record before it batches; what does not match is passed over."""
    seen, stream = Seen(), sim.stream("s", shard_count=1)
    filters = {"filters": [{"pattern": {"data": {"n": [{"numeric": [">=", 6]}]}}}]}
    mapping = StreamMapping(sim, stream, sim.function("f", handler=seen), batch_size=2, filter_criteria=filters)
    put(stream, *(json.dumps({"n": number}) for number in range(10)), "no json")
    sim.run()
    assert seen.batches == [['{"n": 6}', '{"n": 7}'], ['{"n": 8}', '{"n": 9}']]
    assert outcomes(sim) == {"ok": 4}
    assert len(hops(sim, "filtered")) == 7
    assert mapping.poller.checkpoints == {"shardId-000000000000": None}


def test_nothing_but_filtered_records_makes_no_invocation(sim: Simulation) -> None:
    """An empty batch is never sent; LastProcessingResult says `No records processed`."""
    seen, stream = Seen(), sim.stream("s", shard_count=1)
    filters = {"filters": [{"pattern": {"partitionKey": ["other"]}}]}
    mapping = StreamMapping(sim, stream, sim.function("f", handler=seen), filter_criteria=filters)
    put(stream, "a", "b")
    sim.run()
    mapping.finish()
    assert seen.batches == []
    assert mapping.result == "No records processed"
    assert outcomes(sim) == {}


# --- starting positions -----------------------------------------------------------------------------------------------


def test_starting_positions(sim: Simulation) -> None:
    """TRIM_HORIZON: the oldest record; LATEST: what comes from now on; AT_TIMESTAMP: what came then or later."""
    stream = sim.stream("s", shard_count=1)
    for second in range(3):
        sim.at(f"{10 * second}s", lambda second=second: put(stream, str(second)))
    sim.run()
    at = sim.world.epoch_ns / 1e9 + 10
    found: dict[str, list[str]] = {}
    for position in ("TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"):
        seen = Seen()
        given = {"starting_position_timestamp": at} if position == "AT_TIMESTAMP" else {}
        StreamMapping(sim, stream, sim.function(position, handler=seen), starting_position=position, **given)
        found[position] = seen.processed
    put(stream, "new")
    sim.run()
    assert found == {"TRIM_HORIZON": ["0", "1", "2", "new"], "LATEST": ["new"], "AT_TIMESTAMP": ["1", "2", "new"]}


def test_a_timestamp_is_the_first_record_to_be_read(sim: Simulation) -> None:
    """AT_TIMESTAMP begins with the record of that very millisecond, which a float of seconds can't say exactly."""
    stream = sim.stream("s", shard_count=1)
    for number in range(60):
        sim.at(f"{7 * number + 3}ms", lambda number=number: put(stream, str(number)))
    sim.run()
    first = sim.world.epoch_ns // 1_000_000
    for number in range(60):
        seen = Seen()
        at = (first + 7 * number + 3) / 1000
        function = sim.function(f"f{number}", handler=seen)
        StreamMapping(sim, stream, function, starting_position="AT_TIMESTAMP", starting_position_timestamp=at)
        sim.run()
        assert seen.processed[0] == str(number)


def test_two_functions_read_one_stream_each_at_its_own_pace(sim: Simulation) -> None:
    """Recorded: test_create_kinesis_event_source_mapping_multiple_lambdas_single_kinesis_event_stream."""
    good, bad, stream = Seen(), Seen("0"), sim.stream("s", shard_count=1)
    StreamMapping(sim, stream, sim.function("good", handler=good))
    StreamMapping(sim, stream, sim.function("bad", handler=bad), maximum_retry_attempts=2, batch_size=1)
    put(stream, *words(3))
    sim.run()
    assert good.processed == words(3)
    assert bad.batches == [["0"], ["0"], ["0"], ["1"], ["2"]]


# --- resharding -------------------------------------------------------------------------------------------------------


def test_parents_are_drained_before_their_children(sim: Simulation) -> None:
    """Developer guide, "Resharding": the children of a split are read from TRIM_HORIZON when the parent is through."""
    seen, stream = Seen(), sim.stream("s", shard_count=1)
    seen.bad = {"5"}
    StreamMapping(
        sim, stream, sim.function("f", handler=seen), batch_size=1, starting_position="LATEST", maximum_retry_attempts=6
    )
    put(stream, *words(10))
    stream.split_shard("shardId-000000000000", MIDDLE)  # takes 30 s
    sim.at("31s", lambda: [stream.put_record(f"child{n}".encode(), "k", explicit_hash_key=h)
                           for n, h in enumerate(("0", MIDDLE))])  # fmt: skip
    sim.run()
    assert seen.processed[:9] == [word for word in words(10) if word != "5"]
    assert sorted(seen.processed[9:]) == ["child0", "child1"]
    assert seen.batches.count(["5"]) == 7


def test_the_child_of_a_merge_waits_for_both_parents(sim: Simulation) -> None:
    """A merged shard has two parents; the one that is blocked keeps the child waiting."""
    seen, stream = Seen("bad"), sim.stream("s", shard_count=2)
    StreamMapping(sim, stream, sim.function("f", handler=seen), maximum_retry_attempts=9, batch_size=1)
    stream.put_record(b"good", "k", explicit_hash_key="0")
    stream.put_record(b"bad", "k", explicit_hash_key=MIDDLE)
    stream.merge_shards("shardId-000000000000", "shardId-000000000001")
    sim.at("31s", lambda: put(stream, "child"))
    sim.run(until="60s")
    assert seen.processed == ["good"]
    sim.run()
    assert seen.processed == ["good", "child"]
    assert sim.now > 2 * MINUTE


def test_latest_skips_closed_shards_and_reads_later_children_whole(sim: Simulation) -> None:
    """LATEST begins at the end of what is open; a shard that opens afterwards is read from its first record on."""
    seen, stream = Seen(), sim.stream("s", shard_count=1)
    put(stream, "before")
    stream.split_shard("shardId-000000000000", MIDDLE)
    sim.run()
    put(stream, "in a child, before")
    StreamMapping(sim, stream, sim.function("f", handler=seen), starting_position="LATEST")
    put(stream, "after")
    sim.run()
    assert seen.processed == ["after"]


def test_the_shards_of_a_table_roll_over(sim: Simulation) -> None:
    """DynamoDB closes a shard after about four hours; its child is read when it is through."""
    seen = Seen()
    table = sim.table("orders", hash_key="id", stream_view_type="KEYS_ONLY", stream_shard_lifetime="4h")
    StreamMapping(sim, table, sim.function("f", handler=seen))
    for hour in range(24):
        sim.at(f"{hour}h", lambda hour=hour: table.put_item({"id": {"S": str(hour)}}))
    sim.run()
    assert seen.processed == words(24)
    assert len(table.stream.shards) == 6


# --- lanes ------------------------------------------------------------------------------------------------------------


def test_lanes_keep_the_order_of_a_key_and_do_not_wait_for_each_other(sim: Simulation) -> None:
    """ParallelizationFactor: up to 10 batches of a shard at once, in order within a partition key."""
    seen, stream = Seen("k0-3"), sim.stream("s", shard_count=1)
    function = sim.function("f", handler=seen, simulate={"duration": "1s"})
    StreamMapping(sim, stream, function, parallelization_factor=10, batch_size=2, maximum_retry_attempts=3)
    for number in range(8):
        for key in range(40):
            put(stream, f"k{key}-{number}", key=f"key-{key}")
    sim.run()
    for key in range(40):
        of_key = [int(word.split("-")[1]) for word in seen.processed if word.startswith(f"k{key}-")]
        assert of_key == sorted(set(of_key))
    assert len(seen.processed) == 320 - 2  # the batch of the bad record was given up
    with sim.reader() as reader:
        rows = [(row["started_at"], row["ended_at"]) for row in reader.query("SELECT * FROM invocations")]
    at_once = max(sum(start <= at < end for start, end in rows) for at, _ in rows)
    assert at_once == 10


def test_a_lane_that_is_blocked_does_not_stop_the_others(sim: Simulation) -> None:
    """A poison record blocks the lane of its partition key only."""
    seen, stream = Seen("bad"), sim.stream("s", shard_count=1)
    mapping = StreamMapping(sim, stream, sim.function("f", handler=seen), parallelization_factor=4, batch_size=5)
    put(stream, "bad", key="key-0")
    for key in range(1, 40):
        put(stream, *(f"{key}/{n}" for n in range(5)), key=f"key-{key}")
    sim.run(until="1h")
    assert 0 < 195 - len(seen.processed) < 100
    [first] = {
        event["Records"][0]["kinesis"]["sequenceNumber"]
        for event in seen.events
        if text_of(event["Records"][0]) == "bad"
    }
    assert mapping.poller.checkpoints == {"shardId-000000000000": first}


# --- disable, enable, change ------------------------------------------------------------------------------------------


def test_disable_keeps_the_checkpoint(sim: Simulation) -> None:
    """Recorded: test_disable_kinesis_event_source_mapping; enabling goes on where it stopped."""
    seen, stream = Seen(), sim.stream("s", shard_count=1)
    mapping = StreamMapping(sim, stream, sim.function("f", handler=seen), starting_position="LATEST", batch_size=10)
    put(stream, *words(10))
    sim.run()
    mapping.update(enabled=False)
    put(stream, *words(10, 10))
    sim.run(for_="1h")
    assert seen.processed == words(10)
    mapping.update(enabled=True)
    sim.run()
    assert seen.processed == words(20)
    assert outcomes(sim) == {"ok": 20}


def test_a_disabled_mapping_holds_no_run_open_and_its_records_are_held(sim: Simulation) -> None:
    """Unread records hold a run open only where an enabled mapping will read them."""
    seen, stream = Seen(), sim.stream("s", shard_count=1)
    mapping = StreamMapping(sim, stream, sim.function("f", handler=seen))
    mapping.update(enabled=False)
    put(stream, *words(3))
    sim.run()
    assert sim.now == 0
    mapping.finish()
    assert outcomes(sim) == {"held": 3}


def test_records_that_leave_the_stream_while_a_mapping_is_disabled_are_lost(sim: Simulation) -> None:
    """A stream keeps records for 24 hours, whether or not they were read."""
    seen, stream = Seen(), sim.stream("s", shard_count=1)
    mapping = StreamMapping(sim, stream, sim.function("f", handler=seen))
    mapping.update(enabled=False)
    put(stream, *words(3))
    sim.at("20h", lambda: put(stream, "late"))
    sim.run(until="30h")
    mapping.update(enabled=True)
    sim.run()
    assert seen.processed == ["late"]
    assert outcomes(sim) == {"dropped": 3, "ok": 1}


def test_what_is_in_flight_when_a_mapping_is_disabled_is_finished(sim: Simulation) -> None:
    """A failure that comes back after that stays in the stream, and is tried again when the mapping is enabled."""
    seen, stream = Seen("1"), sim.stream("s", shard_count=1)
    function = sim.function("f", handler=seen, timeout=30, simulate={"duration": "10s"})
    mapping = StreamMapping(sim, stream, function, batch_size=1)
    put(stream, *words(3))
    sim.at("15s", lambda: mapping.update(enabled=False))
    sim.run()
    assert seen.batches == [["0"], ["1"]]
    assert sim.now < 30 * SECOND
    seen.bad.clear()
    mapping.update(enabled=True)
    sim.run()
    assert seen.batches == [["0"], ["1"], ["1"], ["2"]]
    assert outcomes(sim) == {"ok": 3}


def test_a_live_mapping_goes_by_its_new_settings(sim: Simulation) -> None:
    """UpdateEventSourceMapping: a shard that is blocked for ever is freed by a limit of retries."""
    seen, stream, failed = Seen("2"), sim.stream("s", shard_count=1), sim.queue("failed")
    mapping = StreamMapping(sim, stream, sim.function("f", handler=seen), batch_size=3)
    put(stream, *words(6))
    sim.run(until="10m")
    assert seen.processed == []
    mapping.update(batch_size=1, maximum_retry_attempts=1, on_failure=failed)
    sim.run()
    assert seen.processed == ["0", "1", "3", "4", "5"]
    assert seen.batches[-6:] == [["1"], ["2"], ["2"], ["3"], ["4"], ["5"]]
    assert len(failed.messages) == 1


def test_lanes_are_made_anew_when_the_parallelization_factor_changes(sim: Simulation) -> None:
    """Nothing is lost, sent twice, or sent while its key is still in flight."""
    seen, stream = Seen(), sim.stream("s", shard_count=1)
    function = sim.function("f", handler=seen, timeout=30, simulate={"duration": "5s"})
    mapping = StreamMapping(sim, stream, function, batch_size=5)
    for number in range(40):
        put(stream, f"{number % 4}/{number}", key=f"key-{number % 4}")
    sim.at("3s", lambda: mapping.update(parallelization_factor=3))
    sim.at("9s", lambda: mapping.update(parallelization_factor=1))
    sim.at("9500ms", lambda: mapping.update(parallelization_factor=2, batch_size=7))
    sim.run()
    assert len(seen.processed) == len(set(seen.processed)) == 40
    for key in range(4):
        of_key = [int(word.split("/")[1]) for word in seen.processed if word.startswith(f"{key}/")]
        assert of_key == sorted(of_key)


def test_a_deleted_mapping_finishes_what_is_in_flight(sim: Simulation) -> None:
    """Nothing else of the stream is its business any more; it holds no run open and listens no more."""
    seen, stream = Seen(), sim.stream("s", shard_count=1)
    function = sim.function("f", handler=seen, timeout=30, simulate={"duration": "10s"})
    mapping = StreamMapping(sim, stream, function, batch_size=2)
    put(stream, *words(5))
    sim.at("3s", mapping.delete)
    sim.at("4s", lambda: put(stream, "b"))
    sim.run()
    assert seen.processed == ["0", "1"]
    assert sim.now < 15 * SECOND
    assert stream._listeners == ()
    sim.event_source_mappings.final_rows()
    assert outcomes(sim) == {"ok": 2}


def test_a_mapping_that_moves_to_another_function(sim: Simulation) -> None:
    """UpdateEventSourceMapping with a FunctionName: what is in flight ends where it was sent."""
    one, two, stream = Seen(), Seen(), sim.stream("s", shard_count=1)
    first = sim.function("one", handler=one, timeout=30, simulate={"duration": "10s"})
    sim.function("two", handler=two)
    mapping = StreamMapping(sim, stream, first, batch_size=2)
    put(stream, *words(5))
    sim.at("3s", lambda: mapping.update(function_name="two"))
    sim.run()
    assert (one.processed, two.processed) == (["0", "1"], ["2", "3", "4"])
    with sim.reader() as reader:
        rows = reader.query("SELECT subscription, count(*) AS n FROM deliveries GROUP BY subscription ORDER BY 1")
        assert [tuple(row) for row in rows] == [("lambda:one", 2), ("lambda:two", 3)]


def test_what_a_run_leaves_behind_is_held(sim: Simulation) -> None:
    """A run that ends early says what is left: unread, waiting for a window, and in flight are all held."""
    seen, stream = Seen(), sim.stream("s", shard_count=1)
    function = sim.function("f", handler=seen, timeout=900, simulate={"duration": "600s"})
    mapping = StreamMapping(sim, stream, function, batch_size=2)
    put(stream, *words(5))
    sim.at("7200ms", lambda: put(stream, "unread"))
    sim.run(until="7500ms")
    mapping.finish()
    assert outcomes(sim) == {"held": 6}


def test_memory_of_what_is_settled_is_given_back(sim: Simulation) -> None:
    """After a day of traffic a mapping remembers nothing of it."""
    stream = sim.stream("s", shard_count=1)
    mapping = StreamMapping(sim, stream, sim.function("f"), batch_size=50)
    for minute in range(24 * 60):
        sim.timeline.at(minute * MINUTE, lambda _: put(stream, "x"))
    sim.run()
    [reader] = mapping.poller._readers.values()
    assert all(lane.idle for lane in reader.lanes)
    assert sim.now < 25 * HOUR
