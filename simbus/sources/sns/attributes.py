"""Attributes of topics and subscriptions, as SNS checks and shows them (recordings in sns.json)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from simbus.arn import Account
from simbus.errors import AwsError, UsageError
from simbus.sources.sns.access import ACTIONS, is_policy
from simbus.sources.sns.request import invalid
from simbus.sources.sns.subscription import TopicSubscription

# The defaults of deliveries over HTTP; recording test_publish_batch_messages_from_fifo_topic_to_fifo_queue.
_HTTP_DELIVERY: Final = {
    "defaultHealthyRetryPolicy": {
        "minDelayTarget": 20,
        "maxDelayTarget": 20,
        "numRetries": 3,
        "numMaxDelayRetries": 0,
        "numNoDelayRetries": 0,
        "numMinDelayRetries": 0,
        "backoffFunction": "linear",
    },
    "disableSubscriptionOverrides": False,
    "defaultRequestPolicy": {"headerContentType": "text/plain; charset=UTF-8"},
}
MAXIMUM_TAGS: Final = 50
TOPIC_ATTRIBUTES: Final = (
    "DisplayName",
    "ContentBasedDeduplication",
    "SignatureVersion",
    "FifoThroughputScope",
    "Policy",
    "DeliveryPolicy",
    "KmsMasterKeyId",
    "TracingConfig",
)
_ALLOWED: Final = {
    "ContentBasedDeduplication": ("true", "false"),
    "SignatureVersion": ("1", "2"),
    "FifoThroughputScope": ("Topic", "MessageGroup"),
    "TracingConfig": ("PassThrough", "Active"),
}
_NOT_BUILT: Final = re.compile(
    r"ArchivePolicy|DataProtectionPolicy|(HTTP|Firehose|Lambda|Application|SQS)(Success|Failure)Feedback(RoleArn|SampleRate)"
)
_STANDARD_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}")
_FIFO_NAME = re.compile(r"(?=.{1,256}\Z)[A-Za-z0-9_-]+\.fifo")
_NAME_RULE: Final = (
    "must be made up of only uppercase and lowercase ASCII letters, numbers, underscores, and hyphens, "
    "and must be between 1 and 256 characters long."
)


def check_topic_name(name: str, fifo_topic: bool) -> None:
    """Raise AwsError InvalidParameter for a name that CreateTopic refuses."""
    if fifo_topic and not _FIFO_NAME.fullmatch(name):
        raise invalid(f"Fifo Topic names must end with .fifo and {_NAME_RULE}")
    if not fifo_topic and not _STANDARD_NAME.fullmatch(name):
        raise invalid(f"Topic names {_NAME_RULE}")


def check_topic_attribute(name: str, value: str, fifo_topic: bool) -> None:
    """Raise AwsError InvalidParameter for what AWS refuses, UsageError for an attribute that is not built."""
    if _NOT_BUILT.fullmatch(name):
        raise UsageError(
            f"topic attribute {name} is not built; simbus has {', '.join(TOPIC_ATTRIBUTES)}. Leave it out."
        )
    if name not in TOPIC_ATTRIBUTES:
        raise invalid("AttributeName")
    if name == "ContentBasedDeduplication" and not fifo_topic:
        raise invalid("Content-based deduplication can only be set for FIFO topics")
    if name in _ALLOWED and value not in _ALLOWED[name]:
        raise invalid(name)
    if name == "FifoThroughputScope" and not fifo_topic:
        raise invalid("FifoThroughputScope can only be set for FIFO topics")
    if name == "DisplayName" and len(value) > 100:
        raise invalid("DisplayName")
    if name == "Policy" and value and not is_policy(value):
        raise invalid("Policy Error: null")
    if name == "DeliveryPolicy" and value and _object(value) is None:
        raise invalid("DeliveryPolicy: failed to parse JSON.")


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def effective_delivery_policy(policy: str | None) -> str:
    """What a topic shows: the defaults for HTTP, and over them what its own policy says."""
    own = (_object(policy) if policy else None) or {}
    http = own.get("http")
    shown = {"http": {**_HTTP_DELIVERY, **(http if isinstance(http, dict) else {})}}
    return json.dumps(shown, separators=(",", ":"))


def with_tags(tags: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
    """Tags and more of them. Raises AwsError TagLimitExceeded, InvalidParameter."""
    found = {**tags, **more}
    if len(found) > MAXIMUM_TAGS:
        raise AwsError("TagLimitExceeded", "Could not complete request: tag quota of per resource exceeded")
    for key, value in more.items():
        if not 1 <= len(key) <= 128 or len(value) > 256:
            raise invalid("Tags")
    return found


def topic_policy(topic_arn: str, account: Account) -> str:
    """The access policy that a new topic has. simbus does not evaluate it."""
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [f"SNS:{action}" for action in ACTIONS],
        "Resource": topic_arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": account.id}},
    }
    policy = {"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]}
    return json.dumps(policy, separators=(",", ":"))


def subscription_attributes(account: Account, topic_arn: str, subscription: TopicSubscription) -> dict[str, str]:
    """GetSubscriptionAttributes: FilterPolicy, FilterPolicyScope and RedrivePolicy only where they are set."""
    settings = subscription.settings
    attributes = {
        "SubscriptionPrincipal": f"arn:aws:iam::{account.id}:user/simbus",
        "Owner": account.id,
        "RawMessageDelivery": str(settings.raw_message_delivery).lower(),
        "TopicArn": topic_arn,
        "Endpoint": subscription.endpoint.arn,
        "Protocol": subscription.endpoint.protocol,
        "PendingConfirmation": "false",
        "ConfirmationWasAuthenticated": "true",
        "SubscriptionArn": subscription.arn,
    }
    if settings.filter_policy is not None:
        attributes["FilterPolicy"] = settings.filter_policy
    if settings.filter_policy is not None or settings.filter_policy_scope is not None:
        attributes["FilterPolicyScope"] = settings.scope
    if settings.redrive_policy is not None:
        attributes["RedrivePolicy"] = settings.redrive_policy
    return attributes
