"""Pages of a list: opaque tokens that say after which entry the next page begins."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from simbus.errors import AwsError

T = TypeVar("T")


def page(
    entries: Sequence[T],
    key: Callable[[T], str],
    limit: int,
    token: str | None,
    invalid: Callable[[], AwsError],
) -> tuple[list[T], str | None]:
    """Up to `limit` of the entries, which are in the order of `key`, after those that `token` has had; the next token.

    Raises `invalid()` for a token that was never given.
    """
    after = None if token is None else read_token(token, invalid)
    rest = [entry for entry in entries if after is None or key(entry) > after]
    found = list(rest[:limit])
    return found, make_token(key(found[-1])) if len(rest) > limit else None


def make_token(key: str) -> str:
    """The opaque form of a key."""
    return urlsafe_b64encode(key.encode()).decode()


def read_token(token: str, invalid: Callable[[], AwsError]) -> str:
    """The key of a token. Raises `invalid()`."""
    try:
        key = urlsafe_b64decode(token.encode()).decode()
    except (Error, ValueError):
        raise invalid() from None
    if make_token(key) != token:  # Python's decoder passes over what is no base64
        raise invalid()
    return key


def given(**members: Any) -> dict[str, Any]:
    """The members that are not None: a response leaves the others out."""
    return {name: value for name, value in members.items() if value is not None}
