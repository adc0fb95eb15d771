"""Reading run files back, while they are written and after."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pytest

from simbus.errors import AwsError, UsageError
from simbus.logs.reader import LogEventRow, open_run
from simbus.logs.schema import APPLICATION_ID
from simbus.logs.writer import RunWriter
from tests.run_rows import add_attempt


def two_functions(writer: RunWriter) -> None:
    """Two functions, each with a stream, log at the same instants."""
    for name in ("f", "g"):
        writer.add_log_stream(f"/aws/lambda/{name}", f"stream-{name}", name, "$LATEST", 0)
    for stream, request, time, text in (
        (2, "r2", 10, "START r2"),
        (1, "r1", 10, "START r1"),
        (1, "r1", 10, "ERROR one"),
        (2, "r2", 20, "END r2"),
        (1, "r1", 15, "END r1"),
    ):
        writer.log_lines.append((writer.next_line(), stream, request, time, time, "INFO", text))


def messages(rows: Iterable[LogEventRow]) -> list[str]:
    return [row.message for row in rows]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A finished run of two functions."""
    path = tmp_path / "a run #1?.db"
    with RunWriter(path) as writer:
        writer.set("seed", 3)
        two_functions(writer)
        for request, attempt, started in (("r2", 1, 4), ("r1", 2, 9), ("r1", 1, 4)):
            add_attempt(writer, request, "f", started, 20, stream="stream-f", attempt=attempt)
    return path


def test_log_events_come_by_time_then_stream_then_as_written(path: Path) -> None:
    """Events within one stream keep write order (CloudWatch Logs)."""
    with open_run(path) as run:
        assert messages(run.log_events()) == ["START r1", "ERROR one", "START r2", "END r1", "END r2"]
        first = next(run.log_events())
    assert first == LogEventRow(2, 10, 10, "INFO", "START r1", "r1", "stream-f", "/aws/lambda/f", "f")


def test_log_events_of_a_function_a_request_a_pattern(path: Path) -> None:
    """The options of `simbus logs` narrow each other down."""
    with open_run(path) as run:
        assert messages(run.log_events("g")) == ["START r2", "END r2"]
        assert messages(run.log_events(request_id="r1")) == ["START r1", "ERROR one", "END r1"]
        assert messages(run.log_events(filter="START")) == ["START r1", "START r2"]
        assert messages(run.log_events("f", request_id="r1", filter="-START -END")) == ["ERROR one"]
        assert messages(run.log_events("nobody")) == []
        with pytest.raises(AwsError, match="it must end with '}'"):
            run.log_events(filter="{ $.a = 1")


def test_invocations_come_in_the_order_of_their_starts(path: Path) -> None:
    """One row an attempt."""
    with open_run(path) as run:
        assert [(row.request_id, row.attempt) for row in run.invocations()] == [("r2", 1), ("r1", 1), ("r1", 2)]
        assert [row.attempt for row in run.invocations("f", request_id="r1")] == [1, 2]
        assert list(run.invocations("g")) == []
        assert next(run.invocations()).memory_size == 128


def test_facts_and_queries(path: Path) -> None:
    """Table `run` as a mapping, and any SELECT."""
    with open_run(path) as run:
        assert run.run["seed"] == 3
        assert run.finished
        assert [row["n"] for row in run.query("SELECT count(*) AS n FROM log_events WHERE timestamp > ?", [10])] == [2]


def test_a_reader_changes_nothing_and_answers_bad_sql_clearly(path: Path) -> None:
    """The file is opened read-only."""
    before = path.read_bytes()
    with open_run(path) as run:
        with pytest.raises(UsageError, match="readonly"):
            list(run.query("DELETE FROM events"))
        with pytest.raises(UsageError, match="no such column: nonsense"):
            list(run.query("SELECT nonsense FROM log_events"))
    assert path.read_bytes() == before


def test_a_run_can_be_read_while_it_is_written(tmp_path: Path) -> None:
    """The Python API reads rows of a simulation that goes on: sync, then read."""
    with RunWriter(None) as writer:
        two_functions(writer)
        with open_run(writer.sync()) as run:
            assert len(messages(run.log_events())) == 5
            assert not run.finished
            writer.log_lines.append((writer.next_line(), 1, "r3", 30, 30, "INFO", "more"))
            writer.sync()
            assert messages(run.log_events(request_id="r3")) == ["more"]


def test_follow_waits_for_the_run_and_ends_with_it(tmp_path: Path) -> None:
    """`simbus logs --follow`: every event once, until the run is finished; the writer can close meanwhile."""
    path = tmp_path / "run.db"
    writer = RunWriter(path)
    writer.open()
    two_functions(writer)
    writer.sync()
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        writer.log_lines.append((writer.next_line(), 1, "r", 99 - len(slept), 0, "INFO", f"late {len(slept)}"))
        if len(slept) == 3:
            writer.close()
        else:
            writer.sync()

    with open_run(path) as run:
        seen = messages(run.log_events(follow=sleep))
    assert seen == ["START r1", "ERROR one", "START r2", "END r1", "END r2", "late 1", "late 2", "late 3"]
    assert len(slept) == 3
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.db"]


def test_follow_of_a_finished_run_does_not_wait(path: Path) -> None:
    """Nothing more can come."""

    def sleep(_: float) -> None:
        raise AssertionError("slept")

    with open_run(path) as run:
        assert len(messages(run.log_events("f", follow=sleep))) == 3


def test_what_is_no_run_file_is_said(tmp_path: Path) -> None:
    """Four parts: where, what was found, the rule, what to do."""
    (tmp_path / "text").write_text("hello")
    with closing(sqlite3.connect(tmp_path / "foreign.db")) as database:
        database.execute("CREATE TABLE t (x)")
    for name, found in (
        ("absent.db", "no such file"),
        ("text", "is not a run file of simbus"),
        ("foreign.db", "is not a run file of simbus"),
        ("", "[Dd]irectory"),
    ):
        with pytest.raises(UsageError, match=found):
            open_run(tmp_path / name)


@pytest.mark.parametrize(("version", "remedy"), [(1, "run the scenario again"), (99, "a newer one")])
def test_a_run_file_of_another_version_is_refused(tmp_path: Path, version: int, remedy: str) -> None:
    """This simbus would misread it."""
    with closing(sqlite3.connect(tmp_path / "other.db")) as database:
        database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        database.execute(f"PRAGMA user_version = {version}")
        database.execute("CREATE TABLE t (x)")
    with pytest.raises(UsageError, match=f"has version {version}; this simbus reads version 2.*{remedy}"):
        open_run(tmp_path / "other.db")


@pytest.mark.parametrize("kept", [100, 20_000])
def test_a_damaged_file_is_said_to_be_damaged(path: Path, kept: int) -> None:
    """A copy that was cut off: it is the file, not the question."""
    path.write_bytes(path.read_bytes()[:kept])
    with open_run(path) as run, pytest.raises(UsageError, match="the file is damaged or cut off") as refused:
        list(run.log_events())
    assert "SELECT" not in str(refused.value)
