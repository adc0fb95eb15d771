"""What a load test plays: from the words of the command line, with defaults from the scenario, to profiles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from simbus.errors import ScenarioError, UsageError
from simbus.kernel import MINUTE, SECOND
from simbus.kernel.durations import format_duration, parse_duration
from simbus.load import profiles
from simbus.load.profiles import Profile
from simbus.load.rates import Mix, read_rate, read_rates, rounded, shown
from simbus.load.search import Bounds
from simbus.scenario.loader import Scenario

KINDS: Final = ("step", "ramp", "spike", "soak")
HIGHEST: Final = 1_000.0  # events a second, that are tried unless more is asked for
LOWEST: Final = 1 / 1024  # times the workload's own rate, and at least one event a run
PRECISION: Final = 0.05
STEPS: Final = 5
MOST_STEPS: Final = 1_000
FIND: Final = "find"

TAKES: Final[dict[str, tuple[str, ...]]] = {
    FIND: ("from", "to", "precision", "for", "warm-up"),
    "step": ("rate", "from", "to", "steps", "for", "warm-up"),
    "ramp": ("from", "to", "for", "warm-up", "every"),
    "spike": ("rate", "peak", "hold", "for", "warm-up", "every"),
    "soak": ("rate", "for", "warm-up", "every"),
}
"""Which options each kind of test has."""


class Plan(NamedTuple):
    """The profiles to play, or for `find` where to search and the profile of one rate."""

    kind: str
    profiles: list[Profile]
    bounds: Bounds | None
    length: int
    warm: int = 0

    def at(self, rate: float) -> Profile:
        """The profile of one rate, for a search."""
        return profiles.warmed(profiles.step(rate, self.length), self.warm)


def kind_of(profile: str | None, find: bool, given: dict[str, str], scenario: Scenario, grid: bool) -> str:
    """Which kind of test is meant. Raises UsageError where the options do not go together."""
    expected = bool(scenario.spec.expect)
    if profile is not None and profile not in KINDS:
        raise UsageError(f"--profile {profile}: there is no such profile. The profiles are {', '.join(KINDS)}.")
    if profile is not None and find:
        raise UsageError(f"--find: searches a rate, and --profile {profile} plays given ones. Leave one of them out.")
    if profile is not None:
        kind = profile
    elif find or "precision" in given:
        kind = FIND
    else:
        kind = "step" if grid or not expected or "rate" in given or "steps" in given else FIND
    if kind == FIND and not expected:
        raise UsageError(
            f"--find: {scenario.source.name} expects nothing; the rate is searched at which all expectations hold. "
            "Give some, for example --expect 'p99_age < 2s'."
        )
    for name in given:
        if name not in TAKES[kind]:
            what = "a search (--find)" if kind == FIND else f"--profile {kind}"
            raise UsageError(
                f"--{name}: does not belong to {what}, which has {', '.join(f'--{each}' for each in TAKES[kind])}. "
                "Leave it out, or choose another profile."
            )
    return kind


def plan(kind: str, given: dict[str, str], mix: Mix, scenario: Scenario, grid: bool) -> Plan:
    """What is played; `given` has the options that were set, as texts. Raises UsageError."""
    read = _Reader(given, mix.total)
    made = _PLANS[kind](read, grid)
    warm = read.duration("warm-up", 0)
    if scenario.spec.start.timestamp() % 60 and (warm or any(each.window is not None for each in made.profiles)):
        raise ScenarioError(
            f"{scenario.source.where(('start',))} is {scenario.spec.start.isoformat()}; CloudWatch's metrics are of "
            "whole minutes of the clock, and with a warm-up or several rows so is the load. "
            f"Give --set start={scenario.spec.start.replace(second=0, microsecond=0):%Y-%m-%dT%H:%M:%SZ}."
        )
    made = made._replace(profiles=[profiles.warmed(each, warm) for each in made.profiles], warm=warm)
    longest = made.length + warm
    until = scenario.spec.until
    if until is not None and until <= longest:
        raise ScenarioError(
            f"{scenario.source.where(('until',))} is {format_duration(until)}; the load lasts "
            f"{format_duration(longest)} and the run must be able to go on after it. "
            "Raise it with --set until=..., or shorten --for."
        )
    return made


class _Reader:
    """Reads the options."""

    def __init__(self, given: dict[str, str], own: float) -> None:
        self.given = given
        self.own = own

    def rate(self, name: str, default: float) -> float:
        return read_rate(f"--{name}", self.given[name], self.own) if name in self.given else default

    def duration(self, name: str, default: int) -> int:
        if name not in self.given:
            return default
        try:
            found = parse_duration(self.given[name])
        except UsageError as error:
            raise UsageError(f"--{name} {error}") from None
        if not found:
            raise UsageError(f"--{name} {self.given[name]}: is no time; it is above 0. Give a longer one.")
        return found

    def window(self) -> int | None:
        return self.duration("every", 0) or None

    def number(self, name: str, default: float, least: float, most: float) -> float:
        if name not in self.given:
            return default
        try:
            found = float(self.given[name])
        except ValueError:
            found = -1.0
        if not least <= found <= most:
            raise UsageError(f"--{name} {self.given[name]}: is not from {least:g} to {most:g}. Choose such a number.")
        return found

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        found = self.number(name, default, least, most)
        if found % 1:
            raise UsageError(f"--{name} {self.given[name]}: is no whole number. Choose one from {least} to {most}.")
        return int(found)


def _find(read: _Reader, _: bool) -> Plan:
    own = read.own
    length = read.duration("for", MINUTE)
    highest = round(read.rate("to", max(HIGHEST, own * 4)), 9)
    lowest = round(read.rate("from", min(max(own * LOWEST, SECOND / length), own, highest)), 9)
    if lowest > highest:
        raise UsageError(f"--from {shown(lowest)}: is above --to {shown(highest)}. Exchange them.")
    start = rounded(min(max(own, lowest), highest))
    precision = read.number("precision", PRECISION, 0.01, 1)
    return Plan(FIND, [], Bounds(lowest, highest, start, precision), length)


def _step(read: _Reader, grid: bool) -> Plan:
    length = read.duration("for", MINUTE)
    if "rate" in read.given:
        if {"from", "to", "steps"} & read.given.keys():
            raise UsageError("--rate: names the rates, and so do --from, --to and --steps. Leave one of both out.")
        rates = read_rates("--rate", read.given["rate"], read.own)
    elif {"from", "to", "steps"} & read.given.keys():
        first = read.rate("from", read.own)
        last = read.rate("to", first * 4)
        steps = read.whole("steps", STEPS, 2, MOST_STEPS)
        rates = [first + (last - first) * step / (steps - 1) for step in range(steps)]
    else:
        rates = [read.own] if grid else [read.own * factor for factor in (0.25, 0.5, 1, 2, 4)]
    each = dict.fromkeys(profiles.step(rate, length) for rate in rates)  # a rate that is named twice is one run
    return Plan("step", list(each), None, length)


def _ramp(read: _Reader, _: bool) -> Plan:
    length = read.duration("for", 10 * MINUTE)
    first = read.rate("from", read.own / 10)
    last = read.rate("to", read.own * 4)
    return _several("ramp", profiles.ramp(first, last, length, read.window()))


def _spike(read: _Reader, _: bool) -> Plan:
    length = read.duration("for", 10 * MINUTE)
    rate = read.rate("rate", read.own)
    peak = read.rate("peak", rate * 10)
    hold = read.duration("hold", MINUTE)
    return _several("spike", profiles.spike(rate, peak, hold, length, read.window()))


def _soak(read: _Reader, _: bool) -> Plan:
    length = read.duration("for", 60 * MINUTE)
    return _several("soak", profiles.soak(read.rate("rate", read.own), length, read.window()))


def _several(kind: str, profile: Profile) -> Plan:
    return Plan(kind, [profile], None, profile.length)


_PLANS: Final[dict[str, Callable[[Any, bool], Plan]]] = {
    FIND: _find,
    "step": _step,
    "ramp": _ramp,
    "spike": _spike,
    "soak": _soak,
}
