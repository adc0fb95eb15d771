"""Run files on disk: which file is one, what may be replaced, and how an empty one comes to be."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from simbus.errors import RunError, UsageError
from simbus.logs.schema import APPLICATION_ID, RUN_TABLE, SCHEMA_VERSION, TABLES
from simbus.logs.views import VIEWS

_MAGIC = b"SQLite format 3\0"
_HEADER = 100

# Rows are about 1 KB: large pages hold several and cost a quarter less to write than those of 4 KB (measured). Twice as
# large once more is little better, and an empty run file would have a megabyte.
PAGE_SIZE = 16_384


def version_of(path: Path) -> int | None:
    """The schema version of the run file at `path`, None where the file is no run file of simbus. Raises OSError."""
    with path.open("rb") as file:
        header = file.read(_HEADER)
    if len(header) < _HEADER or not header.startswith(_MAGIC):
        return None
    # The SQLite file format: user_version is at offset 60, application_id at offset 68, both big-endian.
    if int.from_bytes(header[68:72], "big") != APPLICATION_ID:
        return None
    return int.from_bytes(header[60:64], "big")


def check_target(path: Path) -> None:
    """Refuse a place where no run file can be written. Touches nothing.

    Raises UsageError for a missing parent directory, a directory, a file that is not a run file of simbus and not
    empty, and where the permission to write is lacking.
    """
    try:
        _check_parent(path)
        if path.is_dir():
            raise UsageError(f"{path}: is a directory; a run file is a file. Give the path of a file.")
        empty_file = path.is_file() and path.stat().st_size == 0  # `sqlite3 NAME.db` leaves one
        if path.exists() and not empty_file and (not path.is_file() or version_of(path) is None):
            raise UsageError(
                f"{path}: exists and is not a run file of simbus; only a run file is replaced. "
                "Choose another path, or move the file away."
            )
    except OSError as error:
        raise _unwritable(path, error) from error


def _check_parent(path: Path) -> None:
    parent = path.parent
    if not parent.is_dir():
        found = "is not a directory" if parent.exists() else "does not exist"
        raise UsageError(
            f"{path}: the directory {parent} {found}; a run file is written into an existing directory. "
            "Create it, or choose another path."
        )
    if not os.access(parent, os.W_OK | os.X_OK):
        raise UsageError(
            f"{path}: the directory {parent} is not writable; a run file is created in it. "
            "Change its permissions, or choose another path."
        )


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(
        f"{path}: {error.strerror or error}; a run file needs a place that can be written. Choose another path."
    )


def create(path: Path) -> Path:
    """Put an empty run file at `path`, in the place of an older one, and return where it really is.

    Raises UsageError as `check_target` does. A kill leaves the old file or the new one, never half of one.
    """
    check_target(path)
    real = Path(os.path.realpath(path))
    fresh = real.with_name(f".{real.name}.new")
    try:
        fresh.write_bytes(empty())
        # SQLite would play the old file's write-ahead log into the new file: it goes first.
        for suffix in ("-wal", "-shm", "-journal"):
            Path(f"{real}{suffix}").unlink(missing_ok=True)
        fresh.replace(real)
    except OSError as error:
        raise _unwritable(path, error) from error
    return real


def add_facts(path: Path, facts: Mapping[str, str]) -> None:
    """Put further facts into table `run` of a finished run file. Raises RunError where it can't be written."""
    try:
        with closing(sqlite3.connect(path)) as database, database:
            database.executemany("INSERT OR REPLACE INTO run VALUES (?, ?)", list(facts.items()))
    except sqlite3.Error as error:
        raise RunError(
            f"{path}: {error}; what a run was judged by is written there when it has ended. Make room, or let go of it."
        ) from error


def private_directory() -> Path:
    """A new directory for the run file of a run that wants none. Raises RunError where the machine has no place."""
    try:
        return Path(tempfile.mkdtemp(prefix="simbus-"))
    except OSError as error:
        raise RunError(
            f"{tempfile.gettempdir()}: {error.strerror or error}; the rows of a large run go to a temporary file. "
            "Make room there, or give the run a path."
        ) from error


def empty() -> bytes:
    """The bytes of a database that has every table and no row."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute(f"PRAGMA page_size = {PAGE_SIZE}")
        database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        for statement in (*(table.ddl for table in TABLES), *VIEWS, RUN_TABLE):
            database.execute(statement)
        return database.serialize()
