"""One version of a function: its frozen configuration and code, and its execution environments."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import msgspec

from simbus.errors import AwsError
from simbus.functions.attempt import Attempt, AttemptLayer, failing_at, plainly
from simbus.functions.cold_starts import init_distribution
from simbus.functions.environment import VCPU_MEMORY, Environment, Process
from simbus.functions.memory import default_memory_used
from simbus.kernel import MILLISECOND
from simbus.logs.platform import JsonLines, PlatformLines, TextLines
from simbus.logs.schema import NOTHING
from simbus.logs.stream import LogStream
from simbus.model import Invocation, Outcome

if TYPE_CHECKING:
    from simbus.functions.config import FunctionConfig
    from simbus.functions.function import Function

PROVISIONED_INIT_ATTEMPTS = 6
FLUSH_LINES = 8_192  # log lines after which the rows are looked at: may they be written?
LOOK_EVERY = 256  # attempts: how often they are looked at anyway

NOT_NOW = "ResourceConflictException"
Spawn = Callable[[Environment], Process | None]


def conflict(why: str) -> AwsError:
    """The error of what can't be done while a function changes."""
    return AwsError(NOT_NOW, f"The operation cannot be performed at this time. {why}", 409, Type="User")


class FunctionVersion:
    """`$LATEST` or a published version. `number` is AWS's version string; the configuration never changes."""

    __slots__ = (
        "_duration",
        "_duration_rng",
        "_idle",
        "_idle_provisioned",
        "_init",
        "_init_failures",
        "_init_rng",
        "_origin",
        "_rows",
        "_spawn",
        "arn",
        "attempt",
        "cold",
        "config",
        "environments",
        "function",
        "memory_used",
        "modelled_response",
        "number",
        "out_of_memory",
        "pending_until",
        "provisioned",
        "provisioned_busy",
        "provisioned_failed",
        "retired",
        "timeline",
        "timeout_ns",
    )

    def __init__(self, function: Function, number: str, config: FunctionConfig, spawn: Spawn) -> None:
        self.function = function
        self.number = number
        self.config = config
        self.arn = f"{function.arn}:{number}"
        self.timeline = function.world.timeline
        self.attempt: Attempt | None = None
        self.cold = False
        self.timeout_ns = config.timeout_ns
        self._rows = function.world.rows
        self._origin = function.world.epoch_ns
        self.environments: dict[Environment, None] = {}
        self.provisioned = 0
        self.provisioned_busy = 0
        self.provisioned_failed = False
        self.retired = False
        self.pending_until: int | None = None  # the instant at which it is Active; None: it is
        self._init_failures = 0
        needed = config.simulate.max_memory_used or default_memory_used(config.runtime, config.memory_size)
        self.memory_used = min(needed, config.memory_size)
        self.out_of_memory = needed > config.memory_size
        self.modelled_response = Outcome("ok", msgspec.json.encode(config.simulate.response).decode())
        self._spawn = spawn
        self._idle: dict[Environment, None] = {}
        self._idle_provisioned: dict[Environment, None] = {}
        self._duration = config.simulate.duration
        self._duration_rng = self.timeline.rng(f"{function.name}/duration")
        self._init = config.simulate.init_duration or init_distribution(
            config.runtime, config.memory_size, config.architecture
        )
        self._init_rng = self.timeline.rng(f"{function.name}/init")

    def __repr__(self) -> str:
        busy = len(self.environments) - len(self._idle) - len(self._idle_provisioned)
        return f"<FunctionVersion {self.function.resource}:{self.number} busy={busy} idle={len(self._idle)}>"

    def interpose(self, layers: Iterable[AttemptLayer]) -> None:
        """Let these stand between environments and handler, the last one first, in place of those before."""
        rate = self.config.simulate.error_rate
        self.attempt = failing_at(rate, self.timeline.rng(f"{self.function.name}/errors")) if rate else None
        for layer in layers:
            self.attempt = layer(self.attempt or plainly)

    def check_active(self) -> None:
        """Raises AwsError ResourceConflictException (409) while it is Pending: Lambda invokes nothing then."""
        if self.pending_until is not None:
            raise conflict("The function is currently in the following state: Pending")

    # --- placement -------------------------------------------------------------------------------------------------

    def take_provisioned(self) -> Environment | None:
        """A provisioned environment that is free, or None."""
        if not self._idle_provisioned:
            return None
        self.provisioned_busy += 1
        self.function.concurrency.enter_provisioned()
        return self._idle_provisioned.popitem()[0]

    def take_idle(self) -> Environment | None:
        """The environment that was used last among the idle ones, or None: the others come closer to their end."""
        return self._idle.popitem()[0] if self._idle else None

    def create(self, provisioned: bool = False) -> Environment:
        """A new environment, with a log stream of its own; `start` or `preload` it."""
        environment = self.function.new_environment(self, provisioned)
        self.environments[environment] = None
        return environment

    def give_back(self, environment: Environment) -> None:
        """An environment is idle again (one of a version that was replaced is shut down)."""
        provisioned = environment.provisioned
        if self.retired or (self._provisioned_environments() > self.provisioned if provisioned else self.cold):
            self.remove(environment)
            environment.discard()
            return
        idle = self._idle_provisioned if provisioned else self._idle
        idle[environment] = None

    @property
    def provisioned_ready(self) -> int:
        """How many provisioned environments have been initialised."""
        return len(self._idle_provisioned) + self.provisioned_busy

    def _provisioned_environments(self) -> int:
        return sum(environment.provisioned for environment in self.environments)

    def remove(self, environment: Environment) -> None:
        """An environment has ended."""
        self._idle.pop(environment, None)
        self._idle_provisioned.pop(environment, None)
        self.environments.pop(environment, None)

    def provision(self, amount: int) -> None:
        """Keep `amount` environments initialised (0: none any more). Raises AWS's errors.

        They are taken from the concurrency at once and serve from the end of their init; until then, and when all are
        busy, invocations run on demand.
        """
        self.function.concurrency.provision(amount - self.provisioned)
        more, self.provisioned = amount - self.provisioned, amount
        self.provisioned_failed = False
        self._init_failures = 0
        for _ in range(more):
            self.create(provisioned=True).start(None)
        for _ in range(-more):
            if self._idle_provisioned:
                environment = self._idle_provisioned.popitem()[0]
                self.remove(environment)
                environment.discard()

    def retire(self) -> None:
        """New code or configuration takes its place: idle environments end now, busy ones after their invocation."""
        self.retired = True
        self.reclaim()
        for environment in list(self._idle_provisioned):
            self.remove(environment)
            environment.discard()

    def reclaim(self) -> int:
        """Idle environments on demand end now; how many there were."""
        idle = list(self._idle)
        for environment in idle:
            self.remove(environment)
            environment.discard()
        return len(idle)

    # --- what the environments ask for -----------------------------------------------------------------------------

    def spawn(self, environment: Environment) -> Process | None:
        return self._spawn(environment)

    def lines(self, stream: LogStream, initialization: str) -> PlatformLines:
        """The writer of Lambda's own lines in this version's log format."""
        config, region = self.config, self.function.world.account.region
        if config.logging.log_format == "JSON":
            level = config.logging.system_log_level
            return JsonLines(stream, self.number, config.runtime, region, initialization, level)
        return TextLines(stream, self.number, config.runtime, region)

    def sample_duration(self) -> int:
        """How long the modelled part of an invocation takes: `cpu` of it scales with memory up to 1,769 MB.

        That is one vCPU (Developer Guide, "Configure Lambda function memory"); more memory brings more of them, and one
        handler of Python runs on one.
        """
        duration = self._duration.sample(self._duration_rng)
        share = self.config.simulate.cpu
        if share:
            duration = round(duration * (1 - share + share * max(1.0, VCPU_MEMORY / self.config.memory_size)))
        return duration

    def sample_init(self) -> int:
        return self._init.sample(self._init_rng)

    def init_failed(self, environment: Environment) -> None:
        """A provisioned environment could not start. After six attempts the configuration is FAILED, and given up.

        Source: recording test_provisioned_concurrency_init_failure.
        """
        self.remove(environment)
        environment.discard()
        if self._provisioned_environments() >= self.provisioned:
            return  # it is not wanted any more
        self._init_failures += 1
        if self._init_failures < PROVISIONED_INIT_ATTEMPTS:
            self.create(provisioned=True).start(None)
        else:
            self.provision(0)
            self.provisioned_failed = True

    def settled(self, environment: Environment, invocation: Invocation, outcome: Outcome) -> None:
        """An invocation has ended in one of the environments."""
        self.function.metrics.ended(invocation.started_at, invocation.ended_at, outcome.status != "ok")
        if environment.provisioned:
            self.provisioned_busy -= 1
            self.function.concurrency.release_provisioned()
        else:
            self.function.concurrency.release()

    def epoch_ms(self, at: int) -> int:
        """An instant as rows carry it."""
        return (self._origin + at) // MILLISECOND

    def write_row(
        self,
        environment: Environment,
        invocation: Invocation,
        outcome: Outcome,
        duration_ms: float,
        billed_ms: int,
        init_ms: float | None,
        lines: tuple[int | None, int | None],
    ) -> None:
        """One row of `attempts`, see `simbus.logs.views`. `lines` are the numbers of its START and END."""
        origin, rows = self._origin, self._rows
        if not len(rows.attempts) % LOOK_EVERY or len(rows.log_lines) >= FLUSH_LINES:
            rows.flush_if_full()
        subscription, wrapping = invocation.subscription, invocation.wrapping
        ok = outcome.status == "ok"
        rows.attempts.append(
            (
                invocation.request_id,
                invocation.attempt,
                environment.stream.stream_id,
                rows.route(subscription, invocation.invocation_type, invocation.source_arn, wrapping),
                invocation.event,
                rows.next_delivery() if ok and subscription is not None else None,
                (origin + invocation.queued_at) // MILLISECOND,
                (origin + invocation.started_at) // MILLISECOND,
                (origin + invocation.ended_at) // MILLISECOND,
                duration_ms,
                billed_ms,
                NOTHING if init_ms is None else init_ms,
                self.config.memory_size,
                invocation.max_memory_used,
                outcome.status,
                NOTHING if ok else outcome.error_type,
                NOTHING if ok else outcome.error_message,
                invocation.payload if wrapping is None or (rows.thinned and not ok) else NOTHING,
                outcome.payload,
                *lines,
            )
        )
