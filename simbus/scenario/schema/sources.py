"""`buckets`, `queues` and `topics`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field, model_validator

from simbus.scenario.schema.base import (
    Check,
    FunctionName,
    Model,
    Unwrap,
    between,
    matching,
    one_of,
    reference,
    refuse,
    same,
)
from simbus.scenario.source import Path
from simbus.sources.s3.access import ENFORCED, OWNERSHIPS

BUCKET_NAME = matching(
    r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
    "a bucket's name has 3 to 63 lower-case letters, digits, dots and hyphens, the first and last no dot or hyphen",
    "Rename it",
)
QUEUE_NAME = matching(
    r"[a-zA-Z0-9_-]{1,80}|[a-zA-Z0-9_-]{1,75}\.fifo",
    "a queue's name has 1 to 80 letters, digits, hyphens and underscores, and ends in .fifo for a FIFO queue",
    "Rename it",
)
TOPIC_NAME = matching(
    r"[a-zA-Z0-9_-]{1,256}|[a-zA-Z0-9_-]{1,251}\.fifo",
    "a topic's name has 1 to 256 letters, digits, hyphens and underscores, and ends in .fifo for a FIFO topic",
    "Rename it",
)


class FilterRule(Model):
    """One rule of an S3 filter."""

    name: Annotated[str, one_of(("prefix", "suffix", "Prefix", "Suffix"), "the rules are")]
    value: str


class KeyFilter(Model):
    """AWS's nesting of a notification's filter."""

    filter_rules: list[FilterRule]


class NotificationFilter(Model):
    """Which keys a notification is about: `prefix` and `suffix`, or AWS's `key: {filter_rules: [...]}`."""

    prefix: str | None = None
    suffix: str | None = None
    key: KeyFilter | None = None

    @model_validator(mode="after")
    def _one_form(self) -> NotificationFilter:
        if self.key is not None and (self.prefix is not None or self.suffix is not None):
            raise refuse("gives prefix or suffix and key, which are the same in two forms. Keep one of them.")
        return self

    def rules(self) -> list[dict[str, str]]:
        """The filter rules as AWS has them."""
        if self.key is not None:
            return [{"Name": rule.name.lower(), "Value": rule.value} for rule in self.key.filter_rules]
        pairs = (("prefix", self.prefix), ("suffix", self.suffix))
        return [{"Name": name, "Value": value} for name, value in pairs if value is not None]


class BaseNotification(Model):
    """What all notifications of a bucket have."""

    id: str | None = Field(default=None, description="The configurationId in the records.")
    events: list[str] = Field(description="For example s3:ObjectCreated:*.", min_length=1)
    filter: NotificationFilter | None = None


def _target(*names: str) -> Any:
    return same(*names, default=None)


class LambdaNotification(BaseNotification):
    """LambdaFunctionConfiguration."""

    function: FunctionName = same("lambda_function_arn", "function")


class QueueNotification(BaseNotification):
    """QueueConfiguration."""

    queue: Annotated[str, reference("sqs")] = same("queue_arn", "queue")


class TopicNotification(BaseNotification):
    """TopicConfiguration."""

    topic: Annotated[str, reference("sns")] = same("topic_arn", "topic")


