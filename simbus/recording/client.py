"""A client outside that sends requests and tries again as an AWS SDK does.

In its standard mode (botocore, docs "Retries", standard): 3 attempts in all, where the answer is a throttle or 500,
502, 503, 504; before attempt n + 1 it waits for a random share of min(2^(n-1), 20) seconds. (The SDK's retry quota per
client is left out.) Errors of a function are not retried.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from simbus.bus import Bus
from simbus.errors import AwsError
from simbus.kernel import SECOND
from simbus.world import World

MAX_ATTEMPTS = 3
LONGEST_WAIT = 20 * SECOND
_RETRIED_STATUS = (429, 500, 502, 503, 504)
_RETRIED_CODES = (
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "SlowDown",
)

Done = Callable[[AwsError | None], None]
Send = Callable[[Any, Done], None]


class Request(NamedTuple):
    """One request: `send(values, done)` sends it to the resource `target`; which operation, which attempt this is.

    `first` is when the first attempt was sent (ns).
    """

    target: str
    verb: str
    send: Send
    values: Any
    attempt: int = 1
    first: int = 0


class Client:
    """Sends requests under its name, which decides the random part of its waits."""

    def __init__(self, world: World, bus: Bus, name: str) -> None:
        self._world = world
        self._bus = bus
        self._name = name
        self._rng = world.timeline.rng(f"{name}:retries")

    def issue(self, request: Request) -> None:
        """Send a request, and whatever attempts follow from it."""
        if request.attempt == 1:
            self._send(request)
        else:
            with self._bus.sent_again(request.first, f"{request.verb}; this is attempt {request.attempt}"):
                self._send(request)

    def _send(self, request: Request) -> None:
        sent = self._world.timeline.now

        def done(error: AwsError | None) -> None:
            if error is not None:
                self._failed(request, error, sent)

        recorder = self._world.recorder
        if recorder is None:
            request.send(request.values, done)
        else:
            recorder.sent(self._name, request.attempt, request.send, request.values, done)

    def _failed(self, request: Request, error: AwsError, sent: int) -> None:
        """Try again as an SDK does, or let the client have its error: a hop says so."""
        retried = error.status in _RETRIED_STATUS or error.code in _RETRIED_CODES
        if retried and request.attempt < MAX_ATTEMPTS:
            wait = int(self._rng.random() * min(2 ** (request.attempt - 1) * SECOND, LONGEST_WAIT))
            first = sent if request.attempt == 1 else request.first
            self._world.timeline.after(wait, self.issue, request._replace(attempt=request.attempt + 1, first=first))
            return
        self._bus.hop(None, "client_error", request.target, f"{request.verb}, attempt {request.attempt}: {error}")
