"""What holds for every history of a mapping of a stream, whatever fails, splits, merges, or is changed under way."""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from stream_mappings import StreamMapping, bodies, text_of

from simbus import Simulation

MAPPINGS = st.fixed_dictionaries(
    {
        "batch_size": st.sampled_from([1, 2, 3, 7, 100]),
        "maximum_batching_window_in_seconds": st.sampled_from([0, 0, 3]),
        "parallelization_factor": st.sampled_from([1, 1, 2, 5]),
        "maximum_retry_attempts": st.sampled_from([-1, 0, 1, 4]),
        "maximum_record_age_in_seconds": st.sampled_from([-1, -1, 60, 600]),
        "bisect_batch_on_function_error": st.booleans(),
        "function_response_types": st.sampled_from([[], ["ReportBatchItemFailures"]]),
        "tumbling_window_in_seconds": st.sampled_from([0, 0, 20]),
    }
).filter(lambda given: given["parallelization_factor"] == 1 or not given["tumbling_window_in_seconds"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(1, 12), st.integers(0, 7)),
        st.tuples(st.just("put"), st.integers(6, 24), st.integers(0, 7)),
        st.tuples(st.just("poison"), st.integers(0, 7), st.just(0)),
        st.tuples(st.just("poison"), st.integers(0, 7), st.just(0)),
        st.tuples(st.just("unwanted"), st.integers(0, 7), st.just(0)),
        st.tuples(st.just("wait"), st.integers(1, 90), st.just(0)),
        st.tuples(st.just("heal"), st.just(0), st.just(0)),
        st.tuples(st.just("throttle"), st.integers(0, 1), st.just(0)),
        st.tuples(st.just("enable"), st.integers(0, 1), st.just(0)),
        st.tuples(st.just("change"), st.integers(1, 6), st.integers(1, 5)),
        st.tuples(st.just("split"), st.integers(0, 5), st.just(0)),
        st.tuples(st.just("merge"), st.integers(0, 5), st.just(0)),
    ),
    min_size=12,
    max_size=40,
)


