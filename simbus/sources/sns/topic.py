"""Amazon SNS: a topic publishes messages to its subscriptions, functions and queues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from simbus.model import ChangeEvent
from simbus.sources.base import operation, twin
from simbus.sources.sns.managed import ManagedTopic
from simbus.sources.sns.message import Message, message_data
from simbus.sources.sns.request import Draft, batch, draft
from simbus.world import Delivery


class Topic(ManagedTopic):
    """An SNS topic. https://docs.aws.amazon.com/sns/latest/dg/welcome.html

    `fifo_topic` with a name that ends in `.fifo`; `content_based_deduplication` (FIFO only) takes the SHA-256 of the
    message where it has no deduplication id; `fifo_throughput_scope` "MessageGroup" deduplicates within each group
    instead of the whole topic. `signature_version` is "1" or "2"; signatures have the right form and length but verify
    nothing. `policy`, `delivery_policy` (for HTTP), `kms_master_key_id` and `tracing_config` are kept and shown only.
    Raises AwsError InvalidParameter for a wrong name or setting.
    """

    # --- publish ---------------------------------------------------------------------------------------------------

    @operation
    def publish(
        self,
        message: str,
        *,
        subject: str | None = None,
        message_attributes: Mapping[str, Mapping[str, Any]] | None = None,
        message_structure: str | None = None,
        message_group_id: str | None = None,
        message_deduplication_id: str | None = None,
    ) -> dict[str, str]:
        """Publish a message: `{"MessageId": ...}`, on a FIFO topic with a `SequenceNumber`.

        At most 262,144 bytes with its attributes (`{name: {"DataType": ..., "StringValue" | "BinaryValue": ...}}`).
        A duplicate within 5 minutes on a FIFO topic gets the answer of the first one and is not delivered.
        Raises AwsError: InvalidParameter, ParameterValueInvalid, NotFound; ServiceUnavailable in an outage.
        """
        self._check_exists()
        checked = draft(
            message,
            subject,
            message_attributes,
            message_structure,
            message_group_id,
            message_deduplication_id,
            fifo=self.fifo_topic,
            needs_deduplication_id=self._needs_deduplication_id,
        )
        return _answer(self._publish(checked, *self._cause))

    apublish = twin(publish)

    @operation
    def publish_batch(self, entries: Sequence[Mapping[str, Any]]) -> dict[str, list[dict[str, str]]]:
        """Publish up to 10 messages: `{"Successful": [{"Id": ..., "MessageId": ...}], "Failed": []}`.

        An entry has the keys of AWS (`Id`, `Message`, `Subject` ...) or the same in snake_case. Raises AwsError for
        the request as a whole (recording test_publish_batch_exceptions): also TooManyEntriesInBatchRequest,
        BatchEntryIdsNotDistinct, BatchRequestTooLong, EmptyBatchRequest, InvalidBatchEntryId.
        """
        self._check_exists()
        checked = batch(entries, fifo=self.fifo_topic, needs_deduplication_id=self._needs_deduplication_id)
        cause = self._cause
        answers = [{"Id": name, **_answer(self._publish(each, *cause))} for name, each in checked]
        return {"Successful": answers, "Failed": []}

    apublish_batch = twin(publish_batch)

    def accept(self, delivery: Delivery) -> None:
        """Publish what another service sends: an S3 notification, a dead letter, a destination record, an event.

        S3's notifications have the subject `Amazon S3 Notification`. Raises AwsError as `publish` does.
        """
        if self._out_until:
            self._check_available()
        self._check_exists()
        from_s3 = delivery.service == "s3.amazonaws.com"
        checked = draft(
            delivery.payload,
            delivery.subject or ("Amazon S3 Notification" if from_s3 else None),
            delivery.attributes,
            None,
            delivery.group_id,
            delivery.deduplication_id,
            fifo=self.fifo_topic,
            needs_deduplication_id=self._needs_deduplication_id,
        )
        self._publish(checked, delivery.parent, delivery.lineage)

    @property
    def _needs_deduplication_id(self) -> bool:
        return self.fifo_topic and not self.content_based_deduplication

    def _publish(self, checked: Draft, parent: str | None, lineage: Any) -> Message:
        """Make the message and its change event, or find the message that this one repeats."""
        if not self.fifo_topic:
            message = self._message(checked, checked.deduplication_id, None)
        else:
            key = checked.deduplication_id or sha256(checked.message.encode("utf-8", "surrogatepass")).hexdigest()
            scope = checked.group_id if self.fifo_throughput_scope == "MessageGroup" else None
            earlier = self._memory.earlier((scope, key), self._timeline.now)
            if earlier is not None:
                self._bus.hop(earlier.message_id, "duplicate", self.name, f"deduplication id {key} within 5 minutes")
                return earlier
            message = self._message(checked, key, self._memory.next_sequence_number())
            self._memory.remember((scope, key), self._timeline.now, message)
        self._bus.publish(
            ChangeEvent(
                message.message_id,
                self._timeline.now,
                self.name,
                self.arn,
                "Notification",
                message.subject,
                parent,
                message_data(message),
                lineage,
            )
        )
        return message

    def _message(self, checked: Draft, deduplication_id: str | None, sequence_number: str | None) -> Message:
        return Message(
            self._uuid(),
            checked.message,
            self._timestamp(),
            checked.subject,
            checked.attributes,
            checked.structure,
            checked.group_id,
            deduplication_id,
            sequence_number,
        )

    def _timestamp(self) -> str:
        """Now, as `2026-01-01T00:00:00.000Z`. The calendar is asked once a second: it is the dear part of a publish."""
        second, millisecond = divmod(self._world.epoch_ms(), 1000)
        if second != self._second[0]:
            self._second = (second, self._world.iso(timespec="seconds")[:-1])
        return f"{self._second[1]}.{millisecond:03}Z"


def _answer(message: Message) -> dict[str, str]:
    if message.sequence_number is None:
        return {"MessageId": message.message_id}
    return {"MessageId": message.message_id, "SequenceNumber": message.sequence_number}
