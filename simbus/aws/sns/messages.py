"""Publish to a topic. PhoneNumber (a text message to a telephone) is not built, and so no parameter here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from simbus.aws.sns.base import api, topic_of
from simbus.aws.table import Response
from simbus.sources.sns.request import invalid

if TYPE_CHECKING:
    from simbus.resources import Resources


@api.operation
def publish(
    account: Resources,
    *,
    Message: str,
    TopicArn: str | None = None,
    TargetArn: str | None = None,
    Subject: str | None = None,
    MessageStructure: str | None = None,
    MessageAttributes: Mapping[str, Mapping[str, Any]] | None = None,
    MessageDeduplicationId: str | None = None,
    MessageGroupId: str | None = None,
) -> Response:
    arn = TopicArn or TargetArn
    if arn is None:
        raise invalid("TopicArn or TargetArn Reason: no value for required parameter")
    if TargetArn is not None and ":endpoint/" in TargetArn:
        raise invalid("TargetArn Reason: No endpoint found for the target arn specified")
    return topic_of(account, arn, "TopicArn" if TopicArn else "TargetArn").publish(
        Message,
        subject=Subject,
        message_attributes=MessageAttributes,
        message_structure=MessageStructure,
        message_group_id=MessageGroupId,
        message_deduplication_id=MessageDeduplicationId,
    )


@api.operation
def publish_batch(
    account: Resources, *, TopicArn: str, PublishBatchRequestEntries: Sequence[Mapping[str, Any]]
) -> Response:
    return topic_of(account, TopicArn).publish_batch(PublishBatchRequestEntries)
