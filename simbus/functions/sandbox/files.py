"""Paths inside a handler: /tmp is the environment's own directory, /var/task its code, the rest is as it is.

Everything but /tmp is read-only, as in Lambda. A Python callable reads the real paths from the real working directory,
except /tmp; pytest's own directories are real for it, to write in, too, so that tests can use `tmp_path`.
"""

from __future__ import annotations

import builtins
import errno
import io
import operator
import os
import sqlite3
import sys
import tempfile
import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from simbus.functions.sandbox.dispatch import Patch, dispatcher, patch
from simbus.functions.sandbox.file_times import FileTimes, shown
from simbus.functions.sandbox.state import TASK_ROOT
from simbus.functions.sandbox.temporary import TemporaryDirectory

if TYPE_CHECKING:
    from simbus.functions.sandbox.process import Sandbox

_open = builtins.open
_os_open, _close, _dup2, _getcwd, _scandir = os.open, os.close, os.dup2, os.getcwd, os.scandir
_isdir, _connect, _os_write = os.path.isdir, sqlite3.connect, os.write
_listdir = os.listdir
_TMP = "/tmp"
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_ONE_PATH_READ = ("readlink", "access", "statvfs", "pathconf", "listxattr", "getxattr")
_ONE_PATH_WRITE = (
    *("mkdir", "rmdir", "remove", "unlink", "chmod", "lchmod", "chown", "lchown", "utime", "truncate"),
    *("mkfifo", "mknod", "setxattr", "removexattr", "chflags"),
)
_AFTERWARDS: dict[str, Callable[[FileTimes, str], None]] = {
    **dict.fromkeys(("mkdir", "mkfifo", "mknod", "truncate"), FileTimes.note),
    **dict.fromkeys(("rmdir", "remove", "unlink"), FileTimes.removed),
    "utime": FileTimes.forget,
}
_TWO_PATHS = ("rename", "replace", "link", "symlink")


class Files:
    """How one environment sees the file system."""

    __slots__ = ("_code", "_passing", "_tmp", "_writable", "cwd", "descriptors", "opened", "times")

    def __init__(self, code: str | None, tmp: TemporaryDirectory, now: Callable[[], int]) -> None:
        self._code = code
        self.times = FileTimes(now)
        self._tmp = tmp
        self.cwd = None if code is None else TASK_ROOT
        self.opened: weakref.WeakSet[Any] = weakref.WeakSet()
        self.descriptors: set[int] = set()
        real_tmp = os.path.realpath(tempfile.gettempdir())
        libraries = [p for p in (sys.prefix, sys.base_prefix, *sys.path) if p.startswith(_TMP + "/")]
        self._passing = tuple(f"{p}/" for p in ([code] if code else []) + libraries)
        self._writable = () if code else (f"{real_tmp}/pytest-of-",)
        self._passing += self._writable

    def real(self, path: Any, writing: bool = False) -> Any:
        """The real path for one that the handler names. OSError EROFS where it must not write."""
        if isinstance(path, int):
            return path
        text = os.fspath(path)
        if isinstance(text, bytes):
            return os.fsencode(self._translate(os.fsdecode(text), writing))
        return self._translate(text, writing)

    def absolute(self, path: str) -> str:
        """The path as the handler sees it, from the root."""
        if self.cwd is not None and not path.startswith("/"):
            path = f"{self.cwd}/{path}"
        return os.path.normpath(path) if ".." in path or "//" in path or "/." in path else path

    def _translate(self, path: str, writing: bool) -> str:
        if path == "":
            return path
        full = self.absolute(path)
        if full.startswith(_TMP) and (full == _TMP or full[4] == "/"):
            if self._tmp._path and full.startswith(self._tmp._path):
                return full if self.cwd is not None else path
            if not full.startswith(self._passing):
                return self._tmp.path + full[4:] + ("/" if path.endswith("/") and len(full) > 4 else "")
        if writing and not os.path.normpath(os.path.join(_getcwd(), full)).startswith(("/dev/", *self._writable)):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)
        if self._code is not None and (full == TASK_ROOT or full.startswith(TASK_ROOT + "/")):
            return self._code + full[len(TASK_ROOT) :]
        return path if self.cwd is None else full

    def is_private(self, real: Any) -> bool:
        """Whether a real path lies in the environment's own /tmp."""
        private = self._tmp._path
        return private is not None and isinstance(real, str) and real.startswith(private)

    def sever(self) -> None:
        """The process is gone: what its files still hold in their buffers never reaches the disk."""
        numbers = [*self.descriptors]
        for file in list(self.opened):
            try:
                numbers.append(file.fileno())
            except (ValueError, OSError):  # closed meanwhile
                continue
        if numbers:
            null = _os_open(os.devnull, os.O_RDWR)
            for number in sorted(set(numbers)):
                _dup2(null, number)
            _close(null)
        for number in self.descriptors:
            _close(number)
        self.descriptors.clear()
        self.opened.clear()


