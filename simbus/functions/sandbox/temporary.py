"""The private /tmp of an environment."""

from __future__ import annotations

import os
import tempfile
import weakref
from typing import Any

from simbus.functions.sandbox.state import outside


class TemporaryDirectory:
    """The private /tmp of an environment: made when first used, kept over resets, removed by `remove` (or at exit)."""

    __slots__ = ("__weakref__", "_finalizer", "_path", "_root")

    def __init__(self) -> None:
        self._path: str | None = None
        self._finalizer: Any = None

    @property
    def path(self) -> str:
        """The real directory."""
        if self._path is None:
            with outside():
                self._path = os.path.realpath(_make_directory())
            self._finalizer = weakref.finalize(self, _remove_tree, self._path)
        return self._path

    def remove(self) -> None:
        if self._path is not None:
            self._finalizer()
            self._path = None


def _make_directory() -> str:
    """A private directory; its real name is never seen by a handler."""

    with outside():
        return tempfile.mkdtemp(prefix="simbus-")


def _remove_tree(path: str) -> None:
    import shutil

    with outside():
        shutil.rmtree(path, ignore_errors=True)
