"""The writer of run files: what reaches the disk, what a kill leaves, what the digest says."""

from __future__ import annotations

import gc
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import aiosqlite
import pytest

from simbus.errors import RunError, SimbusError, UsageError
from simbus.logs import runfile
from simbus.logs import writer as writing
from simbus.logs.schema import APPLICATION_ID, SCHEMA_VERSION, TABLES
from simbus.logs.writer import RunWriter

START = 1_767_225_600_000


def log(writer: RunWriter, count: int, text: str = "hello") -> None:
    """Append that many log events of one stream."""
    stream = writer.add_log_stream("/aws/lambda/f", "s", "f", "$LATEST", START)
    for number in range(count):
        writer.log_lines.append(
            (writer.next_line(), stream, f"r{number}", START + number, START + number, "INFO", f"{text} {number}\n")
        )
        writer.flush_if_full()


def ask(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(sql).fetchall()


def test_tables_are_those_of_the_contract(tmp_path: Path) -> None:
    """design.md, "Run file": these tables and columns, as tables or views; a view has a `rowid` at its end as well."""
    with RunWriter(tmp_path / "run.db"):
        pass
    columns = {
        name: [row[1] for row in ask(tmp_path / "run.db", f"PRAGMA table_info({name})")]
        for (name,) in ask(tmp_path / "run.db", "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
        if name not in ("attempts", "log_lines", "routes", "settlements")  # what the views are made of
    }
    assert columns == {
        "events": ["id", "time", "source", "type", "subject", "parent", "data"],
        "deliveries": ["event_id", "request_id", "subscription", "settled_at", "outcome", "rowid"],
        "invocations": [
            "request_id",
            "attempt",
            "function",
            "version",
            "invocation_type",
            "source_arn",
            "log_stream",
            "queued_at",
            "started_at",
            "ended_at",
            "duration_ms",
            "billed_duration_ms",
            "init_duration_ms",
            "memory_size",
            "max_memory_used",
            "status",
            "error_type",
            "error_message",
            "payload",
            "response",
            "rowid",
        ],
        "hops": ["event_id", "time", "kind", "place", "detail"],
        "messages": [
            "queue",
            "message_id",
            "sent_at",
            "receive_count",
            "body",
            "attributes",
            "system_attributes",
            "state",
        ],
        "log_groups": ["id", "name"],
        "log_streams": ["id", "log_group", "name", "function", "version", "created_at"],
        "log_events": ["id", "log_stream_id", "request_id", "timestamp", "ingestion_time", "level", "message", "rowid"],
        "metrics": ["time", "name", "dimension", "value", "unit"],
        "run": ["key", "value"],
    }


def test_every_row_of_every_table_arrives_in_order(tmp_path: Path) -> None:
    """Rows come back as they were appended, whatever the batch and statement sizes."""
    path = tmp_path / "run.db"
    names = ("events", "attempts", "hops", "messages", "metrics")
    tables = {table.name: table for table in TABLES if table.name in names}
    with RunWriter(path, batch_rows=100) as writer:
        log(writer, 1_234)
        for name, table in tables.items():
            rows = getattr(writer, name)
            rows.extend((f"{number}", *(float(number),) * (len(table.names) - 3), None, None) for number in range(777))
        writer.set("seed", 7)
        writer.set("scenario", "orders")
    assert ask(path, "SELECT id, message FROM log_events ORDER BY id") == [
        (number + 1, f"hello {number}\n") for number in range(1_234)
    ]
    for name in tables:
        first = tables[name].names[0]
        assert [int(row[0]) for row in ask(path, f"SELECT {first} FROM {name} ORDER BY rowid")] == list(range(777))
    run = dict(ask(path, "SELECT * FROM run"))
    assert run == {"seed": 7, "scenario": "orders", "digest": writer.digest(), "finished": 1}


def test_a_closed_run_is_one_file_with_indexes_that_names_its_program(tmp_path: Path) -> None:
    """The write-ahead log is joined to the file at close; a simbus run file says so in its header."""
    path = tmp_path / "run.db"
    with RunWriter(path, batch_rows=10) as writer:
        log(writer, 100)
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.db"]
    assert ask(path, "PRAGMA application_id") == [(APPLICATION_ID,)]
    assert ask(path, "PRAGMA user_version") == [(SCHEMA_VERSION,)]
    assert ask(path, "PRAGMA journal_mode") == [("delete",)]
    assert ask(path, "PRAGMA integrity_check") == [("ok",)]
    plan = ask(path, "EXPLAIN QUERY PLAN SELECT * FROM invocations WHERE request_id = 'r1'")
    assert "INDEX attempts_request" in plan[0][3]


def test_groups_are_shared_and_streams_are_numbered_in_logical_order() -> None:
    """Several functions may log to one group; every environment has its own stream."""
    writer = RunWriter(None)
    assert [writer.add_log_stream(group, "s", "f", "1", START) for group in ("/a", "/b", "/a")] == [1, 2, 3]
    writer.close()


def test_lists_stay_the_same_objects_across_flushes(tmp_path: Path) -> None:
    """The hot code may keep `writer.log_lines.append`."""
    with RunWriter(tmp_path / "run.db") as writer:
        append = writer.metrics.append
        append((START, "Invocations", "f", 1.0, "Count"))
        writer.flush()
        assert writer.pending() == 0
        append((START, "Errors", "f", 1.0, "Count"))
        assert writer.pending() == 1
    assert ask(tmp_path / "run.db", "SELECT name FROM metrics") == [("Invocations",), ("Errors",)]


def test_a_private_run_touches_the_disk_only_when_it_is_asked_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a path few rows stay in memory; what was needed of the disk is removed at close."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with RunWriter(None) as writer:
        log(writer, 10)
        before = writer.digest()
        assert writer.path is None
        assert list(tmp_path.iterdir()) == []
        path = writer.sync()
        assert ask(path, "SELECT count(*) FROM log_events") == [(10,)]
        assert writer.digest() == before
    assert list(tmp_path.iterdir()) == []


def test_a_writer_that_nobody_closes_leaves_no_thread_and_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dropped simulation cleans up after itself."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    writer = RunWriter(None)
    log(writer, 1)
    writer.sync()
    thread = next(t for t in threading.enumerate() if t.name == "simbus-run-file")
    del writer
    gc.collect()
    thread.join(timeout=30)
    assert not thread.is_alive()
    assert list(tmp_path.iterdir()) == []


def test_digest_does_not_depend_on_batches_or_on_the_place(tmp_path: Path) -> None:
    """design.md: same scenario, seed and version, same digest; without `run` and paths."""
    digests = set()
    for batch_rows in (1, 7, 100, 100_000):
        with RunWriter(tmp_path / f"{batch_rows}.db", batch_rows=batch_rows) as writer:
            writer.set("seed", batch_rows)
            log(writer, 300)
        digests.add(dict(ask(tmp_path / f"{batch_rows}.db", "SELECT * FROM run"))["digest"])
    with RunWriter(None) as private:
        log(private, 300)
        digests.add(private.digest())
    assert len(digests) == 1


def test_digest_sees_every_value_and_the_order() -> None:
    """One other value, one row more or two rows exchanged make another digest."""

    def digest(*rows: tuple[Any, ...]) -> str:
        writer = RunWriter(None)
        writer.metrics.extend(rows)
        writer.close()
        return writer.digest()

    a, b = (1, "Errors", "f", 1.0, "Count"), (1, "Errors", "g", 1.0, "Count")
    assert len({digest(), digest(a), digest(b), digest(a, b), digest(b, a), digest(a, a)}) == 6


def test_digest_is_the_same_on_every_machine() -> None:
    """A known value: it may change only together with SCHEMA_VERSION or the meaning of a column."""
    writer = RunWriter(None)
    log(writer, 2, "naïve")
    writer.metrics.append((START, "Duration", "f", 97.31, "Milliseconds"))
    writer.events.append(("e1", START, "s3:b", "ObjectCreated:Put", "k", None, "{}"))
    assert writer.digest() == "c6e8e39b4cf534e5c4a1d762707e3b8956e5b2de9c40b2dc45a6dcbb1414ed60"
    writer.close()


def test_lone_surrogates_become_replacement_characters(tmp_path: Path) -> None:
    """JSON may say \\ud800, UTF-8 can't; the row is kept, and the digest is that of the text kept."""
    with RunWriter(tmp_path / "a.db") as broken:
        log(broken, 1, "x\ud800y")
    with RunWriter(tmp_path / "b.db") as whole:
        log(whole, 1, "x\ufffdy")
    assert ask(tmp_path / "a.db", "SELECT message FROM log_events") == [("x\ufffdy 0\n",)]
    assert broken.digest() == whole.digest()


def test_an_interrupted_run_has_its_rows_but_no_digest(tmp_path: Path) -> None:
    """Exit status 130: the run file is whole up to there."""

    def interrupted() -> None:
        with RunWriter(tmp_path / "run.db") as writer:
            log(writer, 5)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert ask(tmp_path / "run.db", "SELECT count(*) FROM log_events") == [(5,)]
    assert dict(ask(tmp_path / "run.db", "SELECT * FROM run")) == {"finished": 0}


def test_closing_twice_is_harmless_and_writing_after_is_refused(tmp_path: Path) -> None:
    """A closed run file is final."""
    writer = RunWriter(tmp_path / "run.db")
    writer.open()
    writer.close()
    writer.close()
    writer.metrics.append((1, "Errors", "f", 1.0, "Count"))
    with pytest.raises(SimbusError, match="is closed"):
        writer.flush()


CHILD = """
import sys
from pathlib import Path
from simbus.logs.writer import RunWriter
writer = RunWriter(Path(sys.argv[1]))
writer.open()
stream = writer.add_log_stream("/g", "s", "f", "1", 0)
number = 0
while True:
    for number in range(number, number + 1000):
        writer.log_lines.append((writer.next_line(), stream, "r", number, number, "INFO", "x" * 100))
    number += 1
    if number == 5000:
        writer.sync()
        print("flushed", flush=True)
    writer.flush()
"""


def test_a_killed_run_is_whole_and_holds_what_was_flushed(tmp_path: Path) -> None:
    """SIGKILL while batches are written: the file opens, passes integrity_check and has every synced row."""
    path = tmp_path / "run.db"
    with subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"flushed\n"
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert ask(path, "PRAGMA integrity_check") == [("ok",)]
    rows = ask(path, "SELECT timestamp FROM log_events ORDER BY id")
    assert len(rows) >= 5000
    assert len(rows) % 1000 == 0
    assert [time for (time,) in rows] == list(range(len(rows)))
    assert ask(path, "SELECT * FROM run") == []
    with RunWriter(path) as writer:
        log(writer, 1)
    assert ask(path, "SELECT count(*) FROM log_events") == [(1,)]
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.db"]


def test_a_writer_that_was_never_closed_does_not_hold_the_exit(tmp_path: Path) -> None:
    """A program that ends without closing its run ends all the same."""
    code = CHILD.split("while True")[0] + "writer.sync(); keep = [writer, writer.log_lines.append]"
    assert (
        subprocess.run([sys.executable, "-c", code, str(tmp_path / "run.db")], timeout=60, check=False).returncode == 0
    )


def test_a_failing_disk_reaches_the_producer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the writing thread is raised at the next flush or at close, and nobody waits for ever."""

    async def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    writer = RunWriter(tmp_path / "run.db", batch_rows=1)
    writer.open()
    monkeypatch.setattr(writing, "_write", full)
    with pytest.raises(RunError, match=r"run.db: writing failed \(OperationalError: database or disk is full\)"):
        log(writer, 100)
    with pytest.raises(RunError, match="disk is full"):
        writer.sync()
    with pytest.raises(RunError, match="disk is full"):
        writer.close()
    assert not any(thread.name == "simbus-run-file" for thread in threading.enumerate())


def test_a_row_that_does_not_fit_its_table_is_an_error_not_a_hang(tmp_path: Path) -> None:
    """A row that SQLite refuses fails the run."""
    writer = RunWriter(tmp_path / "run.db")
    writer.metrics.append((1, "Errors"))
    with pytest.raises(RunError, match="bind"):
        writer.sync()
    with pytest.raises(RunError):
        writer.close()


def test_a_connection_that_fails_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file may vanish or be locked before the thread opens it."""

    def refuse(_: Path) -> aiosqlite.Connection:
        raise sqlite3.OperationalError("unable to open database file")

    monkeypatch.setattr(aiosqlite, "connect", refuse)
    writer = RunWriter(tmp_path / "run.db")
    with pytest.raises(RunError, match="unable to open"):
        writer.sync()
    with pytest.raises(RunError, match="unable to open"):
        writer.close()


def test_the_producer_waits_until_a_batch_is_written(tmp_path: Path) -> None:
    """Bounded memory: rows are in the file when `flush` returns, and nothing is under way."""
    path = tmp_path / "run.db"
    with RunWriter(path) as writer:
        for number in range(1, 50):
            log(writer, 1)
            writer.flush()
            assert ask(path, "SELECT count(*) FROM log_lines") == [(number,)]


def test_an_open_reader_does_not_stop_the_writer_from_closing(tmp_path: Path) -> None:
    """Somebody has the file open at close: every row is there, and the log is joined when the last one leaves."""
    path = tmp_path / "run.db"
    writer = RunWriter(path)
    writer.open()
    log(writer, 10)
    writer.sync()
    with closing(sqlite3.connect(path)) as other:
        cursor = other.execute("SELECT * FROM log_events")
        assert cursor.fetchone() is not None
        writer.close()
        assert len(cursor.fetchall()) == 9
    assert dict(ask(path, "SELECT * FROM run"))["finished"] == 1


def test_an_existing_run_file_is_replaced(tmp_path: Path) -> None:
    """Same path, second run: only the second run's rows."""
    path = tmp_path / "run.db"
    for count in (10, 3):
        with RunWriter(path) as writer:
            log(writer, count)
    assert ask(path, "SELECT count(*) FROM log_events") == [(3,)]


def test_a_link_to_a_run_file_stays_a_link(tmp_path: Path) -> None:
    """The file that a link points to is replaced, not the link."""
    link = tmp_path / "link.db"
    link.symlink_to(tmp_path / "run.db")
    with RunWriter(link) as writer:
        log(writer, 1)
    assert link.is_symlink()
    assert ask(tmp_path / "run.db", "SELECT count(*) FROM log_events") == [(1,)]


def test_any_other_file_is_refused_and_untouched(tmp_path: Path) -> None:
    """design.md: an existing simbus run file is replaced, any other file is refused."""
    foreign = tmp_path / "other.db"
    with closing(sqlite3.connect(foreign)) as database:
        database.execute("CREATE TABLE precious (x)")
        database.commit()
    text = tmp_path / "notes.txt"
    text.write_text("precious")
    for path in (foreign, text):
        before = path.read_bytes()
        with pytest.raises(UsageError, match=r"exists and is not a run file of simbus; .* Choose another path"):
            RunWriter(path).open()
        assert path.read_bytes() == before
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["notes.txt", "other.db"]


def test_an_empty_file_is_replaced(tmp_path: Path) -> None:
    """`sqlite3 NAME.db` leaves one where there is no such file."""
    (tmp_path / "run.db").touch()
    with RunWriter(tmp_path / "run.db"):
        pass
    assert runfile.version_of(tmp_path / "run.db") is not None


def test_places_that_cannot_hold_a_file_are_refused(tmp_path: Path) -> None:
    """A directory, a missing parent, a parent that is a file, a name that the system does not take, a device."""
    (tmp_path / "file").write_text("")
    for path, found in (
        (tmp_path, "is a directory"),
        (tmp_path / "missing" / "run.db", "does not exist"),
        (tmp_path / "file" / "run.db", "is not a directory"),
        (tmp_path / ("x" * 300), "too long"),
        (Path("/dev/null"), "is not a run file"),
    ):
        with pytest.raises(UsageError, match=found):
            RunWriter(path).open()
        with pytest.raises(UsageError, match=found):
            runfile.check_target(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_directory_without_permission_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Permissions are looked at before anything is created (root has them all: the answer is set)."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(UsageError, match="is not writable"):
        RunWriter(tmp_path / "run.db").open()
    assert list(tmp_path.iterdir()) == []


def test_a_read_only_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the permissions did not tell is told by the attempt."""

    def refuse(*_: object) -> int:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(UsageError, match="Read-only file system"):
        RunWriter(tmp_path / "run.db").open()


def test_nothing_is_created_before_open(tmp_path: Path) -> None:
    """Exit status 2 leaves no run file."""
    RunWriter(tmp_path / "run.db")
    assert list(tmp_path.iterdir()) == []


def test_no_room_for_temporary_files_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large run without a path needs a temporary file."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(RunError, match="Make room there"):
        RunWriter(None).sync()