def _call(original: Callable[..., Any], shown: tuple[Any, ...], real: tuple[Any, ...], rest: Any, kw: Any) -> Any:
    """Call with real paths; an OSError names the paths that the handler gave."""
    try:
        return original(*real, *rest, **kw)
    except OSError as error:
        if error.filename is not None and error.filename == real[0]:
            error.filename = shown[0]
        if error.filename2 is not None and error.filename2 == real[-1]:
            error.filename2 = shown[-1]
        raise


def _one_path(original: Callable[..., Any], writing: bool) -> Callable[..., Any]:
    after = _AFTERWARDS.get(original.__name__) if writing else None

    def virtual(sandbox: Sandbox, path: Any = ".", *args: Any, **kwargs: Any) -> Any:
        if kwargs.get("dir_fd") is not None and not os.fspath(path).startswith("/"):
            return original(path, *args, **kwargs)
        files = sandbox.files
        real = files.real(path, writing)
        found = _call(original, (path,), (real,), args, kwargs)
        if after is not None and files.is_private(real):
            after(files.times, real)
        return found

    return virtual


def _looked_at(original: Callable[..., Any]) -> Callable[..., Any]:
    """stat and lstat: what lies in /tmp tells virtual time."""

    def virtual(sandbox: Sandbox, path: Any, *args: Any, **kwargs: Any) -> Any:
        if kwargs.get("dir_fd") is not None and not os.fspath(path).startswith("/"):
            return original(path, *args, **kwargs)
        files = sandbox.files
        real = files.real(path)
        if not files.is_private(real):
            return _call(original, (path,), (real,), args, kwargs)
        files.times.settle()
        return shown(_call(original, (path,), (real,), args, kwargs))

    return virtual


def _virtual_listdir(sandbox: Sandbox, path: Any = ".") -> Any:
    """In order: that of a file system is another one on each machine."""
    return sorted(_call(_listdir, (path,), (sandbox.files.real(path),), (), {}))


def _two_paths(original: Callable[..., Any]) -> Callable[..., Any]:
    moves = original.__name__ in ("rename", "replace")

    def virtual(sandbox: Sandbox, src: Any, dst: Any, *args: Any, **kwargs: Any) -> Any:
        real = sandbox.files.real
        source = src if original is _symlink and not os.fspath(src).startswith("/") else real(src, moves)
        target = real(dst, True)
        found = _call(original, (src, dst), (source, target), args, kwargs)
        files = sandbox.files
        if files.is_private(target) and files.is_private(source):
            files.times.moved(source, target)
        elif files.is_private(target):
            files.times.linked(target)
        return found

    return virtual


_symlink = os.symlink


def _virtual_open(
    sandbox: Sandbox,
    file: Any,
    mode: str = "r",
    buffering: int = -1,
    encoding: str | None = None,
    errors: str | None = None,
    newline: str | None = None,
    closefd: bool = True,
    opener: Any = None,
) -> Any:
    writing = isinstance(mode, str) and any(letter in mode for letter in "wax+")
    if isinstance(file, int) or opener is not None:
        found = _open(file, mode, buffering, encoding, errors, newline, closefd, opener)
    else:
        real = sandbox.files.real(file, writing)

        def open_real(_: str, flags: int) -> int:
            return _os_open(real, flags, 0o666)

        try:
            found = _open(file, mode, buffering, encoding, errors, newline, closefd, open_real)
        except OSError as error:
            if error.filename == real:
                error.filename = file
            raise
    if closefd:
        sandbox.files.descriptors.discard(found.fileno())
    if writing:
        sandbox.files.opened.add(found)
        if not isinstance(file, int) and opener is None and sandbox.files.is_private(real):
            sandbox.files.times.note(real, _open_state(found))
    return found


def _open_state(file: Any) -> Callable[[], bool]:
    """Says whether the file is still open; it does not keep it alive."""
    known = weakref.ref(file)

    def is_open() -> bool:
        found = known()
        return found is not None and not found.closed

    return is_open


def _virtual_os_open(sandbox: Sandbox, path: Any, flags: int, mode: int = 0o777, *, dir_fd: Any = None) -> int:
    if dir_fd is not None and not os.fspath(path).startswith("/"):
        number = _os_open(path, flags, mode, dir_fd=dir_fd)
    else:
        real = sandbox.files.real(path, bool(flags & _WRITING))
        number = _call(_os_open, (path,), (real,), (flags, mode), {"dir_fd": dir_fd})
    if flags & _WRITING:
        descriptors = sandbox.files.descriptors
        descriptors.add(number)
        if dir_fd is None and sandbox.files.is_private(real):
            sandbox.files.times.note(real, lambda: number in descriptors)
    return number


