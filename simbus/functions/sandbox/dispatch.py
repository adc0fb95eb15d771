"""Functions that ask, at each call, whether a handler calls them; and the one place that puts them in and out.

A dispatcher of a built-in function is a bound method, because a plain function would turn into a method of whoever
keeps it as a class attribute (`logging.Formatter.converter = time.localtime`).
"""

from __future__ import annotations

import ctypes
import functools
import gc
import threading
from collections.abc import Callable
from types import BuiltinFunctionType, MethodType
from typing import Any, NamedTuple

from simbus.functions.sandbox import state

_get_ident = threading.get_ident


def dispatcher(
    original: Callable[..., Any], virtual: Callable[..., Any], *, always: bool = False
) -> Callable[..., Any]:
    """`virtual(sandbox, ...)` inside a handler, `original(...)` everywhere else.

    Where the process is gone it raises Dead, unless it is `always` to answer (which it does without any effect).
    """

    def call(*args: Any, **kwargs: Any) -> Any:
        sandbox = state.current
        if sandbox is None or _get_ident() != state._thread:
            return original(*args, **kwargs)
        if sandbox.ending is not None and not always:
            sandbox.raise_dead()
        return virtual(sandbox, *args, **kwargs)

    if not isinstance(original, BuiltinFunctionType):
        return functools.wraps(original)(call)

    def bound(_: Any, /, *args: Any, **kwargs: Any) -> Any:
        sandbox = state.current
        if sandbox is None or _get_ident() != state._thread:
            return original(*args, **kwargs)
        if sandbox.ending is not None and not always:
            sandbox.raise_dead()
        return virtual(sandbox, *args, **kwargs)

    return MethodType(functools.wraps(original)(bound), original)


class Patch(NamedTuple):
    """One attribute of a module or class that is another one while a simulation runs."""

    owner: Any
    name: str
    new: Any
    old: Any


def patch(owner: Any, name: str, virtual: Callable[..., Any]) -> list[Patch]:
    """The dispatching patch of one function; none where this Python has no such name."""
    old = getattr(owner, name, None)
    return [] if old is None else [Patch(owner, name, dispatcher(old, virtual), old)]


def type_dict(cls: type) -> dict[str, Any]:
    """The real dict behind a type's read-only view, so that a method of a built-in type can be replaced.

    The type stays the same object: isinstance, pickle, arithmetic and subclasses are not concerned.
    """
    found: dict[str, Any] = gc.get_referents(cls.__dict__)[0]
    return found


def set_in_type(cls: type, name: str, value: Any) -> None:
    """Put a method into a built-in type (`value` None: take it out) and drop the interpreter's method cache."""
    names = type_dict(cls)
    if value is None:
        names.pop(name, None)
    else:
        names[name] = value
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(cls))
