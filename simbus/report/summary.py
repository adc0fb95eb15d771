"""What a finished run came to, read from its run file: the figures at the end of `simbus run` and `simbus report`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from simbus.errors import UsageError
from simbus.expectations import cost
from simbus.expectations.cost import Resources
from simbus.expectations.figures import FIGURES, rank
from simbus.expectations.judgement import JUDGEMENT, Judgement
from simbus.expectations.results import ExpectationResult
from simbus.expectations.rows import Subject
from simbus.faults.idle import IDLE_FAULTS, IdleFault
from simbus.logs.reader import RunReader
from simbus.report.deliveries import client_errors, deliveries, losses
from simbus.report.document import FailureFigures, FunctionFigures, QueueFigures, Real, Summary


def summarise(
    run: RunReader, expectations: Iterable[ExpectationResult] | None = None, reproduce: str | None = None
) -> Summary:
    """The summary of a finished run; `expectations` and `reproduce` left out are those that its run file names.

    Raises UsageError where the run file does not say what run it is.
    """
    facts = cost.facts_of(run)
    if not {"seed", "version", "start"} <= facts.keys():
        raise UsageError(
            f"{run.path}: has no facts about its run; a run that was killed early wrote none. Run the scenario again."
        )
    judgement = msgspec.json.decode(facts.get(JUDGEMENT, "{}"), type=Judgement)
    resources = cost.resources_of(facts)
    virtual = cost.virtual_seconds(facts)
    results = judgement.expectations if expectations is None else list(expectations)
    functions = list(_functions(run, resources, virtual))
    return Summary(
        facts.get("scenario"),
        int(facts["seed"]) if facts["seed"].lstrip("-").isdecimal() else facts["seed"],
        facts["version"],
        facts["start"],
        facts.get("ended", facts["start"]),
        virtual,
        facts.get("finished") == "1",
        functions,
        list(_failures(run)),
        list(deliveries(run)),
        list(_queues(run, resources)) if facts.get("finished") == "1" else [],
        list(client_errors(run)),
        list(losses(run)),
        lost(run),
        results,
        facts.get("digest", ""),
        str(run.path),
        judgement.reproduce if reproduce is None else reproduce,
        all(result.passed for result in results),
        sum(function.cost_usd for function in functions),
        Real(judgement.seconds),
        msgspec.json.decode(facts.get(IDLE_FAULTS, "[]"), type=list[IdleFault]),
    )


def lost(run: RunReader) -> int:
    """Change events lost in the whole run."""
    return int(_figure(run, "lost", None) or 0)


def functions_of(run: RunReader) -> list[str]:
    """The names of the functions of a run, as far as it tells."""
    return list(cost.known_functions(run, cost.resources_of(cost.facts_of(run))))


def _figure(run: RunReader, name: str, function: str | None) -> float | None:
    figure = FIGURES[name].at_end
    assert figure is not None
    return figure(run, Subject(function=function))


# Each duration of a function with how often it came: one look at all attempts, whatever the number of functions.
_DURATIONS = """
    SELECT function, duration_ms, count(*) FROM attempts JOIN log_streams ON id = log_stream_id
    WHERE duration_ms IS NOT NULL GROUP BY function, duration_ms ORDER BY function, duration_ms
"""


def _durations(run: RunReader, counts: Mapping[str, int], percents: Sequence[int]) -> dict[str, list[float]]:
    """The percentiles (nearest rank) of each function, of which there are so many durations."""
    found: dict[str, list[float]] = {}
    passed = dict.fromkeys(counts, 0)
    for function, duration, times in run.query(_DURATIONS):
        passed[function] += times
        mine = found.setdefault(function, [])
        while len(mine) < len(percents) and passed[function] >= rank(counts[function], percents[len(mine)]):
            mine.append(duration)
    return found


def _functions(run: RunReader, resources: Resources, seconds: float) -> Iterable[FunctionFigures]:
    attempts = cost.attempts_by_function(run)
    counts = {name: sum(row["measured"] for row in rows) for name, rows in attempts.items()}
    durations = _durations(run, counts, (50, 99))
    for name, resource in cost.known_functions(run, resources).items():
        rows = attempts.get(name, [])
        p50, p99 = durations.get(name, (None, None))
        yield FunctionFigures(
            name,
            sum(row["attempts"] for row in rows),
            sum(row["errors"] for row in rows),
            int(_figure(run, "throttles", name) or 0),
            sum(row["inits"] for row in rows),
            p50,
            p99,
            cost.function_cost(rows, resource, seconds),
        )


# SQLite takes `error_message` from the row that has the min().
_FAILURES = """
    SELECT function, coalesce(error_type, status) AS error_type, count(*) AS attempts,
        coalesce(error_message, '') AS message, min(started_at) AS first
    FROM invocations WHERE status != 'ok' GROUP BY function, 2 ORDER BY function, attempts DESC, 2
"""


def _failures(run: RunReader) -> Iterable[FailureFigures]:
    for row in run.query(_FAILURES):
        yield FailureFigures(row["function"], row["error_type"], row["attempts"], row["message"])


_MESSAGES = """
    SELECT queue, count(*) AS sent, coalesce((
            SELECT cast(sum(value) AS INTEGER) FROM metrics
            WHERE name = 'NumberOfMessagesReceived' AND dimension = 'QueueName=' || queue
        ), 0) AS received, sum(state = 'visible') AS visible, sum(state = 'delayed') AS delayed,
        sum(state = 'in_flight') AS in_flight, sum(state = 'deleted') AS deleted, sum(state = 'expired') AS expired,
        sum(state = 'redriven') AS dead_lettered
    FROM messages GROUP BY queue ORDER BY queue
"""


def _queues(run: RunReader, resources: Resources) -> Iterable[QueueFigures]:
    counted = {
        row["queue"]: QueueFigures(**{**dict(row), "received": int(row["received"])}) for row in run.query(_MESSAGES)
    }
    for name in dict.fromkeys([*resources.queues, *counted]):
        yield counted.get(name) or QueueFigures(name, 0, 0, 0, 0, 0, 0, 0, 0)
