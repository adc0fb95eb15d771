"""The digest of a run: one number that two runs share exactly when they put the same rows in the same order.

A canonical row is its MessagePack: integers, floats, text and null have one encoding each, on any machine and any
version of Python. Each table is hashed as its rows are queued, so how they were cut into batches does not matter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from simbus.logs.schema import TABLES, Row

_encode = msgspec.msgpack.Encoder().encode


class Digest:
    """A SHA-256 per table, without row ids; the digest is the SHA-256 over the tables' names and hashes."""

    __slots__ = ("_hashes",)

    def __init__(self) -> None:
        self._hashes = {table.name: hashlib.sha256() for table in TABLES}

    def update(self, table: str, rows: Sequence[Row]) -> None:
        """Take in further rows of a table, without a row id. Raises UnicodeEncodeError for a lone surrogate."""
        # The head of a MessagePack array tells its length, which is the length of the batch: skip it.
        count = len(rows)
        head = 1 if count < 16 else 3 if count < 65536 else 5
        self._hashes[table].update(memoryview(_encode(rows))[head:])

    def copy(self) -> Digest:
        """A digest that goes on from here by itself."""
        twin = Digest()
        twin._hashes = {name: digest.copy() for name, digest in self._hashes.items()}
        return twin

    def hexdigest(self) -> str:
        """The digest of all rows so far, 64 hexadecimal digits."""
        lines = "".join(f"{name} {digest.hexdigest()}\n" for name, digest in self._hashes.items())
        return hashlib.sha256(lines.encode()).hexdigest()
