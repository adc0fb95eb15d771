"""`simbus check` through its door: what is wrong is exit status 2, what AWS would find in a run is a warning."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from simbus.cli import app

SCENARIO = "functions: {f: {handler: app.handler, code: app.py, provisioned_concurrent_executions: 1}}\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory with the scenario shop.yaml."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop.yaml").write_text(SCENARIO)
    return tmp_path


def check(source: str, *arguments: str) -> Result:
    Path("app.py").write_text(source)
    return CliRunner().invoke(app, ["check", "shop.yaml", *arguments])


def test_a_good_scenario_is_ok_and_leaves_no_file(folder: Path) -> None:
    """Design, section 7: `simbus check SCENARIO`."""
    result = check("def handler(event, context):\n    return 1\n")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "shop.yaml: ok\n", "")
    assert sorted(path.name for path in folder.iterdir()) == ["app.py", "shop.yaml"]


def test_no_code_of_a_handler_is_run(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Even with provisioned concurrency, whose init begins when the function is made."""
    result = check("import sys\nsys.__stdout__.write('ran')\nraise SystemExit(5)\ndef handler(e, c): pass\n")
    assert result.exit_code == 0
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    ("source", "warning"),
    [
        ("def handler(:\n", "app.py does not compile (invalid syntax (app.py, line 1)): .*UserCodeSyntaxError"),
        ("def hander(e, c): pass\n", "app.py has no handler: .*HandlerNotFound. Did you mean hander?"),
        ("def work(e, c): pass\n", "app.py has no handler: .*HandlerNotFound. Its functions are work."),
        ("x = 1\n", "app.py has no handler: .*HandlerNotFound. It has no function."),
        ("import not_there_at_all.part\ndef handler(e, c): pass\n", "app.py imports not_there_at_all, .*ImportModule"),
        ("from not_there import x\ndef handler(e, c): pass\n", "app.py imports not_there, .*ImportModuleError"),
        ("async def handler(e, c): pass\n", "handler is async, .*Runtime.MarshalError"),
    ],
)
def test_what_would_be_an_init_error_on_aws_is_a_warning(source: str, warning: str) -> None:
    """ImportError, SyntaxError and a missing handler name are AWS init errors inside the run; check warns.

    Source of the errors' names: awslambdaric, bootstrap.py (_get_handler).
    """
    import re

    result = check(source)
    assert result.exit_code == 0
    first, last = result.stdout.splitlines()
    where = r"shop.yaml:1: \$.functions.f.handler: warning: "
    assert re.match(where + warning.replace("(", r"\(").replace(")", r"\)"), first)
    assert last == "shop.yaml: ok"


@pytest.mark.parametrize(
    "source",
    [
        "import app\ndef handler(e, c): pass\n",
        "import json, os.path\nfrom collections import abc\nhandler = lambda e, c: None\n",
        "try:\n    import not_there\nexcept ImportError:\n    not_there = None\ndef handler(e, c): pass\n",
        "if True:\n    def handler(e, c): pass\n",
        "try:\n    pass\nexcept OSError:\n    pass\nelse:\n    from json import loads as handler\n",
        "for handler in [print]:\n    pass\n",
        "match 1:\n    case 1:\n        def handler(e, c): pass\n",
        "from os.path import *\n",
        "def __getattr__(name): return print\n",
    ],
)
def test_what_works_or_can_not_be_told_without_running_it_is_no_warning(source: str) -> None:
    """A warning is given only for what is certain."""
    assert check(source).stdout == "shop.yaml: ok\n"


@pytest.mark.parametrize(
    ("handler", "warning"),
    [("handler", "Runtime.MalformedHandlerName"), ("time.sleep", "BuiltInModuleConflict")],
)
def test_a_handler_name_that_lambda_can_not_use_is_a_warning(folder: Path, handler: str, warning: str) -> None:
    """Source: awslambdaric, bootstrap.py (_get_handler)."""
    (folder / "time.py").write_text("def sleep(e, c): pass\n")
    result = check("", "--set", f"functions.f.handler={handler}", "--set", "functions.f.code=.")
    assert result.exit_code == 0
    assert warning in result.stdout


def test_an_awaited_async_handler_is_no_warning() -> None:
    """Design, section 3: `simulate: {await_handler: true}` awaits an async def handler."""
    result = check("async def handler(e, c): pass\n", "--set", "functions.f.simulate.await_handler=true")
    assert result.stdout == "shop.yaml: ok\n"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("functions.f.timeout=0", "Lambda allows 1 to 900 seconds"),
        ("functions.f.code=nowhere/", "nowhere"),
        ("functions.f.handler=other.handler", "has no module other"),
        ("functions.f.reserved_concurrent_executions=950", "below its minimum value of [100]"),
    ],
)
def test_a_wrong_scenario_is_exit_status_2(override: str, message: str) -> None:
    """Design, section 7: exit 2 where the scenario itself is wrong, also where AWS would refuse the resource."""
    result = check("def handler(e, c): pass\n", "--set", override)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert message in result.stderr


def test_boto3_that_is_not_installed_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is in Lambda's own Python, and therefore in no requirements.txt; here it comes with an extra."""
    monkeypatch.setattr("simbus.cli.handlers._installed", lambda name: name != "boto3")
    result = check("import boto3\ndef handler(e, c): pass\n")
    assert result.exit_code == 0
    assert "app.py imports boto3, which AWS's runtime has and this Python has not" in result.output
    assert "pip install 'simbus[boto3]'" in result.output


def test_an_expectation_between_what_is_not_connected(folder: Path) -> None:
    """Nothing can go wrong there, so it would hold whatever happens: exit status 2, with what is connected."""
    scenario = """\
functions: {a: {}}
queues: {q: {}, other: {}}
event_source_mappings: [{event_source: "sqs:other", function: a}]
expect:
  - {queue: other, function: a, lost: 0}
  - {queue: q, function: a, lost: 0}
"""
    (folder / "shop.yaml").write_text(scenario)
    for command in ("check", "run"):
        result = CliRunner().invoke(app, [command, "shop.yaml"])
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr == (
            "Error: shop.yaml:6: $.expect[1] is about sqs:q and function a, which are not connected; a gets events of "
            "sqs:other, and sqs:q leads to no function. Name a connected pair, or one of the two.\n"
        )
    assert not (folder / "shop.db").exists()
