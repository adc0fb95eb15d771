"""Mappings from streams to functions, for tests: parameters as CreateEventSourceMapping has them, and what they see."""

from __future__ import annotations

import json
from base64 import b64decode
from collections import Counter
from typing import Any

from simbus import Simulation
from simbus.scheduler.streams.poller import StreamPoller


class StreamMapping:
    """One mapping of a Kinesis stream or of a table's stream, from TRIM_HORIZON on unless it says otherwise.

    `answer` is that of CreateEventSourceMapping.
    """

    def __init__(self, sim: Simulation, source: Any, function: Any, **given: Any) -> None:
        if "StartingPosition" not in given:
            given.setdefault("starting_position", "TRIM_HORIZON")
        self._operations = sim.event_source_mappings
        parameters = _with_arns({"event_source_arn": source, "function_name": function, **given})
        self._mapping, self.answer = self._operations.create(**parameters)
        self.uuid = self._mapping.uuid

    @property
    def poller(self) -> StreamPoller:
        poller = self._mapping.poller
        assert isinstance(poller, StreamPoller)
        return poller

    @property
    def result(self) -> str:
        """LastProcessingResult."""
        return self._mapping.last_processing_result

    def update(self, **given: Any) -> None:
        """UpdateEventSourceMapping."""
        self._operations.update_event_source_mapping(uuid=self.uuid, **_with_arns(given))

    def delete(self) -> None:
        """DeleteEventSourceMapping."""
        self._operations.delete_event_source_mapping(self.uuid)

    def finish(self) -> None:
        """What the end of the run does."""
        self.poller.finish()


def _with_arns(given: dict[str, Any]) -> dict[str, Any]:
    return {key: getattr(value, "arn", value) for key, value in given.items()}


class Seen:
    """A handler that keeps what it is given, and fails for records whose data (as text) are in `bad`."""

    def __init__(self, *bad: str, answer: Any = None) -> None:
        self.bad = set(bad)
        self.answer = answer
        self.batches: list[list[str]] = []
        self.events: list[dict[str, Any]] = []
        self.processed: list[str] = []

    def __call__(self, event: dict[str, Any], context: Any) -> Any:
        data = [text_of(record) for record in event["Records"]]
        self.events.append(event)
        self.batches.append(data)
        if self.bad.intersection(data):
            raise ValueError("a bad record")
        self.processed += data
        return self.answer


def text_of(record: dict[str, Any]) -> str:
    """The data of a Kinesis record as text; of a DynamoDB record its key `id`."""
    if "kinesis" in record:
        return b64decode(record["kinesis"]["data"]).decode()
    return str(record["dynamodb"]["Keys"]["id"]["S"])


def outcomes(sim: Simulation) -> dict[str, int]:
    """How many deliveries came to what."""
    with sim.reader() as reader:
        return dict(Counter(row["outcome"] for row in reader.query("SELECT outcome FROM deliveries")))


def hops(sim: Simulation, kind: str) -> list[str]:
    """The details of the hops of a kind."""
    with sim.reader() as reader:
        return [row["detail"] for row in reader.query("SELECT detail FROM hops WHERE kind = ? ORDER BY rowid", (kind,))]


def started(sim: Simulation) -> list[float]:
    """When each invocation started, in seconds of virtual time."""
    with sim.reader() as reader:
        rows = reader.query("SELECT started_at FROM invocations ORDER BY rowid")
        return [(row["started_at"] - sim.world.epoch_ms(0)) / 1000 for row in rows]


def bodies(queue: Any) -> list[dict[str, Any]]:
    """The messages of a queue, decoded."""
    return [json.loads(message.body) for message in queue.messages]
