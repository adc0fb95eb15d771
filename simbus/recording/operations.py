"""What a recording holds: operations on resources, called from outside of the simulation."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from simbus.services import SERVICES

REPLAY_CLIENT = "replay"
"""Who sends operations that no run of simbus recorded: a client with an SDK's retries."""


class Operation(NamedTuple):
    """One operation: `resource` (`s3:uploads`) does `verb` (`put_object`) with `arguments` at `when`.

    `when` is in nanoseconds since 1970 as it is read, and since the file's first time as it is replayed. `client` is
    who sent it and tries again as an SDK does (None: a caller in Python, who gets the error); `position` its place
    among what happens at the same instant (see `Timeline.arrive_after`). `meanwhile`: it was done while a caller waited
    in an earlier operation. `line` is where the file has it.
    """

    when: int
    resource: str
    verb: str
    arguments: dict[str, Any]
    client: str | None = None
    position: int = 0
    meanwhile: bool = False
    line: int = 0


_DATA: dict[str, tuple[str, ...]] = {
    "lambda": ("invoke",),
    "s3": (
        "put_object", "post_object", "copy_object", "delete_object", "delete_objects", "put_object_tagging",
        "delete_object_tagging", "put_object_acl", "restore_object", "create_multipart_upload", "upload_part",
        "upload_part_copy", "complete_multipart_upload", "abort_multipart_upload",
    ),
    "sqs": (
        "send_message", "send_message_batch", "receive_messages", "delete_message", "delete_message_batch",
        "change_message_visibility", "change_message_visibility_batch", "purge_queue", "start_message_move_task",
        "cancel_message_move_task",
    ),
    "sns": ("publish", "publish_batch"),
    "events": ("put_events", "put_aws_event", "start_replay", "cancel_replay"),
    "kinesis": ("put_record", "put_records"),
    "dynamodb": ("put_item", "update_item", "delete_item", "batch_write_item", "transact_write_items"),
}  # fmt: skip

_READS = ("get_", "list_", "describe_", "head_", "query", "scan", "batch_get_", "transact_get_", "test_")
_CODE = ("update_function", "update_function_code", "publish_version")
"""They bring new code with them, which no recording holds: whoever replays decides which code it is."""

PRELOAD = "preload"
"""Environments that were warm before the run began: not an operation of AWS, but a part of what a trace tells."""


def data_verbs(service: str) -> tuple[str, ...]:
    """The operations of a service that cause something, and are recorded whenever they are called from outside."""
    known = _DATA.get(service)
    if known is None:  # a service that says itself what a workload can do with it
        known = tuple(getattr(SERVICES[service].load(), "verbs", ()))
    return known


@lru_cache(maxsize=1024)
def is_change(service: str, verb: str) -> bool:
    """Whether an operation changes a resource: recorded once the run has begun, for before that it is its set-up."""
    method = getattr(SERVICES[service].load(), verb, None)
    return hasattr(method, "__wrapped__") and not verb.startswith(_READS) and verb not in _CODE


@lru_cache(maxsize=1024)
def is_known(service: str, verb: str) -> bool:
    """Whether a recording may hold this operation."""
    return is_change(service, verb) or verb in data_verbs(service) or (service, verb) == ("lambda", PRELOAD)
