"""Rows that are still in memory are read without a file and without a thread."""

from __future__ import annotations

import threading

import pytest

from simbus import Simulation, UsageError
from simbus.logs.memory import MemoryReader


def failing(event: object, context: object) -> None:
    print("about to fail \udc80")
    raise ValueError(event)


def test_it_answers_as_the_run_file_does() -> None:
    """The same rows, facts and logs, whichever way they are read."""
    with Simulation(seed=1) as sim:
        function = sim.function("f", handler=failing)
        function.invoke({}, invocation_type="Event")
        sim.run()
        found = []
        for path in (False, True):
            if path:
                sim.rows.sync()
            with sim.reader() as reader:
                assert isinstance(reader, MemoryReader) is not path
                tables = [row["name"] for row in reader.query("SELECT name FROM sqlite_master WHERE type = 'table'")]
                found.append(
                    [
                        [tuple(row) for row in reader.query(f"SELECT * FROM {table} ORDER BY rowid")]
                        for table in tables
                        if table != "run"
                    ]
                    + [reader.run, list(reader.log_events("f"))]
                )
        assert found[0] == found[1]
        assert found[0][-1]


def test_a_small_run_starts_no_thread_and_makes_no_file() -> None:
    before = threading.active_count()
    with Simulation(seed=1) as sim:
        sim.function("f").invoke({})
        assert len(sim["lambda:f"].invocations) == 1
        assert sim.rows.path is None
        assert threading.active_count() == before


def test_a_reader_sees_what_there_was_when_it_was_made() -> None:
    with Simulation(seed=1) as sim, sim.reader() as early:
        sim.function("f").invoke({})
        assert list(early.invocations()) == []
        with sim.reader() as late:
            assert len(list(late.invocations())) == 1


def test_a_wrong_question_is_a_usage_error() -> None:
    with Simulation(seed=1) as sim, sim.reader() as reader, pytest.raises(UsageError, match="no such table: nope"):
        list(reader.query("SELECT * FROM nope"))


def test_names_have_no_case() -> None:
    """As in SQLite: whoever writes `Invocations` asks for the same rows, from memory and from a file."""
    with Simulation(seed=1) as sim:
        sim.function("f").invoke({})
        with sim.reader() as reader:
            assert [tuple(row) for row in reader.query("SELECT count(*) FROM Invocations")] == [(1,)]
            assert [tuple(row) for row in reader.query("SELECT count(*) FROM DELIVERIES")] == [(1,)]
