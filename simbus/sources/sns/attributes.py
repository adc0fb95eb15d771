"""Attributes of topics and subscriptions, as SNS checks and shows them (recordings in sns.json)."""

from __future__ import annotations

import json
import re
from typing import Final

from simbus.arn import Account
from simbus.errors import UsageError
from simbus.sources.sns.request import invalid
from simbus.sources.sns.subscription import TopicSubscription

# For HTTP(S) endpoints only; recording test_publish_batch_messages_from_fifo_topic_to_fifo_queue.
EFFECTIVE_DELIVERY_POLICY: Final = json.dumps(
    {
        "http": {
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
    },
    separators=(",", ":"),
)
_ACTIONS: Final = (
    "GetTopicAttributes SetTopicAttributes AddPermission RemovePermission DeleteTopic Subscribe "
    "ListSubscriptionsByTopic Publish"
)
_NOT_BUILT: Final = re.compile(
    r"DeliveryPolicy|Policy|TracingConfig|KmsMasterKeyId|ArchivePolicy|FifoThroughputScope|DataProtectionPolicy|"
    r"(HTTP|Firehose|Lambda|Application|SQS)(Success|Failure)Feedback(RoleArn|SampleRate)"
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
            f"topic attribute {name} is not built; simbus has DisplayName, ContentBasedDeduplication and "
            "SignatureVersion. Leave it out."
        )
    allowed = {"ContentBasedDeduplication": ("true", "false"), "SignatureVersion": ("1", "2")}
    if name == "ContentBasedDeduplication" and not fifo_topic:
        raise invalid("Content-based deduplication can only be set for FIFO topics")
    if name in allowed and value not in allowed[name]:
        raise invalid(name)
    if name == "DisplayName" and len(value) > 100:
        raise invalid("DisplayName")
    if name not in (*allowed, "DisplayName"):
        raise invalid("AttributeName")


def topic_policy(topic_arn: str, account: Account) -> str:
    """The access policy that a new topic has. simbus does not evaluate it."""
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [f"SNS:{action}" for action in _ACTIONS.split()],
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
