"""What a finished run came to, read from its run file: the figures at the end of `simbus run`, as text and as JSON.

The JSON document (`Summary.document`) has these keys; durations end in `_ms` or `_seconds`, money in `_usd`:

- `scenario`, `seed`, `version`, `started`, `ended`, `virtual_seconds`: which run it was, in virtual time.
- `functions`: a list of `function`, `invocations` (attempts), `errors`, `throttles`, `cold_starts` (attempts with an
  Init Duration), `p50_duration_ms`, `p99_duration_ms` (nearest rank; null where it never ran), `cost_usd`.
- `failures`: a list of `function`, `error_type`, `attempts` (that ended so), `message` (of the first of them).
- `deliveries`: what became of the events, a list of `source` (`lambda:f`: a call of Invoke), `subscription` (null:
  there was none), `events`, and of these `ok` (processed, or put into a queue), `dead_lettered` (in a dead-letter
  queue or a failure destination), `held` (waiting at the end), `lost`, `filtered` (a synchronous invocation that
  failed is none of these: its caller was told); `max_age_ms`, how old they got before the function had them: the
  maximum of CloudWatch's IteratorAge (streams), ApproximateAgeOfOldestMessage (queues) or AsyncEventAge (all others),
  each of which is of a function or a queue and not of a subscription; null where there is none.
- `queues`: a list of `queue`, `visible`, `delayed`, `in_flight` (messages at the end), `sent` (all that were put into
  it), `received` (by how many receives: more than `sent` where messages came again), `deleted`, `expired`,
  `dead_lettered` (moved to the dead-letter queue).
- `client_errors`: calls of the workload that failed for good, a list of `target`, `call` (`put_item`), `error` (AWS's
  code), `message` (of the first of them), `calls`.
- `losses`: a list of `source`, `subscription`, `why`, `events`.
- `lost`: change events lost. `cost_usd`: the sum over the functions, at AWS's list prices, without the free tier.
- `expectations`: a list of `what`, `expected`, `found`, `passed`. `passed`: whether all hold.
- `digest`, `run_file`, `reproduce` (the command that repeats the run).
- `real`: `seconds` of the wall clock. All else is the same for the same scenario, seed and version.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

import msgspec

from simbus.errors import UsageError
from simbus.functions.pricing import REQUEST, invocation_cost, provisioned_cost
from simbus.logs.reader import RunReader
from simbus.report import figures
from simbus.report.deliveries import (
    ClientErrorFigures,
    DeliveryFigures,
    LossFigures,
    client_errors,
    deliveries,
    losses,
)

RESOURCES = "resources"
"""The key of table `run` under which `Resources` stands, as JSON."""


class FunctionResource(msgspec.Struct, frozen=True):
    """What rows don't say of a function and its price depends on; `provisioned`: environments per version."""

    architecture: str = "x86_64"
    ephemeral_storage: int = 512
    memory_size: int = 128
    provisioned: dict[str, int] = {}


class Resources(msgspec.Struct, frozen=True):
    """The functions and queues of a run, also those that nothing ever reached."""

    functions: dict[str, FunctionResource] = {}
    queues: list[str] = []


class Expected(Protocol):
    """One figure compared with what was expected: a `simbus.scenario.expectations.ExpectationResult`."""

    @property
    def what(self) -> str: ...
    @property
    def expected(self) -> str: ...
    @property
    def found(self) -> float | None: ...
    @property
    def passed(self) -> bool: ...


class ExpectationFigures(NamedTuple):
    """See the module's docstring."""

    what: str
    expected: str
    found: float | None
    passed: bool


@dataclass(frozen=True, slots=True)
class FunctionFigures:
    """See the module's docstring."""

    function: str
    invocations: int
    errors: int
    throttles: int
    cold_starts: int
    p50_duration_ms: float | None
    p99_duration_ms: float | None
    cost_usd: float


@dataclass(frozen=True, slots=True)
class FailureFigures:
    """See the module's docstring."""

    function: str
    error_type: str
    attempts: int
    message: str


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """See the module's docstring."""

    queue: str
    visible: int
    delayed: int
    in_flight: int
    sent: int
    received: int
    deleted: int
    expired: int
    dead_lettered: int


