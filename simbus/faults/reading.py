"""A fault as Python or a scenario file writes it, made a FaultSpec."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from simbus.arn import short_name
from simbus.errors import UsageError
from simbus.faults.faults import DELAY, FaultSpec
from simbus.faults.rules import EFFECTS, check_effects, check_lasts, check_timing, check_value, words
from simbus.faults.timing import Timing
from simbus.kernel.distributions import Distribution, parse_distribution
from simbus.kernel.durations import parse_duration
from simbus.services import SERVICES

TIMES = ("at", "for", "every", "count", "over", "delay")
MOST = 1_000_000


def read_fault(settings: Mapping[str, Any], folder: Path | None = None) -> FaultSpec:
    """The fault that these settings describe; None is left out. `at` and `over` may be nanoseconds.

    `folder`: where the files of empirical distributions are looked up. Raises UsageError.
    """
    given = {name.rstrip("_"): value for name, value in settings.items() if value is not None}
    unknown = [name for name in given if name not in (*words(), *EFFECTS, *TIMES)]
    if unknown:
        known = ", ".join((*words(), *EFFECTS, *TIMES))
        close = get_close_matches(unknown[0], (*words(), *EFFECTS, *TIMES), 1)
        remedy = f"Did you mean {close[0]}?" if close else "Correct it."
        raise UsageError(f"a fault has {unknown[0]}, which is none of {known}. {remedy}")
    try:
        return _read(given, folder)
    except UsageError as error:
        raise UsageError(f"a fault {error}") from None


def _read(given: dict[str, Any], folder: Path | None) -> FaultSpec:
    resources = {word: _short(word, given[word]) for word in words() if word in given}
    effects = {name: given[name] for name in EFFECTS if name in given}
    check_effects(resources, list(effects), delay="delay" in given)
    check_timing(given)
    said = ", ".join(f"{name}: {_shown(value)}" for name, value in effects.items())
    for name, value in effects.items():
        effects[name] = _value(name, value, folder)
    times = {name: _distribution(name, given[name], folder) for name in ("for", "every", "delay") if name in given}
    if "for" in times:
        try:
            check_lasts(effects, times["for"])
        except UsageError as error:
            raise UsageError(f"has for, which {error}") from None
    if "every" in times and times["every"].mean() <= 0:
        raise UsageError("has every 0s; between two occurrences there is some time. Make it longer.")
    count = given.get("count")
    if count is not None and not (type(count) is int and 1 <= count <= MOST):
        raise UsageError(f"has count {count!r}; it is 1 to {MOST}. Write such a number.")
    timing = Timing(
        _instant("at", given.get("at", 0)),
        times.get("for"),
        times.get("every"),
        count,
        _instant("over", given["over"]) if "over" in given else None,
    )
    return FaultSpec(next(iter(resources.values()), None), effects, timing, times.get("delay", DELAY), said)


def _short(word: str, resource: Any) -> str:
    """The short name of a resource object, of `jobs`, `sqs:jobs` or an ARN."""
    if not isinstance(resource, str):
        return str(resource.name)
    service = next(each.name for each in SERVICES.values() if each.word == word)
    full = resource if resource.split(":")[0] in (*SERVICES, "arn") else f"{service}:{resource}"
    found, name, _ = short_name(full)
    if found != service:
        raise UsageError(f"has {word} {resource!r}; write {word}, {service}:{word} or its ARN. Name one.")
    return f"{service}:{name}"


def _shown(value: Any) -> str:
    """A value as a scenario file writes it."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_shown(each)}' for key, each in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_shown, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _value(name: str, value: Any, folder: Path | None) -> Any:
    if EFFECTS[name].kind == "duration":
        return _distribution(name, value, folder)
    try:
        check_value(name, value)
    except UsageError as error:
        raise UsageError(f"has {name}, which {error}") from None
    return value


def _distribution(name: str, value: Any, folder: Path | None) -> Distribution:
    if isinstance(value, Distribution):
        return value
    try:
        return parse_distribution(value, base_dir=folder)
    except UsageError as error:
        raise UsageError(f"has {name}, which {error}") from None


def _instant(name: str, value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    try:
        return parse_duration(value)
    except UsageError as error:
        raise UsageError(f"has {name}, which {error}") from None
