"""AddPermission and RemovePermission: the statements of a queue's policy. simbus shows them and evaluates nothing.

Source: SQS API reference, AddPermission; developer guide, "Overview of managing access in Amazon SQS".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from simbus.errors import AwsError

_MOST_ACTIONS: Final = 7
_ACTIONS: Final = (
    "*",
    "ChangeMessageVisibility",
    "DeleteMessage",
    "GetQueueAttributes",
    "GetQueueUrl",
    "ListDeadLetterSourceQueues",
    "PurgeQueue",
    "ReceiveMessage",
    "SendMessage",
)


def with_permission(policy: str | None, arn: str, label: str, accounts: Sequence[str], actions: Sequence[str]) -> str:
    """The policy with one statement more. Raises AwsError InvalidParameterValue, MissingParameter, OverLimit."""
    if not actions:
        raise AwsError("MissingParameter", "The request must contain the parameter Actions.")
    if not accounts:
        raise _invalid("", "PrincipalId", "Unable to verify.")
    if len(actions) > _MOST_ACTIONS:
        text = f"{len(actions)} Actions were found, maximum allowed is {_MOST_ACTIONS}."
        raise AwsError("OverLimit", text, 403)
    for action in actions:
        if action not in _ACTIONS:
            raise _invalid(f"SQS:{action}", "ActionName", "Only the queue owner is allowed to invoke this action.")
    document = _document(policy, arn)
    if any(statement.get("Sid") == label for statement in document["Statement"]):
        raise _invalid(label, "Label", "Already exists.")
    statement = {
        "Sid": label,
        "Effect": "Allow",
        "Principal": {"AWS": _one_or_many([f"arn:aws:iam::{account}:root" for account in accounts])},
        "Action": _one_or_many([f"SQS:{action}" for action in actions]),
        "Resource": arn,
    }
    document["Statement"].append(statement)
    return _text(document)


def without_permission(policy: str | None, arn: str, label: str) -> str | None:
    """The policy without the statement of that label. Raises AwsError InvalidParameterValue where there is none."""
    document = _document(policy, arn)
    kept = [statement for statement in document["Statement"] if statement.get("Sid") != label]
    if len(kept) == len(document["Statement"]):
        raise _invalid(label, "Label", "can't find label.")
    return _text({**document, "Statement": kept}) if kept else None


def _document(policy: str | None, arn: str) -> dict[str, Any]:
    if policy is None:
        return {"Version": "2012-10-17", "Id": f"{arn}/SQSDefaultPolicy", "Statement": []}
    found: dict[str, Any] = msgspec.json.decode(policy)
    statements = found.get("Statement", [])
    found["Statement"] = list(statements) if isinstance(statements, list) else [statements]
    return found


def _one_or_many(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values


def _text(document: dict[str, Any]) -> str:
    return msgspec.json.encode(document).decode()


def _invalid(value: str, parameter: str, reason: str) -> AwsError:
    return AwsError("InvalidParameterValue", f"Value {value} for parameter {parameter} is invalid. Reason: {reason}")
