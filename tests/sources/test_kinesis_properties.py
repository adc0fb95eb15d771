"""What holds for every history of a stream: order, exactly once per reader, ranges without gaps, limits kept."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from hashlib import md5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import Worldlet

from simbus.errors import AwsError
from simbus.kernel import HOUR, MINUTE, SECOND
from simbus.sources.kinesis.shard import Record, Shard
from simbus.sources.kinesis.stream import Stream

HASH_KEYS = 1 << 128
MIB = 1 << 20
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(0, 20), st.integers(1, 5)),
        st.tuples(st.just("put"), st.integers(0, 20), st.integers(1, 5)),
        st.tuples(st.just("split"), st.integers(0, 9), st.integers(0, HASH_KEYS - 1)),
        st.tuples(st.just("merge"), st.integers(0, 9), st.just(0)),
        st.tuples(st.just("scale"), st.integers(1, 9), st.just(0)),
        st.tuples(st.just("wait"), st.integers(1, 100), st.sampled_from([SECOND, MINUTE, HOUR])),
        st.tuples(st.just("read"), st.integers(0, 1), st.integers(1, 7)),
    ),
    max_size=40,
)


class Reader:
    """Reads a stream as a mapping does: every shard from its position, a child after its parents."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.positions: dict[str, int] = defaultdict(int)
        self.got: list[Record] = []

    def read(self, limit: int) -> int:
        """One round through the shards. Returns how many records there were."""
        before = len(self.got)
        for shard in self.stream.shards:
            if all(parent.drained(self.positions[parent.id]) for parent in self.stream.parents(shard)):
                first = max(self.positions[shard.id], shard.start)
                records = shard.read(first, limit)
                self.got += records
                self.positions[shard.id] = first + len(records)
        return len(self.got) - before


