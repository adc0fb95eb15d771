"""Subscriptions of topics, and their attributes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from simbus.aws.sns.base import api, paged, topic_of
from simbus.aws.table import Response
from simbus.errors import UsageError
from simbus.sources.sns.request import invalid
from simbus.sources.sns.settings import ATTRIBUTES, NOT_BUILT_ATTRIBUTES, check_subscription_arn, no_subscription

if TYPE_CHECKING:
    from simbus.resources import Resources
    from simbus.sources.sns.topic import Topic

_FIELDS: Final = {
    "FilterPolicy": "filter_policy",
    "FilterPolicyScope": "filter_policy_scope",
    "RawMessageDelivery": "raw_message_delivery",
    "RedrivePolicy": "redrive_policy",
}


@api.operation
def subscribe(
    account: Resources,
    *,
    TopicArn: str,
    Protocol: str,
    Endpoint: str | None = None,
    Attributes: Mapping[str, str] | None = None,
    ReturnSubscriptionArn: bool = False,  # without effect: no subscription here waits for its confirmation
) -> Response:
    topic = topic_of(account, TopicArn)
    if Endpoint is None:
        raise invalid("Endpoint")
    given = Attributes or {}
    for name in given:
        if name in NOT_BUILT_ATTRIBUTES:
            raise UsageError(f"subscription attribute {name} is not built; use {', '.join(ATTRIBUTES)}.")
        if name not in _FIELDS:
            raise invalid("AttributeName")
    settings = {_FIELDS[name]: value for name, value in given.items()}
    return {"SubscriptionArn": topic.subscribe(Endpoint, protocol=Protocol, **settings)}


@api.operation
def confirm_subscription(
    account: Resources,
    *,
    TopicArn: str,
    Token: str,  # never right: see below
    AuthenticateOnUnsubscribe: str | None = None,  # of a subscription that is confirmed
) -> Response:
    """Functions and queues of the own account need no confirmation, so no token was ever handed out."""
    topic_of(account, TopicArn)
    raise invalid("Token")


@api.operation
def unsubscribe(account: Resources, *, SubscriptionArn: str) -> None:
    """A subscription that is not there is no error."""
    topic = _topic(account, SubscriptionArn)
    if topic is not None:
        topic.unsubscribe(SubscriptionArn)


@api.operation
def list_subscriptions(account: Resources, *, NextToken: str | None = None) -> Response:
    found = [each for topic in account.resources("sns") for each in topic.list_subscriptions()]
    return paged("Subscriptions", found, NextToken)


@api.operation
def list_subscriptions_by_topic(account: Resources, *, TopicArn: str, NextToken: str | None = None) -> Response:
    return paged("Subscriptions", topic_of(account, TopicArn).list_subscriptions(), NextToken)


@api.operation
def get_subscription_attributes(account: Resources, *, SubscriptionArn: str) -> Response:
    return {"Attributes": _existing(account, SubscriptionArn).get_subscription_attributes(SubscriptionArn)}


@api.operation
def set_subscription_attributes(
    account: Resources, *, SubscriptionArn: str, AttributeName: str, AttributeValue: str | None = None
) -> None:
    topic = _existing(account, SubscriptionArn)
    topic.set_subscription_attributes(SubscriptionArn, AttributeName, AttributeValue)


def _existing(account: Resources, arn: str) -> Topic:
    """The topic of a subscription. Raises AwsError NotFound, InvalidParameter."""
    found = _topic(account, arn)
    if found is None:
        raise no_subscription()
    return found


def _topic(account: Resources, arn: str) -> Topic | None:
    check_subscription_arn(arn)
    found: Topic | None = account.find("sns", arn.split(":")[5])
    return found if found is not None and arn.startswith(f"{found.arn}:") else None
