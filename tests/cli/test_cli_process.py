"""`simbus` as a process of its own: signals, closed pipes, terminals."""

import json
import os
import pty
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from simbus.logs.reader import open_run

# `spin` says when the run is inside it, and then never ends.
SCENARIO = """
functions:
  quick: {simulate: {duration: 10ms}}
  spin: {handler: app.handler, code: app.py}
workload:
  - {invoke: {function: quick, payload: {}}, count: 40, over: 1s}
"""
SPIN = "  - {invoke: {function: spin}, at: 5s}\n"
HANDLER = """
import sys

def handler(event, context):
    sys.__stdout__.write("inside\\n")
    sys.__stdout__.flush()
    while True:
        pass
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(HANDLER)
    (tmp_path / "quick.yaml").write_text(SCENARIO)
    (tmp_path / "spin.yaml").write_text(SCENARIO + SPIN)
    return tmp_path


def start(folder: Path, *arguments: str, **options: Any) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    command = [sys.executable, "-m", "simbus", *arguments]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}

    def interruptible() -> None:  # a job in a shell's background ignores SIGINT, and so would its children
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    return subprocess.Popen(command, cwd=folder, text=True, env=environment, preexec_fn=interruptible, **streams)


def integrity(path: Path) -> object:
    with closing(sqlite3.connect(path)) as database:
        return database.execute("PRAGMA integrity_check").fetchone()[0]


def test_sigint_is_exit_status_130_and_the_run_file_is_whole_up_to_there(folder: Path) -> None:
    """Design, section 7: 130 interrupted (the run file is whole up to there)."""
    with start(folder, "run", "spin.yaml") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "inside\n"
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate()
    assert (process.returncode, stdout, stderr) == (130, "", "Interrupted.\n")
    file = folder / "spin.db"
    assert integrity(file) == "ok"
    with open_run(file) as run:
        assert len(list(run.invocations("quick"))) == 40
        assert run.run["finished"] == 0
        assert "digest" not in run.run
    assert sorted(path.name for path in folder.glob("spin.db*")) == ["spin.db"]


def test_after_sigkill_the_run_file_opens_and_the_next_run_replaces_it(folder: Path) -> None:
    """Design, section 3: WAL while a run writes; a killed run leaves a file that is whole, if not complete."""
    with start(folder, "run", "spin.yaml", "--db", "run.db") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "inside\n"
        process.kill()
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert integrity(folder / "run.db") == "ok"
    with open_run(folder / "run.db") as run:
        assert not run.finished
    with start(folder, "run", "quick.yaml", "--db", "run.db") as again:
        again.communicate()
    assert again.returncode == 0
    with open_run(folder / "run.db") as run:
        assert run.finished
        assert len(list(run.invocations("quick"))) == 40


def test_an_interrupt_ends_a_follower_with_130(folder: Path) -> None:
    """After a kill nothing says that the end has come: whoever follows the file interrupts."""
    with start(folder, "run", "spin.yaml") as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.communicate()
    with closing(sqlite3.connect(folder / "spin.db")) as database, database:
        database.execute("DELETE FROM run WHERE key = 'finished'")
    with start(folder, "logs", "spin.db", "--follow") as follower:
        assert follower.stdout is not None
        assert "[quick] INIT_START" in follower.stdout.readline()
        assert follower.stderr is not None
        waits = follower.stderr.readline()
        follower.send_signal(signal.SIGINT)
        _, stderr = follower.communicate()
    assert waits == "spin.db: waits for more of a run that is not finished; Ctrl-C ends the waiting.\n"
    assert (follower.returncode, stderr) == (130, "Interrupted.\n")


def test_a_reader_that_has_gone_is_no_error(folder: Path) -> None:
    """`simbus logs run.db | head -1`: SIGPIPE is quiet, and of a run the exit status is still that of the run."""
    receiving, sending = os.pipe()
    os.close(receiving)
    arguments = ("run", "quick.yaml", "--set", "expect=[{function: quick, invocations: 1}]")
    with start(folder, *arguments, stdout=sending) as process:
        _, stderr = process.communicate()
    assert (process.returncode, stderr) == (1, "")
    with start(folder, "logs", "quick.db", stdout=sending) as process:
        _, stderr = process.communicate()
    os.close(sending)
    assert (process.returncode, stderr) == (0, "")


def test_a_closed_stdout_is_no_error(folder: Path) -> None:
    """`simbus run x.yaml >&-`."""
    command = [sys.executable, "-m", "simbus", "run", "quick.yaml"]
    closed = subprocess.run(
        ["sh", "-c", '"$@" >&-', "sh", *command], cwd=folder, stderr=subprocess.PIPE, text=True, check=False
    )
    assert (closed.returncode, closed.stderr) == (0, "")
    with open_run(folder / "quick.db") as run:
        assert run.finished


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_behind_stdout_is_said(folder: Path) -> None:
    """Results that can't be written are no success."""
    with open("/dev/full", "w") as full, start(folder, "run", "quick.yaml", stdout=full) as process:
        _, stderr = process.communicate()
    assert process.returncode == 3
    assert stderr.startswith("Error: stdout: No space left on device;")


def on_terminal(folder: Path, *arguments: str, stdout: int | None = None) -> tuple[str, str]:
    """Run with stderr (and stdout, where it is None) on a terminal: what the terminal got, and stdout otherwise."""
    ours, theirs = pty.openpty()
    with start(folder, *arguments, stderr=theirs, stdout=theirs if stdout is None else stdout) as process:
        os.close(theirs)
        shown = bytearray()
        try:
            while piece := os.read(ours, 4096):
                shown += piece
        except OSError:  # Linux says so where a terminal has been closed at its other end
            pass
        plain = "" if process.stdout is None else process.stdout.read()
    os.close(ours)
    assert process.returncode == 0
    return shown.decode(), plain


def test_progress_is_shown_on_a_terminal_and_the_run_does_not_know(folder: Path) -> None:
    """Design, section 7: progress on stderr and only on a terminal. A run that is watched is the same run."""
    with start(folder, "run", "quick.yaml", "--json") as process:
        unwatched, silent = process.communicate()
    shown, watched = on_terminal(folder, "run", "quick.yaml", "--json", stdout=subprocess.PIPE)
    assert silent == ""
    assert "invocations" in shown
    without_real = [{**json.loads(text), "real": None} for text in (unwatched, watched)]
    assert without_real[0] == without_real[1]


def test_a_terminal_gets_tables_with_every_figure_whole(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tables of a terminal are rich's; a narrow terminal cuts no figure off. NO_COLOR takes the colours away."""
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "xterm")
    shown, _ = on_terminal(folder, "run", "quick.yaml", "--set", "expect=[{lost: 0}]")
    assert "\x1b[32mpass" in shown
    assert "─" in shown
    assert "10.00 ms" in shown
    assert "…" not in shown
    assert " s of real time" in shown
