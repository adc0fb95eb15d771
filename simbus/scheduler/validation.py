"""The errors that Lambda's control plane answers a bad parameter with."""

from __future__ import annotations

from simbus.errors import AwsError


def invalid(message: str) -> AwsError:
    """InvalidParameterValueException, 400."""
    return AwsError("InvalidParameterValueException", message, Type="User")


def violated(where: str, rule: str) -> AwsError:
    """ValidationException, 400: `where` is `Value 'x' at 'name'`."""
    text = f"1 validation error detected: {where} failed to satisfy constraint: {rule}"
    return AwsError("ValidationException", text)


def in_range(name: str, value: int, low: int, high: int) -> None:
    """Raises ValidationException where a number lies outside of its range, in AWS's words."""
    if not low <= value <= high:
        bound, limit = ("greater", low) if value < low else ("less", high)
        raise violated(f"Value '{value}' at '{name}'", f"Member must have value {bound} than or equal to {limit}")
