"""CloudWatch metrics of a run, a row for each minute of virtual time: what AWS/Lambda, AWS/SQS and
AWS/DynamoDB would show.

`time` is the start of the minute in ms since the epoch, `dimension` `FunctionName=resize`, `QueueName=jobs`,
`TableName=orders` or `EventSourceMappingUUID=...` (empty: the whole account), `value` one statistic of that minute:

| name | value | unit |
|---|---|---|
| Invocations, Errors | Sum, in the minute in which the invocation started (both where there was one) | Count |
| Duration | Average of the same invocations, without init | Milliseconds |
| Throttles | Sum; 0 where there were invocations, but none was throttled | Count |
| ConcurrentExecutions | Maximum, init included; also of the account | Count |
| UnreservedConcurrentExecutions | Maximum, of the account | Count |
| ProvisionedConcurrencyInvocations, ProvisionedConcurrencySpilloverInvocations | Sum | Count |
| IteratorAge | Maximum over the batches that were sent to the function | Milliseconds |
| AsyncEventsReceived, AsyncEventsDropped | Sum | Count |
| AsyncEventAge | Maximum over the attempts, throttled ones too | Milliseconds |
| DeadLetterErrors, DestinationDeliveryFailures, RecursiveInvocationsDropped | Sum | Count |
| ApproximateNumberOfMessagesVisible, ...NotVisible, ...Delayed | Maximum | Count |
| ApproximateAgeOfOldestMessage | Maximum, whole seconds | Seconds |
| NumberOfMessagesSent, NumberOfMessagesReceived, NumberOfMessagesDeleted | Sum | Count |
| ConsumedReadCapacityUnits, ConsumedWriteCapacityUnits, of a table of provisioned capacity | Sum | Count |
| ReadThrottleEvents, WriteThrottleEvents, of the same | Sum | Count |
| PolledEventCount and the others of `simbus.metrics.mapping`, where MetricsConfig asks for EventCount | Sum | Count |

A minute in which nothing happened has no rows, as CloudWatch has no data point then. What stands (messages in a queue,
an invocation that runs for minutes) has a row for every minute in which it is not zero, as long as the run is open.
What users put (PutMetricData, or log lines of the embedded metric format) stands in the same table: see
`simbus.metrics.custom`.
NumberOfEmptyReceives is left out: simbus does not play the polls that find nothing.

Sources: Lambda Developer Guide, "Types of metrics for Lambda functions" (a throttled request is no invocation and no
error; the timestamp of an error is that of its invocation); SQS Developer Guide, "Available CloudWatch metrics for
Amazon SQS". That Invocations and Duration have the timestamp of Errors is simbus's reading: so the Errors / Invocations
of a minute are a rate.

There is no timer: whoever counts something looks first whether the minute is over, and then writes the rows of every
minute that has passed. What a row says, and where it stands, does not depend on when somebody looked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

from simbus.kernel import Timeline
from simbus.metrics.account import AccountMeter, Pool
from simbus.metrics.custom import rows_of_value
from simbus.metrics.embedded import observations
from simbus.metrics.function import FunctionMeter
from simbus.metrics.mapping import MappingMeter
from simbus.metrics.meter import Clock, Datapoint, Meter
from simbus.metrics.names import check_name
from simbus.metrics.queue import QueueMeter
from simbus.metrics.table import TableMeter

__all__ = ["Datapoint", "FunctionMeter", "MappingMeter", "Metrics", "QueueMeter", "TableMeter"]


class MetricRows(Protocol):
    """Where the rows go."""

    metrics: list[Datapoint]

    def flush_if_full(self) -> None: ...


class Metrics:
    """The metrics of one simulation. `epoch_ns` is what the calendar says at virtual time 0, in ns since 1970.

    `read(name, dimension)` answers with the rows that have been written.
    """

    def __init__(self, timeline: Timeline, rows: MetricRows, epoch_ns: int) -> None:
        self._timeline = timeline
        self._rows = rows
        self._clock = Clock(epoch_ns)
        self._functions: dict[str, FunctionMeter] = {}
        self._tables: dict[str, TableMeter] = {}
        self._meters: list[Meter] = []  # in the order in which they were made, which is that of their rows
        self.read: Callable[[str, str], Iterable[Datapoint]] = self._in_memory

    def function(self, name: str) -> FunctionMeter:
        """The meter of a function, by its bare name."""
        found = self._functions.get(name)
        if found is None:
            found = FunctionMeter(f"FunctionName={name}", self._clock, self._timeline, self.catch_up)
            self._functions[name] = found
            self._meters.append(found)
        return found

    def queue(self, name: str, counts: Mapping[Any, int], fifo: bool) -> QueueMeter:
        """The meter of a new queue, whose messages by state are in `counts`."""
        made = QueueMeter(f"QueueName={name}", self._clock, self._timeline, self.catch_up, counts, fifo)
        self._meters.append(made)
        return made

    def mapping(self, uuid: str) -> MappingMeter:
        """The meter of a new event source mapping; it counts nothing until it is enabled."""
        made = MappingMeter(f"EventSourceMappingUUID={uuid}", self._clock, self._timeline, self.catch_up)
        self._meters.append(made)
        return made

    def table(self, name: str) -> TableMeter:
        """The meter of a table of provisioned capacity, which may have been on demand for a while, or be made anew."""
        found = self._tables.get(name)
        if found is None:
            found = TableMeter(f"TableName={name}", self._clock, self._timeline, self.catch_up)
            self._tables[name] = found
            self._meters.append(found)
        return found

    def account(self, pool: Pool) -> None:
        """Watch the concurrency of the account."""
        self._meters.append(AccountMeter(pool, self._clock))

    def catch_up(self) -> None:
        """Write what is final of every minute that has passed."""
        clock, rows, meters = self._clock, self._rows, self._meters
        now = self._timeline.now
        while now >= clock.ends:
            for meter in meters:
                rows.metrics.extend(meter.close())
            meters = [meter for meter in meters if meter.stands]
            clock.go_to(clock.ends if meters else clock.minute_of(now))  # idle hours have no rows
            if self._timeline.actor is None:
                rows.flush_if_full()  # may start threads, and none starts inside a handler

    def embedded(self, line: str) -> None:
        """A log line that may be of the embedded metric format: what it says of metrics becomes rows."""
        for key, time, values, unit, resolution in observations(line):
            time -= time % (resolution * 1_000)
            for value in values:
                self._rows.metrics.extend(rows_of_value(key, time, value, unit))

    def finish(self) -> None:
        """The run has ended: write the rest. Nothing may be counted afterwards."""
        self.catch_up()
        self._rows.metrics.extend(self.unwritten())
        self._meters.clear()

    def datapoints(self, name: str, dimension: str) -> list[Datapoint]:
        """The data points of one metric so far, in the order of time, the minute under way included.

        Raises UsageError for a name that `simbus.metrics.names` does not have for such a dimension.
        """
        check_name(name, dimension)
        self.catch_up()
        found = [*self.read(name, dimension)]
        found += (point for point in self.unwritten() if point.name == name and point.dimension == dimension)
        return sorted(found)

    def unwritten(self) -> Iterator[Datapoint]:
        """The data points that are not written yet, as they are now."""
        for meter in self._meters:
            yield from meter.unwritten()

    def _in_memory(self, name: str, dimension: str) -> Iterator[Datapoint]:
        return (point for point in self._rows.metrics if point.name == name and point.dimension == dimension)