def _virtual_close(sandbox: Sandbox, number: int) -> None:
    sandbox.files.descriptors.discard(number)
    _close(number)


def _virtual_write(sandbox: Sandbox, number: int, data: Any, /) -> int:
    if number in (1, 2):
        stream = sandbox.stdout if number == 1 else sandbox.stderr
        return stream.buffer.write(data)
    return _os_write(number, data)


def _virtual_getcwd(sandbox: Sandbox) -> str:
    return sandbox.files.cwd or _getcwd()


def _virtual_getcwdb(sandbox: Sandbox) -> bytes:
    return os.fsencode(_virtual_getcwd(sandbox))


def _virtual_chdir(sandbox: Sandbox, path: Any) -> None:
    real = sandbox.files.real(path)
    if not os.path.exists(path):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    if not _isdir(real):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
    here = sandbox.files.cwd or _getcwd()
    sandbox.files.cwd = os.path.normpath(os.path.join(here, os.fsdecode(path)))


class Entry:
    """An `os.DirEntry` whose path is the one that the handler sees."""

    __slots__ = ("_entry", "name", "path")

    def __init__(self, entry: Any, folder: Any) -> None:
        self._entry = entry
        self.name = entry.name
        self.path = os.path.join(folder, entry.name)

    def __fspath__(self) -> Any:
        return self.path

    def __repr__(self) -> str:
        return f"<DirEntry {self.name!r}>"

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        return os.stat(self.path, follow_symlinks=follow_symlinks)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._entry, name)


class _Entries:
    def __init__(self, found: Any, folder: Any) -> None:
        self._found = found
        self._sorted = iter(sorted(found, key=operator.attrgetter("name")))
        self._folder = folder

    def __iter__(self) -> Iterator[Entry]:
        return self

    def __next__(self) -> Entry:
        return Entry(next(self._sorted), self._folder)

    def __enter__(self) -> _Entries:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._found.close()


def _virtual_scandir(sandbox: Sandbox, path: Any = None) -> Any:
    folder = "." if path is None else path
    if isinstance(folder, int):
        return _scandir(folder)
    real = sandbox.files.real(folder)
    return _Entries(_call(_scandir, (folder,), (real,), (), {}), os.fspath(folder))


def _virtual_connect(sandbox: Sandbox, database: Any, *args: Any, **kwargs: Any) -> Any:
    """sqlite3.connect; an URI keeps its scheme and its parameters."""
    text = os.fsdecode(os.fspath(database))
    if text.startswith("file:") and not text.startswith("file::memory:"):
        path, mark, query = text[5:].partition("?")
        read_only = "mode=ro" in query or "immutable=1" in query
        database = f"file:{sandbox.files.real(path.removeprefix('//'), not read_only)}{mark}{query}"
    elif text not in ("", ":memory:") and not text.startswith("file:"):
        database = sandbox.files.real(text, False)
    return _connect(database, *args, **kwargs)


def patches() -> list[Patch]:
    """What takes a path: `open`, the functions of `os`, `sqlite3.connect`; and where temporary files go."""
    opened = dispatcher(_open, _virtual_open)
    found = [Patch(builtins, "open", opened, _open), Patch(io, "open", opened, _open)]
    for names, writing in ((_ONE_PATH_READ, False), (_ONE_PATH_WRITE, True)):
        for name in names:
            if hasattr(os, name):
                found += patch(os, name, _one_path(getattr(os, name), writing))
    for name in ("stat", "lstat"):
        found += patch(os, name, _looked_at(getattr(os, name)))
    found += patch(os, "listdir", _virtual_listdir)
    for name in _TWO_PATHS:
        found += patch(os, name, _two_paths(getattr(os, name)))
    found += patch(os, "open", _virtual_os_open) + patch(os, "close", _virtual_close)
    found += patch(os, "write", _virtual_write) + patch(os, "scandir", _virtual_scandir)
    found += patch(os, "getcwd", _virtual_getcwd) + patch(os, "getcwdb", _virtual_getcwdb)
    found += patch(os, "chdir", _virtual_chdir) + patch(tempfile, "_gettempdir", lambda _: _TMP)
    connected = dispatcher(_connect, _virtual_connect)
    return [
        *found,
        Patch(sqlite3, "connect", connected, _connect),
        Patch(sqlite3.dbapi2, "connect", connected, _connect),
    ]
