"""The table of services: one line makes a source, and each line has what a user expects to find."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest
from typer.testing import CliRunner

from simbus import Simulation, UsageError
from simbus.bus import Bus
from simbus.cli import app
from simbus.logs.reader import open_run
from simbus.scenario.schema import scenario_file
from simbus.scenario.source import Source
from simbus.services import SERVICES, Service
from simbus.sources.base import operation
from simbus.sources.delivery import Subscribable, Subscriber
from simbus.world import World

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
LINES = list(SERVICES.values())
IDS = [service.name for service in LINES]


# --- each line of the table -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", LINES, ids=IDS)
def test_the_class_is_there(service: Service) -> None:
    """It says itself which service it is, and `sim.WORD` makes it."""
    assert service.load().service == service.name
    with Simulation() as sim:
        assert callable(getattr(sim, service.word))


@pytest.mark.parametrize("service", LINES, ids=IDS)
def test_it_has_a_section(service: Service) -> None:
    """Written by hand, or made from the class."""
    assert service.section in scenario_file().model_fields


@pytest.mark.parametrize("service", LINES, ids=IDS)
def test_it_has_tests(service: Service) -> None:
    """`tests/sources/test_FOLDER*.py` or `test_WORD*.py`; functions have a folder of their own."""
    folder = service.path.split(":")[0].split(".")[2]
    named = [*ROOT.glob(f"tests/sources/test_{folder}*.py"), *ROOT.glob(f"tests/sources/test_{service.word}*.py")]
    assert named or (service.name == "lambda" and list(ROOT.glob("tests/functions/test_*.py")))


@pytest.mark.parametrize("service", LINES, ids=IDS)
def test_the_gallery_uses_it(service: Service) -> None:
    """A scenario that runs is how users learn of it."""
    gallery = [Source.read(path).data for path in ROOT.glob("scenarios/*.yaml")]
    assert any(scenario.get(service.section) for scenario in gallery)


@pytest.mark.parametrize("service", LINES, ids=IDS)
def test_the_readme_has_a_row(service: Service) -> None:
    """`| Amazon SQS | sim.queue | queues | ...`."""
    row = re.search(rf"^\| [^|]+ \| `sim\.{service.word}` \| `{service.section}` \| (.+) \|$", README, re.MULTILINE)
    assert row is not None
    missing = [verb for verb in getattr(service.load(), "verbs", ()) if f"`{verb}`" not in row[1]]
    assert not missing


def test_reading_the_table_imports_no_source() -> None:
    """It holds texts: whoever needs a name does not pay for the services."""
    code = "import sys, simbus.services, simbus.arn; print([m for m in sys.modules if m.startswith('simbus.sources')])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- a new line -----------------------------------------------------------------------------------------------------


class Melody(msgspec.Struct):
    """What it plays."""

    notes: list[str]
    loud: bool = False


class Bell(Subscribable):
    """A bell.

    Not one of AWS's.
    """

    service = "bell"
    verbs = ("ring",)

    def __init__(
        self,
        world: World,
        bus: Bus,
        name: str,
        *,
        tone: Literal["ding", "dong"] = "ding",
        volume: int = 5,
        melody: Melody | None = None,
        subscriptions: Sequence[Subscriber] = (),
    ) -> None:
        super().__init__(world, bus, name, subscriptions=subscriptions)
        self.tone = tone
        self.volume = volume
        self.melody = melody

    @operation
    def ring(self, by: str, times: int = 1, floors: list[int] | None = None) -> None:
        """Ring it."""
        data = {"tone": self.tone, "volume": self.volume, "by": by, "times": times, "floors": floors}
        self._emit("Rung", by, json.dumps(data))


@pytest.fixture(autouse=True)
def bell(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one line."""
    if "service" not in request.fixturenames:
        line = Service("bell", "bell", "bells", "bell/{}", f"{__name__}:Bell")
        monkeypatch.setitem(SERVICES, "bell", line)


