"""The errors that Lambda's control plane answers a bad parameter with."""

from __future__ import annotations

from simbus.errors import AwsError


def invalid(message: str) -> AwsError:
    """InvalidParameterValueException, 400."""
    return AwsError("InvalidParameterValueException", message)


def in_range(name: str, value: int, low: int, high: int) -> None:
    """Raises ValidationException where a number lies outside of its range, in AWS's words."""
    if not low <= value <= high:
        bound, limit = ("greater", low) if value < low else ("less", high)
        raise AwsError(
            "ValidationException",
            f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: Member must have "
            f"value {bound} than or equal to {limit}",
        )
