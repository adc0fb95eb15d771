"""What belongs to an environment and is dear to exchange: modules, search path, logging. It is exchanged lazily.

The environment that ran last keeps its things installed until another one runs or `settle` is called; the same one
running again costs nothing. Cheaper things (streams, variables, the running loop) change at every switch.
"""

from __future__ import annotations

import linecache
import logging
import re
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

from simbus.functions.runtime_logging import show_paths
from simbus.functions.sandbox import state
from simbus.functions.sandbox.state import TASK_ROOT, Dead

if TYPE_CHECKING:
    from simbus.functions.sandbox.process import Sandbox

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")

installed: Sandbox | None = None
_Switches = tuple[Any, ...]
_outer: _Switches = ()  # the outer world's switches, while a sandbox's are installed
_levels: tuple[Any, ...] = ()  # the logging levels that the caches of all loggers stand for
_root = logging.getLogger()
_manager: Any = logging.Logger.manager
_logging: Any = logging


def _switches() -> _Switches:
    """What of the interpreter and of logging a handler may set, and every environment has for itself."""
    return (
        sys.path,
        sys.argv,
        sys.stdin,
        sys.dont_write_bytecode,
        sys.unraisablehook,
        threading.excepthook,
        _manager._disable,  # the property of that name checks what it is given; this was checked
        _logging._logRecordFactory,
        _root.level,
        _root.handlers,
        _root.filters,
        _root.propagate,
        _root.disabled,
    )


def _set_switches(switches: _Switches) -> None:
    (
        sys.path,
        sys.argv,
        sys.stdin,
        sys.dont_write_bytecode,
        sys.unraisablehook,
        threading.excepthook,
        _manager._disable,
        _logging._logRecordFactory,
        _root.level,
        _root.handlers,
        _root.filters,
        _root.propagate,
        _root.disabled,
    ) = switches


def settle() -> None:
    """Put the outer world's modules, search path and logging back. (The machinery itself needs none of them.)"""
    global installed
    if installed is not None:
        sandbox, installed = installed, None
        sandbox.belongings.remove(_switches())
        _set_switches(_outer)
        _renew_levels()


def bring(sandbox: Sandbox) -> None:
    """Install the things of a sandbox, in the place of whose they are now."""
    global installed, _outer
    before, installed = installed, sandbox
    switches = _switches()
    if before is None:
        _outer = switches
    else:
        before.belongings.remove(switches)
    state.claim_thread()
    sandbox.belongings.install()
    _renew_levels()


@contextmanager
def outer_world() -> Iterator[None]:
    """The outer world's modules, search path, clock and chance for a moment, although a handler's call led here.

    For what the machinery imports late: it must find its own libraries, not those that the handler's code brings along,
    and must not draw from the environment's random numbers.
    """
    before = installed
    with state.outside():
        settle()
        try:
            yield
        finally:
            if before is not None:
                bring(before)


def bury(sandbox: Sandbox) -> None:
    """The process of a sandbox is gone, and its modules with it."""
    if installed is not sandbox:
        bring(sandbox)
    sandbox.belongings.clear()
    settle()


def outer_handlers() -> list[logging.Handler]:
    """The outer world's handlers of the root logger, while a sandbox's are installed."""
    return list(_outer[9])


def _renew_levels() -> None:
    """Loggers cache which levels are enabled; forget that only where the levels really differ."""
    global _levels
    levels: tuple[Any, ...] = (_root.level, _manager._disable)
    if installed is not None and installed.belongings.loggers:
        levels += tuple((logger.name, logger.level) for logger in installed.belongings.loggers)
    if levels != _levels:
        _manager._clear_cache()
        _levels = levels


_Settings = dict[str, Any]  # of a logger: its level, handlers, filters ..., and what a library notes at it besides


def _logger_state(logger: logging.Logger) -> _Settings:
    return {name: value for name, value in vars(logger).items() if name not in _PLACE}


def _set_logger(logger: logging.Logger, kept: _Settings) -> None:
    settings = vars(logger)
    for name in settings.keys() - kept.keys() - _PLACE:
        del settings[name]
    settings.update(kept)


_PLACE = {"name", "parent", "manager", "_cache"}  # where a logger stands, which all environments share


