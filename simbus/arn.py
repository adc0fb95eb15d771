"""Names of resources: ARNs, and the short form `service:name` that scenario files and rows use."""

from __future__ import annotations

from typing import Final, NamedTuple

from simbus.errors import UsageError
from simbus.services import SERVICES

_SECOND: Final = 1_000_000_000  # not the kernel's: every pytest imports this module, and the kernel takes its time


class Account(NamedTuple):
    """The AWS account and Region that a simulation plays in.

    `function_activation`: for how long (ns) a function is Pending that boto3 has created, and its update in progress;
    AWS does not say how long that is, and about a second is usual for code from a .zip.
    `table_transition_delay` is how long (ns) a table that CreateTable makes is CREATING, and UPDATING or DELETING after
    UpdateTable and DeleteTable. AWS gives no number; about ten seconds are common. An index that is added to it is
    backfilled for as long again (AWS: minutes), and the time to live of a table with items changes as slowly.
    `mapping_transition_delay` is how long (ns) an event source mapping that boto3 has made is Creating, and Enabling,
    Disabling, Updating or Deleting later on. AWS gives no number; a few seconds are common.
    """

    id: str = "000000000000"
    region: str = "us-east-1"
    concurrent_executions: int = 1000
    function_activation: int = _SECOND
    table_transition_delay: int = 10 * _SECOND
    mapping_transition_delay: int = 5 * _SECOND


def arn(service: str, name: str, account: Account) -> str:
    """The ARN of a resource. An S3 bucket's has neither Region nor account."""
    line = SERVICES[service]
    where = f"{account.region}:{account.id}" if line.regional else ":"
    return f"arn:aws:{service}:{where}:{line.arn.format(name)}"


def short_name(reference: str) -> tuple[str, str, str | None]:
    """Take a reference apart: `(service, name, qualifier)`.

    It is either `service:name` (`lambda:name:qualifier` names a version or an alias) or a full ARN.
    Raises UsageError for anything else.
    """
    parts = reference.split(":")
    if parts[0] == "arn" and len(parts) >= 6:
        service = parts[2]
        rest = _named_by(SERVICES[service].arn, parts[5:]) if service in SERVICES else []
    else:
        service, rest = parts[0], parts[1:]
    qualified = service == "lambda" and len(rest) == 2
    if service not in SERVICES or not (len(rest) == 1 or qualified) or not all(rest):
        raise UsageError(
            f"{reference!r} names no resource; write service:name (service is one of {', '.join(SERVICES)}) "
            "or a full ARN, for example sqs:failed."
        )
    return service, rest[0], rest[1] if qualified else None


def _named_by(form: str, rest: list[str]) -> list[str]:
    """Name and qualifier out of what an ARN ends in: `table/orders/stream/...` names the table `orders`."""
    kind = form.removesuffix("{}")
    if kind.endswith("/"):
        return [rest[0].partition("/")[2].partition("/")[0]]
    if kind:
        return rest[1:] if rest[0] == kind.removesuffix(":") else []
    return rest
