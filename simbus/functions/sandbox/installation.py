"""Puts the dispatchers in while simulations run, and everything back when the last one has ended."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from simbus.functions.sandbox import (
    belongings,
    chance,
    clock,
    debugger,
    files,
    importer,
    living,
    locks,
    refusals,
    state,
    thread_api,
)
from simbus.functions.sandbox.dispatch import Patch, set_in_type, type_dict
from simbus.functions.sandbox.guard import Guard
from simbus.functions.sandbox.importer import CodeFinder
from simbus.functions.sandbox.inner_loop import DispatchingPolicy
from simbus.functions.sandbox.scan import Scanner

_PATCHED = (debugger, clock, chance, files, refusals, locks, thread_api, importer)
_PATCHES: list[Patch] = [patch for module in _PATCHED for patch in module.patches()]
_SUPPORTS = (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks, os.supports_effective_ids)
_ABSENT = object()
_guards: list[Guard] = []
_installed: _Installation | None = None


def install(guard: Guard | None = None) -> None:
    """Make handlers live in virtual time from now on. Counted: each call needs its `uninstall`.

    `guard` (default: 30 s of CPU time) replaces that of the simulation around until it is uninstalled.
    """
    global _installed
    guard = Guard() if guard is None else guard
    if _guards:
        _guards[-1].stop()
    else:
        _installed = _Installation()
    _guards.append(guard)
    guard.start()


def uninstall() -> None:
    """Undo one `install`. The last one kills every process that is left and puts all originals back."""
    global _installed
    if not _guards:
        raise RuntimeError("uninstall() was called more often than install()")
    _guards.pop().stop()
    if _guards:
        _guards[-1].start()
    elif _installed is not None:
        living.kill_all()
        installation, _installed = _installed, None
        installation.undo()


@contextmanager
def installed(guard: Guard | None = None) -> Iterator[None]:
    """`install` and `uninstall` around a block, also when it raises."""
    install(guard)
    try:
        yield
    finally:
        uninstall()


def require() -> None:
    """RuntimeError where no simulation runs: a handler would meet the real clock."""
    if _installed is None:
        raise RuntimeError("a handler was started outside of install() and uninstall()")


def adopt(handler: Callable[..., Any]) -> None:
    """Let a handler given as a Python callable find virtual time under the names that its module took before."""
    if _installed is not None:
        _installed.scanner.callable(handler)


class _Installation:
    """Everything that was exchanged, and what there was before."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], Any]] = []
        try:
            self._apply()
        except BaseException:
            self.undo()
            raise

    def _apply(self) -> None:
        for patch in _PATCHES:
            self._put(patch)
        for cls, name, new, old in clock.type_patches() + locks.type_patches():
            self._put_in_type(cls, name, new, old)
        chance.share(True)
        self._undo.append(lambda: chance.share(False))
        self._share_supports()
        self._put_logging()
        self._put_policy()
        self._put_finder()
        self._put_interrupt()
        originals = {id(p.old): (p.old, p.new) for p in _PATCHES if not isinstance(p.owner, type)}
        self.scanner = Scanner(originals)
        self.scanner.everything()
        self._undo.append(self.scanner.restore)

    def undo(self) -> None:
        belongings.settle()
        state.enter(None)
        while self._undo:
            self._undo.pop()()

    def _put(self, patch: Patch) -> None:
        owner, name = patch.owner, patch.name
        before = vars(owner).get(name, _ABSENT)
        setattr(owner, name, patch.new)
        if before is _ABSENT:
            self._undo.append(lambda: delattr(owner, name))
        else:
            self._undo.append(lambda: setattr(owner, name, before))

    def _put_in_type(self, cls: type, name: str, new: Any, old: Any) -> None:
        before = type_dict(cls).get(name)
        set_in_type(cls, name, new)
        self._undo.append(lambda: set_in_type(cls, name, before))

    def _share_supports(self) -> None:
        """`os.stat in os.supports_dir_fd` holds for the dispatchers too."""
        for supported in _SUPPORTS:
            more = {patch.new for patch in _PATCHES if patch.owner is os and patch.old in supported}
            supported |= more
            self._undo.append(lambda supported=supported, more=more: supported.difference_update(more))  # type: ignore[misc]

    def _put_logging(self) -> None:
        real = logging.Manager.getLogger

        def get_logger(manager: logging.Manager, name: str) -> logging.Logger:
            logger = real(manager, name)
            sandbox = state.here()
            if sandbox is not None and not _declares(sandbox, name):
                sandbox.belongings.touch(logger)
            return logger

        self._put(Patch(logging.Manager, "getLogger", get_logger, real))

    def _put_policy(self) -> None:
        outer = asyncio.get_event_loop_policy()
        asyncio.set_event_loop_policy(DispatchingPolicy(outer))
        self._undo.append(lambda: asyncio.set_event_loop_policy(outer))

    def _put_finder(self) -> None:
        finder = CodeFinder()
        sys.meta_path.insert(0, finder)
        self._undo.append(lambda: sys.meta_path.remove(finder))

    def _put_interrupt(self) -> None:
        """Ctrl-C at the console ends the simulation; it is no outcome of the handler that happens to run."""
        if threading.current_thread() is not threading.main_thread():
            return
        if _getsignal(signal.SIGINT) is not signal.default_int_handler:
            return
        _signal(signal.SIGINT, _on_interrupt)
        self._undo.append(lambda: _signal(signal.SIGINT, signal.default_int_handler))


def _declares(sandbox: Any, name: str) -> bool:
    """Whether a library that all environments share asks for the logger of its own name, as nearly each module does.

    That alone changes no setting; to exchange a hundred such loggers at every switch would cost more than a handler.
    """
    module = sys._getframe(3).f_globals.get("__name__")
    return module == name and name not in sandbox.modules


_signal, _getsignal = signal.signal, signal.getsignal


def _on_interrupt(number: int, frame: Any) -> None:
    sandbox = state.here()
    if sandbox is None or not sandbox.inside():
        signal.default_int_handler(number, frame)
    else:
        sandbox.stay_parked(KeyboardInterrupt())
