"""AddPermission and RemovePermission: the statements of a topic's policy. simbus shows them and evaluates nothing.

Source: SNS API reference, AddPermission; the default policy is in recordings of GetTopicAttributes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from simbus.sources.sns.request import invalid

ACTIONS: Final = (
    "GetTopicAttributes",
    "SetTopicAttributes",
    "AddPermission",
    "RemovePermission",
    "DeleteTopic",
    "Subscribe",
    "ListSubscriptionsByTopic",
    "Publish",
)


def with_permission(policy: str, arn: str, label: str, accounts: Sequence[str], actions: Sequence[str]) -> str:
    """The policy with one statement more. Raises AwsError InvalidParameter."""
    document = _document(policy)
    if any(statement.get("Sid") == label for statement in document["Statement"]):
        raise invalid("Statement already exists")
    if not actions or any(action not in (*ACTIONS, "Receive", "*") for action in actions):
        raise invalid("Policy statement action out of service scope!")
    if not accounts:
        raise invalid("AWSAccountId")
    statement = {
        "Sid": label,
        "Effect": "Allow",
        "Principal": {"AWS": _one_or_many([f"arn:aws:iam::{account}:root" for account in accounts])},
        "Action": _one_or_many([f"SNS:{action}" for action in actions]),
        "Resource": arn,
    }
    document["Statement"].append(statement)
    return msgspec.json.encode(document).decode()


def without_permission(policy: str, label: str) -> str:
    """The policy without the statement of that label."""
    document = _document(policy)
    kept = [statement for statement in document["Statement"] if statement.get("Sid") != label]
    return msgspec.json.encode({**document, "Statement": kept}).decode()


def is_policy(text: str) -> bool:
    """Whether a text is a JSON policy with statements."""
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    statements = document.get("Statement", []) if isinstance(document, dict) else None
    if isinstance(statements, dict):
        return True
    return isinstance(statements, list) and all(isinstance(statement, dict) for statement in statements)


def _document(policy: str) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(policy)
    statements = found.get("Statement", [])
    found["Statement"] = list(statements) if isinstance(statements, list) else [statements]
    return found


def _one_or_many(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values
