"""`simbus report`, and the forms for machines: JSON, JUnit XML, annotations of GitHub Actions."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
from typer.testing import CliRunner, Result

from simbus.cli import app
from simbus.logs.writer import RunWriter

SCENARIO = """\
functions:
  work: {simulate: {duration: 2s, error_rate: 1.0}, event_invoke_config: {maximum_retry_attempts: 0}}
workload:
  - {invoke: {function: work, invocation_type: Event}, at: 1s, count: 3}
expect:
  - {lost: 0}
  - function: work
    invocations: 3
    max_duration: "< 1s"
"""
REPRODUCE = "Reproduce with: simbus run shop.yaml --seed 0"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A scenario of which two expectations fail, in an empty working directory, outside of any CI service."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    (tmp_path / "shop.yaml").write_text(SCENARIO)
    return tmp_path


def simbus(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_report_is_what_the_run_printed(folder: Path) -> None:
    """Design, section 7: the same text, the same JSON (real time included) and the same exit status, from rows."""
    run = simbus("run", "shop.yaml")
    report = simbus("report", "shop.db")
    assert report.exit_code == run.exit_code == 1
    assert report.stdout == run.stdout
    assert report.stdout.splitlines()[-1] == f"2 expectations failed. {REPRODUCE}"
    document = json.loads(simbus("run", "shop.yaml", "--json").stdout)
    assert json.loads(simbus("report", "shop.db", "--json").stdout) == document
    assert document["real"]["seconds"] > 0
    assert [(each["what"], each["found"], each["unit"], each["line"]) for each in document["expectations"]] == [
        ("lost", 3, "count", 6),
        ("lambda:work invocations", 3, "count", 8),
        ("lambda:work max_duration", 2000.0, "duration", 9),
    ]


def test_a_report_of_a_run_that_did_not_finish_is_exit_status_3(folder: Path) -> None:
    """What was written until then is shown, and said to be no whole run."""
    with RunWriter(folder / "cut.db") as rows:
        for key, value in {"seed": "1", "version": "0", "start": "2026-01-01T00:00:00.000Z"}.items():
            rows.set(key, value)
        rows.close(complete=False)
    report = simbus("report", "cut.db")
    assert report.exit_code == 3
    assert "did not finish" in report.stderr
    assert report.stdout == "seed 1, unfinished run\nrun file cut.db\n"


@pytest.mark.parametrize("file", ["none.db", "shop.yaml"])
def test_what_is_no_run_file_is_refused(folder: Path, file: str) -> None:
    """Exit status 2."""
    result = simbus("report", file)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"Error: {file}: ")


def test_junit_has_a_test_case_for_each_expectation(folder: Path) -> None:
    """The form that CI services read: testsuites, testsuite, testcase, failure; run and report write the same."""
    simbus("run", "shop.yaml", "--junit", "run.xml")
    simbus("report", "shop.db", "--junit", "report.xml")
    text = (folder / "run.xml").read_text()
    assert text == (folder / "report.xml").read_text()
    [suite] = Xml.fromstring(text)
    assert {key: suite.get(key) for key in ("name", "tests", "failures", "errors")} == {
        "name": "shop", "tests": "3", "failures": "2", "errors": "0"
    }  # fmt: skip
    lost, invocations, duration = suite.findall("testcase")
    assert (lost.get("classname"), lost.get("name"), lost.get("line")) == ("shop", "lost 0", "6")
    assert len(invocations) == 0
    [failure] = duration
    assert failure.get("message") == "expected < 1s, found 2 s"
    assert failure.text == f"lambda:work max_duration: expected < 1s, found 2 s\n{REPRODUCE}"


def test_a_run_that_can_not_finish_is_an_error_in_the_xml(folder: Path) -> None:
    """A CI service that reads an older file would take it for the result."""
    (folder / "spin.py").write_text("def handler(event, context):\n    while True:\n        pass\n")
    (folder / "shop.yaml").write_text(
        "functions: {f: {handler: spin.handler, code: spin.py}}\nworkload: [{invoke: {function: f}, at: 1s}]\n"
    )
    assert simbus("run", "shop.yaml", "--junit", "run.xml", "--handler-guard", "0.2").exit_code == 3
    [suite] = Xml.parse(folder / "run.xml").getroot()
    assert (suite.get("tests"), suite.get("errors")) == ("1", "1")
    [error] = suite.findall("testcase/error")
    assert "function f" in str(error.get("message"))
    assert "Reproduce with: simbus run shop.yaml --seed 0 --handler-guard 0.2" in str(error.text)


@pytest.mark.parametrize("path", ["nowhere/run.xml", "."])
def test_a_place_where_no_xml_can_be_written_is_refused_before_the_run(folder: Path, path: str) -> None:
    """Exit status 2, and no run file."""
    result = simbus("run", "shop.yaml", "--junit", path)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: --junit {path}: ")
    assert not (folder / "shop.db").exists()


def test_only_an_older_xml_of_test_results_is_replaced(folder: Path) -> None:
    """A slip of the pen (`--junit shop.yaml`) must not cost a file: refused before anything is played."""
    (folder / "notes.xml").write_text("<notes/>")
    simbus("run", "shop.yaml", "--db", "run.db", "--junit", "run.xml")
    for path in ("shop.yaml", "run.db", "notes.xml"):
        for command in (("run", "shop.yaml"), ("report", "run.db")):
            before = (folder / path).read_bytes()
            result = simbus(*command, "--junit", path)
            assert (result.exit_code, result.stdout) == (2, "")
            assert result.stderr.startswith(f"Error: --junit {path}: exists and is no JUnit XML file; ")
            assert (folder / path).read_bytes() == before
    assert not (folder / "shop.db").exists()
    assert simbus("report", "run.db", "--junit", "run.xml").exit_code == 1
    assert simbus("report", "run.db", "--junit", "/dev/null").exit_code == 1
    assert sorted(path.name for path in folder.iterdir()) == ["notes.xml", "run.db", "run.xml", "shop.yaml"]


@pytest.mark.parametrize("options", [("--db", "--record"), ("--db", "--junit"), ("--record", "--junit")])
def test_one_file_is_not_for_two_things(folder: Path, options: tuple[str, str]) -> None:
    """What is written second would be in the place of the first."""
    first, second = options
    result = simbus("run", "shop.yaml", first, "out", second, "./out")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: {second} out: is the file of {first} too; ")
    assert [path.name for path in folder.iterdir()] == ["shop.yaml"]


FIRST = f"::error file=shop.yaml,line=6,title=Expectation failed::lost: expected 0, found 3%0A{REPRODUCE}"


def test_annotations_say_what_failed_at_its_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """GitHub Docs, "Workflow commands": ::error file=,line=,title=::message, newlines as %0A; stdout stays JSON."""
    asked = simbus("run", "shop.yaml", "--github", "--json")
    assert asked.stderr.splitlines()[0] == FIRST
    assert len(asked.stderr.splitlines()) == 2
    assert json.loads(asked.stdout)["passed"] is False
    assert simbus("report", "shop.db").stderr == ""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert simbus("report", "shop.db").stderr.splitlines()[0] == FIRST
    assert simbus("report", "shop.db", "--no-github").stderr == ""
