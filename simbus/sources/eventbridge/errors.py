"""How EventBridge refuses a request: its error codes and texts (JSON protocol, always status 400).

Sources: recordings of tests/aws/services/events (test_put_events_*, test_put_target_*, TestReplay::*) and,
for the constraints, the API model of EventBridge (botocore, events 2015-10-07).
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from simbus.errors import AwsError, UsageError

OVER_LIMIT: Final = "The requested resource exceeds the maximum number allowed."
NAME_PATTERN: Final = r"[\.\-_A-Za-z0-9]+"
_NAME: Final = re.compile(NAME_PATTERN, re.ASCII).fullmatch
_HUMPS: Final = re.compile(r"(?<!^)(?=[A-Z])")


def validation(message: str) -> AwsError:
    """ValidationException."""
    return AwsError("ValidationException", message)


def not_found(message: str) -> AwsError:
    """ResourceNotFoundException."""
    return AwsError("ResourceNotFoundException", message)


def exists_already(message: str) -> AwsError:
    """ResourceAlreadyExistsException."""
    return AwsError("ResourceAlreadyExistsException", message)


def over_limit() -> AwsError:
    """LimitExceededException."""
    return AwsError("LimitExceededException", OVER_LIMIT)


def no_bus(name: str) -> AwsError:
    """The event bus does not exist."""
    return not_found(f"Event bus {name} does not exist.")


def no_rule(name: str, bus: str) -> AwsError:
    """The rule does not exist."""
    return not_found(f"Rule {name} does not exist on EventBus {bus}.")


def constraint(value: Any, field: str, rule: str) -> AwsError:
    """A parameter outside of what the API model allows; `rule` begins behind `Member must`."""
    return validation(
        f"1 validation error detected: Value '{value}' at '{field}' failed to satisfy constraint: Member must {rule}"
    )


def check_name(value: str, field: str, longest: int) -> None:
    """A name of letters, digits, dots, hyphens and underscores. Raises AwsError ValidationException."""
    if not 1 <= len(value) <= longest:
        bound, length = ("greater", 1) if not value else ("less", longest)
        raise constraint(value, field, f"have length {bound} than or equal to {length}")
    if not _NAME(value):
        raise constraint(value, field, f"satisfy regular expression pattern: {NAME_PATTERN}")


def check_length(value: str | None, field: str, longest: int) -> None:
    """A text of at most so many characters. Raises AwsError ValidationException."""
    if value is not None and len(value) > longest:
        raise constraint(value, field, f"have length less than or equal to {longest}")


def check_some(items: Sequence[Any], field: str) -> None:
    """A list that must have members. Raises AwsError ValidationException."""
    if not items:
        raise constraint("[]", field, "have length greater than or equal to 1")


def check_range(value: int, field: str, low: int, high: int) -> None:
    """A number from `low` to `high`. Raises AwsError ValidationException."""
    if not low <= value <= high:
        bound, limit = ("greater", low) if value < low else ("less", high)
        raise constraint(value, field, f"have value {bound} than or equal to {limit}")


@lru_cache(256)
def _snake(key: str) -> str:
    return _HUMPS.sub("_", key).lower()


def snake_keys(given: Mapping[str, Any], known: Iterable[str], where: str) -> dict[str, Any]:
    """A mapping with AWS's keys (`DetailType`) or their snake_case, in snake_case. Raises UsageError for other keys."""
    names = tuple(known)
    found = {_snake(key): value for key, value in given.items()}
    for key in found:
        if key not in names:
            raise UsageError(f"{where} has the key {key}; it may have {', '.join(names)}. Remove or rename the key.")
    return found


def page(key: str, items: Sequence[Any], limit: int | None, next_token: str | None) -> dict[str, Any]:
    """One page of a list: at most `limit` (1 to 100) items, and the token of the next page where there is one."""
    size = 100 if limit is None else limit
    check_range(size, "limit", 1, 100)
    try:
        start = 0 if next_token is None else int(b64decode(next_token, validate=True))
    except ValueError:
        raise validation("Parameter NextToken is not valid.") from None
    found: dict[str, Any] = {key: list(items[start : start + size])}
    if start + size < len(items):
        found["NextToken"] = b64encode(str(start + size).encode()).decode()
    return found
