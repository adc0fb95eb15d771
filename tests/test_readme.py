"""What the README shows is real: the output of its command, its Python example, its table of scenarios."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from shutil import copytree

import pytest
from typer.testing import CliRunner

from simbus.cli import app
from simbus.logs.reader import open_run
from simbus.recording.formats import FORMATS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
SCENARIOS = sorted((ROOT / "scenarios").glob("*.yaml"))


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_first_command_prints_what_is_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The tour's summary, to the byte: its digest is the same on every machine and Python."""
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["run", "scenarios/tour.yaml"])
    assert result.exit_code == 0, result.output
    shown = [line.rstrip() for line in blocks("text")[0].rstrip().splitlines()]
    assert [line.rstrip() for line in result.stdout.rstrip().splitlines()] == shown


def test_the_story_of_the_broken_picture_is_what_is_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`simbus explain` of the tour's dead letter, to the byte."""
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    monkeypatch.chdir(tmp_path)
    CliRunner().invoke(app, ["run", "scenarios/tour.yaml"])
    result = CliRunner().invoke(app, ["explain", "tour.db", "img/broken.jpg"])
    assert result.stdout == blocks("text")[1]


def test_what_lint_finds_is_what_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the figures of its proof."""
    monkeypatch.chdir(ROOT)
    result = CliRunner().invoke(app, ["lint", "scenarios/stale_deploy.yaml", "--prove"])
    assert result.stdout == blocks("text")[2]


def test_the_highest_rate_is_what_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """`simbus load`, its options and its table, to the byte."""
    monkeypatch.chdir(ROOT)
    [command] = [block for block in blocks("sh") if block.startswith("simbus load")]
    result = CliRunner().invoke(app, shlex.split(command.replace("\\\n", ""))[1:])
    [shown] = [block for block in blocks("text") if "Highest rate" in block]
    assert (result.exit_code, result.stdout) == (0, shown)


PLAIN = [example for example in blocks("python") if "import pytest" not in example]
IN_PYTEST = [example for example in blocks("python") if "import pytest" in example]


@pytest.mark.parametrize("example", PLAIN, ids=lambda example: re.findall(r"def test_(\w+)", example)[0])
def test_a_python_example_passes(example: str) -> None:
    """It is a test, and here it is run."""
    names: dict[str, object] = {}
    exec(compile(example, "README.md", "exec"), names)
    [test] = [value for name, value in names.items() if name.startswith("test_")]
    assert callable(test)
    test()


@pytest.mark.parametrize("example", IN_PYTEST)
def test_a_pytest_example_passes_and_fails_as_it_says(example: str, pytester: pytest.Pytester) -> None:
    """It is a test file, and here pytest runs it; with a list in place of the set the first seed fails."""
    plugin = ("-p", "simbus.testing", "-p", "no:cacheprovider")
    pytester.makepyfile(example)
    pytester.runpytest_inprocess(*plugin).assert_outcomes(passed=1)
    pytester.makepyfile(example.replace("set()", "[]").replace("charged.add", "charged.append"))
    result = pytester.runpytest_inprocess(*plugin)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["Reproduce with: pytest *::test_an_order_that_comes_twice_is_charged_once*=0"])


def test_the_scenario_meets_its_expectations(tmp_path: Path) -> None:
    """As it stands there, its modelled function in place of code."""
    [scenario] = blocks("yaml")
    (tmp_path / "jobs.yaml").write_text(scenario)
    result = CliRunner().invoke(app, ["run", str(tmp_path / "jobs.yaml"), "--db", str(tmp_path / "run.db")])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_scenario_of_the_gallery_runs(path: Path, tmp_path: Path) -> None:
    """It is in the README, says in its head how it is run, and meets its own expectations."""
    assert f"(scenarios/{path.name})" in README
    assert f"simbus run scenarios/{path.name}" in path.read_text()
    result = CliRunner().invoke(app, ["run", str(path), "--db", str(tmp_path / "run.db")])
    assert result.exit_code == 0, result.output


def test_the_sql_answers(tmp_path: Path) -> None:
    """It asks a run of the gallery's `throttled`, minute by minute."""
    path = tmp_path / "run.db"
    CliRunner().invoke(app, ["run", str(ROOT / "scenarios/throttled.yaml"), "--db", str(path)])
    [sql] = blocks("sql")
    with open_run(path) as run:
        minutes = [row["minute"] for row in run.query(sql)]
    assert minutes[0] == "2026-01-01 00:00:00"
    assert len(minutes) >= 3


def test_every_dependency_earns_its_place_in_the_readme() -> None:
    """One line says what each is for."""
    dependencies = (ROOT / "pyproject.toml").read_text().partition("dependencies = [")[2].partition("]")[0]
    names = re.findall(r'"([\w-]+)>=', dependencies)
    assert len(names) >= 9
    for name in names:
        assert name.lower() in README.lower()


def test_a_recording_of_the_tour_is_compared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its commands, the fix that is shown, and to the byte what then comes out differently."""
    copytree(ROOT / "scenarios", tmp_path / "scenarios")
    monkeypatch.chdir(tmp_path)
    commands = [line for line in README.splitlines() if line.startswith("simbus ") and "tour.jsonl" in line]
    record, replay = (command.split()[1:] for command in commands)
    assert CliRunner().invoke(app, record).exit_code == 0
    [diff] = blocks("diff")
    old, new = ("".join(f"{line[1:]}\n" for line in diff.splitlines() if line[0] in f" {sign}") for sign in "-+")
    handler = tmp_path / "scenarios/tour/thumbs.py"
    text = handler.read_text()
    assert text.count(old) == 1
    handler.write_text(text.replace(old, new))
    result = CliRunner().invoke(app, replay)
    assert result.exit_code == 1  # the tour expects its dead letter
    [shown] = [block for block in blocks("text") if block.startswith("compared with")]
    assert result.stdout.endswith(f"\n{shown}")


def test_every_format_of_a_replay_is_in_the_readme() -> None:
    """A row each, in the order of the table."""
    rows = re.findall(r"^\| `([\w-]+)` \|", README.partition("| format |")[2], re.MULTILINE)
    assert rows == [name for name in FORMATS if name != "simbus"]