class History:
    """Plays steps on a stream and notes every record that it took, by shard and position."""

    def __init__(self, retention: int) -> None:
        self.w = Worldlet()
        self.retention = retention * HOUR
        self.stream = self.w.stream("clicks", shard_count=2, retention_period_hours=retention)
        self.readers = [Reader(self.stream), Reader(self.stream)]
        self.taken: list[Record] = []
        self.by_shard: dict[str, list[Record]] = defaultdict(list)
        self.news: set[str] = set()
        self.stream.listen(lambda shard: self.news.add(shard.id))

    def play(self, steps) -> None:
        for verb, a, b in steps:
            getattr(self, verb)(a, b)
            self.check()

    def put(self, key, count) -> None:
        self.news.clear()
        for _ in range(count):
            shard = self.stream.shard(self.stream.put_record(str(len(self.taken)), f"user-{key}")["ShardId"])
            record = shard.records[-1]
            self.taken.append(record)
            self.by_shard[shard.id].append(record)
        assert self.news == {shard.id}

    def open(self) -> list[Shard]:
        shards = [shard for shard in self.stream.shards if not shard.closed]
        return sorted(shards, key=lambda shard: shard.hash_range)

    def change(self, call, *args) -> None:
        """A change that the stream may refuse, and the half minute that it takes."""
        with suppress(AwsError):
            call(*args)
        self.w.timeline.run()

    def split(self, which, at) -> None:
        shards = self.open()
        self.change(self.stream.split_shard, shards[which % len(shards)].id, str(at))

    def merge(self, which, _) -> None:
        shards = self.open()
        low = which % len(shards)
        self.change(self.stream.merge_shards, shards[low].id, shards[(low + 1) % len(shards)].id)

    def scale(self, target, _) -> None:
        self.change(self.stream.update_shard_count, target)

    def wait(self, amount, unit) -> None:
        self.w.timeline.run(until=self.w.timeline.now + amount * unit)

    def read(self, which, limit) -> None:
        self.readers[which].read(limit)

    def check(self) -> None:
        self.check_ranges()
        horizon = self.w.timeline.now - self.retention
        for shard in self.stream.shards:
            ever = self.by_shard[shard.id]
            readable = [record for record in ever if record.arrival > horizon]
            assert (shard.end, shard.start) == (len(ever), len(ever) - len(readable))
            assert shard.records == readable
            for position in {0, shard.start, shard.end // 2, shard.end}:
                assert shard.read(position, 3) == ever[max(position, shard.start) :][:3]
                assert shard.unread(position) == len(ever) - max(position, shard.start)
            assert all(shard.position("AT_SEQUENCE_NUMBER", r.sequence_number) == ever.index(r) for r in readable)

    def check_ranges(self) -> None:
        """The open shards share the key space out, without gap and without overlap."""
        ranges = [shard.hash_range for shard in self.open()]
        assert [found.start for found in ranges] == [0, *(found.end + 1 for found in ranges[:-1])]
        assert ranges[-1].end == HASH_KEYS - 1

    def number_of(self, key: str) -> list[int]:
        return [int(record.sequence_number) for record in self.taken if record.partition_key == key]


@given(STEPS, st.sampled_from([24, 200]))
@settings(max_examples=120)
def test_every_history_of_a_stream(steps, retention):
    """Records of a key keep their order over splits and merges, sequence numbers grow along it, positions stay what
    they are when records expire, and the hash key ranges of the open shards share out the key space."""
    history = History(retention)
    history.play(steps)
    for key in {record.partition_key for record in history.taken}:
        numbers = history.number_of(key)
        assert numbers == sorted(set(numbers))
    assert len({record.sequence_number for record in history.taken}) == len(history.taken)


@given(STEPS, st.integers(1, 7))
@settings(max_examples=120)
def test_every_reader_gets_every_record_once_and_in_order(steps, limit):
    """ "Each has its own checkpoint and sees all records" (reference, section 7.3): nothing twice, nothing missing, and
    for a partition key in the order of the puts, also across a reshard; no record expires here."""
    history = History(8_760)
    history.play(steps)
    for reader in history.readers:
        while reader.read(limit):
            pass
        assert sorted(reader.got, key=lambda record: int(record.data)) == history.taken
        for shard_id, records in history.by_shard.items():
            assert [record for record in reader.got if record.event_id.startswith(shard_id)] == records
        for key in {record.partition_key for record in history.taken}:
            mine = [int(record.data) for record in reader.got if record.partition_key == key]
            assert mine == sorted(mine)


PUTS = st.lists(
    st.tuples(st.integers(0, 700), st.sampled_from([1, 300, 500]), st.sampled_from([0, 700, 5_000, 300_000, MIB])),
    max_size=25,
)


@given(PUTS)
@settings(max_examples=60)
def test_no_shard_ever_takes_more_than_its_share_of_a_second(puts):
    """1,000 records and 1 MiB a second and shard, not one more and not one less: what is refused had no room. (A blob
    of 1 MiB fills its second, its partition key comes on top.)"""
    w = Worldlet()
    stream = w.stream("clicks", shard_count=2)
    used: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])
    for delay, count, size in puts:
        w.timeline.run(until=w.timeline.now + delay * SECOND // 1000)
        second = w.timeline.now // SECOND
        size = min(size, 10 * MIB // count - 8)
        records = [{"data": bytes(size), "partition_key": str(n % 7)} for n in range(count)]
        answer = stream.put_records(records)
        refused = 0
        for record, entry in zip(records, answer["Records"], strict=True):
            at = int(md5(record["partition_key"].encode()).hexdigest(), 16) // (HASH_KEYS // 2)
            taken = used[f"shardId-{at:012d}", second]
            counted = min(size + 1, MIB)
            fits = taken[0] < 1_000 and taken[1] + counted <= MIB
            assert ("SequenceNumber" in entry) == fits
            refused += not fits
            if fits:
                taken[0] += 1
                taken[1] += counted
        assert answer["FailedRecordCount"] == refused


@pytest.mark.parametrize(
    ("initial", "target", "every"), [(2, 4, 6), (4, 5, 15), (10, 13, 37), (4, 2, 6), (5, 3, 7), (3, 6, 9), (7, 7, 7)]
)
def test_how_many_shards_a_scaling_makes(initial, target, every):
    """UpdateShardCount splits and merges; closed shards are listed as well (the first five are quoted by moto)."""
    w = Worldlet()
    stream = w.stream("clicks", shard_count=initial)
    assert stream.update_shard_count(target) == {
        "StreamName": "clicks",
        "CurrentShardCount": initial,
        "TargetShardCount": target,
        "StreamARN": stream.arn,
    }
    w.timeline.run()
    assert len(stream.list_shards()["Shards"]) == every
    for shard in stream.shards:  # a child's sequence numbers begin above those of its parents
        for parent in stream.parents(shard):
            assert int(parent.ending_sequence_number) < int(shard.starting_sequence_number)
    assert stream.describe_stream_summary()["StreamDescriptionSummary"]["OpenShardCount"] == target
