"""The way of a request to AWS: it takes the caller's latency, and who waits for the answer may hang up before.

What was asked for happens all the same, when the request has arrived: AWS does not know that nobody waits any more.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from simbus.errors import AwsError, HungUp
from simbus.kernel import FOREVER, Actor

if TYPE_CHECKING:
    from simbus.resources import Resources


def travel(account: Resources, actor: Actor, service: str, patience: int, call: Callable[[], Any]) -> None:
    """Let the latency of a call pass. Raises HungUp at the instant `patience` where that comes first.

    `call` is then what AWS does, and does not tell anybody.
    """
    timeline = account.world.timeline
    latency = actor.latency(service)
    if timeline.now + latency < patience:
        actor.pause(latency)
        return
    timeline.after(latency, _arrive, _Request(account, _Absent(actor), service, call))
    actor.pause(patience - timeline.now)
    raise HungUp


class _Request(NamedTuple):
    account: Resources
    actor: _Absent
    service: str
    call: Callable[[], Any]


def _arrive(request: _Request) -> None:
    """A request whose caller has hung up."""
    timeline = request.account.world.timeline
    detail = f"a request arrives, whose caller{_name(request.actor)} waits no longer for the answer"
    request.account.bus.hop(None, "read_timeout", request.service, detail)
    before, timeline.actor = timeline.actor, request.actor
    try:
        with contextlib.suppress(AwsError, HungUp):
            request.call()
    finally:
        timeline.actor = before


def _name(actor: _Absent) -> str:
    return "" if actor.config is None else f" {actor.config.name}"


class _Absent:
    """Stands for a caller that has hung up, so that what it asked for has its cause."""

    answering = 1
    patience = FOREVER

    def __init__(self, actor: Any) -> None:
        self.request_id = actor.request_id
        self.lineage = actor.lineage
        self.config = getattr(actor, "config", None)

    def latency(self, service: str) -> int:
        """It has passed."""
        return 0

    def pause(self, delay: int) -> None:
        """Nobody waits."""

    def wait(self, start: Callable[[Callable[[], None]], None]) -> None:
        start(lambda: None)
        raise HungUp
