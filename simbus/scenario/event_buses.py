"""The event buses of a scenario, made in a simulation, and how long their schedules fire."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from simbus.scenario.schema import ScenarioFile
from simbus.scenario.schema.buses import EventBus, Rule
from simbus.simulation import Simulation

At = Callable[..., AbstractContextManager[None]]


def make_buses(simulation: Simulation, spec: ScenarioFile, at: At) -> None:
    """All buses first, so that each can send to each. `at(*path)` says where something stands that is refused."""
    for name in spec.event_buses:
        with at("event_buses", name):
            simulation.event_bus(name)


def fill_buses(simulation: Simulation, spec: ScenarioFile, at: At) -> None:
    """Rules, targets and archives, once everything that they name is there."""
    for name, bus in spec.event_buses.items():
        for rule, settings in bus.rules.items():
            _put_rule(simulation, name, rule, settings, at)
        for archive, kept in bus.archives.items():
            with at("event_buses", name, "archives", archive):
                simulation[f"events:{name}"].create_archive(archive, **kept.model_dump())
    if any(_schedules(bus) for bus in spec.event_buses.values()):
        _hold_open(simulation, spec)


def _put_rule(simulation: Simulation, bus: str, name: str, rule: Rule, at: At) -> None:
    path = ("event_buses", bus, "rules", name)
    with at(*path):
        simulation[f"events:{bus}"].put_rule(name, **rule.model_dump(exclude={"targets"}))
    for index, target in enumerate(rule.targets):
        with at(*path, "targets", index):
            given = {"id": f"target-{index + 1}", **target.model_dump(exclude_none=True)}
            simulation[f"events:{bus}"].put_targets(name, [given])


def _schedules(bus: EventBus) -> bool:
    return any(rule.schedule_expression is not None for rule in bus.rules.values())


def _hold_open(simulation: Simulation, spec: ScenarioFile) -> None:
    """A schedule holds no run open; a file that has one goes on for its `duration`, or up to `until`.

    Like the workload, a schedule fires before that instant, no more at it.
    """
    end = min(end for end in (spec.duration, spec.until) if end is not None)
    bus = simulation["events:default"]
    simulation.timeline.at(end - 1, lambda _: bus.stop_schedules())
    simulation.timeline.at(end, lambda _: None)
