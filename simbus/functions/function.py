"""A Lambda function: versions and aliases, and the one place where an invocation meets an environment.

`place` is called whenever somebody wants a function to run; it reuses an environment, starts one, or says why not. It
knows no retry rule: whoever asked is told through the invocation's `on_settled` or `on_throttled`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

import msgspec

from simbus.errors import AwsError
from simbus.functions.attempt import AttemptLayer
from simbus.functions.concurrency import AccountPool, Concurrency
from simbus.functions.config import FunctionConfig
from simbus.functions.environment import Environment
from simbus.functions.version import FunctionVersion, Spawn
from simbus.logs.stream import LogStream
from simbus.model import Invocation, Throttled
from simbus.world import World

LATEST = "$LATEST"


class Alias(NamedTuple):
    """An alias: its version, and at most one other that gets a share (0 to 1) of the invocations."""

    function_version: str
    other_version: str | None = None
    weight: float = 0.0
    description: str = ""


class Streams(Protocol):
    """Makes the log stream of a new environment."""

    def new(self, function: str, group: str, version: str, environment_id: str) -> LogStream: ...


class SpawnerFactory(Protocol):
    """Makes what starts the Python processes of one version; it loads the code once."""

    def __call__(self, function: Function, number: str, config: FunctionConfig) -> Spawn: ...


class Function:
    """One function with all its versions. `resource` is its name, `name` the short one (`lambda:resize`)."""

    def __init__(
        self, world: World, pool: AccountPool, streams: Streams, spawner: SpawnerFactory, config: FunctionConfig
    ) -> None:
        self.world = world
        self.resource = config.name
        self.name = f"lambda:{config.name}"
        self.arn = world.arn("lambda", config.name)
        self.concurrency = Concurrency(world.timeline, pool)
        self.metrics = world.metrics.function(config.name)
        self.metrics.watch(self.concurrency)
        self.aliases: dict[str, Alias] = {}
        self.deleted = False
        self._spawner = spawner
        self._streams = streams
        self._environments_made = 0
        self._timeline = world.timeline
        self._rng = world.timeline.rng(f"{self.name}/environments")
        self._alias_rng = world.timeline.rng(f"{self.name}/aliases")
        self._changed = True
        self._published = 0
        self._layers: tuple[AttemptLayer, ...] = ()
        self._cold = False
        self.latest = self._new_version(LATEST, config)
        self.versions: dict[str, FunctionVersion] = {LATEST: self.latest}

    def __repr__(self) -> str:
        reserved = self.concurrency.reserved
        return f"<Function {self.resource} running={self.concurrency.in_use} reserved={reserved}>"

    @property
    def config(self) -> FunctionConfig:
        """The configuration of $LATEST."""
        return self.latest.config

    @property
    def running(self) -> int:
        """How many invocations run now, on demand and in provisioned environments."""
        return self.concurrency.running

    # --- versions --------------------------------------------------------------------------------------------------

    def _new_version(self, number: str, config: FunctionConfig) -> FunctionVersion:
        self.metrics.wait_for(config.timeout_ns)
        version = FunctionVersion(self, number, config, self._spawner(self, number, config))
        version.interpose(self._layers)
        version.cold = self._cold
        return version

    def interpose(self, layers: Iterable[AttemptLayer]) -> None:
        """Let these stand between environments and handlers, of every version, in place of those before (faults)."""
        self._layers = tuple(layers)
        for version in self.versions.values():
            version.interpose(self._layers)

    def keep_cold(self, cold: bool) -> int:
        """While `cold`, no environment on demand is kept: idle ones end now (how many: returned), others after use."""
        self._cold = cold
        for version in self.versions.values():
            version.cold = cold
        return sum(version.reclaim() for version in self.versions.values()) if cold else 0

    def update(self, config: FunctionConfig) -> None:
        """Replace configuration or code of $LATEST: what runs goes on, later invocations get new environments."""
        old, new = self.latest, self._new_version(LATEST, config)
        provisioned = old.provisioned
        old.retire()
        self.latest = self.versions[LATEST] = new
        newest = self.versions.get(str(self._published))  # UpdateFunctionCode with Publish made it of this one before
        published = newest is not None and newest.config == new.config
        self._changed = self._changed or (new.config != old.config and not published)
        if provisioned:
            old.provision(0)
            new.provision(provisioned)

    def publish(self, config: FunctionConfig | None = None, description: str | None = None) -> str:
        """Freeze $LATEST as the next version; without a change since the last one that one is returned."""
        number = str(self._published)
        if not self._changed and config is None and number in self.versions:
            return number
        self._published += 1
        number = str(self._published)
        frozen = config or self.config
        if description is not None:
            frozen = msgspec.structs.replace(frozen, description=description)
        self.versions[number] = self._new_version(number, frozen)
        self._changed = False
        return number

    def delete_version(self, number: str) -> None:
        """A published version goes: what runs is finished."""
        version = self.versions.pop(number)
        version.retire()
        version.provision(0)

    def primary(self, qualifier: str | None) -> str:
        """The number of the version that a qualifier stands for, of a weighted alias the main one."""
        alias = self.aliases.get(qualifier or LATEST)
        return alias.function_version if alias is not None else qualifier or LATEST

    def resolve(self, qualifier: str | None) -> FunctionVersion:
        """The version that a qualifier stands for; a weighted alias draws anew each time.

        Raises ResourceNotFoundException for one that does not exist.
        """
        qualifier = qualifier or LATEST
        alias = self.aliases.get(qualifier)
        if alias is not None:
            qualifier = alias.function_version
            if alias.other_version is not None and self._alias_rng.random() < alias.weight:
                qualifier = alias.other_version
        version = self.versions.get(qualifier)
        if version is None or self.deleted:
            raise self.not_found(qualifier)
        return version

    def has(self, qualifier: str) -> bool:
        """Whether there is such a version or alias."""
        return qualifier in self.versions or qualifier in self.aliases

    def not_found(self, qualifier: str | None) -> AwsError:
        name = f"{self.arn}:{qualifier or LATEST}"
        return AwsError("ResourceNotFoundException", f"Function not found: {name}", 404, Type="User")

    def reserve(self, amount: int | None) -> None:
        """PutFunctionConcurrency, or DeleteFunctionConcurrency with None. Raises AWS's errors."""
        self.metrics.catch_up()  # what runs belongs to the account's other part from now on
        self.concurrency.reserve(amount)

    # --- placement -------------------------------------------------------------------------------------------------

    def place(self, invocation: Invocation) -> None:
        """Give an invocation to an environment, or tell its `on_throttled` why there is none.

        Raises ResourceNotFoundException where the function, its version or its alias has been deleted, and
        ResourceConflictException while the version is Pending.
        """
        metrics = self.metrics
        if self._timeline.now >= metrics.clock.ends:
            metrics.catch_up()
        version = self.latest
        if invocation.qualifier is not None or self.deleted:
            version = self.resolve(invocation.qualifier)
        invocation.version = version.number
        if version.pending_until is not None:
            version.check_active()
        reason: str | None
        if invocation.invocation_type == "RequestResponse":
            reason = self.concurrency.refuse_rate()
            if reason is not None:
                self.throttle(invocation, reason)
                return
        environment = version.take_provisioned()
        if environment is not None:
            metrics.count("ProvisionedConcurrencyInvocations")
            environment.run(invocation)
            return
        reason = self.concurrency.refuse()
        if reason is None:
            environment = version.take_idle()
            if environment is None and not self.concurrency.may_scale():
                self.concurrency.release()
                reason = "ConcurrentInvocationLimitExceeded"
        if reason is not None:
            self.throttle(invocation, reason)
            return
        if version.provisioned and version.provisioned_ready:
            metrics.count("ProvisionedConcurrencySpilloverInvocations")
        if environment is not None:
            environment.run(invocation)
        else:
            version.create().start(invocation)

    def throttle(self, invocation: Invocation, reason: str) -> None:
        """Refuse an invocation, with AWS's ThrottleReason."""
        self.metrics.throttled()
        invocation.on_throttled(invocation, Throttled(reason))

    def new_environment(self, version: FunctionVersion, provisioned: bool) -> Environment:
        """An environment with its id and log stream; called by the version it belongs to."""
        self._environments_made += 1
        environment_id = f"{self._rng.getrandbits(128):032x}"
        stream = self._streams.new(self.resource, version.config.log_group, version.number, environment_id)
        lines = version.lines(stream, "provisioned-concurrency" if provisioned else "on-demand")
        return Environment(version, self._environments_made, environment_id, stream, lines, provisioned)

    def delete(self) -> None:
        """DeleteFunction: what runs is finished, then its environment ends; the concurrency is given back."""
        self.deleted = True
        for version in self.versions.values():
            version.retire()
            version.provision(0)
        self.reserve(None)

    def final_rows(self) -> None:
        """The run ends: invocations that have not say that they began."""
        for version in self.versions.values():
            for environment in version.environments:
                environment.final_rows()

    def close(self) -> None:
        """The simulation ends: every environment with it."""
        for version in self.versions.values():
            for environment in list(version.environments):
                environment.discard()
