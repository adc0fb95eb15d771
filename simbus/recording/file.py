"""Recordings on disk: lines of text, plain or in gzip, readable up to where a killed run had come."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator
from io import BufferedWriter
from pathlib import Path

from simbus.errors import RunError, UsageError

FLUSH_BYTES = 65_536
_GZIP = b"\x1f\x8b"
HEADER_TYPE = "simbus.recording"


class LineWriter:
    """Writes lines; what was written FLUSH_BYTES ago is in the file, whatever becomes of the process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines: list[bytes] = []
        self._bytes = 0
        try:
            self._raw: BufferedWriter = path.open("wb")
        except OSError as error:
            raise _unwritable(path, error) from error
        # Without a name and a time of its own the file depends on nothing but its lines.
        self._gzip = gzip.GzipFile("", "wb", 6, fileobj=self._raw, mtime=0) if path.name.endswith(".gz") else None

    def write(self, line: bytes) -> None:
        """Add a line, without its end."""
        self._lines.append(line)
        self._bytes += len(line)
        if self._bytes >= FLUSH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Put what waits into the file. Raises RunError where that fails."""
        text = b"\n".join(self._lines) + b"\n" if self._lines else b""
        self._lines.clear()
        self._bytes = 0
        try:
            if self._gzip is not None:
                self._gzip.write(text)
                self._gzip.flush()
            else:
                self._raw.write(text)
            self._raw.flush()
        except OSError as error:
            raise RunError(
                f"{self.path}: {error.strerror or error}; a recording needs room for every operation, and holds those "
                "so far. Make room, or record elsewhere."
            ) from error

    def close(self) -> None:
        """End the file. A second call does nothing."""
        if self._raw.closed:
            return
        try:
            self.flush()
            if self._gzip is not None:
                self._gzip.close()
        finally:
            self._raw.close()


def check_target(path: Path) -> None:
    """Refuse a place where no recording can be written, and a file that is none. Touches nothing. Raises UsageError."""
    try:
        if not path.parent.is_dir():
            raise UsageError(
                f"{path}: the directory {path.parent} does not exist; a recording is written into an existing "
                "directory. Create it, or choose another path."
            )
        if path.is_dir():
            raise UsageError(f"{path}: is a directory; a recording is a file. Give the path of a file.")
        if path.exists() and not is_recording(path):
            raise UsageError(
                f"{path}: exists and is no recording of simbus; only a recording is replaced. "
                "Choose another path, or move the file away."
            )
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise UsageError(f"{path}: can't be written here. Change the permissions, or choose another path.")
    except OSError as error:
        raise _unwritable(path, error) from error


def is_recording(path: Path) -> bool:
    """Whether the file begins as a recording of simbus does."""
    if path.stat().st_size == 0:
        return False
    for line in lines(path):
        return f'"type":"{HEADER_TYPE}"'.encode() in line
    return False


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(
        f"{path}: {error.strerror or error}; a recording needs a place that can be written. Choose another path."
    )


def lines(path: Path) -> Iterator[bytes]:
    """The lines of a file, also of one in gzip (whatever its name), without their ends.

    A gzip file that was cut gives what is there of it. Raises UsageError where the file can't be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(2)
            file.seek(0)
            if head == _GZIP:
                yield from _split(_unpacked(path, iter(lambda: file.read(FLUSH_BYTES), b"")))
            else:
                for line in file:
                    yield line.rstrip(b"\r\n")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}; it is to be read. Check the path.") from error


def _unpacked(path: Path, packed: Iterator[bytes]) -> Iterator[bytes]:
    """The text of a gzip file, which may consist of several parts one after the other (as Firehose writes them)."""
    part = zlib.decompressobj(wbits=31)
    for chunk in packed:
        while chunk:
            try:
                yield part.decompress(chunk)
            except zlib.error as error:
                raise UsageError(f"{path}: is broken ({error}); a .gz file is whole. Get another copy.") from error
            chunk = part.unused_data
            if part.eof:
                part = zlib.decompressobj(wbits=31)


def _split(chunks: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
    if rest:
        yield rest


def ends_in_a_line(path: Path) -> bool:
    """Whether the last line is whole: a run that was killed may have been writing it."""
    last = b"\n"
    with path.open("rb") as file:
        if file.read(2) == _GZIP:
            file.seek(0)
            for chunk in _unpacked(path, iter(lambda: file.read(FLUSH_BYTES), b"")):
                last = chunk[-1:] or last
        elif file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            last = file.read(1)
    return last == b"\n"
