"""Why a pattern is refused, before the service that was asked puts it into its own words."""

from __future__ import annotations


class PatternRejected(Exception):
    """The pattern is not valid. `reason` is AWS's text, with the line and column where AWS prints them."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TooManyCombinations(PatternRejected):
    """The `$or` lists of a pattern multiply to more alternatives than AWS allows."""