@dataclass(frozen=True, slots=True)
class Summary:
    """See the module's docstring."""

    scenario: str | None
    seed: int | str
    version: str
    started: str
    ended: str
    virtual_seconds: float
    functions: list[FunctionFigures]
    failures: list[FailureFigures]
    deliveries: list[DeliveryFigures]
    queues: list[QueueFigures]
    client_errors: list[ClientErrorFigures]
    losses: list[LossFigures]
    lost: int
    expectations: list[ExpectationFigures]
    digest: str
    run_file: str
    reproduce: str

    @property
    def passed(self) -> bool:
        """Whether every expectation holds."""
        return all(expectation.passed for expectation in self.expectations)

    @property
    def cost_usd(self) -> float:
        """The sum over the functions."""
        return sum(function.cost_usd for function in self.functions)

    def document(self, real_seconds: float) -> dict[str, Any]:
        """The JSON document."""
        return {
            **asdict(self),
            "expectations": [expectation._asdict() for expectation in self.expectations],
            "passed": self.passed,
            "cost_usd": self.cost_usd,
            "real": {"seconds": round(real_seconds, 3)},
        }


def summarise(run: RunReader, expectations: Iterable[Expected] = (), reproduce: str = "") -> Summary:
    """The summary of a finished run. Raises UsageError where the run file does not say what run it is."""
    facts = {key: str(value) for key, value in run.run.items() if value is not None}
    if not {"seed", "version", "start"} <= facts.keys():
        raise UsageError(
            f"{run.path}: has no facts about its run; a run that was killed early wrote none. Run the scenario again."
        )
    resources = _resources(facts)
    started = facts["start"]
    ended = facts.get("ended", started)
    virtual = (datetime.fromisoformat(ended) - datetime.fromisoformat(started)) / timedelta(seconds=1)
    return Summary(
        facts.get("scenario"),
        int(facts["seed"]) if facts["seed"].lstrip("-").isdecimal() else facts["seed"],
        facts["version"],
        started,
        ended,
        virtual,
        list(_functions(run, resources, virtual)),
        list(_failures(run)),
        list(deliveries(run)),
        list(_queues(run, resources)),
        list(client_errors(run)),
        list(losses(run)),
        figures.lost(run),
        [ExpectationFigures(each.what, each.expected, each.found, each.passed) for each in expectations],
        facts.get("digest", ""),
        str(run.path),
        reproduce,
    )


def functions_of(run: RunReader) -> list[str]:
    """The names of the functions of a run, as far as it tells."""
    facts = {key: str(value) for key, value in run.run.items() if value is not None}
    return list(_known_functions(run, _resources(facts)))


def _resources(facts: Mapping[str, str]) -> Resources:
    return msgspec.json.decode(facts.get(RESOURCES, "{}"), type=Resources)


def _known_functions(run: RunReader, resources: Resources) -> dict[str, FunctionResource]:
    """Those that the run names, and those that only its rows know (a run that was driven from Python)."""
    seen = [row[0] for row in run.query("SELECT DISTINCT function FROM log_streams ORDER BY function")]
    return {**resources.functions, **{name: FunctionResource() for name in seen if name not in resources.functions}}


_ATTEMPTS = """
    SELECT count(*) AS invocations, sum(status != 'ok') AS errors, count(init_duration_ms) AS cold_starts
    FROM invocations WHERE function = ?
"""


def _functions(run: RunReader, resources: Resources, seconds: float) -> Iterable[FunctionFigures]:
    for name, resource in _known_functions(run, resources).items():
        [attempts] = run.query(_ATTEMPTS, (name,))
        yield FunctionFigures(
            name,
            attempts["invocations"],
            attempts["errors"] or 0,
            figures.throttles(run, name),
            attempts["cold_starts"],
            figures.duration_percentile(run, name, 50),
            figures.duration_percentile(run, name, 99),
            _cost(run, name, resource, seconds),
        )


# The environments of a log stream without any Init Duration were initialised before they were asked: provisioned,
# where the version has such.
_BILLED = """
    WITH streams AS (
        SELECT version, memory_size, count(*) AS attempts, sum(billed_duration_ms) AS billed,
            count(init_duration_ms) AS inits
        FROM invocations WHERE function = ? GROUP BY version, memory_size, log_stream
    )
    SELECT version, memory_size, inits = 0 AS warm, sum(attempts) AS attempts, sum(billed) AS billed
    FROM streams GROUP BY version, memory_size, warm ORDER BY version, memory_size, warm
"""


def _cost(run: RunReader, name: str, resource: FunctionResource, seconds: float) -> float:
    """USD of a function: requests, GB-seconds, /tmp above 512 MB, and provisioned concurrency for the whole run."""
    total = 0.0
    for row in run.query(_BILLED, (name,)):
        provisioned = bool(row["warm"]) and resource.provisioned.get(row["version"], 0) > 0
        total += (row["attempts"] - 1) * REQUEST + invocation_cost(
            row["billed"],
            row["memory_size"],
            architecture=resource.architecture,
            ephemeral_storage=resource.ephemeral_storage,
            provisioned=provisioned,
        )
    for amount in resource.provisioned.values():
        total += provisioned_cost(seconds, amount, resource.memory_size, architecture=resource.architecture)
    return total


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
