"""What the operations of SNS share: the table, how a topic is found, and pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from simbus.aws.paging import given, page
from simbus.aws.table import Api, Response
from simbus.errors import AwsError
from simbus.sources.sns.request import invalid, no_topic

if TYPE_CHECKING:
    from simbus.resources import Resources
    from simbus.sources.sns.topic import Topic

api = Api("sns")

_PER_PAGE: Final = 100


def topic_of(account: Resources, arn: str, parameter: str = "TopicArn") -> Topic:
    """The topic of an ARN. Raises AwsError NotFound, InvalidParameter for what is no topic's ARN in this Region."""
    found = find_topic(account, arn, parameter)
    if found is None:
        raise no_topic()
    return found


def find_topic(account: Resources, arn: str, parameter: str = "TopicArn") -> Topic | None:
    """The same; None where there is none."""
    parts = arn.split(":")
    if len(parts) < 6:
        raise invalid(f"{parameter} Reason: An ARN must have at least 6 elements, not {len(parts)}")
    if len(parts) != 6 or parts[2] != "sns" or parts[3] != account.world.account.region:
        raise invalid(parameter)
    found: Topic | None = account.find("sns", parts[5])
    return found if found is not None and found.arn == arn else None


def no_resource() -> AwsError:
    """SNS's answer where what is to be tagged is not there."""
    return AwsError("ResourceNotFound", "Resource does not exist", 404)


def paged(member: str, entries: Sequence[Any], token: str | None) -> Response:
    """A page of 100, in the order of the list. Raises AwsError InvalidParameter for another service's token."""
    numbered = list(enumerate(entries))
    found, following = page(numbered, _number, _PER_PAGE, token, lambda: invalid("NextToken"))
    return {member: [entry for _, entry in found], **given(NextToken=following)}


def _number(entry: tuple[int, Any]) -> str:
    return f"{entry[0]:09}"
