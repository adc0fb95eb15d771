"""What a scenario names must be there: resources, code, files, columns; and its templates must compile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path as FilePath
from typing import Any

from simbus.arn import Account, arn, short_name
from simbus.errors import AwsError, UsageError
from simbus.expectations.checks import find_check
from simbus.expectations.item import SUBJECTS
from simbus.faults.rules import EFFECTS, check_lasts
from simbus.functions.latency import parse_latencies
from simbus.functions.sandbox.code import load_code
from simbus.kernel.distributions import parse_distribution
from simbus.kernel.durations import format_duration
from simbus.scenario.schema import ScenarioFile, derived
from simbus.scenario.schema.base import Model
from simbus.scenario.schema.derived import Derived
from simbus.scenario.schema.faults import Fault
from simbus.scenario.schema.functions import EventInvokeConfig, Function
from simbus.scenario.schema.workload import Item, Recorded
from simbus.scenario.source import Path, Problem
from simbus.scenario.templates import template
from simbus.scenario.trace import TraceFile
from simbus.services import SERVICES

_SELF_DESTINATION = "You can't specify the function as a destination for itself."


def check_references(spec: ScenarioFile, folder: FilePath) -> list[Problem]:
    """Every mistake of a scenario that its models can't see. `folder` is where relative paths begin."""
    account = Account(**spec.account.model_dump())
    problems = [
        Problem(path, text) for path, name in _named(spec) if (text := _missing(spec, account, name)) is not None
    ]
    for name, function in spec.functions.items():
        problems += _function(("functions", name), name, function, folder)
    for index, mapping in enumerate(spec.event_source_mappings):
        problems += _mapping(("event_source_mappings", index), mapping.event_source, spec)
    problems += _schedules(spec)
    for index, item in enumerate(spec.workload):
        problems += _item(("workload", index), item, folder)
    for index, fault in enumerate(spec.faults):
        for key in ("for_", "every", "latency", "delay"):
            problems += _distribution(("faults", index, key.rstrip("_")), getattr(fault, key), folder)
        problems += _acts(("faults", index), fault, spec.until, folder)
    for index, expectation in enumerate(spec.expect):
        problems += _check(("expect", index, "check"), expectation.check, folder)
    return problems


def _named(spec: ScenarioFile) -> Iterator[tuple[Path, str]]:
    """Every reference to a resource, with its path."""
    for name, function in spec.functions.items():
        path: Path = ("functions", name)
        if function.dead_letter_config is not None:
            yield (*path, "dead_letter_config", "target_arn"), function.dead_letter_config.target_arn
        yield from _destinations(path, function.event_invoke_config)
        for alias, settings in function.aliases.items():
            yield from _destinations((*path, "aliases", alias), settings.event_invoke_config)
    for name, bucket in spec.buckets.items():
        yield from _fields(("buckets", name), bucket, ("function", "queue", "topic"))
    for name, queue in spec.queues.items():
        yield from _fields(("queues", name), queue, ("dead_letter_target_arn",))
    for name, topic in spec.topics.items():
        yield from _fields(("topics", name), topic, ("endpoint", "dead_letter_target_arn"))
    for name, bus in spec.event_buses.items():
        for rule in bus.rules:
            yield from _fields(("event_buses", name, "rules", rule), bus.rules[rule], ("arn",))
    for service in derived():
        yield from _fields((service.section,), getattr(spec, service.section), ())
    for index, mapping in enumerate(spec.event_source_mappings):
        yield from _fields(("event_source_mappings", index), mapping, ("event_source", "function", "on_failure"))
    words = tuple(service.word for service in SERVICES.values())
    for index, item in enumerate(spec.workload):
        yield from _fields(("workload", index), item, words)
        for number, entry in enumerate((item.put_events and item.put_events.entries) or ()):
            bus_name = entry.get("event_bus_name")
            if isinstance(bus_name, str):
                path = ("workload", index, "put_events", "entries", number, "event_bus_name")
                yield path, bus_name if ":" in bus_name else f"events:{bus_name}"
        if item.invoke is not None and item.invoke.qualifier is not None:
            yield ("workload", index, "invoke", "qualifier"), f"{item.invoke.function}:{item.invoke.qualifier}"
    for index, fault in enumerate(spec.faults):
        yield from _fields(("faults", index), fault, words)
    for index, expectation in enumerate(spec.expect):
        yield from _fields(("expect", index), expectation, SUBJECTS)