class History:
    """Plays steps on a stream with a mapping, and notes what the function was given and what was settled."""

    def __init__(self, sim: Simulation, parameters: dict[str, Any]) -> None:
        self.sim = sim
        self.stream = sim.stream("s", shard_count=2)
        self.function = sim.function("f", handler=self.handler, timeout=30)
        self.failed = sim.queue("failed")
        self.lanes = parameters["parallelization_factor"]
        self.windows = parameters["tumbling_window_in_seconds"] > 0
        self.mapping = StreamMapping(
            sim, self.stream, self.function, on_failure=self.failed, **parameters,
            filter_criteria={"filters": [{"pattern": {"data": {"wanted": [True]}}}]},
        )  # fmt: skip
        self.number = 0
        self.bad: set[int] = set()
        self.sent: dict[str, tuple[str, int]] = {}  # event id -> key, number
        self.wanted: set[str] = set()
        self.settled: Counter[str] = Counter()
        self.outcomes: dict[str, str] = {}
        self.processed: dict[str, list[int]] = defaultdict(list)  # key -> numbers, in the order of success
        self.busy: Counter[str] = Counter()  # keys that an invocation works on
        self.shards: Counter[str] = Counter()
        self.violations: list[str] = []
        self._settle, sim.bus.settle_ids = sim.bus.settle_ids, self.settle  # type: ignore[method-assign]

    def settle(self, event_ids: list[str], subscription: str, outcome: str, request_id: str | None = None) -> None:
        for event_id in event_ids:
            if event_id in self.sent:
                self.settled[event_id] += 1
                self.outcomes[event_id] = outcome
        self._settle(event_ids, subscription, outcome, request_id)

    def handler(self, event: dict[str, Any], context: Any) -> Any:
        """Works for two seconds; fails, or reports, where a bad record is in the batch."""
        records = event["Records"]
        keys = {record["kinesis"]["partitionKey"] for record in records}
        shards = {record["eventID"].partition(":")[0] for record in records}
        self.busy.update(keys)
        self.shards.update(shards)
        self.expect(len(shards) <= 1, "a batch mixes shards")
        self.expect(all(self.busy[key] == 1 for key in keys), "a key is in flight twice")
        self.expect(all(self.shards[shard] <= self.lanes for shard in shards), "more batches than lanes")
        time.sleep(2)
        self.busy.subtract(keys)
        self.shards.subtract(shards)
        return self.answer(event, records)

    def expect(self, what: bool, otherwise: str) -> None:
        """A failing assertion in a handler would only be a function error."""
        if not what:
            self.violations.append(otherwise)

    def answer(self, event: dict[str, Any], records: list[Any]) -> Any:
        numbers = [json.loads(text_of(record))["number"] for record in records]
        bad = [place for place, number in enumerate(numbers) if number in self.bad]
        done = len(records)
        answer: dict[str, Any] = {"state": {}}
        if bad:
            if "ReportBatchItemFailures" not in self.mapping.answer["FunctionResponseTypes"]:
                raise ValueError("a bad record")
            done = bad[0]
            answer["batchItemFailures"] = [{"itemIdentifier": records[done]["kinesis"]["sequenceNumber"]}]
        for record, number in zip(records[:done], numbers[:done], strict=True):
            self.processed[record["kinesis"]["partitionKey"]].append(number)
        return answer

    # --- steps -----------------------------------------------------------------------------------------------------

    def play(self, steps: list[tuple[str, int, int]]) -> None:
        for verb, a, b in steps:
            getattr(self, verb)(a, b)
            self.check_checkpoints()

    def one(self, key: int, wanted: bool = True) -> None:
        data = f'{{"number":{self.number},"wanted":{"true" if wanted else "false"}}}'
        answer = self.stream.put_record(data, f"key-{key}")
        event_id = f"{answer['ShardId']}:{answer['SequenceNumber']}"
        self.sent[event_id] = (f"key-{key}", self.number)
        if wanted:
            self.wanted.add(event_id)
        self.number += 1

    def put(self, count: int, key: int) -> None:
        for place in range(count):
            self.one((key + place) % 8)

    def poison(self, key: int, _: int) -> None:
        self.bad.add(self.number)
        self.one(key)

    def unwanted(self, key: int, _: int) -> None:
        self.one(key, wanted=False)

    def wait(self, seconds: int, _: int) -> None:
        self.sim.run(for_=f"{seconds}s")

    def heal(self, _: int, __: int) -> None:
        self.bad.clear()

    def throttle(self, concurrency: int, _: int) -> None:
        self.function.put_function_concurrency(concurrency)

    def enable(self, enabled: int, _: int) -> None:
        self.mapping.update(enabled=bool(enabled))

    def change(self, batch_size: int, factor: int) -> None:
        factor = 1 if self.windows else factor  # else AWS refuses it
        self.lanes = max(self.lanes, factor)
        self.mapping.update(batch_size=batch_size, parallelization_factor=factor)

    def split(self, place: int, _: int) -> None:
        shards = [shard for shard in self.stream.shards if not shard.closed]
        shard = shards[place % len(shards)]
        self.reshard(self.stream.split_shard, shard.id, str(sum(shard.hash_range) // 2 + 1))

    def merge(self, place: int, _: int) -> None:
        shards = sorted((s for s in self.stream.shards if not s.closed), key=lambda s: s.hash_range)
        if len(shards) > 1:
            place %= len(shards) - 1
            self.reshard(self.stream.merge_shards, shards[place].id, shards[place + 1].id)

    def reshard(self, operation: Any, *arguments: str) -> None:
        if self.stream.status == "ACTIVE":  # the one before is finished
            operation(*arguments)

    # --- what must hold --------------------------------------------------------------------------------------------

    def check_checkpoints(self) -> None:
        """The checkpoint of a shard never passes a record that was read and is not settled."""
        for reader in self.mapping.poller._readers.values():
            read = reader.shard.read(0)[: reader.position]
            open_ = [r for r in read if r.event_id in self.wanted and not self.settled[r.event_id]]
            if open_:
                assert reader.checkpoint is not None
                assert int(reader.checkpoint) <= int(open_[0].sequence_number)

    def end(self) -> None:
        """Everything is repaired, and the run goes on until nothing is pending."""
        self.heal(0, 0)
        self.function.delete_function_concurrency()
        self.mapping.update(enabled=True)
        self.sim.run()
        assert not self.violations
        assert set(self.settled) == self.wanted, "a record is lost, or one was settled that was filtered out"
        assert set(self.settled.values()) <= {1}, "a record is settled twice"
        assert set(self.outcomes.values()) <= {"ok", "dead_letter"}
        for event_id, outcome in self.outcomes.items():
            key, number = self.sent[event_id]
            assert outcome == "dead_letter" or number in self.processed[key]
        for key, numbers in self.processed.items():
            assert numbers == sorted(numbers), f"{key} is out of order"
        reported = sum(body["KinesisBatchInfo"]["batchSize"] for body in bodies(self.failed))
        assert reported == sum(outcome == "dead_letter" for outcome in self.outcomes.values())
        assert all(lane.idle for reader in self.mapping.poller._readers.values() for lane in reader.lanes)


@settings(max_examples=150)
@given(MAPPINGS, STEPS, st.sampled_from([None, 1, 2]))
@example({"batch_size": 3, "maximum_batching_window_in_seconds": 0, "parallelization_factor": 1,
          "maximum_retry_attempts": 1, "maximum_record_age_in_seconds": -1, "bisect_batch_on_function_error": True,
          "function_response_types": ["ReportBatchItemFailures"], "tumbling_window_in_seconds": 20},
         [("put", 12, 0), ("poison", 3, 0), ("put", 5, 1), ("split", 0, 0), ("wait", 60, 0), ("put", 12, 2),
          ("change", 2, 5), ("wait", 3, 0), ("merge", 0, 0), ("enable", 0, 0), ("wait", 50, 0)], None)  # fmt: skip
def test_every_history(parameters: dict[str, Any], steps: list[tuple[str, int, int]], ties: int | None) -> None:
    """Nothing lost, settled once, in order per key, one batch per lane, the checkpoint behind what is not settled."""
    with Simulation(seed=1, ties=ties) as sim:
        history = History(sim, parameters)
        history.play(steps)
        history.end()
