"""`simbus logs` through its door."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from simbus.cli import app
from simbus.logs.reader import open_run

SCENARIO = """
functions:
  a: {handler: app.handler, code: app.py, simulate: {init_duration: 200ms, duration: 10ms}}
  b: {simulate: {init_duration: 200ms}}
  never: {}
workload:
  - {invoke: {function: a, payload: {}}, at: 1s}
  - {invoke: {function: b, payload: {}}, at: 2s}
"""
HANDLER = "def handler(event, context):\n    print('ERROR first line\\nsecond line')\n"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run file of a short run."""
    folder = tmp_path_factory.mktemp("logs")
    (folder / "shop.yaml").write_text(SCENARIO)
    (folder / "app.py").write_text(HANDLER)
    result = CliRunner().invoke(app, ["run", str(folder / "shop.yaml"), "--db", str(folder / "shop.db")])
    assert result.exit_code == 0
    return folder / "shop.db"


def logs(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["logs", *(str(argument) for argument in arguments)])


def test_a_line_is_virtual_time_function_and_message(file: Path) -> None:
    """As `aws logs tail --format short`, with milliseconds and the function; a message keeps its lines."""
    lines = logs(file).stdout.splitlines()
    assert lines[0].startswith("2026-01-01T00:00:01.000Z [a] INIT_START Runtime Version: python")
    assert lines[1].startswith("2026-01-01T00:00:01.200Z [a] START RequestId: ")
    assert "2026-01-01T00:00:01.200Z [a] ERROR first line" in lines
    assert lines[lines.index("2026-01-01T00:00:01.200Z [a] ERROR first line") + 1].endswith("second line")
    assert lines[-1].startswith("2026-01-01T00:00:02.201Z [b] REPORT RequestId: ")


def test_function_filter_and_request_id_choose_events(file: Path) -> None:
    """--filter is a filter pattern of CloudWatch Logs, with all its forms."""
    assert all("[b]" in line for line in logs(file, "--function", "b").stdout.splitlines())
    assert logs(file, "--filter", "ERROR -Retry").stdout.startswith("2026-01-01T00:00:01.200Z [a] ERROR first line")
    assert len(logs(file, "--filter", "%REPORT|^END%").stdout.splitlines()) == 4
    with open_run(file) as run:
        [invocation] = run.invocations("b")
    chosen = logs(file, "--request-id", invocation.request_id).stdout.splitlines()
    assert [line.split()[2] for line in chosen] == ["START", "END", "REPORT"]


def test_following_a_run_that_has_ended_prints_all_of_it_and_ends(file: Path) -> None:
    """--follow waits for more until the run has ended."""
    assert logs(file, "--follow").stdout == logs(file).stdout


def test_a_function_that_never_ran_has_no_events_and_one_that_is_not_there_is_an_error(file: Path) -> None:
    """A slip of the pen is not an empty log."""
    assert (logs(file, "--function", "never").exit_code, logs(file, "--function", "never").stdout) == (0, "")
    result = logs(file, "--function", "nevr")
    assert result.exit_code == 2
    assert result.stderr == (
        f"Error: {file}: has no function nevr; --function names one of the run. Did you mean never?\n"
    )


def test_a_request_that_is_not_there_is_an_error(file: Path) -> None:
    """Neither is the beginning of an id, nor with --follow what a run that has ended does not have."""
    result = logs(file, "--request-id", "r9")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"Error: {file}: has no request r9; --request-id names one as a whole.")
    assert logs(file, "--follow", "--function", "nevr").exit_code == 2


def test_wrong_input_is_exit_status_2(file: Path, tmp_path: Path) -> None:
    """Design, section 7; a bad filter pattern is refused in CloudWatch's words."""
    other = tmp_path / "notes.txt"
    other.write_text("no database")
    assert "no such file" in logs(tmp_path / "none.db").stderr
    assert "is not a run file of simbus" in logs(other).stderr
    result = logs(file, "--filter", "{ $.x = ")
    assert result.exit_code == 2
    assert result.stderr.startswith(
        "Error: --filter { $.x = : If a filter pattern starts with '{' it must end with '}'"
    )