SCENARIO = """
functions: {open: {}, later: {}}
queues: {rings: {}}
topics: {news: {subscriptions: [{endpoint: "sqs:rings"}]}}
bells:
  door: {tone: dong, subscriptions: ["lambda:open", "sqs:rings", "sns:news"]}
  spare: {}
workload:
  - {ring: {bell: door, by: "guest {n}", times: "{n + 1}", floors: [1, "{n}"]}, count: 2, over: 1m, arrivals: constant}
  - {ring: {bell: "bell:spare", by: "{n}"}, at: 5s}
expect: [{lost: 0}, {function: open, invocations: 2}, {queue: rings, messages: 4}]
"""


def run(folder: Path, text: str, command: str = "run") -> Any:
    path = folder / "bells.yaml"
    path.write_text(text)
    options = ["--db", str(folder / "run.db")] if command == "run" else []
    return CliRunner().invoke(app, [command, str(path), *options])


def test_a_scenario_uses_it(tmp_path: Path) -> None:
    """Section, verb, templates of every type, subscriptions of all three services; a row of each step."""
    result = run(tmp_path, SCENARIO)
    assert result.exit_code == 0, result.output
    with open_run(tmp_path / "run.db") as rows:
        events = [tuple(row) for row in rows.query("SELECT type, subject, data FROM events WHERE source = 'bell:door'")]
        payloads = [row["payload"] for row in rows.query("SELECT payload FROM invocations ORDER BY started_at")]
        outcomes = rows.query("SELECT subscription, outcome, count(*) FROM deliveries GROUP BY 1, 2 ORDER BY 1")
        assert [tuple(row) for row in outcomes] == [
            ("lambda:open", "ok", 2),
            ("sns:news", "ok", 2),
            ("sqs:rings", "ok", 4),
        ]
        digest = rows.run["digest"]
    rung = {"tone": "dong", "volume": 5, "by": "guest 1", "times": 2, "floors": [1, 1]}
    assert [json.loads(data) for *_, data in events][1] == rung
    assert [data for *_, data in events] == payloads, "what it was, is what the function gets"
    assert run(tmp_path, SCENARIO).exit_code == 0
    with open_run(tmp_path / "run.db") as rows:
        assert rows.run["digest"] == digest


MISTAKES = [
    ("tone: dong", "tune: dong", "bells.yaml:6: $.bells.door.tune is no key of a scenario here; did you mean tone?"),
    ("tone: dong", "tone: bing", "bells.yaml:6: $.bells.door.tone is 'bing'; 'ding' or 'dong' is expected."),
    ("tone: dong", "volume: loud", "bells.yaml:6: $.bells.door.volume is 'loud'; a whole number is expected."),
    ("tone: dong", "melody: {notes: [c], lout: true}", "bells.yaml:6: $.bells.door.melody.lout is no key of a"),
    ("tone: dong", "melody: {loud: true}", "bells.yaml:6: $.bells.door.melody.notes is missing; melody needs it."),
    ("lambda:open", "lambda:opne", "bells.yaml:6: $.bells.door.subscriptions[0] is 'lambda:opne'; there is no opne in"),
    ("lambda:open", "s3:box", "bells.yaml:6: $.bells.door.subscriptions[0] is 's3:box'; only lambda:name or sqs:name"),
    ("bells:", "bels:", "bells.yaml:5: $.bels is no key of a scenario here; did you mean bells?"),
    ("bell: door", "bell: dor", "bells.yaml:9: $.workload[0].ring.bell is 'bell:dor'; there is no dor in bells. Did"),
    ("bell: door", "bell: 'sqs:rings'", "is 'sqs:rings'; a bell is named by its name, bell:name or its ARN."),
    ("ring: {bell: door", "rign: {bell: door", "bells.yaml:9: $.workload[0].rign is no key of a scenario here; did"),
    ("by: \"guest {n}\", ", "", "bells.yaml:9: $.workload[0].ring.by is missing; ring needs it."),
    ("times: \"{n + 1}\"", "times: twice", "bells.yaml:9: $.workload[0].ring.times is 'twice'; a whole number is"),
    ("times: \"{n + 1}\"", "times: \"{m}\"", "bells.yaml:9: $.workload[0].ring.times has {m}; an expression has"),
    ("times: \"{n + 1}\"", "tims: 2", "bells.yaml:9: $.workload[0].ring.tims is no key of a scenario here; did you"),
]  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "message"), MISTAKES, ids=[wrong or right for right, wrong, _ in MISTAKES])
def test_check_finds_the_mistake(tmp_path: Path, right: str, wrong: str, message: str) -> None:
    """As in every other section: file, line, path, finding, rule, remedy."""
    assert right in SCENARIO
    result = run(tmp_path, SCENARIO.replace(right, wrong, 1), "check")
    assert (result.exit_code, message in result.output) == (2, True), result.output


