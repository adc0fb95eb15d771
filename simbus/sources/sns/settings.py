"""The settings of a subscription, as Subscribe and SetSubscriptionAttributes take and check them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple, Protocol

from simbus.arn import short_name
from simbus.errors import AwsError, UsageError
from simbus.filtering import ON_SET_ATTRIBUTES, ON_SUBSCRIBE, FilterPolicy, FilterPolicyScope, compile_filter_policy
from simbus.sources.sns.request import invalid
from simbus.world import World

PROTOCOLS: Final = {"lambda": "Lambda", "sqs": "SQS"}
NOT_BUILT: Final = ("http", "https", "email", "email-json", "sms", "application", "firehose")
ATTRIBUTES: Final = ("FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy")
NOT_BUILT_ATTRIBUTES: Final = ("DeliveryPolicy", "SubscriptionRoleArn", "ReplayPolicy")


class Resource(Protocol):
    """Something that has an ARN: a queue, a function."""

    @property
    def arn(self) -> str: ...


class Endpoint(NamedTuple):
    """Where a subscription delivers to; `name` is what the rows call it (`lambda:charge`)."""

    protocol: str
    arn: str
    name: str


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of one subscription; `filter_policy` and `redrive_policy` are JSON text as AWS shows them."""

    filter_policy: str | None = None
    filter_policy_scope: FilterPolicyScope | None = None
    raw_message_delivery: bool = False
    redrive_policy: str | None = None

    @property
    def scope(self) -> FilterPolicyScope:
        return self.filter_policy_scope or "MessageAttributes"

    @property
    def dead_letter_arn(self) -> str | None:
        return None if self.redrive_policy is None else str(json.loads(self.redrive_policy)["deadLetterTargetArn"])

    def compiled(self, prefix: str = ON_SUBSCRIBE) -> FilterPolicy | None:
        """The filter, None where everything passes. Raises AwsError with AWS's text, beginning with `prefix`."""
        return None if self.filter_policy is None else compile_filter_policy(self.filter_policy, self.scope, prefix)


class Checker:
    """Turns what a caller gives into Settings. `on_set` chooses the wording of SetSubscriptionAttributes."""

    def __init__(self, world: World, protocol: str, fifo: bool, *, on_set: bool = False) -> None:
        self._world = world
        self._protocol = protocol
        self._fifo = fifo
        self._where = "" if on_set else "Attributes Reason: "
        self._filter_prefix = ON_SET_ATTRIBUTES if on_set else ON_SUBSCRIBE

    def change(self, settings: Settings, name: str, value: Any) -> Settings:
        """Settings with one attribute (AWS's name) changed. Raises AwsError InvalidParameter."""
        if name == "FilterPolicy":
            return self._with_policy(settings, value)
        if name == "FilterPolicyScope":
            return self._with_scope(settings, value)
        if name == "RawMessageDelivery":
            return replace(settings, raw_message_delivery=self._raw(value))
        if name == "RedrivePolicy":
            return replace(settings, redrive_policy=self._redrive(value))
        if name in NOT_BUILT_ATTRIBUTES:
            raise UsageError(f"subscription attribute {name} is not built; use {', '.join(ATTRIBUTES)}.")
        raise invalid("AttributeName")

    def _with_policy(self, settings: Settings, value: Any) -> Settings:
        text = value if isinstance(value, str) or value is None else json.dumps(value)
        changed = replace(settings, filter_policy=text)
        changed.compiled(self._filter_prefix)
        return replace(changed, filter_policy=None) if text is None or text.strip() in ("", "{}") else changed

    def _with_scope(self, settings: Settings, value: Any) -> Settings:
        if value not in ("MessageAttributes", "MessageBody"):
            text = f"FilterPolicyScope: Invalid value [{value}]. Please use either MessageBody or MessageAttributes"
            raise invalid(self._where + text)
        changed = replace(settings, filter_policy_scope=value)
        changed.compiled(self._filter_prefix)
        return changed

    def _raw(self, value: Any) -> bool:
        text = str(value).lower()
        if text not in ("true", "false"):
            raise invalid(f"{self._where}RawMessageDelivery: Invalid value [{value}]. Must be true or false.")
        if text == "true" and self._protocol == "lambda":
            raise invalid(f"{self._where}Delivery protocol [lambda] does not support raw message delivery.")
        return text == "true"

    def _redrive(self, value: Any) -> str | None:
        if value in (None, "", {}, "{}"):
            return None
        try:
            policy = json.loads(value) if isinstance(value, str) else value
        except ValueError as error:
            raise invalid(f"{self._where}RedrivePolicy: failed to parse JSON.") from error
        target = None
        if isinstance(policy, Mapping) and len(policy) == 1:
            target = policy.get("deadLetterTargetArn", policy.get("dead_letter_target_arn"))
        arn = self._queue_arn(target)
        if self._fifo and not arn.endswith(".fifo"):
            text = "RedrivePolicy: must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic."
            raise invalid(self._where + text)
        return json.dumps({"deadLetterTargetArn": arn})

    def _queue_arn(self, target: Any) -> str:
        reference = target if isinstance(target, str) else str(getattr(target, "arn", ""))
        try:
            service, name, _ = short_name(reference)
        except UsageError:
            service = name = ""
        if service != "sqs":
            raise invalid(f"{self._where}RedrivePolicy: deadLetterTargetArn is an invalid arn")
        return reference if reference.startswith("arn:") else self._world.arn("sqs", name)


