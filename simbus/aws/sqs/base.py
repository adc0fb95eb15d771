"""What the operations of SQS share: the table, and how a queue is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simbus.aws.table import Api
from simbus.errors import AwsError
from simbus.sources.sqs.request import no_queue

if TYPE_CHECKING:
    from simbus.resources import Resources
    from simbus.sources.sqs.queue import Queue

api = Api("sqs")


def queue_of(account: Resources, url: str) -> Queue:
    """The queue of a URL; its last part names it, as for AWS. Raises AwsError NonExistentQueue, InvalidAddress."""
    path, _, name = url.rpartition("/")
    if not path or not name:
        raise AwsError("InvalidAddress", f"The address {url} is not valid for this endpoint.", 404)
    return queue_named(account, name)


def queue_named(account: Resources, name: str) -> Queue:
    """The queue of that name. Raises AwsError NonExistentQueue."""
    found: Queue | None = account.find("sqs", name)
    if found is None:
        raise no_queue()
    return found
