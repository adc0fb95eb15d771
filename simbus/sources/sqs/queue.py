"""Amazon SQS: a queue, standard or FIFO."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from simbus.errors import AwsError, HungUp
from simbus.kernel import MILLISECOND, SECOND
from simbus.kernel.sleeping import sleep
from simbus.sources.base import operation, twin
from simbus.sources.sqs.managed import ManagedQueue
from simbus.sources.sqs.message import Attributes, Message, ReceivedMessage, read_receipt_handle, receipt_handle
from simbus.sources.sqs.request import (
    MAXIMUM_VISIBILITY,
    LongPoll,
    answer,
    check_batch,
    check_batch_size,
    check_delay,
    check_fifo_batch,
    check_ids,
    check_message,
    check_receive,
    check_token,
    check_visibility,
    each,
    invalid,
    trace_header_of,
)
from simbus.sources.sqs.store import IN_FLIGHT_LIMIT
from simbus.world import Delivery

LOOK_AGAIN: Final = 50 * MILLISECOND
_SEND_KEYS = (
    "message_body",
    "delay_seconds",
    "message_attributes",
    "message_group_id",
    "message_deduplication_id",
    "message_system_attributes",
)


class Queue(ManagedQueue):
    """An SQS queue. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/welcome.html

    `attributes` are those of `Settings`, AWS's names in snake_case. A FIFO queue (`fifo_queue`) has a name that ends in
    .fifo. A standard queue hands its messages out in the order in which they became visible and each once per
    visibility timeout (AWS promises neither). Raises AwsError as CreateQueue does.
    """

    # --- send ------------------------------------------------------------------------------------------------------

    @operation
    def send_message(
        self,
        message_body: str,
        *,
        delay_seconds: int | None = None,
        message_attributes: Attributes | None = None,
        message_group_id: str | None = None,
        message_deduplication_id: str | None = None,
        message_system_attributes: Attributes | None = None,
    ) -> dict[str, str]:
        """Send a message: `{"MessageId", "MD5OfMessageBody", ...}`.

        At most maximum_message_size bytes with its attributes (`{name: {"DataType": ..., "StringValue" |
        "BinaryValue": ...}}`); `delay_seconds` 0 to 900, standard queues only. A duplicate within 5 minutes on a FIFO
        queue gets the answer of the first one and is not put into the queue.
        Raises AwsError: InvalidParameterValue, MissingParameter, InvalidMessageContents; RequestThrottled.
        """
        self._admit("SendMessage")
        return self._send(
            message_body,
            delay_seconds,
            message_attributes,
            message_group_id,
            message_deduplication_id,
            message_system_attributes,
        )

    asend_message = twin(send_message)

    @operation
    def send_message_batch(self, entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Send up to 10 messages, 1 MiB in all: `{"Successful": [...], "Failed": [...]}`.

        An entry has an `id` and the arguments of `send_message`. Raises AwsError for the request as a whole:
        AWS.SimpleQueueService.TooManyEntriesInBatchRequest, BatchRequestTooLong, BatchEntryIdsNotDistinct ...
        """
        self._admit("SendMessage")
        given = check_batch(entries, "SendMessageBatchRequest", _SEND_KEYS)
        check_fifo_batch(self.settings, given)
        check_batch_size(given)
        return each(given, self._send)

    asend_message_batch = twin(send_message_batch)

    def accept(self, delivery: Delivery) -> None:
        """Put in what another service delivers: its payload as body. Raises AwsError as `send_message` does.

        What Lambda sends bears an AWSTraceHeader (recording TestLambdaDestinationSqs::test_retries).
        """
        if self._out_until:
            self._check_available()
        self.intake.deliver(delivery)

    def _send(
        self,
        message_body: str = "",
        delay_seconds: int | None = None,
        message_attributes: Attributes | None = None,
        message_group_id: str | None = None,
        message_deduplication_id: str | None = None,
        message_system_attributes: Attributes | None = None,
    ) -> dict[str, str]:
        settings = self.store.settings
        attributes = check_message(settings, message_body, message_attributes)
        check_ids(settings, message_group_id, message_deduplication_id)
        message = self.intake.put(
            message_body,
            check_delay(settings, delay_seconds),
            attributes,
            message_group_id,
            message_deduplication_id,
            sender=self._sender,
            trace_header=trace_header_of(message_system_attributes),
            cause=self._cause,
        )
        return answer(message)

    # --- receive ---------------------------------------------------------------------------------------------------

    @operation
    def receive_messages(
        self,
        max_number_of_messages: int = 1,
        *,
        visibility_timeout: int | None = None,
        wait_time_seconds: int | None = None,
        receive_request_attempt_id: str | None = None,
    ) -> list[ReceivedMessage]:
        """Receive 1 to 10 messages and hide them for `visibility_timeout` seconds (0 to 43,200; None: the queue's).

        With `wait_time_seconds` (0 to 20; None: the queue's) an empty queue is waited for: a handler parks, a test
        plays the timeline until a message is there or the time is over. Raises AwsError InvalidParameterValue;
        OverLimit (403) where 120,000 messages of a standard queue are in flight. `receive_request_attempt_id` (FIFO
        queues): within 5 minutes the same id gets the same messages once more.
        """
        self._admit("ReceiveMessage")
        visibility, deadline = self._check_receive(max_number_of_messages, visibility_timeout, wait_time_seconds)
        attempt = receive_request_attempt_id
        if attempt is not None:
            again = self._again(attempt, visibility)
            if again is not None:
                return again
        while True:
            got = self._receive(max_number_of_messages, visibility)
            if got or self._timeline.now >= deadline:
                break
            poll = LongPoll(self._timeline, self.store, deadline)
            try:
                poll.wait(self.name)
            except HungUp:
                poll.then(partial(self._receive_for_nobody, max_number_of_messages, visibility, deadline))
                raise
            self._check_exists()
        if attempt is not None:
            self.attempts.keep(attempt, self._timeline.now, got)
        return got

    def _receive_for_nobody(self, number: int, visibility: int, deadline: int) -> None:
        """The caller of a long poll has hung up, which SQS does not know: what it takes now is hidden in vain.

        SQS API reference, ReceiveMessage: the client's read timeout should be longer than WaitTimeSeconds.
        """
        if self.deleted_at is not None:
            return
        got = self._receive(number, visibility)
        for received in got:
            message = self.store.standing[received.message_id]
            self.store.tell(message, "read_timeout", "received by a caller who waits no longer for the answer")
        if not got and self._timeline.now < deadline:
            poll = LongPoll(self._timeline, self.store, deadline)
            poll.begin(partial(self._receive_for_nobody, number, visibility, deadline))

    async def areceive_messages(
        self,
        max_number_of_messages: int = 1,
        *,
        visibility_timeout: int | None = None,
        wait_time_seconds: int | None = None,
    ) -> list[ReceivedMessage]:
        """The async twin of `receive_messages`: while it waits it looks every 50 ms of virtual time."""
        number = max_number_of_messages
        _, deadline = self._check_receive(number, visibility_timeout, wait_time_seconds)
        while True:
            got = await self._areceive(number, visibility_timeout=visibility_timeout, wait_time_seconds=0)
            now = self._timeline.now
            if got or now >= deadline:
                return got
            await sleep(min(LOOK_AGAIN, deadline - now))

    _areceive = twin(receive_messages)

    def _again(self, attempt: str, visibility: int) -> list[ReceivedMessage] | None:
        """What the receive of that id got. Raises AwsError InvalidParameterValue on a standard queue."""
        name = "ReceiveRequestAttemptId"
        check_token(name, attempt)
        if not self.settings.fifo_queue:
            raise invalid(
                f"Value {attempt} for parameter {name} is invalid. Reason: The request include parameter that is not "
                "valid for this queue type."
            )
        return self.attempts.again(attempt, self._timeline.now, lambda message: self.store.hide(message, visibility))

    def _check_receive(self, number: int, visibility: int | None, wait: int | None) -> tuple[int, int]:
        """Visibility timeout and end of the wait, in nanoseconds."""
        settings = self.settings
        visibility = settings.visibility_timeout if visibility is None else visibility
        wait = settings.receive_message_wait_time_seconds if wait is None else wait
        check_receive(number, wait)
        check_visibility(visibility)
        if not wait and not settings.fifo_queue and self.store.counts["in_flight"] >= IN_FLIGHT_LIMIT:
            raise AwsError("OverLimit", f"More than {IN_FLIGHT_LIMIT} messages of {self.name} are in flight.", 403)
        return visibility * SECOND, self._timeline.now + wait * SECOND

    def _receive(self, number: int, visibility: int) -> list[ReceivedMessage]:
        resource = self.resource
        return [
            ReceivedMessage(message, receipt_handle(message, resource))
            for message in self.store.take(number, visibility)
        ]

    # --- delete and hide ----------------------------------------------------------------------------------------------

    @operation
    def delete_message(self, receipt_handle: str) -> None:
        """Delete a received message; one that is gone already is no error.

        With an old handle a standard queue still deletes it, a FIFO queue answers that the handle has expired
        (recordings test_delete_after_visibility_timeout, test_fifo_delete_after_visibility_timeout).
        Raises AwsError ReceiptHandleIsInvalid, InvalidParameterValue.
        """
        self._admit("DeleteMessage")
        self._delete(receipt_handle)

    adelete_message = twin(delete_message)

    @operation
    def delete_message_batch(self, entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Delete up to 10: entries of `id` and `receipt_handle`; `{"Successful": [...], "Failed": [...]}`."""
        self._admit("DeleteMessage")
        return each(check_batch(entries, "DeleteMessageBatchRequest", ("receipt_handle",)), self._delete)

    adelete_message_batch = twin(delete_message_batch)

    def _delete(self, receipt_handle: str) -> None:
        message, latest = self._of(receipt_handle)
        if message is not None and self.settings.fifo_queue and not (latest and message.state == "in_flight"):
            raise invalid(
                f"Value {receipt_handle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has "
                "expired."
            )
        if message is not None:
            caller = self._cause[0]
            self.store.tell(message, "deleted", "DeleteMessage" if caller is None else f"DeleteMessage by {caller}")
        self.store.delete((message,))

    @operation
    def change_message_visibility(self, receipt_handle: str, visibility_timeout: int) -> None:
        """Hide an in-flight message for so many seconds from now (0: visible at once).

        0 to 43,200, and not more than 12 hours after the receive. Raises AwsError InvalidParameterValue,
        ReceiptHandleIsInvalid.
        """
        self._admit("ChangeMessageVisibility")
        self._hide(receipt_handle, visibility_timeout)

    achange_message_visibility = twin(change_message_visibility)

    @operation
    def change_message_visibility_batch(self, entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """The same for up to 10: entries of `id`, `receipt_handle` and `visibility_timeout`."""
        self._admit("ChangeMessageVisibility")
        keys = ("receipt_handle", "visibility_timeout")
        return each(check_batch(entries, "ChangeMessageVisibilityBatchRequest", keys), self._hide)

    achange_message_visibility_batch = twin(change_message_visibility_batch)

    def _hide(self, receipt_handle: str, visibility_timeout: int | None = None) -> None:
        if visibility_timeout is None:  # an entry of a batch may be without it
            raise AwsError("MissingParameter", "The request must contain the parameter VisibilityTimeout.")
        check_visibility(visibility_timeout)
        message, latest = self._of(receipt_handle)
        if message is None or not latest or message.state != "in_flight":
            raise invalid(
                f"Value {receipt_handle} for parameter ReceiptHandle is invalid. Reason: Message does not exist or "
                "is not available for visibility timeout change."
            )
        if self._timeline.now + visibility_timeout * SECOND > message.received_at + MAXIMUM_VISIBILITY * SECOND:
            raise invalid(
                f"Value {visibility_timeout} for parameter VisibilityTimeout is invalid. Reason: Total "
                f"VisibilityTimeout for the message is beyond the limit [{MAXIMUM_VISIBILITY} seconds]"
            )
        self.store.hide(message, visibility_timeout * SECOND)

    def _of(self, handle: str) -> tuple[Message | None, bool]:
        """The message of a receipt handle (None: gone), and whether the handle is that of its latest receive."""
        message_id, number = read_receipt_handle(handle, self.resource)
        message = self.store.standing.get(message_id)
        return message, message is not None and message.receive_count == number
