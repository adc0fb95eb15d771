"""An item of a workload that is a recording: see `simbus.recording`."""

from __future__ import annotations

from collections.abc import Container

from simbus.errors import ScenarioError, UsageError
from simbus.recording.replay import Replay
from simbus.recording.source import open_input
from simbus.scenario.loader import Scenario
from simbus.scenario.schema.workload import Item
from simbus.simulation import Simulation


def recorded(
    simulation: Simulation,
    scenario: Scenario,
    index: int,
    item: Item,
    stop: int | None,
    numbers: Container[int] | None = None,
) -> Replay:
    """The replay that an item asks for; `numbers`: just these of its operations, counted from 0 (None: all).

    Raises ScenarioError for a file that can't be replayed here.
    """
    given = item.replay
    assert given is not None
    try:
        source = open_input(
            scenario.folder / given.file,
            simulation,
            format=given.format,
            targets=given.target,
            only=given.only,
            begin=given.from_,
            end=given.to,
            skip_invalid=given.skip_invalid,
        )
    except UsageError as error:
        text = str(error).removeprefix("--")  # `--only s4: ...` of the command is the key `only` here
        raise ScenarioError(f"{scenario.source.where(('workload', index, 'replay'))}: {text}") from None
    return Replay(simulation, source, begin=item.at or 0, speed=item.speed or 1.0, stop=stop, numbers=numbers)
