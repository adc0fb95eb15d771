"""When SNS tries a delivery again that failed on the server's side.

AWS-managed endpoints (Lambda, SQS) get 100,015 retries over 23 days, and nobody can change that
(https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html). AWS adds a jitter that it does not
publish; here the schedule is exact.
"""

from __future__ import annotations

from math import pow
from typing import Final

from simbus.kernel import SECOND

IMMEDIATE: Final = 3
PRE_BACKOFF: Final = 2
BACKOFF: Final = 10
POST_BACKOFF: Final = 100_000
RETRIES: Final = IMMEDIATE + PRE_BACKOFF + BACKOFF + POST_BACKOFF

_FIRST: Final = 1
_LAST: Final = 20
# The exponential backoff from 1 s to 20 s in ten steps; the nine factors between them are equal.
_BEFORE_BACKOFF: Final = IMMEDIATE + PRE_BACKOFF
_BEFORE_POST: Final = _BEFORE_BACKOFF + BACKOFF
_STEPS: Final = tuple(round(_FIRST * pow(_LAST / _FIRST, step / (BACKOFF - 1)) * SECOND) for step in range(BACKOFF))


def delay_before(retry: int) -> int | None:
    """Nanoseconds before a retry, counted from 1; None when there is none left."""
    if retry <= IMMEDIATE:
        return 0
    if retry <= _BEFORE_BACKOFF:
        return SECOND
    if retry <= _BEFORE_POST:
        return _STEPS[retry - _BEFORE_BACKOFF - 1]
    return _LAST * SECOND if retry <= RETRIES else None


def is_told(retry: int) -> bool:
    """Whether a retry gets a row of its own: all up to the first at the final pace, which stands for those after it."""
    return retry <= _BEFORE_POST + 1
