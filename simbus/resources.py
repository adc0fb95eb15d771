"""What is in the simulated account: functions, buckets, queues, topics, and how each is made.

A service whose class has all that it takes needs no factory here: see `simbus.services`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from simbus.arn import short_name
from simbus.bus import Bus
from simbus.errors import UsageError
from simbus.functions.concurrency import AccountPool
from simbus.functions.config import FunctionConfig, Simulate
from simbus.functions.function import LATEST, Function
from simbus.functions.package import Packages
from simbus.functions.processes import Processes
from simbus.functions.sandbox.belongings import outer_world
from simbus.functions.sandbox.state import outside
from simbus.functions.settings import changed, function_config
from simbus.kernel.durations import read_duration
from simbus.logs.groups import LogGroups
from simbus.logs.reader import InvocationRow, RunReader
from simbus.logs.streams import LogStreams
from simbus.logs.writer import RunWriter
from simbus.metrics import Datapoint
from simbus.metrics.custom import Key, key_in
from simbus.scheduler.asynchronous import AsynchronousQueue
from simbus.scheduler.destinations import Destinations
from simbus.scheduler.lambda_function import LambdaFunction
from simbus.scheduler.mappings.mapping import EventSourceMapping
from simbus.scheduler.mappings.settings import transition_delay
from simbus.scheduler.mappings.table import EventSourceMappings
from simbus.scheduler.recursion import RecursionGuard
from simbus.services import SERVICES
from simbus.sources.base import Source
from simbus.sources.eventbridge.archive import Archives
from simbus.sources.eventbridge.bus import EventBus
from simbus.world import World

if TYPE_CHECKING:
    from structlog.typing import Processor

    from simbus.sources.dynamodb.table import Table
    from simbus.sources.kinesis.stream import Stream
    from simbus.sources.s3.bucket import Bucket
    from simbus.sources.sns.topic import Topic
    from simbus.sources.sqs.queue import Queue

T = TypeVar("T")
Resource = str | Source | Mapping[str, Any]


class Resources:
    """The resources of one account in one Region: made by name, found by short name."""

    def __init__(
        self, world: World, rows: RunWriter, handler_guard: float | None, log_processors: Sequence[Processor]
    ) -> None:
        self.world = world
        self.rows = rows
        self.bus = Bus(world)
        self.pool = AccountPool(world.account.concurrent_executions)
        world.metrics.account(self.pool)
        world.metrics.read = self._datapoints
        self._streams = LogStreams(world, rows, log_processors)
        self.log_groups = LogGroups(world, rows, self.look)
        self._processes = Processes(world, handler_guard)
        self._destinations = Destinations(world, self.bus.hop)
        self._recursion = RecursionGuard()
        self.event_source_mappings = EventSourceMappings(world, self.bus, self._destinations, self._recursion)
        self._cores: list[Function] = []
        self.packages = Packages()
        self._resources: dict[str, Any] = {}
        self._removed: list[Any] = []
        self._archives = Archives()
        self._add(EventBus(world, self.bus, "default", self._archives))  # every account has it

    def function(
        self,
        name: str,
        *,
        handler: str | Callable[..., Any] | None = None,
        code: str | Path | None = None,
        reserved_concurrent_executions: int | None = None,
        provisioned_concurrent_executions: int | None = None,
        dead_letter_config: Resource | None = None,
        event_invoke_config: Mapping[str, Any] | None = None,
        versions: Mapping[str, Mapping[str, Any]] | None = None,
        aliases: Mapping[str, Mapping[str, Any]] | None = None,
        simulate: Simulate | Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> LambdaFunction:
        """A Lambda function. The settings are AWS's, in snake_case: see `simbus.functions.settings.function_config`.

        `handler` is a Python callable, or `module.function` in `code` (a directory, a .py file or a .zip); left out the
        function is modelled: it answers `simulate["response"]` after `simulate["duration"]`. `versions` publishes
        versions "1", "2" ... each with what it changes; `aliases` is `{name: {"function_version": "1",
        "routing_config": {"additional_version_weights": {"2": 0.1}}}}`. Raises UsageError and AwsError.
        """
        config = function_config(
            name, handler=handler, code=code, dead_letter_arn=self.dead_letter(dead_letter_config),
            simulate=simulate, **settings
        )  # fmt: skip
        core = Function(self.world, self.pool, self._streams, self._processes.spawner, config)
        queue = AsynchronousQueue(self.world, self.bus, core, self._destinations, self._recursion)
        function = LambdaFunction(core, queue, self._recursion, self.bus)
        function._read = self._invocations
        self._add(function)
        self._cores.append(core)
        if reserved_concurrent_executions is not None:
            function.put_function_concurrency(reserved_concurrent_executions)
        self._versions(function, config, versions or {}, aliases or {})
        if provisioned_concurrent_executions:
            function.provision(LATEST, provisioned_concurrent_executions)
        if event_invoke_config:
            self._event_invoke_config(function, event_invoke_config)
        return function

    def _versions(
        self,
        function: LambdaFunction,
        config: FunctionConfig,
        versions: Mapping[str, Mapping[str, Any]],
        aliases: Mapping[str, Mapping[str, Any]],
    ) -> None:
        named = {alias["function_version"] for alias in aliases.values()}
        for alias in aliases.values():
            named.update((alias.get("routing_config") or {}).get("additional_version_weights") or {})
        published = max((int(number) for number in (*versions, *named) if number != LATEST), default=0)
        for number in range(1, published + 1):
            function.publish_version(changed(config, versions.get(str(number), {})))
        for name, alias in aliases.items():
            weights = (alias.get("routing_config") or {}).get("additional_version_weights")
            function.create_alias(name, alias["function_version"], weights)
            if alias.get("provisioned_concurrent_executions"):
                function.put_provisioned_concurrency_config(name, alias["provisioned_concurrent_executions"])

    def dead_letter(self, target: Resource | None) -> str | None:
        """The ARN of a dead-letter queue, as it is or as `{"target_arn": ...}`. Raises UsageError for what is none."""
        if isinstance(target, Mapping):
            target = target.get("target_arn")
        if target is None:
            return None
        arn = self._arn(target)
        if short_name(arn)[0] not in ("sqs", "sns"):
            raise UsageError(
                f"dead_letter_config is {arn}; a dead-letter queue is an SQS standard queue or an SNS standard topic. "
                "Name one of those, or use a destination (event_invoke_config.on_failure)."
            )
        return arn

    def _event_invoke_config(self, function: LambdaFunction, config: Mapping[str, Any]) -> None:
        given = dict(config)
        destinations = given.pop("destination_config", None) or {}
        for which in ("on_success", "on_failure"):
            nested = (destinations.get(which) or {}).get("destination")
            target = given.get(which, nested)
            if target is not None:
                given[which] = target if isinstance(target, str) else self._arn(target)
        function.put_function_event_invoke_config(**given)

    def bucket(
        self,
        name: str,
        *,
        versioning: bool = False,
        notifications: Iterable[Mapping[str, Any]] = (),
        eventbridge: bool = False,
        location_constraint: str | None = None,
        object_ownership: str = "BucketOwnerEnforced",
    ) -> Bucket:
        """An S3 bucket. `notifications` as in a scenario: `{"function": ..., "events": [...], "filter": {...}}`.

        `eventbridge`: every event goes to the default event bus as well. `location_constraint`: the Region that its
        records name, where it is another one than that of the account. `object_ownership`: `ObjectWriter` and
        `BucketOwnerPreferred` allow ACLs; public ones also need `delete_bucket_configuration("public_access_block")`.
        """
        bucket: Bucket = self._make(
            "s3", name, versioning=versioning, location_constraint=location_constraint,
            object_ownership=object_ownership,
        )  # fmt: skip
        from simbus.sources.s3.notifications import from_short_forms  # loaded with the first bucket

        configuration: dict[str, Any] = from_short_forms(notifications, self._arn)
        if eventbridge:
            configuration["EventBridgeConfiguration"] = {}
        if configuration:
            bucket.put_bucket_notification_configuration(configuration)
        return bucket

    def queue(self, name: str, **attributes: Any) -> Queue:
        """An SQS queue; attributes as those of `simbus.sources.sqs.queue.Queue`."""
        policy = attributes.get("redrive_policy")
        if policy:
            attributes["redrive_policy"] = {
                **policy,
                "dead_letter_target_arn": self._arn(policy["dead_letter_target_arn"]),
            }
        earlier = self.deleted("sqs", name)
        queue: Queue
        if earlier is None:
            queue = self._make("sqs", name, **attributes)
            return queue
        queue = earlier
        queue.create_again(**attributes)
        return self._add(queue)

    def topic(self, name: str, *, subscriptions: Iterable[Mapping[str, Any]] = (), **attributes: Any) -> Topic:
        """An SNS topic; attributes as those of `simbus.sources.sns.topic.Topic`."""
        topic: Topic = self._make("sns", name, **attributes)
        for subscription in subscriptions:
            given = dict(subscription)
            topic.subscribe(given.pop("endpoint"), **given)
        return topic

    def event_bus(
        self,
        name: str,
        *,
        rules: Mapping[str, Mapping[str, Any]] | None = None,
        archives: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> EventBus:
        """An EventBridge event bus; `default` is there already, another name makes a custom bus.

        `rules` as in a scenario: `{"big": {"event_pattern": {...}, "targets": [function]}}`; a rule is what
        `EventBus.put_rule` takes, with the `targets` of `EventBus.put_targets`. `archives` are `{"all":
        {"retention_days": 1}}`, as `EventBus.create_archive` takes them.
        """
        bus: EventBus = self._resources["events:default"]
        if name != "default":
            bus = self._add(EventBus(self.world, self.bus, name, self._archives))
        for rule, settings in (rules or {}).items():
            given = dict(settings)
            targets = given.pop("targets", ())
            bus.put_rule(rule, **given)
            if targets:
                bus.put_targets(rule, targets)
        for archive, settings in (archives or {}).items():
            bus.create_archive(archive, **settings)
        return bus

    def stream(self, name: str, *, shard_count: int | None = None, **settings: Any) -> Stream:
        """A Kinesis data stream; settings as those of `simbus.sources.kinesis.stream.Stream`.

        Without `shard_count` it is an on-demand stream. What a scenario file can't say is done in Python:
        `sim.at("5m", lambda: stream.split_shard("shardId-000000000000", str(1 << 127)))` reshards after 5 minutes.
        """
        stream: Stream = self._make("kinesis", name, shard_count=shard_count, **settings)
        return stream

    def table(self, name: str, *, hash_key: str, **settings: Any) -> Table:
        """A DynamoDB table, with a stream if it has a `stream_view_type`; settings as those of `Table`.

        `stream_shard_lifetime`, `ttl_delay` and `transaction_duration` are durations (`"4h"`), or nanoseconds.
        """
        for setting in ("stream_shard_lifetime", "ttl_delay", "transaction_duration"):
            if isinstance(settings.get(setting), str):
                settings[setting] = read_duration(settings[setting], f"{setting} of table {name}")
        table: Table = self._make("dynamodb", name, hash_key=hash_key, **settings)
        return table

    def event_source_mapping(
        self,
        event_source: Resource,
        function: Resource,
        *,
        simulate: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> EventSourceMapping:
        """Map a queue, a stream, or a table's stream to a function, a version or an alias (`lambda:work:live`).

        `settings` are the parameters of CreateEventSourceMapping in snake_case, with the short form `on_failure`; see
        `simbus.scheduler.mappings.settings`. `simulate={"transition_delay": "5s"}`: how long it takes from Creating to
        Enabled, and for each change later on (default 0s). Raises UsageError, and AwsError where AWS refuses.
        """
        delay = transition_delay(simulate)
        source, target = (value if isinstance(value, str) else self._arn(value) for value in (event_source, function))
        mappings = self.event_source_mappings
        mapping, _ = mappings.create(transition_delay=delay, event_source_arn=source, function_name=target, **settings)
        return mapping

    if not TYPE_CHECKING:  # a slip of the pen in the name of another attribute is to stay an error of types

        def __getattr__(self, word: str) -> Any:
            """`sim.WORD(name, **settings)` of a service that has no factory above."""
            for service in SERVICES.values():
                if service.word == word:
                    return partial(self._make, service.name)
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {word!r}", name=word, obj=self)

    def _make(self, service: str, name: str, **settings: Any) -> Any:
        """A resource of its service's class, which is loaded when the first one is made."""
        with outer_world():  # a handler may have made it, whose code brings along libraries of its own
            made = SERVICES[service].load()
        return self._add(made(self.world, self.bus, name, **settings))

    def _add(self, resource: T) -> T:
        self.world.register(resource)  # type: ignore[arg-type]
        name: str = resource.name  # type: ignore[attr-defined]
        earlier = self._resources.pop(name, None)  # one of that name that was deleted
        if earlier is not None and earlier is not resource:
            self._removed.append(earlier)
        self._resources[name] = resource
        return resource

    def _arn(self, target: Any) -> str:
        """The ARN of a resource object, a `service:name` or an ARN."""
        if not isinstance(target, str):
            return str(target.arn)
        service, name, qualifier = short_name(target)
        return self.world.arn(service, name) + (f":{qualifier}" if qualifier else "")

    def find(self, service: str, name: str) -> Any:
        """The resource of a service by its bare name, or None."""
        found = self._resources.get(f"{service}:{name}")
        return None if found is None or found.arn in self.world.gone else found

    def deleted(self, service: str, name: str) -> Any:
        """What had this name until it was deleted, by an operation of its own; None where the name is in use."""
        found = self._resources.get(f"{service}:{name}")
        return None if found is None or found.arn not in self.world.gone else found

    def remove(self, resource: Any) -> None:
        """Take a resource out of the account: its name is free again, and nothing finds it any more."""
        self._resources.pop(resource.name, None)
        self.world.forget(resource.arn)

    def __getitem__(self, name: str) -> Any:
        """The resource of that short name, `sqs:failed`. KeyError where there is none."""
        found = self.find(*name.partition(":")[::2])
        if found is None:
            there = ", ".join(name for name in self._resources if self.find(*name.split(":", 1))) or "nothing yet"
            raise KeyError(f"{name} is not there; the simulation has {there}")
        return found

    def resources(self, service: str) -> list[Any]:
        """Every resource of a service (`sqs`), in the order in which they were made."""
        return [
            resource
            for name, resource in self._resources.items()
            if name.startswith(f"{service}:") and resource.arn not in self.world.gone
        ]

    # --- rows and end ----------------------------------------------------------------------------------------------

    def reader(self) -> RunReader:
        """The rows written so far. Close it, or use it as a context manager."""
        self.world.metrics.catch_up()
        return self.rows.reader()

    def look(self, look: Callable[[RunReader], T]) -> T:
        """What `look(reader)` finds in the rows written so far; a handler may ask, too."""
        with outside(), self.reader() as reader:
            return look(reader)

    def _invocations(self, function: str) -> list[InvocationRow]:
        return self.look(lambda reader: list(reader.invocations(function)))

    def _datapoints(self, name: str, dimension: str) -> list[Datapoint]:
        return self.look(lambda reader: list(reader.metrics(name, dimension)))

    def custom_rows(self, name: str) -> list[Datapoint]:
        """The rows of `metrics` of that name, in the order in which they were put."""
        sql = "SELECT time, name, dimension, value, unit FROM metrics WHERE name = ? ORDER BY rowid"
        return self.look(lambda reader: [Datapoint(*row) for row in reader.query(sql, [name])])

    def metric_keys(self) -> set[Key]:
        """Every metric that has a data point, the minute under way included."""
        sql = "SELECT DISTINCT name, dimension FROM metrics"
        written = self.look(lambda reader: [tuple(row) for row in reader.query(sql)])
        under_way = ((point.name, point.dimension) for point in self.world.metrics.unwritten())
        return {key_in(name, dimension) for name, dimension in (*written, *under_way)}

    def _final_rows(self) -> None:
        """Write the rows that say how things stand at the end."""
        for resource in (*self._removed, *self._resources.values()):
            end = getattr(resource, "final_rows", None)
            if end is not None:
                end()
        self._under_way_rows()
        self.event_source_mappings.final_rows()
        self.world.metrics.finish()

    def _under_way_rows(self) -> None:
        """Invocations that have not ended have begun: their START."""
        for core in self._cores:
            core.final_rows()

    def _close_resources(self) -> None:
        """Environments and their temporary directories go."""
        try:
            for core in self._cores:
                core.close()
        finally:
            self._processes.close()
            self.packages.close()
