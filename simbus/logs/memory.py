"""Reading a run whose rows are still in memory: no file, no thread. What a test asks, and a run of many."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from simbus.logs.reader import RunReader
from simbus.logs.runfile import empty
from simbus.logs.schema import TABLES, Row, Table, storable
from simbus.logs.views import MADE_OF

IN_MEMORY = Path("(in memory)")
_empty = cache(empty)
_BY_NAME = {table.name: table for table in TABLES}


class MemoryReader(RunReader):
    """Answers as a reader of the run file would, if the rows up to now were written there; what comes later is not.

    `rows` are those of each table, `facts` those of table `run`. A table is filled when a statement names it first:
    most questions are about one or two.
    """

    def __init__(self, rows: Mapping[str, Sequence[Row]], facts: Mapping[str, Any]) -> None:
        super().__init__(IN_MEMORY)
        self._waiting = {name: each[:] for name, each in rows.items() if each}
        self._open = database = sqlite3.connect(":memory:", isolation_level=None)
        database.deserialize(_empty())
        database.row_factory = sqlite3.Row
        database.execute("PRAGMA journal_mode = OFF")
        database.executemany("INSERT INTO run VALUES (?, ?)", facts.items())

    def query(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> Iterator[sqlite3.Row]:
        if self._waiting:
            asked = sql.lower()  # SQLite's names have no case
            named = asked + "".join(" ".join(tables) for view, tables in MADE_OF.items() if view in asked)
            for name in [name for name in self._waiting if name in named]:
                self._fill(_BY_NAME[name], self._waiting.pop(name))
        return super().query(sql, parameters)

    def close(self) -> None:
        """Let go of the rows. Nothing can be asked afterwards."""
        if self._open is not None:
            self._open.close()

    def _fill(self, table: Table, rows: Sequence[Row]) -> None:
        assert self._open is not None
        statement = table.insert(1)
        self._open.execute("BEGIN")
        try:
            self._open.executemany(statement, rows)
        except UnicodeEncodeError:
            self._open.execute(f"DELETE FROM {table.name}")
            self._open.executemany(statement, [tuple(map(storable, row)) for row in rows])
        self._open.execute("COMMIT")
