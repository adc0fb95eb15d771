"""Amazon SNS: a topic publishes messages to its subscriptions, functions and queues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from simbus.bus import Bus
from simbus.errors import AwsError
from simbus.model import ChangeEvent
from simbus.sources.base import Source, operation, twin
from simbus.sources.sns.attributes import (
    EFFECTIVE_DELIVERY_POLICY,
    check_topic_attribute,
    check_topic_name,
    subscription_attributes,
    topic_policy,
)
from simbus.sources.sns.fifo import FifoMemory
from simbus.sources.sns.message import Envelope, Message, envelope, message_data
from simbus.sources.sns.request import Draft, batch, draft, invalid
from simbus.sources.sns.settings import (
    NOT_BUILT,
    Checker,
    Resource,
    Settings,
    check_protocol,
    check_queue,
    check_subscription_arn,
    endpoint_of,
    no_subscription,
)
from simbus.sources.sns.subscription import TopicSubscription
from simbus.world import Delivery, World


class Topic(Source):
    """An SNS topic. https://docs.aws.amazon.com/sns/latest/dg/welcome.html

    `fifo_topic` with a name that ends in `.fifo`; `content_based_deduplication` (FIFO only) takes the SHA-256 of the
    message where it has no deduplication id. `signature_version` is "1" or "2"; signatures have the right form and
    length but verify nothing. Raises AwsError InvalidParameter for a wrong name or setting.
    """

    service = "sns"

    def __init__(
        self,
        world: World,
        bus: Bus,
        name: str,
        *,
        fifo_topic: bool = False,
        content_based_deduplication: bool = False,
        signature_version: str = "1",
        display_name: str = "",
    ) -> None:
        check_topic_name(name, fifo_topic)
        super().__init__(world, bus, name)
        self.fifo_topic = fifo_topic
        self._subscriptions: dict[str, TopicSubscription] = {}
        self._deleted_subscriptions = 0
        self._deleted = False
        self._memory = FifoMemory()
        self._second = (-1, "")
        self.content_based_deduplication = False
        self.signature_version = "1"
        self.display_name = ""
        self._set("DisplayName", display_name)
        self._set("SignatureVersion", signature_version)
        if content_based_deduplication:
            self._set("ContentBasedDeduplication", "true")

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
            earlier = self._memory.earlier(key, self._timeline.now)
            if earlier is not None:
                self._bus.hop(earlier.message_id, "duplicate", self.name, f"deduplication id {key} within 5 minutes")
                return earlier
            message = self._message(checked, key, self._memory.next_sequence_number())
            self._memory.remember(key, self._timeline.now, message)
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

    # --- subscriptions ---------------------------------------------------------------------------------------------

    @operation
    def subscribe(
        self,
        target: Resource | str,
        *,
        protocol: str | None = None,
        filter_policy: str | Mapping[str, Any] | None = None,
        filter_policy_scope: str | None = None,
        raw_message_delivery: bool | str = False,
        redrive_policy: str | Mapping[str, Any] | None = None,
    ) -> str:
        """Subscribe a function or a queue: the object, `lambda:name`, `sqs:name`, an ARN. Returns its ARN.

        `redrive_policy` is `{"dead_letter_target_arn": ...}` or AWS's `{"deadLetterTargetArn": ...}`. Subscribing an
        endpoint again with the same attributes returns its ARN. Endpoints of the own account need no confirmation.
        Raises AwsError InvalidParameter; UsageError for a protocol that is not built (http, email, sms ...).
        """
        self._check_exists()
        wanted = {
            "FilterPolicyScope": filter_policy_scope,
            "FilterPolicy": filter_policy,
            "RawMessageDelivery": raw_message_delivery,
            "RedrivePolicy": redrive_policy,
        }
        if protocol in NOT_BUILT:  # what AWS refuses is told before what is not built
            check_protocol(protocol, self.fifo_topic)
            self._settings(wanted, protocol, fifo=False)
        endpoint = endpoint_of(self._world, target, protocol)
        check_protocol(endpoint.protocol, self.fifo_topic)
        check_queue(endpoint, self.fifo_topic)
        fifo = self.fifo_topic and endpoint.arn.endswith(".fifo")
        settings = self._settings(wanted, endpoint.protocol, fifo=fifo)
        for known in self._subscriptions.values():
            if known.endpoint == endpoint:
                if known.settings != settings:
                    raise invalid("Attributes Reason: Subscription already exists with different attributes")
                return known.arn
        arn = f"{self.arn}:{self._uuid()}"
        made = TopicSubscription(self._world, self._bus, arn, endpoint, settings, self._envelope(arn))
        self._subscriptions[arn] = made
        self._bus.subscribe(self.name, made)
        return arn

    asubscribe = twin(subscribe)

    @operation
    def unsubscribe(self, subscription_arn: str) -> None:
        """End a subscription; one that does not exist is no error. What is being retried is still delivered.

        Raises AwsError InvalidParameter for what is no ARN of a subscription.
        """
        self._check_exists()
        check_subscription_arn(subscription_arn)
        self._end(subscription_arn)

    aunsubscribe = twin(unsubscribe)

    @operation
    def set_subscription_attributes(self, subscription_arn: str, attribute_name: str, attribute_value: Any) -> None:
        """Change FilterPolicy, FilterPolicyScope, RawMessageDelivery or RedrivePolicy, at once (AWS: within minutes).

        The value is AWS's text, or the object it stands for. Raises AwsError NotFound, InvalidParameter.
        """
        subscription = self._subscription(subscription_arn)
        endpoint = subscription.endpoint
        fifo = self.fifo_topic and endpoint.arn.endswith(".fifo")
        checker = Checker(self._world, endpoint.protocol, fifo, on_set=True)
        subscription.apply(checker.change(subscription.settings, attribute_name, attribute_value))

    aset_subscription_attributes = twin(set_subscription_attributes)

    @operation
    def get_subscription_attributes(self, subscription_arn: str) -> dict[str, str]:
        """AWS's attributes of a subscription, all text. Raises AwsError NotFound."""
        subscription = self._subscription(subscription_arn)
        return subscription_attributes(self._world.account, self.arn, subscription)

    aget_subscription_attributes = twin(get_subscription_attributes)

    @operation
    def list_subscriptions(self) -> list[dict[str, str]]:
        """ListSubscriptionsByTopic, in the order in which they were made."""
        self._check_exists()
        owner = self._world.account.id
        return [
            {
                "SubscriptionArn": each.arn,
                "Owner": owner,
                "Protocol": each.endpoint.protocol,
                "Endpoint": each.endpoint.arn,
                "TopicArn": self.arn,
            }
            for each in self._subscriptions.values()
        ]

    alist_subscriptions = twin(list_subscriptions)

    def _settings(self, wanted: Mapping[str, Any], protocol: str, *, fifo: bool) -> Settings:
        checker = Checker(self._world, protocol, fifo)
        settings = Settings()
        for name, value in wanted.items():
            if value is not None and value is not False:
                settings = checker.change(settings, name, value)
        return settings

    def _subscription(self, subscription_arn: str) -> TopicSubscription:
        self._check_exists()
        found = self._subscriptions.get(subscription_arn)
        if found is None:
            raise no_subscription()
        return found

    def _end(self, subscription_arn: str) -> None:
        ended = self._subscriptions.pop(subscription_arn, None)
        if ended is not None:
            self._bus.unsubscribe(self.name, ended)
            self._deleted_subscriptions += 1

    def _envelope(self, subscription_arn: str) -> Envelope:
        return envelope(self._world.account, self.arn, subscription_arn, self.signature_version, self.fifo_topic)

    # --- the topic itself ------------------------------------------------------------------------------------------

    @operation
    def get_topic_attributes(self) -> dict[str, str]:
        """AWS's attributes of the topic, all text. The counts are exact (AWS's lag behind)."""
        self._check_exists()
        counts = {
            "SubscriptionsConfirmed": len(self._subscriptions),
            "SubscriptionsDeleted": self._deleted_subscriptions,
        }
        attributes = {
            "Policy": topic_policy(self.arn, self._world.account),
            "Owner": self._world.account.id,
            "SubscriptionsPending": "0",
            "TopicArn": self.arn,
            "EffectiveDeliveryPolicy": EFFECTIVE_DELIVERY_POLICY,
            **{name: str(count) for name, count in counts.items()},
            "DisplayName": self.display_name,
        }
        if self.fifo_topic:
            attributes["FifoTopic"] = "true"
            attributes["ContentBasedDeduplication"] = str(self.content_based_deduplication).lower()
        if self.signature_version != "1":
            attributes["SignatureVersion"] = self.signature_version
        return attributes

    aget_topic_attributes = twin(get_topic_attributes)

    @operation
    def set_topic_attributes(self, attribute_name: str, attribute_value: str) -> None:
        """Change DisplayName, ContentBasedDeduplication or SignatureVersion.

        Raises AwsError InvalidParameter; UsageError for attributes that are not built (policies, feedback roles ...).
        """
        self._check_exists()
        self._set(attribute_name, attribute_value)
        for each in self._subscriptions.values():
            each.sign(self._envelope(each.arn))

    aset_topic_attributes = twin(set_topic_attributes)

    @operation
    def delete_topic(self) -> None:
        """Delete the topic and its subscriptions; every later operation answers NotFound."""
        for arn in list(self._subscriptions):
            self._end(arn)
        self._world.forget(self.arn)
        self._deleted = True

    adelete_topic = twin(delete_topic)

    def _set(self, name: str, value: str) -> None:
        check_topic_attribute(name, value, self.fifo_topic)
        if name == "DisplayName":
            self.display_name = value
        elif name == "SignatureVersion":
            self.signature_version = value
        else:
            self.content_based_deduplication = value == "true"

    def _check_exists(self) -> None:
        if self._deleted:
            raise AwsError("NotFound", "Topic does not exist", 404)


def _answer(message: Message) -> dict[str, str]:
    if message.sequence_number is None:
        return {"MessageId": message.message_id}
    return {"MessageId": message.message_id, "SequenceNumber": message.sequence_number}
