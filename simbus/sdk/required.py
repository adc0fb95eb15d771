"""What a request must have. botocore looks itself, unless a client has `parameter_validation` off: then AWS does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from simbus.aws import missing


def check_required(service: str, shape: Any, params: Mapping[str, Any]) -> None:
    """Raises the AwsError that a service has for a required member that is not there, at whatever depth."""
    for path in _absent(service, shape, params, ""):
        raise missing(service, path)


def _absent(service: str, shape: Any, value: Any, path: str) -> Iterator[str]:
    """The paths of absent members: `Targets.1.member.Arn`; SQS has `SendMessageBatchRequestEntry.1.Id`."""
    if value is None:
        return
    if shape.type_name == "structure":
        for name in shape.required_members:
            if name not in value:
                yield f"{path}{name}"
        for name, each in value.items():
            yield from _absent(service, shape.members[name], each, f"{path}{name}.")
    elif shape.type_name == "list":
        for number, each in enumerate(value, 1):
            entry = f"{shape.member.name}.{number}." if service == "sqs" else f"{path}{number}.member."
            yield from _absent(service, shape.member, each, entry)
    elif shape.type_name == "map":
        for key, each in value.items():
            yield from _absent(service, shape.value, each, f"{path}{key}.member.")
