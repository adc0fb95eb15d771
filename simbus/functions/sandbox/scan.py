"""Names that somebody took before the simulation began: `from time import sleep` at the top of a test file.

Every loaded module is looked through once for the original functions: its globals, the attributes of its classes and
the default arguments of its functions (`def __init__(self, timer=time.monotonic)`). What is found is exchanged while
a simulation runs, and put back afterwards.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any
from weakref import ref

_SKIPPED = ("simbus", "greenlet", "msgspec", "time", "datetime", "random", "builtins", "posix", "os", "io", "socket")
_UNTOUCHED = ("_io", "_thread", "_random", "_sqlite3", "_socket", "sys", "signal", "_signal")
Undo = Callable[[], None]

_seen: dict[str, tuple[ref[ModuleType], int]] = {}  # modules that hold none of the originals, and how many names


class Scanner:
    """Exchanges the originals for the dispatchers, and back. `table` maps id(original) to (original, dispatcher)."""

    def __init__(self, table: dict[int, tuple[Any, Any]]) -> None:
        self._table = table
        self._undo: list[Undo] = []

    def everything(self) -> None:
        """Look through all modules that are loaded."""
        for name, module in list(sys.modules.items()):
            if name.partition(".")[0] in _SKIPPED or name in _UNTOUCHED or type(module) is not ModuleType:
                continue
            names = module.__dict__
            seen = _seen.get(name)
            if seen is None or seen[0]() is not module or seen[1] != len(names):
                before = len(self._undo)
                self.namespace(names, name)
                if len(self._undo) == before:
                    _seen[name] = ref(module), len(names)

    def callable(self, function: Any) -> None:
        """Look at a handler given as a callable: its module, its closure and its defaults."""
        while isinstance(function, functools.partial):
            function = function.func
        function = getattr(function, "__func__", function)
        if not isinstance(function, FunctionType):
            function = vars(type(function)).get("__call__")
        if isinstance(function, FunctionType):
            self.namespace(function.__globals__, str(function.__globals__.get("__name__")))
            self._defaults(function)
            self._closure(function)

    def restore(self) -> None:
        for undo in reversed(self._undo):
            undo()
        self._undo.clear()

    def namespace(self, names: dict[str, Any], module: str) -> None:
        table = self._table
        for name, value in list(names.items()):
            found = table.get(id(value))
            if found is not None and found[0] is value:
                names[name] = found[1]
                self._undo.append(functools.partial(_put_back, names, name, found))
            elif type(value) is FunctionType:
                if value.__defaults__ or value.__kwdefaults__:
                    self._defaults(value)
            elif isinstance(value, type) and value.__module__ == module:
                self._class(value)

    def _class(self, cls: type) -> None:
        for name, value in list(vars(cls).items()):
            found = self._table.get(id(value))
            if found is not None and found[0] is value:
                try:
                    setattr(cls, name, found[1])
                except (TypeError, AttributeError):  # a type made in C, or one that forbids it
                    continue
                self._undo.append(functools.partial(setattr, cls, name, found[0]))
            elif type(value) is FunctionType and (value.__defaults__ or value.__kwdefaults__):
                self._defaults(value)

    def _defaults(self, function: FunctionType) -> None:
        defaults = function.__defaults__
        if defaults and any(id(value) in self._table for value in defaults):
            function.__defaults__ = tuple(self._replaced(value) for value in defaults)
            self._undo.append(functools.partial(setattr, function, "__defaults__", defaults))
        keywords = function.__kwdefaults__
        if keywords:
            for name, value in list(keywords.items()):
                found = self._table.get(id(value))
                if found is not None:
                    keywords[name] = found[1]
                    self._undo.append(functools.partial(_put_back, keywords, name, found))

    def _closure(self, function: FunctionType) -> None:
        for cell in function.__closure__ or ():
            try:
                value = cell.cell_contents
            except ValueError:  # not yet filled
                continue
            found = self._table.get(id(value))
            if found is not None and found[0] is value:
                cell.cell_contents = found[1]
                self._undo.append(functools.partial(setattr, cell, "cell_contents", value))

    def _replaced(self, value: Any) -> Any:
        found = self._table.get(id(value))
        return value if found is None else found[1]


def _put_back(names: dict[str, Any], name: str, found: tuple[Any, Any]) -> None:
    if names.get(name) is found[1]:
        names[name] = found[0]
