"""The answers with which DynamoDB refuses a request, in AWS's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from simbus.errors import AwsError

Details = dict[str, Any]
INVALID: Final = "One or more parameter values were invalid: "


class RefusedWrite(AwsError):
    """A condition that failed, or a cancelled transaction.

    `details` has AWS's further fields: `Item` (asked for by `return_values_on_condition_check_failure`) or
    `CancellationReasons`, one per action, `{"Code": "None"}` for those that were fine.
    """

    def __init__(self, code: str, message: str, details: Details) -> None:
        super().__init__(code, message)
        self.details = self.extra = details


class SchemaMismatch(AwsError):
    """ValidationException: a key is not of the table's or an index's schema. In a transaction it is a reason to cancel.

    (A key that is empty or too long refuses the whole request at once, as all else does; both are answers of AWS that
    github.com/paritysuite/dynamodb-conformance has recorded.)
    """

    def __init__(self, message: str) -> None:
        super().__init__("ValidationException", message)


def invalid(message: str) -> AwsError:
    """ValidationException."""
    return AwsError("ValidationException", message)


def bad_parameter(what: str) -> AwsError:
    return invalid(INVALID + what)


def constraint(value: object, where: str, rule: str) -> AwsError:
    """AWS's answer to a parameter outside of its range or enumeration."""
    return invalid(f"1 validation error detected: Value '{value}' at '{where}' failed to satisfy constraint: {rule}")


def absent(where: str) -> AwsError:
    """AWS's answer to a required parameter that is not there."""
    return invalid(
        f"1 validation error detected: Value null at '{where}' failed to satisfy constraint: Member must not be null"
    )


def wire_error(message: str) -> AwsError:
    """SerializationException: what is not even of DynamoDB's JSON form."""
    return AwsError("SerializationException", message)


def no_table() -> AwsError:
    return AwsError("ResourceNotFoundException", "Requested resource not found")


def failed_condition(item: Mapping[str, Any] | None) -> RefusedWrite:
    """ConditionalCheckFailedException; `item` is the one to be shown, None: none."""
    details = {} if item is None else {"Item": dict(item)}
    return RefusedWrite("ConditionalCheckFailedException", "The conditional request failed", details)


def conflict() -> AwsError:
    """TransactionConflictException: a transaction that is under way has the item."""
    return AwsError("TransactionConflictException", "Transaction is ongoing for the item")


def cancelled(reasons: list[Details]) -> RefusedWrite:
    """TransactionCanceledException."""
    codes = ", ".join(reason["Code"] for reason in reasons)
    return RefusedWrite(
        "TransactionCanceledException",
        f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
        {"CancellationReasons": reasons},
    )