def _destinations(path: Path, config: EventInvokeConfig | None) -> Iterator[tuple[Path, str]]:
    for name in ("on_success", "on_failure"):
        target = None if config is None else config.destination(name)
        if target is not None:
            yield (*path, "event_invoke_config", name), target


def _fields(path: Path, value: Any, names: tuple[str, ...]) -> Iterator[tuple[Path, str]]:
    """The values of these fields in a model and in all models below it; a model made of a class knows its own."""
    if isinstance(value, list | dict):
        for key, item in enumerate(value) if isinstance(value, list) else value.items():
            yield from _fields((*path, key), item, names)
    if not isinstance(value, Model):
        return
    names = type(value).references if isinstance(value, Derived) else names
    for name in type(value).model_fields:
        found = getattr(value, name)
        if name in names:
            yield from _texts((*path, name), found)
        if not isinstance(found, str):
            yield from _fields((*path, name), found, names)


def _texts(path: Path, value: Any) -> Iterator[tuple[Path, str]]:
    """A text, or the texts of a list."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        yield from (((*path, index), each) for index, each in enumerate(value) if isinstance(each, str))


def _missing(spec: ScenarioFile, account: Account, reference: str) -> str | None:
    """What is wrong with a reference, or None."""
    if reference.startswith("logs:") or ":logs:" in reference:
        return None  # a log group is made when the first event reaches it
    service, name, qualifier = short_name(reference)
    own = arn(service, name, account)
    of_stream = reference.startswith(f"{own}/stream/")
    if reference.startswith("arn:") and reference not in (own, f"{own}:{qualifier}") and not of_stream:
        return (
            f"is {reference!r}, which is of another account or Region; the scenario plays in {account.id}, "
            f"{account.region}. Write {service}:{name}."
        )
    section = SERVICES[service].section
    known: dict[str, Any] = getattr(spec, section)
    if service == "events":
        known = {"default": None, **known}
    if name not in known:
        close = get_close_matches(name, known, 1)
        hint = f"Did you mean {service}:{close[0]}?" if close else f"Add {name} there, or correct the name."
        return f"is {reference!r}; there is no {name} in {section}. {hint}"
    if qualifier is not None and qualifier not in _qualifiers(spec.functions[name]):
        return f"is {reference!r}; {name} has no alias or version {qualifier}. Add it to its aliases, or correct it."
    return None


def _schedules(spec: ScenarioFile) -> Iterator[Problem]:
    """A file with a schedule says how long it plays: a schedule holds no run open."""
    if spec.duration is not None or spec.until is not None:
        return
    for name, bus in spec.event_buses.items():
        for rule, settings in bus.rules.items():
            if settings.schedule_expression is not None:
                yield Problem(
                    ("event_buses", name, "rules", rule, "schedule_expression"),
                    f"is {settings.schedule_expression!r}; a schedule fires for ever, so a file with one says how long "
                    "it plays. Add duration: or until:.",
                )


def _mapping(path: Path, event_source: str, spec: ScenarioFile) -> Iterator[Problem]:
    """A mapping reads the stream of a table, which must have one."""
    service, name, _ = short_name(event_source)
    table = spec.tables.get(name) if service == "dynamodb" else None
    if table is not None and table.settings().get("stream_view_type") is None:
        yield Problem(
            (*path, "event_source"),
            f"is {event_source!r}, a table without a stream; a mapping reads the stream of a table. "
            f"Give tables.{name} a stream_view_type.",
        )


def _qualifiers(function: Function) -> set[str]:
    """$LATEST, the aliases, and every version that the aliases make necessary (1 up to the highest)."""
    versions = [alias.function_version for alias in function.aliases.values()]
    for alias in function.aliases.values():
        versions += alias.routing_config.additional_version_weights
    highest = max((int(version) for version in versions if version != "$LATEST"), default=0)
    return {"$LATEST", *function.aliases, *map(str, range(1, highest + 1))}


def _function(path: Path, name: str, function: Function, folder: FilePath) -> Iterator[Problem]:
    for config_path, target in _destinations(path, function.event_invoke_config):
        if short_name(target)[:2] == ("lambda", name):
            yield Problem(config_path, f"is {target!r}; {_SELF_DESTINATION} Name another resource.")
    for alias, settings in function.aliases.items():
        for config_path, target in _destinations((*path, "aliases", alias), settings.event_invoke_config):
            if short_name(target)[:2] == ("lambda", name):
                yield Problem(config_path, f"is {target!r}; {_SELF_DESTINATION} Name another resource.")
    for key in ("duration", "init_duration"):
        yield from _distribution((*path, "simulate", key), getattr(function.simulate, key), folder)
    yield from _distribution((*path, "simulate", "aws_latency"), function.simulate.aws_latency, folder, parse_latencies)
    if function.code is not None and function.handler is not None:
        yield from _code(path, function.code, function.handler, folder)


def _distribution(
    path: Path, written: Any, folder: FilePath, parse: Callable[..., object] = parse_distribution
) -> Iterator[Problem]:
    if written is not None:
        try:
            parse(written, base_dir=folder)
        except UsageError as error:
            yield Problem(path, str(error))


def _acts(path: Path, fault: Fault, until: int | None, folder: FilePath) -> Iterator[Problem]:
    """What can never act is no fault: one that lasts no time, or begins when the run has ended."""
    with suppress(UsageError):  # told already
        if fault.every is not None and parse_distribution(fault.every, base_dir=folder).mean() <= 0:
            text = f"is {fault.every}; between two occurrences there is some time. Make it longer."
            yield Problem((*path, "every"), text)
    if fault.for_ is not None:
        with suppress(UsageError):
            length = parse_distribution(fault.for_, base_dir=folder)
            try:
                check_lasts([name for name in fault.settings() if name in EFFECTS], length)
            except UsageError as error:
                yield Problem((*path, "for"), str(error))
    if until is not None and fault.at is not None and fault.at >= until:
        end = format_duration(until)
        yield Problem((*path, "at"), f"is {format_duration(fault.at)}; the run ends at {end} (until). Begin earlier.")


def _code(path: Path, code: str, handler: str, folder: FilePath) -> Iterator[Problem]:
    try:
        loaded = load_code(folder / code)
    except (UsageError, AwsError, OSError, ValueError) as error:
        yield Problem((*path, "code"), f"is {code!r}: {error}")
        return
    module, dot, _ = handler.rpartition(".")
    if dot and loaded.module_file(handler) is None:
        yield Problem(
            (*path, "handler"),
            f"is {handler!r}, but {code} has no module {module}; a handler is module.function in `code`. "
            "Correct the name, or add the file.",
        )


def _check(path: Path, name: str | None, folder: FilePath) -> Iterator[Problem]:
    try:
        if name is not None:
            find_check(folder, name)
    except UsageError as error:
        yield Problem(path, str(error))


def _item(path: Path, item: Item, folder: FilePath) -> Iterator[Problem]:
    verb = getattr(item, item.verb)
    if isinstance(verb, Recorded):
        if not (folder / verb.file).exists():
            yield Problem((*path, "replay"), f"is {verb.file!r}; there is no such file in {folder}. Correct the path.")
        return
    for name in type(verb).model_fields:
        try:
            template(getattr(verb, name)) if not isinstance(getattr(verb, name), Model) else None
        except UsageError as error:
            yield Problem((*path, item.verb, name), str(error))
    if item.trace is not None:
        try:
            TraceFile(item.trace, folder).check()
        except UsageError as error:
            yield Problem((*path, "trace", "file"), str(error))
