"""The attributes of an SQS queue: their defaults, ranges and errors.

Source: SQS API reference, CreateQueue and SetQueueAttributes; recording test_set_queue_attributes_default_values
(10/12/2025) for the defaults.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from typing import Any, Final, Literal

import msgspec

from simbus.errors import AwsError, UsageError

_RANGES: Final = {
    "visibility_timeout": (0, 43_200),
    "delay_seconds": (0, 900),
    "message_retention_period": (60, 1_209_600),
    "maximum_message_size": (1_024, 1_048_576),
    "receive_message_wait_time_seconds": (0, 20),
    "kms_data_key_reuse_period_seconds": (60, 86_400),
}
_FIFO_ONLY: Final = {
    "content_based_deduplication": (False, True),
    "deduplication_scope": ("queue", "messageGroup"),
    "fifo_throughput_limit": ("perQueue", "perMessageGroupId"),
}
_ONE_ENCRYPTION: Final = (
    "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE."
)
_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")


@dataclass(frozen=True)
class Settings:
    """A queue's attributes under AWS's names in snake_case; times in seconds, sizes in bytes.

    `fifo_throughput_limit` perQueue allows 300 calls a second of each API action; perMessageGroupId (with
    deduplication_scope messageGroup) is not limited here, AWS's quota is tens of thousands.
    `redrive_policy` is `{"dead_letter_target_arn": "sqs:x", "max_receive_count": 5}`, `redrive_allow_policy`
    `{"redrive_permission": "byQueue", "source_queue_arns": ["sqs:y"]}`, allowAll or denyAll.
    `policy` (JSON text) and the three of encryption are kept and shown: neither access nor KMS is simulated.
    Raises AwsError InvalidAttributeValue, InvalidAttributeName, InvalidParameterValue.
    """

    visibility_timeout: int = 30
    delay_seconds: int = 0
    message_retention_period: int = 345_600
    maximum_message_size: int = 1_048_576
    receive_message_wait_time_seconds: int = 0
    fifo_queue: bool = False
    content_based_deduplication: bool = False
    deduplication_scope: Literal["queue", "messageGroup"] = "queue"
    fifo_throughput_limit: Literal["perQueue", "perMessageGroupId"] = "perQueue"
    redrive_policy: Mapping[str, Any] | None = None
    redrive_allow_policy: Mapping[str, Any] | None = None
    policy: str | None = None
    kms_master_key_id: str | None = None
    kms_data_key_reuse_period_seconds: int = 300
    sqs_managed_sse_enabled: bool = True

    def __post_init__(self) -> None:
        for name, (least, most) in _RANGES.items():
            value = getattr(self, name)
            if type(value) is not int or not least <= value <= most:
                raise AwsError("InvalidAttributeValue", f"Invalid value for the parameter {aws_name(name)}.")
        if self.fifo_queue not in (False, True):
            raise AwsError("InvalidAttributeValue", "Invalid value for the parameter FifoQueue.")
        for name, allowed in _FIFO_ONLY.items():
            if getattr(self, name) not in allowed:
                raise AwsError("InvalidAttributeValue", f"Invalid value for the parameter {aws_name(name)}.")
            if not self.fifo_queue and getattr(self, name) != allowed[0]:
                raise AwsError("InvalidAttributeName", f"Unknown Attribute {aws_name(name)}.")
        if self.fifo_throughput_limit == "perMessageGroupId" and self.deduplication_scope != "messageGroup":
            raise AwsError("InvalidAttributeValue", "Invalid value for the parameter FifoThroughputLimit.")
        _check_redrive(self.redrive_policy)
        _check_redrive_allow(self.redrive_allow_policy)


ATTRIBUTE_NAMES: Final = (
    "QueueArn",
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    *("".join(part.capitalize() for part in field.name.split("_")) for field in fields(Settings)),
)


FIFO_NAMES: Final = ("FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit")


def changed(settings: Settings, attributes: Mapping[str, Any], arn_of: Callable[[str], str]) -> Settings:
    """The settings with some attributes changed, the queues in them by ARN. Raises AwsError, UsageError."""
    found = replace(settings, **_with_arns(_known(attributes), arn_of))
    if attributes.get("sqs_managed_sse_enabled") and found.kms_master_key_id is not None:
        raise AwsError("InvalidAttributeValue", _ONE_ENCRYPTION)
    return found


def _known(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes themselves. Raises UsageError for one that a queue does not have."""
    names = [field.name for field in fields(Settings)]
    for name in attributes:
        if name not in names:
            near = get_close_matches(name, names, 1)
            meant = f" Did you mean {near[0]}?" if near else ""
            raise UsageError(f"a queue has no attribute {name}; it has {', '.join(names)}.{meant}")
    return dict(attributes)


