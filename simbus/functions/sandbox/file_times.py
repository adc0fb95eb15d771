"""When the files in a private /tmp were written, in virtual time: no clock of this machine reaches a handler.

A cache in /tmp that is renewed by its age (`os.path.getmtime`) works as in Lambda. The real file gets its virtual time
when somebody looks: that of its last opening for writing, or now as long as it is open.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from simbus.kernel import SECOND

_utime = os.utime
_KINDS = ("st_atime", "st_mtime", "st_ctime")


def _closed() -> bool:
    return False


class FileTimes:
    """The files of one environment that were written since somebody looked last, by their real path."""

    __slots__ = ("_now", "_written")

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._written: dict[str, tuple[int, Callable[[], bool]]] = {}

    def note(self, path: str, is_open: Callable[[], bool] = _closed) -> None:
        """A file or directory has been made or opened for writing; its directory has changed with it."""
        self._written[path] = self._now(), is_open
        self._around(path)

    def removed(self, path: str) -> None:
        """It is gone, and its directory has changed."""
        self._written.pop(path, None)
        self._around(path)

    def moved(self, source: str, target: str) -> None:
        """Both directories have changed, and the file is known by its other name."""
        known = self._written.pop(source, None)
        if known is not None:
            self._written[target] = known
        self._around(source)
        self._around(target)

    def linked(self, path: str) -> None:
        """A name has been made there for what lies outside of /tmp, whose own time is not touched."""
        self._around(path)

    def _around(self, path: str) -> None:
        self._written[os.path.dirname(path)] = self._now(), _closed

    def forget(self, path: str) -> None:
        """The handler itself has set its time (`os.utime`)."""
        self._written.pop(path, None)

    def settle(self) -> None:
        """Give every file its virtual time."""
        for path, (when, is_open) in list(self._written.items()):
            if is_open():
                when = self._now()
                self._written[path] = when, is_open
            else:
                del self._written[path]
            try:
                _utime(path, ns=(when, when))
            except OSError:  # it is gone
                self._written.pop(path, None)


def shown(found: os.stat_result) -> os.stat_result:
    """A stat whose three times are that of the last change: the other two can't be set in a real file system."""
    when = found.st_mtime_ns
    fields = dict.fromkeys(_KINDS, when / SECOND) | {f"{name}_ns": when for name in _KINDS}
    kept = {name: getattr(found, name) for name in ("st_blksize", "st_blocks", "st_rdev") if hasattr(found, name)}
    values: list[Any] = [*found[:7], *[when // SECOND] * 3]
    return os.stat_result(values, fields | kept)
