"""What belongs to an environment and is dear to exchange: modules, search path, logging. It is exchanged lazily.

The environment that ran last keeps its things installed until another one runs or `settle` is called; the same one
running again costs nothing. Cheaper things (streams, variables, the running loop) change at every switch.
"""

from __future__ import annotations

import linecache
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

from simbus.functions.sandbox import state
from simbus.functions.sandbox.state import TASK_ROOT, Dead

if TYPE_CHECKING:
    from simbus.functions.sandbox.process import Sandbox

installed: Sandbox | None = None
_Levels = tuple[Any, ...]
_levels: _Levels = ()  # the logging levels that the caches of all loggers stand for
_root = logging.getLogger()
_manager: Any = logging.Logger.manager


def settle() -> None:
    """Put the outer world's modules, search path and logging back. (The machinery itself needs none of them.)"""
    global installed
    if installed is not None:
        sandbox, installed = installed, None
        sandbox.belongings.remove()
        _renew_levels()


def bring(sandbox: Sandbox) -> None:
    """Install the things of a sandbox, in the place of whose they are now."""
    global installed
    if installed is not None:
        installed.belongings.remove()
    installed = sandbox
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


def _renew_levels() -> None:
    """Loggers cache which levels are enabled; forget that only where the levels really differ."""
    global _levels
    touched: Any = installed.belongings.loggers if installed is not None else ()
    levels = (_root.level, _manager.disable, *((logger.name, logger.level) for logger in touched))
    if levels != _levels:
        _manager._clear_cache()
        _levels = levels


def _logger_state(logger: logging.Logger) -> tuple[Any, ...]:
    return logger.level, logger.handlers, logger.filters, logger.propagate, logger.disabled


def _set_logger(logger: logging.Logger, kept: tuple[Any, ...]) -> None:
    logger.level, logger.handlers, logger.filters, logger.propagate, logger.disabled = kept


class Belongings:
    """The things of one sandbox while they are away, and the outer world's while the sandbox's are installed."""

    __slots__ = ("_argv", "_modules", "_outer", "_outer_loggers", "_path", "_root", "_sandbox", "_specials", "loggers")

    def __init__(self, sandbox: Sandbox, handler: logging.Handler, level: int | None, argv: list[str]) -> None:
        self._sandbox = sandbox
        self._argv = argv
        self._path: list[str] | None = None
        self._modules: dict[str, ModuleType] = {}
        self._outer: dict[str, ModuleType] = {}
        self._root: tuple[Any, ...] = (logging.WARNING if level is None else level, [handler], [], True, False)
        self._specials: tuple[Any, ...] = ()
        self.loggers: dict[logging.Logger, tuple[Any, ...]] = {}
        self._outer_loggers: dict[logging.Logger, tuple[Any, ...]] = {}

    def touch(self, logger: logging.Logger) -> None:
        """The sandbox's code has got hold of a logger: from now on its settings are the environment's own."""
        if logger not in self.loggers and logger is not _root:
            level, handlers, filters, propagate, disabled = _logger_state(logger)
            self._outer_loggers[logger] = (level, handlers, filters, propagate, disabled)
            kept = (level, list(handlers), list(filters), propagate, disabled)
            self.loggers[logger] = kept
            _set_logger(logger, kept)

    def install(self) -> None:
        self._install_modules()
        self._exchange_specials()
        kept, self._root = self._root, _logger_state(_root)
        _set_logger(_root, kept)
        for logger, own in self.loggers.items():
            self._outer_loggers[logger] = _logger_state(logger)
            _set_logger(logger, own)

    def remove(self) -> None:
        for logger in self.loggers:
            self.loggers[logger] = _logger_state(logger)
            _set_logger(logger, self._outer_loggers[logger])
        kept, self._root = self._root, _logger_state(_root)
        _set_logger(_root, kept)
        self._exchange_specials()
        self._remove_modules()

    @property
    def outer_handlers(self) -> list[logging.Handler]:
        """The outer world's handlers of the root logger, while the sandbox's are installed."""
        return list(self._root[1])

    def _exchange_specials(self) -> None:
        """The search path, argv, what `logging.disable` and `setLogRecordFactory` set, and two switches of `sys`."""
        if self._path is None:
            self._path = ([TASK_ROOT] if self._sandbox.code is not None else []) + sys.path
            self._specials = (0, logging.LogRecord, self._sandbox.stdin, True, self._unraisable)
        sys.path, self._path = self._path, sys.path
        sys.argv, self._argv = self._argv, sys.argv
        away = (_manager.disable, logging.getLogRecordFactory(), sys.stdin, sys.dont_write_bytecode, sys.unraisablehook)
        _manager.disable, factory, sys.stdin, sys.dont_write_bytecode, sys.unraisablehook = self._specials
        logging.setLogRecordFactory(factory)
        self._specials = away

    def _unraisable(self, problem: Any, /) -> None:
        """What fails in a destructor is printed where the process prints, not where the tests watch."""
        if problem.exc_type is Dead or state.current is None:
            if problem.exc_type is not Dead:
                self._specials[-1](problem)
            return
        what = problem.err_msg or "Exception ignored in"
        self._sandbox.stderr.write(f"{what}: {problem.object!r}\n{problem.exc_type.__name__}: {problem.exc_value}\n")

    # --- modules ---------------------------------------------------------------------------------------------------

    def _install_modules(self) -> None:
        modules, own = sys.modules, self._modules
        sandbox = self._sandbox
        for top in sandbox.own_names:
            if top in modules and top not in sys.stdlib_module_names:
                self._hide(top)
        modules.update(own)
        if sandbox.code is not None:
            for file in sandbox.code.files:  # another function's /var/task/app.py may be remembered
                linecache.cache.pop(file, None)

    def _hide(self, top: str) -> None:
        prefix = top + "."
        for name in [n for n in sys.modules if n == top or n.startswith(prefix)]:
            self._outer[name] = sys.modules.pop(name)

    def _remove_modules(self) -> None:
        modules = sys.modules
        for name in self._sandbox.modules:
            module = modules.pop(name, None)
            if module is not None:
                self._modules[name] = module
        modules.update(self._outer)
        self._outer.clear()

    def clear(self) -> None:
        """Let the modules go: their globals are emptied, so that nothing keeps the environment alive."""
        for name in self._sandbox.modules:
            module = sys.modules.pop(name, None)
            if module is not None and not _is_extension(module):
                module.__dict__.clear()


def _is_extension(module: ModuleType) -> bool:
    return not str(module.__dict__.get("__file__", ".py")).endswith(".py")
