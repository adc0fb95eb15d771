"""What Lambda tells an on-failure destination about records of a stream that it gives up.

Sources: Developer Guide, "Retain discarded batch records for a Kinesis Data Streams event source"; recordings
test_kinesis_event_source_mapping_with_on_failure_destination_config, .._with_sns_.., .._with_s3_..,
test_kinesis_report_batch_item_failure_scenarios, test_kinesis_maximum_record_age_exceeded_discard_records, and the
same of DynamoDB. A bucket's record holds the whole event besides, as JSON in a string (the guide: "the payload field
contains the original invocation record as an escaped JSON string"; the recording shows JSON in strings parsed).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from simbus.model import Invocation
from simbus.scheduler.destinations import Destinations
from simbus.scheduler.mappings.port import FunctionPort
from simbus.scheduler.streams.batch import Batch
from simbus.scheduler.streams.source import Stream
from simbus.world import Delivery, World

RETRIES_EXHAUSTED: Final = "RetryAttemptsExhausted"
AGE_EXCEEDED: Final = "RecordAgeExceeded"


class Failure(NamedTuple):
    """Why records are given up. `port` leads to the function that was to process them (or its version, its alias).

    `invocation` is the last one that failed, `function_error` what it ended with.
    `function_error` None (in the record: null) says that the function returned, and reported the records as failed.
    Without an invocation the record has no responseContext.
    """

    port: FunctionPort
    condition: str
    invoke_count: int
    request_id: str
    invocation: Invocation | None = None
    function_error: str | None = None

    @property
    def function_arn(self) -> str:
        arn, qualifier = self.port.function.arn, self.port.qualifier
        return arn if qualifier is None else f"{arn}:{qualifier}"


class FailureRecords:
    """Writes and sends the failure records of one mapping."""

    def __init__(self, world: World, stream: Stream, destinations: Destinations, mapping_uuid: str) -> None:
        self._world = world
        self._stream = stream
        self._destinations = destinations
        self._mapping_uuid = mapping_uuid
        # recorded: DynamoDB's arrivals have no milliseconds
        self._timespec = "milliseconds" if stream.batch_info_key == "KinesisBatchInfo" else "seconds"

    def send(self, arn: str, shard_id: str, batch: Batch, failure: Failure) -> bool:
        """Tell a queue, a topic or a bucket; False where it can't be told (a row of hops says why)."""
        text = self._record(shard_id, batch, failure)
        if arn.startswith("arn:aws:s3:"):
            text = f'{text[:-1]},"payload":{msgspec.json.encode(batch.payload()).decode()}}}'
        delivery = Delivery(text, "lambda.amazonaws.com", failure.function_arn, parent=failure.request_id)
        event_id = batch.records[0].event_id
        folder = f"aws/lambda/{self._mapping_uuid}/{shard_id}"
        return self._destinations.deliver(arn, delivery, event_id, "DestinationDeliveryFailures", folder)

    def _record(self, shard_id: str, batch: Batch, failure: Failure) -> str:
        """The JSON of a failure record, in AWS's key order."""
        first, last = batch.records[0], batch.records[-1]
        iso, timespec = self._world.iso, self._timespec
        response = ""
        if failure.invocation is not None:
            error = "null" if failure.function_error is None else f'"{failure.function_error}"'
            version = failure.invocation.version
            response = f'"responseContext":{{"statusCode":200,"executedVersion":"{version}","functionError":{error}}},'
        return (
            f'{{"requestContext":{{"requestId":"{failure.request_id}","functionArn":"{failure.function_arn}",'
            f'"condition":"{failure.condition}","approximateInvokeCount":{failure.invoke_count}}},{response}'
            f'"version":"1.0","timestamp":"{iso()}","{self._stream.batch_info_key}":{{"shardId":"{shard_id}",'
            f'"startSequenceNumber":"{first.sequence_number}","endSequenceNumber":"{last.sequence_number}",'
            f'"approximateArrivalOfFirstRecord":"{iso(first.arrival, timespec)}",'
            f'"approximateArrivalOfLastRecord":"{iso(last.arrival, timespec)}",'
            f'"batchSize":{len(batch.records)},"streamArn":"{self._stream.arn}"}}}}'
        )