def endpoint_of(world: World, target: Resource | str, protocol: str | None) -> Endpoint:
    """Where a target (an object with an `arn`, `service:name`, an ARN) is delivered to, and by which protocol.

    A qualified Lambda ARN stays qualified. That the resource exists is not checked: AWS does not do so either.
    Raises AwsError InvalidParameter for a text that is no ARN of the protocol's service, UsageError for a protocol
    that is not built.
    """
    reference = target if isinstance(target, str) else target.arn
    if protocol in NOT_BUILT:
        raise UsageError(
            f"subscribe: protocol {protocol!r} is not built; a subscription delivers to lambda or sqs. "
            "Subscribe a function or a queue that stands for the receiver."
        )
    if protocol is not None and protocol not in PROTOCOLS:
        raise invalid(f"Amazon SNS does not support this protocol string: {protocol}")
    try:
        service, name, qualifier = short_name(reference)
    except UsageError as error:
        if protocol is None:
            raise
        raise invalid(f"{PROTOCOLS[protocol]} endpoint ARN") from error
    if protocol is not None and service != protocol:
        raise invalid(f"{PROTOCOLS[protocol]} endpoint ARN")
    if service not in PROTOCOLS:
        raise UsageError(f"subscribe: {reference} can't be subscribed to a topic; pass a function or a queue.")
    suffix = "" if qualifier is None else f":{qualifier}"
    arn = reference if reference.startswith("arn:") else world.arn(service, name) + suffix
    return Endpoint(service, arn, f"{service}:{name}")


def check_protocol(protocol: str, fifo_topic: bool) -> None:
    """A FIFO topic delivers to SQS alone (github.com/hashicorp/terraform/issues/28632 quotes AWS's answer)."""
    if fifo_topic and protocol != "sqs":
        raise invalid(f"Invalid protocol type: {protocol}")


def check_queue(endpoint: Endpoint, fifo_topic: bool) -> None:
    """A standard topic delivers to no FIFO queue; a FIFO topic does deliver to standard queues."""
    if not fifo_topic and endpoint.protocol == "sqs" and endpoint.arn.endswith(".fifo"):
        text = "FIFO SQS Queues can not be subscribed to standard SNS topics"
        raise invalid(f"Invalid parameter: Endpoint Reason: {text}")


def check_subscription_arn(arn: str) -> None:
    """That of a topic with an id behind it (recorded: test_unsubscribe_wrong_arn_format)."""
    parts = arn.split(":")
    if len(parts) < 6:
        raise invalid(f"SubscriptionArn Reason: An ARN must have at least 6 elements, not {len(parts)}")
    if len(parts) == 6:
        raise invalid("SubscriptionId")


def no_subscription() -> AwsError:
    """SNS's answer for an unknown subscription."""
    return AwsError("NotFound", "Subscription does not exist", 404)
