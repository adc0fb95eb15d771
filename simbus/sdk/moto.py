"""The rest of AWS: what simbus does not play itself, moto answers, on virtual time and with seeded numbers.

moto keeps what it knows in globals of the process. Each simulation has its own: they are exchanged when another one
calls. While moto answers, the clock and chance that it meets are those of an environment that exists for it alone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from simbus.aws import travel
from simbus.errors import UsageError
from simbus.functions.config import FunctionConfig
from simbus.functions.sandbox import Guard, Sandbox, install, outer_world, state, uninstall

if TYPE_CHECKING:
    from simbus.resources import Resources

_ACCOUNT: Final = "x-moto-account-id"
_worlds: WeakKeyDictionary[Resources, MotoWorld] = WeakKeyDictionary()
_present: MotoWorld | None = None  # whose globals moto has at this moment; None: those of the process itself
_outer: list[tuple[Any, dict[str, Any]]] = []  # what the process itself had in moto


def answer(
    account: Resources, service: str, operation: str, request: Any, patience: int
) -> tuple[int, dict[str, str], bytes]:
    """What moto answers to a request that botocore has made: status, headers, body.

    Raises UsageError where moto is not installed, or does not have the operation; HungUp at the instant `patience`
    where the request has not yet arrived by then.
    """
    stubber = _stubber(service, operation)
    actor = account.world.timeline.actor
    if actor is not None:
        travel(account, actor, service, patience, partial(_answer, account, stubber, request))
    found = _answer(account, stubber, request)
    if found is None or (found[0] == 404 and found[2] == "Not yet implemented"):
        raise UsageError(f"{service} {operation}: neither simbus nor moto plays this. Replace the call in the test.")
    status, headers, body = found
    return status, dict(headers), body.encode() if isinstance(body, str) else bytes(body)


def _answer(account: Resources, stubber: Any, request: Any) -> Any:
    world = _worlds.get(account)
    if world is None:
        world = _worlds[account] = MotoWorld(account)
    with world.here():
        request.headers[_ACCOUNT] = account.world.account.id
        return stubber.process_request(request)


def close(account: Resources) -> None:
    """The simulation is closed: what moto knew in it goes."""
    world = _worlds.pop(account, None)
    if world is not None:
        world.close()


def own_stubber() -> Any:
    """What moto itself has in every client that was made after its import; None where it was not imported."""
    models = sys.modules.get("moto.core.models")
    return None if models is None else models.botocore_stubber


def _stubber(service: str, operation: str) -> Any:
    try:
        with outer_world():
            module = import_module("moto.core.botocore_stubber")
            import_module("moto.backends")
    except ImportError:
        raise UsageError(
            f"{service} {operation}: simbus does not play {service}; moto does. Install it: pip install 'simbus[moto]'."
        ) from None
    return module.BotocoreStubber()


class MotoWorld:
    """What moto knows in one simulation, and the environment that it runs in."""

    def __init__(self, account: Resources) -> None:
        install(Guard(None))  # counted: the patches stay as long as this world
        world = account.world
        self._sandbox = Sandbox(
            world.timeline, FunctionConfig("moto"), environ={}, identity="moto", log=_NoLog(), epoch_ns=world.epoch_ns
        )
        self._sandbox.start_thread = _no_thread  # type: ignore[method-assign,assignment]
        self._backends: list[tuple[Any, dict[str, Any]]] = []
        self._random = import_module("moto.moto_api._internal").mock_random
        self._outer_random = self._random.getstate()
        self._random.seed(f"{world.timeline.seed}/moto")
        self._state = self._random.getstate()
        self._random.setstate(self._outer_random)

    @contextmanager
    def here(self) -> Iterator[None]:
        """Let moto know this simulation, and live in its time."""
        _bring(self)
        before = state.here()
        self._sandbox.pause = self._pause if before is None else before.pause  # type: ignore[method-assign]
        self._sandbox.running = self._sandbox.main if before is None else before.running
        state.claim_thread()
        self._random.setstate(self._state)
        state.enter(self._sandbox)
        try:
            yield
        finally:
            state.enter(before)
            self._state = self._random.getstate()
            self._random.setstate(self._outer_random)

    def _pause(self, delay: int) -> None:
        """moto waits in a call of a test: the simulation plays meanwhile."""
        timeline = self._sandbox.timeline
        state.enter(None)
        try:
            timeline.run(timeline.now + delay)
        finally:
            state.enter(self._sandbox)

    def take(self) -> None:
        """Keep what moto knows."""
        self._backends = _take()

    def give(self) -> None:
        """Let moto know it again."""
        _give(self._backends)

    def close(self) -> None:
        """moto forgets it."""
        _bring(None)
        self._sandbox.discard()
        uninstall()


def _no_thread(*_: Any) -> Any:
    raise UsageError("moto wants a thread (it may be about to start a container); in virtual time it has none.")


class _NoLog:
    def emit(self, message: str, level: str | None, request_id: str | None) -> None:
        """Nobody reads what moto prints."""


def _bring(world: MotoWorld | None) -> None:
    global _present, _outer
    if world is _present:
        return
    if _present is None:
        _outer = _take()
    else:
        _present.take()
    if world is None:
        _give(_outer)
    else:
        world.give()
    _present = world


def _take() -> list[tuple[Any, dict[str, Any]]]:
    """Everything that moto knows, taken out of it."""
    instances = import_module("moto.core.base_backend").BackendDict._instances
    taken = [(backends, dict(backends)) for backends in instances]
    for backends, _ in taken:
        backends.clear()
    instances.clear()
    return taken


def _give(taken: list[tuple[Any, dict[str, Any]]]) -> None:
    instances = import_module("moto.core.base_backend").BackendDict._instances
    for backends, accounts in taken:
        backends.update(accounts)
        instances.append(backends)
