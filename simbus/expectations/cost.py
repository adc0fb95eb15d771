"""What a run would have cost on AWS, from its rows and from the one fact that rows don't hold: its resources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from simbus.expectations.rows import COUNTED_FROM, Rows, Subject
from simbus.functions.pricing import REQUEST, invocation_cost, provisioned_cost
from simbus.logs.schema import NOTHING

RESOURCES: Final = "resources"
"""The key of table `run` under which `Resources` stands, as JSON."""

PRICED_SECONDS: Final = "priced_seconds"
"""A key of table `run` where a part of a run is looked at (a load test): the seconds of it that what is provisioned
costs, to the second. Without it the run is charged as AWS charges: whole periods of five minutes."""


class FunctionResource(msgspec.Struct, frozen=True):
    """What rows don't say of a function and its price depends on; `provisioned`: environments per version."""

    architecture: str = "x86_64"
    ephemeral_storage: int = 512
    memory_size: int = 128
    provisioned: dict[str, int] = {}


class Resources(msgspec.Struct, frozen=True):
    """The functions and queues of a run, also those that nothing ever reached.

    `connections`: what leads where, see `simbus.expectations.connections` (None: an older simbus wrote the run file).
    """

    functions: dict[str, FunctionResource] = {}
    queues: list[str] = []
    connections: list[tuple[str, str]] | None = None


def facts_of(run: Rows) -> dict[str, str]:
    """The facts of table `run`, as texts."""
    return {key: str(value) for key, value in run.query("SELECT key, value FROM run") if value is not None}


def resources_of(facts: Mapping[str, str]) -> Resources:
    """The resources that the facts of a run name."""
    return msgspec.json.decode(facts.get(RESOURCES, "{}"), type=Resources)


def known_functions(run: Rows, resources: Resources) -> dict[str, FunctionResource]:
    """Those that the run names, and those that only its rows know (a run that was cut off)."""
    seen = [row[0] for row in run.query("SELECT DISTINCT function FROM log_streams ORDER BY function")]
    return {**resources.functions, **{name: FunctionResource() for name in seen if name not in resources.functions}}


def virtual_seconds(facts: Mapping[str, str]) -> float:
    """How much virtual time a run took."""
    started = facts["start"]
    ended = facts.get("ended", started)
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(started)) / timedelta(seconds=1)


def cost(run: Rows, subject: Subject) -> float:
    """USD of one function, or of all."""
    facts = facts_of(run)
    functions = known_functions(run, resources_of(facts))
    wanted = functions if subject.function is None else {subject.function: functions.get(subject.function)}
    attempts = attempts_by_function(run, cut=COUNTED_FROM in facts)
    part = PRICED_SECONDS in facts
    seconds = float(facts[PRICED_SECONDS]) if part else virtual_seconds(facts)
    return sum(
        function_cost(attempts.get(name, ()), each or FunctionResource(), seconds, rounded=not part)
        for name, each in wanted.items()
    )


# The environments of a log stream without any Init Duration were initialised before they were asked: provisioned,
# where the version has such. One look at all attempts tells of every function.
_ATTEMPTS = f"""
    WITH streams AS (
        SELECT log_stream_id, memory_size, count(*) AS attempts, sum(billed_duration_ms) AS billed,
            count(nullif(init_duration_ms, '{NOTHING}')) AS inits, sum(status != 'ok') AS errors,
            count(duration_ms) AS measured
        FROM attempts GROUP BY log_stream_id, memory_size
    )
    SELECT function, version, memory_size, inits = 0{{unseen}} AS warm, sum(attempts) AS attempts,
        sum(billed) AS billed, sum(inits) AS inits, sum(errors) AS errors, sum(measured) AS measured
    FROM streams JOIN log_streams ON id = log_stream_id
    GROUP BY function, version, memory_size, warm ORDER BY function, version, memory_size, warm
"""
# Where a part of a run is looked at, the init may have been before it.
_UNSEEN = f" AND id NOT IN (SELECT log_stream_id FROM main.attempts WHERE init_duration_ms != '{NOTHING}')"


def attempts_by_function(run: Rows, *, cut: bool = False) -> dict[str, list[Mapping[str, Any]]]:
    """The attempts of each function that has any, counted by version and memory size.

    A row has also `warm` (for `attempts_cost`), `billed` (ms in all), `inits`, `errors`, and how many were `measured`:
    have a duration. `cut`: table `attempts` shows a part of the run only.
    """
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in run.query(_ATTEMPTS.format(unseen=_UNSEEN if cut else "")):
        found.setdefault(row["function"], []).append(row)
    return found


def function_cost(
    attempts: Iterable[Mapping[str, Any]], resource: FunctionResource, seconds: float, *, rounded: bool = True
) -> float:
    """USD of a function: requests, GB-seconds, /tmp above 512 MB, and provisioned concurrency for the whole run."""
    return sum(attempts_cost(row, resource) for row in attempts) + standing_cost(resource, seconds, rounded=rounded)


def attempts_cost(row: Mapping[str, Any], resource: FunctionResource) -> float:
    """USD of some attempts of a version: a row with version, memory_size, warm, attempts and billed (ms in all)."""
    provisioned = bool(row["warm"]) and resource.provisioned.get(row["version"], 0) > 0
    return float(row["attempts"] - 1) * REQUEST + invocation_cost(
        row["billed"],
        row["memory_size"],
        architecture=resource.architecture,
        ephemeral_storage=resource.ephemeral_storage,
        provisioned=provisioned,
    )


def standing_cost(resource: FunctionResource, seconds: float, *, rounded: bool = True) -> float:
    """USD of the provisioned concurrency of a function for the whole run, whether it is used or not.

    Not `rounded`: for a part of a longer time, to the second.
    """
    return sum(
        provisioned_cost(seconds, amount, resource.memory_size, architecture=resource.architecture, rounded=rounded)
        for amount in resource.provisioned.values()
    )
