"""A topic without its publishing: its subscriptions, its attributes, its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simbus.bus import Bus
from simbus.sources.base import Source, operation, twin
from simbus.sources.sns.access import with_permission, without_permission
from simbus.sources.sns.attributes import (
    check_topic_attribute,
    check_topic_name,
    effective_delivery_policy,
    subscription_attributes,
    topic_policy,
    with_tags,
)
from simbus.sources.sns.fifo import FifoMemory
from simbus.sources.sns.message import Envelope, envelope
from simbus.sources.sns.request import invalid, no_topic
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
from simbus.world import World


class ManagedTopic(Source):
    """What of a topic is not publishing."""

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
        fifo_throughput_scope: str | None = None,
        policy: str | None = None,
        delivery_policy: str | None = None,
        kms_master_key_id: str | None = None,
        tracing_config: str | None = None,
    ) -> None:
        check_topic_name(name, fifo_topic)
        super().__init__(world, bus, name)
        self.fifo_topic = fifo_topic
        self._subscriptions: dict[str, TopicSubscription] = {}
        self._deleted_subscriptions = 0
        self._deleted = False
        self._memory = FifoMemory()
        self._second = (-1, "")
        self._tags: dict[str, str] = {}
        self._attributes: dict[str, str] = {}  # those that were set, under AWS's names
        given = {
            "DisplayName": display_name,
            "SignatureVersion": signature_version,
            "ContentBasedDeduplication": "true" if content_based_deduplication else None,
            "FifoThroughputScope": fifo_throughput_scope,
            "Policy": policy,
            "DeliveryPolicy": delivery_policy,
            "KmsMasterKeyId": kms_master_key_id,
            "TracingConfig": tracing_config,
        }
        for attribute, value in given.items():
            if value is not None:
                self._set(attribute, value)

    @property
    def content_based_deduplication(self) -> bool:
        """Whether the digest of a message stands in for its deduplication id."""
        return self._attributes.get("ContentBasedDeduplication") == "true"

    @property
    def fifo_throughput_scope(self) -> str:
        """Within what a FIFO topic deduplicates: `Topic`, or `MessageGroup`."""
        return self._attributes.get("FifoThroughputScope", "Topic")

    @property
    def signature_version(self) -> str:
        """What notifications in SQS's form are signed with: "1" or "2"."""
        return self._attributes.get("SignatureVersion", "1")

    @property
    def display_name(self) -> str:
        """Shown, and used for nothing else."""
        return self._attributes.get("DisplayName", "")

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
            "SubscriptionsPending": 0,
        }
        attributes = {
            "Policy": self._policy,
            "Owner": self._world.account.id,
            "TopicArn": self.arn,
            "EffectiveDeliveryPolicy": effective_delivery_policy(self._attributes.get("DeliveryPolicy")),
            **{name: str(count) for name, count in counts.items()},
            "DisplayName": "",
        }
        if self.fifo_topic:
            attributes |= {"FifoTopic": "true", "ContentBasedDeduplication": "false"}
        attributes |= self._attributes
        if self.signature_version == "1":
            attributes.pop("SignatureVersion", None)
        return attributes

    aget_topic_attributes = twin(get_topic_attributes)

    @operation
    def set_topic_attributes(self, attribute_name: str, attribute_value: str) -> None:
        """Change an attribute, under AWS's name; an empty text takes a policy or a key away.

        Raises AwsError InvalidParameter; UsageError for attributes that are not built (feedback roles, ArchivePolicy).
        """
        self._check_exists()
        self._set(attribute_name, attribute_value)
        for each in self._subscriptions.values():
            each.sign(self._envelope(each.arn))

    aset_topic_attributes = twin(set_topic_attributes)

    @operation
    def add_permission(self, label: str, aws_account_ids: Sequence[str], action_names: Sequence[str]) -> None:
        """Add a statement to the policy, which is shown and not evaluated. Raises AwsError InvalidParameter."""
        self._check_exists()
        self._attributes["Policy"] = with_permission(self._policy, self.arn, label, aws_account_ids, action_names)

    aadd_permission = twin(add_permission)

    @operation
    def remove_permission(self, label: str) -> None:
        """Take the statement of that label out of the policy; one that is not there is no error."""
        self._check_exists()
        self._attributes["Policy"] = without_permission(self._policy, label)

    aremove_permission = twin(remove_permission)

    @property
    def _policy(self) -> str:
        return self._attributes.get("Policy") or topic_policy(self.arn, self._world.account)

    @operation
    def tag_resource(self, tags: Mapping[str, str]) -> None:
        """Add tags, 50 in all, or give them other values. Raises AwsError TagLimitExceeded, InvalidParameter."""
        self._check_exists()
        self._tags = with_tags(self._tags, tags)

    atag_resource = twin(tag_resource)

    @operation
    def untag_resource(self, tag_keys: Sequence[str]) -> None:
        """Take tags away; one that is not there is no error."""
        self._check_exists()
        self._tags = {key: value for key, value in self._tags.items() if key not in tag_keys}

    auntag_resource = twin(untag_resource)

    @operation
    def list_tags_for_resource(self) -> dict[str, str]:
        """The tags."""
        self._check_exists()
        return dict(self._tags)

    alist_tags_for_resource = twin(list_tags_for_resource)

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
        if value or name == "DisplayName":
            self._attributes[name] = value
        else:
            self._attributes.pop(name, None)

    def _check_exists(self) -> None:
        if self._deleted:
            raise no_topic()