def _with_arns(attributes: Mapping[str, Any], arn_of: Callable[[str], str]) -> dict[str, Any]:
    """The attributes with the queues of both policies by ARN, as AWS keeps and shows them."""
    found = dict(attributes)
    redrive, allow = found.get("redrive_policy"), found.get("redrive_allow_policy")
    if redrive is not None and "dead_letter_target_arn" in redrive:
        found["redrive_policy"] = {**redrive, "dead_letter_target_arn": arn_of(redrive["dead_letter_target_arn"])}
    if allow is not None and allow.get("source_queue_arns"):
        found["redrive_allow_policy"] = {**allow, "source_queue_arns": list(map(arn_of, allow["source_queue_arns"]))}
    return found


def check_name(name: str, fifo: bool) -> None:
    """1 to 80 letters, digits, hyphens and underscores; a FIFO queue's ends in .fifo. Raises AwsError."""
    if fifo and not (name.endswith(".fifo") and _NAME.fullmatch(name.removesuffix(".fifo")) and len(name) <= 80):
        raise AwsError(
            "InvalidParameterValue",
            "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, "
            "must end with .fifo suffix and be 1 to 80 in length",
        )
    if not fifo and not _NAME.fullmatch(name):
        raise AwsError(
            "InvalidParameterValue",
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
        )


def aws_name(name: str) -> str:
    """`DelaySeconds` of `delay_seconds`."""
    return "".join(part.capitalize() for part in name.split("_"))


def shown(settings: Settings) -> dict[str, str]:
    """The attributes as GetQueueAttributes returns them: every value is a text, FIFO ones for FIFO queues only."""
    hidden = () if settings.fifo_queue else FIFO_NAMES
    if settings.kms_master_key_id is None:
        hidden = (*hidden, "KmsDataKeyReusePeriodSeconds")
    found = {}
    for field in fields(settings):
        name, value = aws_name(field.name), getattr(settings, field.name)
        if value is not None and name not in hidden:
            found[name] = text_of(value)
    if settings.kms_master_key_id is not None:
        found["SqsManagedSseEnabled"] = "false"
    return found


def text_of(value: Any) -> str:
    """An attribute's value as AWS shows it; a policy is JSON with AWS's keys."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        keys = {key: key[0] + aws_name(key)[1:] for key in value}
        return msgspec.json.encode({keys[key]: item for key, item in value.items()}).decode()
    return str(value)


def _check_redrive(policy: Mapping[str, Any] | None) -> None:
    if policy is None:
        return
    if "dead_letter_target_arn" not in policy or set(policy) - {"dead_letter_target_arn", "max_receive_count"}:
        raise UsageError(
            f"redrive_policy has the keys {', '.join(policy)}; it has dead_letter_target_arn and "
            "max_receive_count (default 10). "
            'Write {"dead_letter_target_arn": "sqs:failed", "max_receive_count": 5}.'
        )
    count = policy.get("max_receive_count", 10)
    if type(count) is not int or not 1 <= count <= 1000:
        raise AwsError(
            "InvalidParameterValue",
            f"Value {text_of(policy)} for parameter RedrivePolicy is invalid. Reason: Invalid value for "
            f"maxReceiveCount: {count}, valid values are from 1 to 1000 both inclusive.",
        )


def _check_redrive_allow(policy: Mapping[str, Any] | None) -> None:
    if policy is None:
        return
    permission = policy.get("redrive_permission")
    by_queue = permission == "byQueue"
    if permission not in ("allowAll", "denyAll", "byQueue") or by_queue != bool(policy.get("source_queue_arns")):
        raise AwsError("InvalidAttributeValue", "Invalid value for the parameter RedriveAllowPolicy.")
