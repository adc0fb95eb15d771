"""Queues: make, find, list and delete them; their attributes, tags and permissions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from simbus.aws.paging import page
from simbus.aws.sqs.base import api, queue_named, queue_of
from simbus.aws.table import Response
from simbus.errors import AwsError
from simbus.kernel import SECOND
from simbus.sources.sqs.request import check_range, invalid, no_queue, with_tags
from simbus.sources.sqs.settings import Settings, changed, check_name
from simbus.sources.sqs.store import check_dead_letter_queue
from simbus.sources.sqs.texts import field_of, from_texts

if TYPE_CHECKING:
    from simbus.resources import Resources
    from simbus.sources.sqs.queue import Queue

DELETED_RECENTLY: Final = 60 * SECOND
_MOST_PER_PAGE: Final = 1000


@api.operation
def create_queue(
    account: Resources,
    *,
    QueueName: str,
    Attributes: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
) -> Response:
    texts = Attributes or {}
    fifo = QueueName.endswith(".fifo") or texts.get("FifoQueue", "").lower() == "true"
    given = from_texts(texts, fifo)
    check_name(QueueName, bool(given.get("fifo_queue")))
    existing = account.find("sqs", QueueName)
    if existing is not None:
        _check_same(existing, texts, given)
        return {"QueueUrl": existing.url}
    earlier = account.deleted("sqs", QueueName)
    if earlier is not None and account.world.timeline.now < earlier.deleted_at + DELETED_RECENTLY:
        text = "You must wait 60 seconds after deleting a queue before you can create another with the same name."
        raise AwsError("AWS.SimpleQueueService.QueueDeletedRecently", text)
    settings = changed(Settings(), given, str)
    check_dead_letter_queue(account.world, account.world.arn("sqs", QueueName), settings, must_exist=True)
    kept = with_tags({}, tags, QueueName) if tags else None
    queue = account.queue(QueueName, **given)
    if kept:
        queue.tag_queue(kept)
    return {"QueueUrl": queue.url}


def _check_same(queue: Queue, texts: Mapping[str, str], given: Mapping[str, Any]) -> None:
    """Only the attributes that the request names are compared. Raises AwsError QueueAlreadyExists."""
    for name in texts:
        field = field_of(name)
        if getattr(queue.settings, field) != given[field]:
            raise AwsError(
                "QueueAlreadyExists",
                f"A queue already exists with the same name and a different value for attribute {name}",
            )


@api.operation
def delete_queue(account: Resources, *, QueueUrl: str) -> None:
    queue_of(account, QueueUrl).delete_queue()


@api.operation
def get_queue_url(account: Resources, *, QueueName: str, QueueOwnerAWSAccountId: str | None = None) -> Response:
    if QueueOwnerAWSAccountId not in (None, account.world.account.id):
        raise no_queue()
    return {"QueueUrl": queue_named(account, QueueName).url}


@api.operation
def list_queues(
    account: Resources, *, QueueNamePrefix: str = "", MaxResults: int | None = None, NextToken: str | None = None
) -> Response:
    urls = [queue.url for queue in account.resources("sqs") if queue.resource.startswith(QueueNamePrefix)]
    return paged("QueueUrls", urls, MaxResults, NextToken)


def paged(member: str, urls: list[str], most: int | None, token: str | None) -> Response:
    """A page of URLs, by name. Where MaxResults is not given there is one page, of 1000. Raises AwsError."""
    rule = f"MaxResults must be an integer between 1 and {_MOST_PER_PAGE}."
    if most is not None:
        check_range("MaxResults", most, 1, _MOST_PER_PAGE, rule)
    wrong = f"Value {token} for parameter NextToken is invalid. Reason: Invalid or expired next token."
    found, following = page(sorted(urls), str, most or _MOST_PER_PAGE, token, lambda: invalid(wrong))
    response: Response = {member: found} if found or member != "QueueUrls" else {}
    if following is not None and most is not None:
        response["NextToken"] = following
    return response


@api.operation
def get_queue_attributes(account: Resources, *, QueueUrl: str, AttributeNames: Sequence[str] | None = None) -> Response:
    queue = queue_of(account, QueueUrl)
    found = queue.get_queue_attributes(AttributeNames) if AttributeNames else {}
    return {"Attributes": found} if found else {}


@api.operation
def set_queue_attributes(account: Resources, *, QueueUrl: str, Attributes: Mapping[str, str]) -> None:
    queue = queue_of(account, QueueUrl)
    queue.set_queue_attributes(**from_texts(Attributes, queue.settings.fifo_queue))


@api.operation
def tag_queue(account: Resources, *, QueueUrl: str, Tags: Mapping[str, str]) -> None:
    queue_of(account, QueueUrl).tag_queue(Tags)


@api.operation
def untag_queue(account: Resources, *, QueueUrl: str, TagKeys: Sequence[str]) -> None:
    queue_of(account, QueueUrl).untag_queue(TagKeys)


@api.operation
def list_queue_tags(account: Resources, *, QueueUrl: str) -> Response:
    tags = queue_of(account, QueueUrl).list_queue_tags()
    return {"Tags": tags} if tags else {}


@api.operation
def add_permission(
    account: Resources, *, QueueUrl: str, Label: str, AWSAccountIds: Sequence[str], Actions: Sequence[str]
) -> None:
    queue_of(account, QueueUrl).add_permission(Label, AWSAccountIds, Actions)


@api.operation
def remove_permission(account: Resources, *, QueueUrl: str, Label: str) -> None:
    queue_of(account, QueueUrl).remove_permission(Label)