class Notification(BaseNotification):
    """One notification of a bucket: to a function, a queue or a topic."""

    function: FunctionName | None = _target("lambda_function_arn", "function")
    queue: Annotated[str, reference("sqs")] | None = _target("queue_arn", "queue")
    topic: Annotated[str, reference("sns")] | None = _target("topic_arn", "topic")

    @property
    def kind(self) -> str:
        """Where it goes: `function`, `queue` or `topic`."""
        return next(name for name in ("function", "queue", "topic") if getattr(self, name) is not None)

    @model_validator(mode="after")
    def _one_target(self) -> Notification:
        given = [name for name in ("function", "queue", "topic") if getattr(self, name) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "no target"
            raise refuse(f"has {found}; a notification goes to one of function, queue and topic. Name one.")
        return self


class EventBridgeConfiguration(Model):
    """EventBridgeConfiguration: `{}`, every event goes to the default event bus."""


class NotificationConfiguration(Model):
    """AWS's nesting of a bucket's notifications."""

    lambda_function_configurations: list[LambdaNotification] = Field(default=[])
    queue_configurations: list[QueueNotification] = Field(default=[])
    topic_configurations: list[TopicNotification] = Field(default=[])
    event_bridge_configuration: EventBridgeConfiguration | None = None


def _versioning(value: Any) -> Any:
    """`versioning_configuration: {status: Enabled}` is AWS's form of `versioning: true`."""
    return {"Enabled": True, "Suspended": False}.get(value, value) if isinstance(value, str) else value


class PublicAccessBlock(Model):
    """PublicAccessBlockConfiguration of a bucket: what is not named is not blocked."""

    block_public_acls: bool = False
    ignore_public_acls: bool = False
    block_public_policy: bool = False
    restrict_public_buckets: bool = False

    def aws(self) -> dict[str, bool]:
        """Under AWS's names."""
        return {name.title().replace("_", ""): value for name, value in self.model_dump().items()}


class Bucket(Model):
    """An S3 bucket. As on AWS since April 2023 it allows no ACLs and blocks public access, unless that is said."""

    versioning: Annotated[bool, Check(_versioning, {}), Unwrap("status")] = same(
        "versioning_configuration", "versioning", default=False
    )
    notifications: list[Notification] = Field(default=[])
    notification_configuration: NotificationConfiguration | None = None
    object_ownership: Annotated[str, one_of(OWNERSHIPS, "the settings are")] = ENFORCED
    public_access_block_configuration: PublicAccessBlock | None = Field(
        default=None, description="Left out: everything public is blocked."
    )
    eventbridge: bool = Field(default=False, description="Every event goes to the default event bus as well.")

    @property
    def sends_to_event_bridge(self) -> bool:
        """`eventbridge: true`, or AWS's `notification_configuration: {event_bridge_configuration: {}}`."""
        nested = self.notification_configuration
        return self.eventbridge or (nested is not None and nested.event_bridge_configuration is not None)

    def every_notification(self) -> Iterator[tuple[Path, str, str, BaseNotification]]:
        """Path, kind (`function`, `queue`, `topic`), target and settings of each notification, in either form."""
        for index, short in enumerate(self.notifications):
            kind = short.kind
            yield ("notifications", index), kind, getattr(short, kind), short
        nested = self.notification_configuration
        if nested is not None:
            for kind, group in (("function", "lambda_function"), ("queue", "queue"), ("topic", "topic")):
                name = f"{group}_configurations"
                for index, each in enumerate(getattr(nested, name)):
                    yield ("notification_configuration", name, index), kind, getattr(each, kind), each


class RedrivePolicy(Model):
    """RedrivePolicy of a queue."""

    dead_letter_target_arn: Annotated[str, reference("sqs")]
    max_receive_count: Annotated[
        int, between(1, 1000, "SQS allows a maxReceiveCount of 1 to 1000", "Choose a number in between")
    ] = 10


class RedriveAllowPolicy(Model):
    """RedriveAllowPolicy of a dead-letter queue: who may use it."""

    redrive_permission: Annotated[str, one_of(("allowAll", "denyAll", "byQueue"), "the permissions are")]
    source_queue_arns: list[Annotated[str, reference("sqs")]] = Field(default=[])


class Queue(Model):
    """An SQS queue: its attributes."""

    visibility_timeout: Annotated[
        int, between(0, 43_200, "SQS allows 0 to 43200 seconds", "Choose a number in between")
    ] = 30
    delay_seconds: Annotated[int, between(0, 900, "SQS allows 0 to 900 seconds", "Choose a number in between")] = 0
    message_retention_period: Annotated[
        int, between(60, 1_209_600, "SQS keeps a message for 60 to 1209600 seconds", "Choose a number in between")
    ] = 345_600
    maximum_message_size: Annotated[
        int, between(1024, 1_048_576, "SQS allows 1024 to 1048576 bytes", "Choose a number in between")
    ] = 1_048_576
    receive_message_wait_time_seconds: Annotated[
        int, between(0, 20, "SQS allows 0 to 20 seconds", "Choose a number in between")
    ] = 0
    redrive_policy: RedrivePolicy | None = None
    redrive_allow_policy: RedriveAllowPolicy | None = None
    fifo_queue: bool = False
    content_based_deduplication: bool = False
    deduplication_scope: Annotated[str, one_of(("queue", "messageGroup"), "the scopes are")] = "queue"
    fifo_throughput_limit: Annotated[str, one_of(("perQueue", "perMessageGroupId"), "the limits are")] = "perQueue"


class SubscriptionRedrivePolicy(Model):
    """RedrivePolicy of a subscription."""

    dead_letter_target_arn: Annotated[str, reference("sqs")]


def _protocol(value: Any) -> Any:
    later = ("http", "https", "email", "email-json", "sms", "application", "firehose")
    if value in later:
        raise refuse(f"is {value!r}; simbus delivers to lambda and sqs. Subscribe one of these.")
    return value


class Subscription(Model):
    """A subscription of a topic."""

    protocol: (
        Annotated[str, one_of(("lambda", "sqs"), "the protocols are"), Check(_protocol, {"enum": ["lambda", "sqs"]})]
        | None
    ) = Field(default=None, description="Left out: that of the endpoint.")
    endpoint: Annotated[str, reference("lambda", "sqs")]
    filter_policy: dict[str, Any] | None = None
    filter_policy_scope: Annotated[str, one_of(("MessageAttributes", "MessageBody"), "the scopes are")] | None = Field(
        default=None, description="MessageAttributes if left out."
    )
    raw_message_delivery: bool = False
    redrive_policy: SubscriptionRedrivePolicy | None = None


class Topic(Model):
    """An SNS topic: its attributes and subscriptions."""

    subscriptions: list[Subscription] = Field(default=[])
    fifo_topic: bool = False
    content_based_deduplication: bool = False
    fifo_throughput_scope: Annotated[str, one_of(("Topic", "MessageGroup"), "the scopes are")] | None = None
    display_name: str = ""
    signature_version: Annotated[str, one_of(("1", "2"), "the signature versions are")] = "1"