def test_a_template_makes_the_type_that_is_expected(tmp_path: Path) -> None:
    """Otherwise the run ends where the file is wrong."""
    result = run(tmp_path, SCENARIO.replace('times: "{n + 1}"', 'times: "{uuid}"'))
    assert result.exit_code == 2
    assert "bells.yaml:9: $.workload[0].ring makes times '" in result.output


def test_the_schema_describes_it() -> None:
    """`simbus schema`: types, defaults, the docstring's first paragraph."""
    result = CliRunner().invoke(app, ["schema"])
    schema = json.loads(result.output)
    section = schema["$defs"]["Bell"]
    assert schema["properties"]["bells"]["additionalProperties"] == {"$ref": "#/$defs/Bell"}
    assert section["description"] == "A bell."
    assert section["properties"]["tone"]["enum"] == ["ding", "dong"]
    assert section["properties"]["volume"]["default"] == 5
    assert section["properties"]["subscriptions"]["items"]["examples"] == ["lambda:name", "sqs:name", "sns:name"]
    ring = schema["$defs"]["Ring"]
    assert ring["required"] == ["by", "bell"] or ring["required"] == ["bell", "by"]
    assert ring["properties"]["times"]["anyOf"][0] == {"type": "integer"}
    assert "ring" in schema["$defs"]["Item"]["properties"]


def test_python_uses_it() -> None:
    """`sim.WORD(name, **settings)`; resources, names and ARNs are subscribers; `subscribe` later on."""
    with Simulation() as sim:
        seen: list[Any] = []
        f = sim.function("f", handler=lambda event, context: seen.append(event["by"]))
        bell = sim.bell("door", volume=7, subscriptions=[f])
        assert bell.arn == "arn:aws:bell:us-east-1:000000000000:bell/door"
        assert sim["bell:door"] is bell
        assert sim.resources("bell") == [bell]
        queue = sim.queue("rings")
        subscription = bell.subscribe(queue.arn)
        bell.ring("ann")
        sim.run()
        bell.unsubscribe(subscription)
        bell.ring("bob")
        sim.run()
        assert seen == ["ann", "bob"]
        assert [json.loads(message.body)["by"] for message in queue.messages] == ["ann"]
        with pytest.raises(UsageError, match="bell:door exists already"):
            sim.bell("door")
        with pytest.raises(UsageError, match="there is no sqs:gone"):
            bell.subscribe("sqs:gone")
        with pytest.raises(UsageError, match="can't send its events to bell:door"):
            bell.subscribe(bell)
        with pytest.raises(TypeError, match="volum"):
            sim.bell("other", volum=1)
        with pytest.raises(AttributeError, match="'Simulation' object has no attribute 'gong'"):
            _ = sim.gong


def test_what_waits_for_a_retry_is_held_at_the_end() -> None:
    """A subscriber out of service: nothing is lost, and `lost` counts none."""
    with Simulation() as sim:
        queue = sim.queue("rings")
        bell = sim.bell("door", subscriptions=["sqs:rings"])
        queue.outage(10**15)
        bell.ring("ann")
        sim.run("1h")
        sim.finish()
        with sim.reader() as rows:
            assert [row["outcome"] for row in rows.query("SELECT outcome FROM deliveries")] == ["held"]


def test_a_verb_that_is_taken_is_a_mistake_in_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """A verb names one operation."""
    monkeypatch.setattr(Bell, "verbs", ("publish",))
    monkeypatch.setattr(Bell, "publish", Bell.ring, raising=False)
    line = Service("bell", "bell", "bells", "bell/{}", f"{__name__}:Bell", regional=False)  # another line: not cached
    monkeypatch.setitem(SERVICES, "bell", line)
    with pytest.raises(TypeError, match="the verb publish of bell is taken"):
        scenario_file()
