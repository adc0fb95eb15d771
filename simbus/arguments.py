"""What a `Simulation` is made with, as Python code gives it: read and checked before anything is made."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from simbus.arn import Account
from simbus.errors import UsageError
from simbus.kernel import Timeline
from simbus.kernel.durations import read_duration
from simbus.kernel.pace import Pace
from simbus.kernel.ties import Ties
from simbus.logs.sampling import share_of

_ID: Final = re.compile(r"[0-9]{12}", re.ASCII)
_REGION: Final = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]", re.ASCII)
_DURATIONS: Final = ("function_activation", "table_transition_delay", "mapping_transition_delay")
_EXAMPLE: Final = '{"id": "123456789012", "region": "eu-west-1"}'


def check_seed(seed: object) -> None:
    """Raise UsageError for what is no number and no text."""
    if isinstance(seed, bool) or not isinstance(seed, int | str):
        raise UsageError(f"seed is {seed!r}; it is a whole number or a text. Write for example seed=1.")


def check_speed(speed: object) -> None:
    """Raise UsageError for what is no number above 0."""
    if speed is not None:
        if isinstance(speed, bool) or not isinstance(speed, int | float):
            raise UsageError(
                f"speed is {speed!r}; it is a number above 0. Write for example speed=60, or leave it out."
            )
        Pace(Timeline(), speed)


def check_text(value: object, name: str) -> None:
    """Raise UsageError for what is neither a text nor None."""
    if not (value is None or isinstance(value, str)):
        raise UsageError(f"{name} is {value!r}; it is a text. Write one, or leave it out.")


def read_path(value: object, name: str) -> Path | None:
    """The path of a file. Raises UsageError."""
    if value is None:
        return None
    if not isinstance(value, str | os.PathLike):
        raise UsageError(f"{name} is {value!r}; it is the path of a file. Write one, or leave it out.")
    return Path(value)


def read_account(account: Account | Mapping[str, Any] | None) -> Account:
    """The account that is given, or that of these members; durations may be texts. Raises UsageError."""
    if account is not None and not isinstance(account, Account | Mapping):
        raise UsageError(f"account is {account!r}; it is an Account, or its members. Write for example {_EXAMPLE}.")
    given = account._asdict() if isinstance(account, Account) else dict(account or {})
    for name in given:
        if name not in Account._fields:
            close = get_close_matches(str(name), Account._fields, 1)
            remedy = f"Did you mean {close[0]}?" if close else "Remove it."
            raise UsageError(f"account has {name}; it has {', '.join(Account._fields)}. {remedy}")
    for name in _DURATIONS:
        value = given.get(name, 0)
        if isinstance(value, str | timedelta):
            given[name] = value = read_duration(value, f"account.{name}")
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise UsageError(f"account.{name} is {value!r}; it is a duration. Write for example 10s.")
    found = Account(**given)
    _check_matches(found.id, "account.id", _ID, 'is 12 digits. Write them as a text, like "123456789012"')
    _check_matches(found.region, "account.region", _REGION, "is a Region. Write for example us-east-1")
    number = found.concurrent_executions
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= 1_000_000:
        raise UsageError(
            f"account.concurrent_executions is {number!r}; it is a whole number from 1 to 1000000. Write such a number."
        )
    return found


def _check_matches(value: object, name: str, pattern: re.Pattern[str], rule: str) -> None:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise UsageError(f"{name} is {value!r}; it {rule}.")


def read_payloads(value: float | str) -> float:
    """The share of the payloads that are kept. Raises UsageError."""
    try:
        return share_of(value)
    except UsageError as error:
        raise UsageError(f"payloads {error}") from None


def read_ties(value: int | str | Ties | None) -> int | Ties | None:
    """The order of simultaneous events. Raises UsageError."""
    try:
        return Ties.parse(value) if isinstance(value, str) else value
    except UsageError as error:
        raise UsageError(f"ties {error}") from None


def read_datetime(value: str | datetime, name: str) -> datetime:
    """A time in UTC. Raises UsageError."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise UsageError(f"{name} is {value!r}; write a time like 2026-01-01T00:00:00Z.") from None
    if not isinstance(value, datetime):
        raise UsageError(f"{name} is {value!r}; write a time like 2026-01-01T00:00:00Z.")
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
