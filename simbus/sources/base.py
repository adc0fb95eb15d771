"""What all sources share: a name, an identity, operations that take time inside a handler, and their async twins."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import msgspec

from simbus.bus import Bus
from simbus.errors import AwsError, UsageError
from simbus.kernel.sleeping import sleep
from simbus.world import Recorder, World, uuid

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound="Source")
T = TypeVar("T")


class Source:
    """A fake AWS service resource: something that holds or emits events.

    `service` is AWS's word for it (`s3`), `name` the short name (`s3:uploads`), `resource` the bare one (`uploads`).
    """

    service: str = ""

    def __init__(self, world: World, bus: Bus, resource: str) -> None:
        self._world = world
        self._timeline = world.timeline
        self._bus = bus
        self.resource = resource
        self.name = f"{self.service}:{resource}"
        self.arn = world.arn(self.service, resource)
        self._rng = world.timeline.rng(self.name)
        self._out_until = 0

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.resource}>"

    def outage(self, duration: int) -> None:
        """Answer every operation and delivery with 503 ServiceUnavailable for `duration` nanoseconds from now.

        An earlier outage that ends later goes on.
        """
        self._out_until = max(self._out_until, self._timeline.now + duration)

    @property
    def out_until(self) -> int:
        """When its latest outage ends, in nanoseconds of virtual time (0: it never had one)."""
        return self._out_until

    def _check_available(self) -> None:
        if self._timeline.now < self.out_until:
            raise AwsError("ServiceUnavailable", f"{self.name} is out of service.", 503)

    def _check_operation(self, name: str) -> None:
        """Raise AwsError where that operation is not possible now; asked only while `_out_until` is set."""
        self._check_available()

    def _uuid(self) -> str:
        return uuid(self._rng)

    @property
    def _cause(self) -> tuple[str | None, Any]:
        """Request id and lineage of the invocation that acts at this moment; (None, None) outside a handler."""
        actor = self._timeline.actor
        return (None, None) if actor is None else (actor.request_id, actor.lineage)


def operation(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """An operation of a source. Called by a handler it takes the function's modelled latency, in virtual time.

    Called from outside it is recorded, where the run is.
    """

    @wraps(method)
    def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        actor = self._timeline.actor
        if actor is not None:
            actor.pause(actor.latency(self.service))
        elif self._world.recorder is not None:
            return _recorded(self, self._world.recorder, method, args, kwargs)
        if self._out_until:
            self._check_operation(method.__name__)
        return method(self, *args, **kwargs)

    return call


def _recorded(
    self: S, recorder: Recorder, method: Callable[..., R], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> R:
    """An operation called from outside, in a run that is recorded."""
    args = recorder.called(self, method, args, kwargs)
    try:
        if self._out_until:
            self._check_operation(method.__name__)
        return method(self, *args, **kwargs)
    finally:
        recorder.returned()


def twin(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], Awaitable[R]]:
    """The async twin of an operation: its latency is awaited, so that other tasks go on meanwhile."""
    plain = getattr(method, "__wrapped__", method)

    @wraps(plain)
    async def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        actor = self._timeline.actor
        await sleep(0 if actor is None else actor.latency(self.service))
        actor = self._timeline.actor
        if actor is not None:
            actor.pause(0)
        elif self._world.recorder is not None:
            answer: R = _recorded(self, self._world.recorder, plain, args, kwargs)
            return answer
        if self._out_until:
            self._check_operation(plain.__name__)
        result: R = plain(self, *args, **kwargs)
        return result

    return call


def settings(given: Any, kind: type[T]) -> T:
    """Plain data from a caller as a msgspec type. Raises UsageError where it does not fit."""
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        raise UsageError(f"{error}. Correct it.") from None
