"""The pytest plugin: a fresh simulation for each test, many seeds of one test, and the seed of a test that failed.

It is found by pytest as soon as simbus is installed, and imports nothing of simbus before a test asks for it.

    def test_poison(simulation):                        # a fresh Simulation, closed at the end
        ...

    @pytest.mark.simbus(seed=7, start="2026-03-01T00:00:00Z")   # any keyword of Simulation
    @pytest.mark.simbus(seeds=100)                      # seeds 0 to 99 one after the other, with another order of
                                                        # simultaneous events each; the first that fails is shown

A test that fails prints its seed and the command that repeats it: `pytest tests/test_x.py::test_y --simbus-seed=17`.
`--simbus-seeds=1000` runs that many seeds of each test that is marked with `seeds`.
"""

from __future__ import annotations

import shlex
from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from _pytest.runner import call_and_report

if TYPE_CHECKING:
    from simbus import Simulation

MARKER = "simbus(seed=0, seeds=None, **settings): of the fixture `simulation`: its seed, or how many (or which) seeds"


class Plan(NamedTuple):
    """The seeds that one test is run with. `ordered`: with an order of simultaneous events for each."""

    seeds: Sequence[int | str]
    ordered: bool


_plan = pytest.StashKey[Plan]()
_seed = pytest.StashKey["int | str"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("simbus", "simulations of AWS Lambda applications")
    group.addoption("--simbus-seed", metavar="N", help="the seed of every simulation, in place of those of its marker")
    group.addoption(
        "--simbus-seeds", metavar="N", type=int, help="how many seeds a test is run with that is marked with `seeds`"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER)
    seeds = config.getoption("--simbus-seeds")
    if seeds is not None and seeds < 1:
        raise pytest.UsageError(f"--simbus-seeds={seeds}: is a number of seeds, from 1 on. Choose such a number.")
    if seeds is not None and config.getoption("--simbus-seed") is not None:
        raise pytest.UsageError("--simbus-seed is one seed, and --simbus-seeds are many. Keep one of them.")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Wrong markers are told before anything runs."""
    for item in items:
        if item.get_closest_marker("simbus") is not None:
            _check_marker(item)
            plan_of(item)


def _check_marker(item: pytest.Item) -> None:
    """Refuse a keyword that there is not, and many seeds of a test without a simulation. Raises pytest.UsageError."""
    from difflib import get_close_matches
    from inspect import signature

    from simbus import Simulation

    known = ["seed", "seeds", *(name for name in signature(Simulation).parameters if name != "seed")]
    for name in _marked(item):
        if name not in known:
            close = get_close_matches(name, known, 1)
            remedy = f"Did you mean {close[0]}?" if close else "Remove it."
            raise pytest.UsageError(
                f"{item.nodeid}: its marker simbus has {name}; it takes {', '.join(known)}. {remedy}"
            )
    own = [marker for marker in item.own_markers if marker.name == "simbus"]  # that of a class is for several tests
    if any("seeds" in marker.kwargs for marker in own) and not _has_simulation(item):
        raise pytest.UsageError(
            f"{item.nodeid}: its marker simbus has seeds, and the test does not use the fixture simulation, whose "
            "seeds they are. Add the argument simulation, or remove the marker."
        )


@pytest.fixture
def simulation(request: pytest.FixtureRequest) -> Iterator[Simulation]:
    """A fresh `simbus.Simulation`, closed after the test. Its settings are those of the marker `simbus`."""
    from simbus import Simulation, UsageError

    plan = plan_of(request.node)
    seed = request.node.stash.get(_seed, plan.seeds[0])
    request.node.stash[_seed] = seed
    try:
        made = Simulation(seed=seed, **_settings(request.node, seed if plan.ordered else None))
    except UsageError as error:
        pytest.fail(f"{request.node.nodeid}: its marker simbus: {error}", pytrace=False)
    try:
        yield made
    finally:
        made.close(complete=False)  # what a test wants to know, it has asked for


def plan_of(item: pytest.Item) -> Plan:
    """The seeds of a test, from its marker and the command line."""
    plan = item.stash.get(_plan, None)
    if plan is None:
        plan = item.stash[_plan] = _planned(item)
    return plan


def _planned(item: pytest.Item) -> Plan:
    given = _marked(item)
    seeds, seed = given.get("seeds"), given.get("seed", 0)
    if seeds is not None and "seed" in given:
        raise pytest.UsageError(f"{item.nodeid}: its marker simbus has seed and seeds. Keep one of them.")
    chosen = item.config.getoption("--simbus-seed")
    if chosen is not None:
        return Plan([int(chosen) if chosen.isdecimal() else chosen], seeds is not None)
    if seeds is None:
        return Plan([seed], False)
    many = item.config.getoption("--simbus-seeds")
    if many is not None:
        seeds = many
    found = list(range(seeds) if isinstance(seeds, int) else seeds)
    if not found or not all(isinstance(each, int) and each >= 0 for each in found):
        raise pytest.UsageError(
            f"{item.nodeid}: its marker simbus has seeds={seeds!r}; that is how many there are, or a list of numbers "
            "from 0 on. Write for example seeds=100."
        )
    return Plan(found, True)


def _marked(item: pytest.Item) -> dict[str, Any]:
    """The settings of all markers `simbus` of a test: the closest one wins."""
    given: dict[str, Any] = {}
    for marker in item.iter_markers("simbus"):
        if marker.args:
            raise pytest.UsageError(f"{item.nodeid}: its marker simbus takes keywords only: {MARKER}.")
        given = {**marker.kwargs, **given}
    return given


def _settings(item: pytest.Item, ties: int | str | None) -> dict[str, Any]:
    """The keywords of Simulation that the marker has; `ties` is the order of simultaneous events of this seed."""
    settings = {name: value for name, value in _marked(item).items() if name not in ("seed", "seeds")}
    if isinstance(ties, int):
        settings.setdefault("ties", ties)
    return settings


# --- many seeds ------------------------------------------------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Run a test that is marked with `seeds` once for each, fixtures included; only the last run is reported."""
    if item.get_closest_marker("simbus") is None or not _has_simulation(item) or not isinstance(item, pytest.Function):
        return None
    seeds = plan_of(item).seeds
    if len(seeds) == 1:
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports: list[pytest.TestReport] = []
    seconds = 0.0
    for place, seed in enumerate(seeds):
        item.stash[_seed] = seed
        reports = _run_once(item, nextitem, is_last=place == len(seeds) - 1)
        seconds += sum(report.duration for report in reports if report.when == "call")
        if not all(report.passed for report in reports):
            break
    for report in reports:
        if report.when == "call":
            report.duration = seconds
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def _run_once(item: pytest.Function, nextitem: pytest.Item | None, *, is_last: bool) -> list[pytest.TestReport]:
    """Set up, call, tear down. Fixtures of the module and above are kept for the next seed, if there is to be one."""
    item._initrequest()
    reports = [call_and_report(item, "setup", log=False)]
    if reports[0].passed:
        reports.append(call_and_report(item, "call", log=False))
    over = is_last or not reports[-1].passed
    kept: Any = nextitem if over else item.parent  # what of the fixtures the next run needs
    reports.append(call_and_report(item, "teardown", log=False, nextitem=kept))
    item._request = False  # type: ignore[assignment]
    item.funcargs = None  # type: ignore[assignment]
    return reports


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say which seed a failed test had, and how it is repeated."""
    report = yield
    seed = item.stash.get(_seed, None)
    if report.failed and seed is not None and _has_simulation(item):
        report.sections.append(("simbus", _how_to_repeat(item, seed)))
    return report


def _has_simulation(item: pytest.Item) -> bool:
    return "simulation" in getattr(item, "fixturenames", ())


def _how_to_repeat(item: pytest.Item, seed: int | str) -> str:
    plan = plan_of(item)
    which = f"seed {seed}"
    if len(plan.seeds) > 1:
        which += f", after {plan.seeds.index(seed)} of {len(plan.seeds)} seeds passed"
    return f"{which}\nReproduce with: pytest {shlex.quote(item.nodeid)} --simbus-seed={shlex.quote(str(seed))}"
