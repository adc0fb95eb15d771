"""A scenario as the rules see it: who reads what, who invokes whom, and where that stands in the file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from simbus.arn import short_name
from simbus.errors import UsageError
from simbus.scenario.loader import Scenario
from simbus.scenario.schema import ScenarioFile, derived
from simbus.scenario.schema.functions import EventInvokeConfig, Function
from simbus.scenario.schema.mappings import EventSourceMapping
from simbus.scenario.schema.sources import Queue
from simbus.scenario.source import Path
from simbus.scheduler.mappings.settings import BATCH_SIZES


class Mapping(NamedTuple):
    """One event source mapping: the service and the bare names of its source and function."""

    path: Path
    settings: EventSourceMapping
    service: str
    source: str
    function: str

    @property
    def name(self) -> str:
        """Its source: `sqs:jobs`."""
        return f"{self.service}:{self.source}"

    @property
    def batch_size(self) -> int:
        return self.settings.batch_size or BATCH_SIZES[self.service]

    @property
    def reports_failures(self) -> bool:
        return "ReportBatchItemFailures" in self.settings.function_response_types

    @property
    def on_failure(self) -> str | None:
        """Where its failure records go, whichever way it is written."""
        nested = self.settings.destination_config
        return self.settings.on_failure or (None if nested is None else nested.on_failure)


class Trigger(NamedTuple):
    """Something that invokes a function asynchronously. `source` names it (`s3:uploads`)."""

    path: Path
    source: str
    function: str
    qualifier: str | None


class View:
    """The relations of one scenario."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.spec: ScenarioFile = scenario.spec
        self.mappings = [_mapping(index, each) for index, each in enumerate(self.spec.event_source_mappings)]
        self.triggers = list(_triggers(scenario))

    def queue_mappings(self) -> Iterator[tuple[Mapping, Queue, Function]]:
        """The enabled mappings of queues, with queue and function."""
        for mapping in self.mappings:
            if mapping.service == "sqs" and mapping.settings.enabled:
                yield mapping, self.spec.queues[mapping.source], self.spec.functions[mapping.function]

    def stream_mappings(self) -> Iterator[Mapping]:
        """The enabled mappings of streams and tables."""
        return (each for each in self.mappings if each.service != "sqs" and each.settings.enabled)

    def invoke_configs(self) -> Iterator[tuple[Path, str, EventInvokeConfig]]:
        """Path, function and settings of every EventInvokeConfig, those of aliases too."""
        for name, function in self.spec.functions.items():
            if function.event_invoke_config is not None:
                yield ("functions", name, "event_invoke_config"), name, function.event_invoke_config
            for alias, settings in function.aliases.items():
                if settings.event_invoke_config is not None:
                    path = ("functions", name, "aliases", alias, "event_invoke_config")
                    yield path, name, settings.event_invoke_config

    def config_of(self, trigger: Trigger) -> EventInvokeConfig | None:
        """The settings that hold for what a trigger invokes."""
        function = self.spec.functions[trigger.function]
        alias = function.aliases.get(trigger.qualifier or "")
        return function.event_invoke_config if alias is None else alias.event_invoke_config


def _mapping(index: int, settings: EventSourceMapping) -> Mapping:
    service, source, _ = short_name(settings.event_source)
    return Mapping(("event_source_mappings", index), settings, service, source, short_name(settings.function)[1])


def _triggers(scenario: Scenario) -> Iterator[Trigger]:
    spec = scenario.spec
    for name, bucket in spec.buckets.items():
        for path, _, target, _ in bucket.every_notification():
            yield from _trigger(("buckets", name, *path), f"s3:{name}", target)
    for name, topic in spec.topics.items():
        for index, subscription in enumerate(topic.subscriptions):
            yield from _trigger(("topics", name, "subscriptions", index), f"sns:{name}", subscription.endpoint)
    for name, bus in spec.event_buses.items():
        for rule, settings in bus.rules.items():
            for index, each in enumerate(settings.targets):
                path = ("event_buses", name, "rules", rule, "targets", index)
                yield from _trigger(path, f"events:{name}", each.arn)
    for service in derived():
        for name in getattr(spec, service.section):
            for path, text in _texts((service.section, name), scenario.source.data[service.section][name]):
                yield from _trigger(path, f"{service.name}:{name}", text)
    for name, function in spec.functions.items():
        config = function.event_invoke_config
        for key in ("on_success", "on_failure"):
            destination = None if config is None else config.destination(key)
            yield from _trigger(("functions", name, "event_invoke_config", key), f"lambda:{name}", destination)
    for index, item in enumerate(spec.workload):
        if item.invoke is not None and item.invoke.invocation_type == "Event":
            yield from _trigger(("workload", index), "the workload", item.invoke.function)


def _trigger(path: Path, source: str, target: str | None) -> Iterator[Trigger]:
    try:
        service, name, qualifier = short_name(target or "")
    except UsageError:
        return
    if service == "lambda":
        yield Trigger(path, source, name, qualifier)


def _texts(path: Path, value: Any) -> Iterator[tuple[Path, str]]:
    """Every text below a value of plain data."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _texts((*path, key), each)
