"""Reading a run whose rows are still in memory: no file, no thread. What a test asks, and a run of many."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from simbus.logs.reader import RunReader
from simbus.logs.runfile import empty
from simbus.logs.schema import TABLES, Row, storable

IN_MEMORY = Path("(in memory)")
_empty = cache(empty)


class MemoryReader(RunReader):
    """Answers as a reader of the run file would, if the rows up to now were written there; what comes later is not.

    `rows` are those of each table, `facts` those of table `run`.
    """

    def __init__(self, rows: Mapping[str, Sequence[Row]], facts: Mapping[str, Any]) -> None:
        super().__init__(IN_MEMORY)
        self._open = database = sqlite3.connect(":memory:")
        database.deserialize(_empty())
        database.row_factory = sqlite3.Row
        for table in TABLES:
            if rows[table.name]:
                _insert(database, table.insert(1), rows[table.name])
        _insert(database, "INSERT INTO run VALUES (?, ?)", list(facts.items()))

    def close(self) -> None:
        """Let go of the rows. Nothing can be asked afterwards."""
        if self._open is not None:
            self._open.close()


def _insert(database: sqlite3.Connection, statement: str, rows: Sequence[Row]) -> None:
    try:
        database.executemany(statement, rows)
    except UnicodeEncodeError:
        database.rollback()
        database.executemany(statement, [tuple(map(storable, row)) for row in rows])
    database.commit()