class Belongings:
    """The things of one sandbox while they are away, and the outer world's while the sandbox's are installed."""

    __slots__ = ("_hidden", "_modules", "_outer_loggers", "_sandbox", "_switches", "_tops", "loggers")

    def __init__(self, sandbox: Sandbox, handler: logging.Handler, level: int | None, argv: list[str]) -> None:
        self._sandbox = sandbox
        self._tops = sorted(sandbox.own_names - sys.stdlib_module_names)
        self._modules: dict[str, ModuleType] = {}
        self._hidden: dict[str, ModuleType] = {}
        path: list[str] = []  # completed when it is first installed, from the outer world's
        root: _Switches = (logging.WARNING if level is None else level, [handler], [], True, False)
        hooks = (self._unraisable, self._thread_failed)
        self._switches: _Switches = (path, argv, sandbox.stdin, True, *hooks, 0, logging.LogRecord, *root)
        self.loggers: dict[logging.Logger, _Settings] = {}
        self._outer_loggers: dict[logging.Logger, _Settings] = {}

    def touch(self, logger: logging.Logger) -> None:
        """The sandbox's code has got hold of a logger: from now on its settings are the environment's own."""
        if logger not in self.loggers and logger is not _root:
            self._outer_loggers[logger] = outer = _logger_state(logger)
            kept = {**outer, "handlers": list(outer["handlers"]), "filters": list(outer["filters"])}
            self.loggers[logger] = kept
            _set_logger(logger, kept)

    def install(self) -> None:
        if self._tops or self._modules or self._sandbox.code is not None:
            self._install_modules()
        path = self._switches[0]
        if not path:
            path += ([TASK_ROOT] if self._sandbox.code is not None else []) + _outer[0]
        _set_switches(self._switches)
        for logger, own in self.loggers.items():
            self._outer_loggers[logger] = _logger_state(logger)
            _set_logger(logger, own)

    def remove(self, switches: _Switches) -> None:
        """Take them away; `switches` are those that are set. Whoever comes next sets others."""
        self._switches = switches
        for logger in self.loggers:
            self.loggers[logger] = _logger_state(logger)
            _set_logger(logger, self._outer_loggers[logger])
        if self._sandbox.modules or self._hidden:
            self._remove_modules()

    def _unraisable(self, problem: Any, /) -> None:
        """What fails in a destructor is printed where the process prints, not where the tests watch."""
        if problem.exc_type is Dead or state.current is None:
            if problem.exc_type is not Dead:
                _outer[4](problem)
            return
        what = problem.err_msg or "Exception ignored in"
        thing = _ADDRESS.sub("", repr(problem.object))  # an address would differ from run to run
        told = self._told(problem.exc_type, problem.exc_value, problem.exc_traceback)
        self._sandbox.stderr.write(f"{what}: {thing}\n{told}")

    def _told(self, *error: Any) -> str:
        told = traceback.TracebackException(*error)
        show_paths(told, self._sandbox.shown_frames)
        return "".join(told.format())

    def _thread_failed(self, problem: Any, /) -> None:
        """`threading.excepthook`: what ends a thread is printed, as Python prints it, and ends nothing else."""
        if state.here() is None:
            _outer[5](problem)
        elif problem.exc_type is not SystemExit:
            told = self._told(problem.exc_type, problem.exc_value, problem.exc_traceback)
            name = threading.get_ident() if problem.thread is None else problem.thread.name
            self._sandbox.stderr.write(f"Exception in thread {name}:\n{told}")

    # --- modules ---------------------------------------------------------------------------------------------------

    def _install_modules(self) -> None:
        modules = sys.modules
        for top in self._tops:
            if top in modules:
                self._hide(top)
        if self._modules:
            modules.update(self._modules)
        code = self._sandbox.code
        if code is not None:
            for file in code.files:  # another function's /var/task/app.py may be remembered
                linecache.cache.pop(file, None)

    def _hide(self, top: str) -> None:
        prefix = top + "."
        for name in [n for n in sys.modules if n == top or n.startswith(prefix)]:
            self._hidden[name] = sys.modules.pop(name)

    def _remove_modules(self) -> None:
        modules = sys.modules
        for name in self._sandbox.modules:
            module = modules.pop(name, None)
            if module is not None:
                self._modules[name] = module
        if self._hidden:
            modules.update(self._hidden)
            self._hidden.clear()

    def clear(self) -> None:
        """Let the modules go: their globals are emptied, so that nothing keeps the environment alive."""
        for name in self._sandbox.modules:
            module = sys.modules.pop(name, None)
            if module is not None and not _is_extension(module):
                module.__dict__.clear()


def _is_extension(module: ModuleType) -> bool:
    return not str(module.__dict__.get("__file__", ".py")).endswith(".py")
