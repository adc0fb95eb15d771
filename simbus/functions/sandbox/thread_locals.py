"""`threading.local` while a simulation runs: one set of attributes for each thread of each environment.

A class of its own, because Python's knows threads of the operating system only. Objects made before the simulation
began stay Python's: all handlers share what they hold.
"""

from __future__ import annotations

import threading
import weakref
from typing import Any

from simbus.functions.sandbox.state import here

_RealLocal = threading.local


class _Hidden:
    """What a local keeps: how it was made, and the attributes that threads outside of handlers see."""

    __slots__ = ("__weakref__", "args", "kwargs", "outside")

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.args = args
        self.kwargs = kwargs
        self.outside = _RealLocal()

    def attributes(self) -> dict[str, Any] | None:
        """Those of the thread that runs; None where it sees the local for the first time."""
        sandbox = here()
        if sandbox is None:
            return self.outside.__dict__.get("attributes")
        found = sandbox.running.locals
        return None if found is None else found.get(self)

    def begin(self) -> dict[str, Any]:
        attributes: dict[str, Any] = {}
        sandbox = here()
        if sandbox is None:
            self.outside.attributes = attributes
            return attributes
        thread = sandbox.running
        if thread.locals is None:
            thread.locals = weakref.WeakKeyDictionary()
        thread.locals[self] = attributes
        return attributes


class Local:
    """As Python's: a subclass's `__init__` is called once in each thread, with the arguments of the first call."""

    __slots__ = ("__weakref__", "_hidden")

    def __new__(cls, /, *args: Any, **kwargs: Any) -> Any:
        if (args or kwargs) and cls.__init__ is object.__init__:
            raise TypeError("Initialization arguments are not supported")
        self = object.__new__(cls)
        hidden = _Hidden(args, kwargs)
        object.__setattr__(self, "_hidden", hidden)
        hidden.begin()  # `__init__` is called next
        return self

    def __getattribute__(self, name: str) -> Any:
        attributes = _attributes(self)
        if name == "__dict__":
            return attributes
        if name in attributes and not _is_data(type(self), name):
            return attributes[name]
        return object.__getattribute__(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        attributes = _attributes(self)
        _refuse_dict(self, name)
        if _is_data(type(self), name):
            object.__setattr__(self, name, value)
        else:
            attributes[name] = value

    def __delattr__(self, name: str) -> None:
        attributes = _attributes(self)
        _refuse_dict(self, name)
        if name in attributes and not _is_data(type(self), name):
            del attributes[name]
        else:
            object.__delattr__(self, name)


Local.__name__ = Local.__qualname__ = "local"
Local.__module__ = "_thread"


def _attributes(local: Any) -> dict[str, Any]:
    hidden: _Hidden = object.__getattribute__(local, "_hidden")
    found = hidden.attributes()
    if found is None:
        found = hidden.begin()
        local.__init__(*hidden.args, **hidden.kwargs)
    return found


def _is_data(cls: type, name: str) -> bool:
    """Whether the class itself decides what an attribute is: a property, a slot."""
    for base in cls.__mro__:
        if name in base.__dict__:
            kind = type(base.__dict__[name])
            return hasattr(kind, "__set__") or hasattr(kind, "__delete__")
    return False


def _refuse_dict(local: Any, name: str) -> None:
    if name == "__dict__":
        raise AttributeError(f"{type(local).__name__!r} object attribute '__dict__' is read-only")
