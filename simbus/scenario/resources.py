"""The resources of a scenario, made in a simulation; what is refused is said with file, line and path."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from simbus.arn import short_name
from simbus.errors import AwsError, ScenarioError, UsageError
from simbus.functions.latency import parse_latencies
from simbus.kernel.distributions import parse_distribution
from simbus.scenario.event_buses import fill_buses, make_buses
from simbus.scenario.loader import Scenario
from simbus.scenario.remedies import refusal
from simbus.scenario.schema import derived
from simbus.scenario.schema.functions import EventInvokeConfig, Function
from simbus.scenario.schema.sources import BaseNotification, Bucket, Queue, Subscription
from simbus.scenario.source import Path
from simbus.simulation import Simulation


class Builder:
    """Makes the resources in an order in which each finds what it names."""

    def __init__(self, simulation: Simulation, scenario: Scenario) -> None:
        self._simulation = simulation
        self._scenario = scenario
        self._spec = scenario.spec

    def build(self) -> None:
        self._queues()
        for name, topic in self._spec.topics.items():
            with self._at("topics", name):
                self._simulation.topic(name, **topic.model_dump(exclude={"subscriptions"}, exclude_unset=True))
        for name, stream in self._spec.streams.items():
            with self._at("streams", name):
                self._simulation.stream(name, **stream.model_dump(exclude_unset=True))
        for name, table in self._spec.tables.items():
            with self._at("tables", name):
                self._simulation.table(name, **table.settings())
        make_buses(self._simulation, self._spec, self._at)
        for name, function in self._spec.functions.items():
            with self._at("functions", name):
                self._simulation.function(name, **self._settings(function))
        for name, bucket in self._spec.buckets.items():
            with self._at("buckets", name):
                made = self._simulation.bucket(
                    name, versioning=bucket.versioning, object_ownership=bucket.object_ownership
                )
                block = bucket.public_access_block_configuration
                if block is not None:
                    made.put_bucket_configuration("public_access_block", block.aws())
        for service in derived():
            for name, settings in getattr(self._spec, service.section).items():
                with self._at(service.section, name):
                    getattr(self._simulation, service.word)(name, **settings.model_dump(exclude_unset=True))
        self._wire()

    def _wire(self) -> None:
        """What leads from one resource to another, once all are there."""
        for name, function in self._spec.functions.items():
            self._event_invoke_config(("functions", name), name, None, function.event_invoke_config)
            for alias, settings in function.aliases.items():
                path = ("functions", name, "aliases", alias)
                self._event_invoke_config(path, name, alias, settings.event_invoke_config)
        for name, topic in self._spec.topics.items():
            for index, subscription in enumerate(topic.subscriptions):
                with self._at("topics", name, "subscriptions", index):
                    self._subscribe(name, subscription)
        for name, bucket in self._spec.buckets.items():
            self._notifications(name, bucket)
        fill_buses(self._simulation, self._spec, self._at)
        for index, mapping in enumerate(self._spec.event_source_mappings):
            with self._at("event_source_mappings", index):
                self._simulation.event_source_mapping(
                    mapping.event_source,
                    mapping.function,
                    simulate={"transition_delay": mapping.simulate.transition_delay},
                    **mapping.settings(),
                )

    @contextmanager
    def _at(self, *path: str | int) -> Iterator[None]:
        """Say where in the file something stands that AWS or simbus refuses."""
        try:
            yield
        except ScenarioError:
            raise
        except AwsError as error:
            raise ScenarioError(refusal(self._scenario.source.where(path), error)) from error
        except UsageError as error:
            raise ScenarioError(f"{self._scenario.source.where(path)} is refused: {error}") from error

    def _queues(self) -> None:
        """All queues first, so that each finds its dead-letter queue, also in a circle."""
        for name, queue in self._spec.queues.items():
            with self._at("queues", name):
                self._simulation.queue(name, **_attributes(queue))
        for name, queue in self._spec.queues.items():
            if queue.redrive_policy is not None:
                with self._at("queues", name, "redrive_policy"):
                    self._simulation[f"sqs:{name}"].set_queue_attributes(
                        redrive_policy=queue.redrive_policy.model_dump()
                    )

    def _arn(self, reference: str) -> str:
        service, name, _ = short_name(reference)
        return self._simulation.world.arn(service, name)

    def _settings(self, function: Function) -> dict[str, Any]:
        """The arguments of `Simulation.function`."""
        settings: dict[str, Any] = {
            "handler": function.handler,
            "code": None if function.code is None else self._scenario.folder / function.code,
            "runtime": function.runtime,
            "timeout": function.timeout,
            "memory_size": function.memory_size,
            "environment": function.environment,
            "architectures": function.architectures,
            "ephemeral_storage": function.ephemeral_storage,
            "recursive_loop": function.recursive_loop,
            "reserved_concurrent_executions": function.reserved_concurrent_executions,
            "provisioned_concurrent_executions": function.provisioned_concurrent_executions,
            "aliases": {
                name: alias.model_dump(exclude={"event_invoke_config"}) for name, alias in function.aliases.items()
            },
            "simulate": self._simulated(function),
        }
        if function.dead_letter_config is not None:
            settings["dead_letter_config"] = function.dead_letter_config.target_arn
        if function.logging_config is not None:
            settings["logging_config"] = function.logging_config.model_dump(exclude_none=True)
        return settings

    def _simulated(self, function: Function) -> dict[str, Any]:
        """`simulate` with its distributions read."""
        given = {name: getattr(function.simulate, name) for name in function.simulate.model_fields_set}
        for name in ("duration", "init_duration", "aws_latency"):
            written = given.pop(name, None)
            if written is not None:
                parse = parse_latencies if name == "aws_latency" else parse_distribution
                given[name] = parse(written, base_dir=self._scenario.folder)
        return given

    def _event_invoke_config(self, path: Path, name: str, alias: str | None, config: EventInvokeConfig | None) -> None:
        if config is None:
            return
        with self._at(*path, "event_invoke_config"):
            self._simulation[f"lambda:{name}"].put_function_event_invoke_config(
                maximum_retry_attempts=config.maximum_retry_attempts,
                maximum_event_age_in_seconds=config.maximum_event_age_in_seconds,
                on_success=config.destination("on_success"),
                on_failure=config.destination("on_failure"),
                **({} if alias is None else {"qualifier": alias}),
            )

    def _subscribe(self, topic: str, subscription: Subscription) -> None:
        policy = subscription.redrive_policy
        self._simulation[f"sns:{topic}"].subscribe(
            subscription.endpoint,
            protocol=subscription.protocol,
            filter_policy=subscription.filter_policy,
            filter_policy_scope=subscription.filter_policy_scope,
            raw_message_delivery=subscription.raw_message_delivery,
            redrive_policy=None if policy is None else policy.model_dump(),
        )

    def _notifications(self, name: str, bucket: Bucket) -> None:
        """Put the configuration once, as S3 sends a test event each time; where it is refused, find out which."""
        put = self._simulation[f"s3:{name}"].put_bucket_notification_configuration
        notifications = list(bucket.every_notification())
        configuration = self._configuration(notifications)
        if bucket.sends_to_event_bridge:
            configuration["EventBridgeConfiguration"] = {}
        if not configuration:
            return
        try:
            put(configuration)
        except (AwsError, UsageError):
            for count, (path, *_) in enumerate(notifications, 1):
                with self._at("buckets", name, *path):
                    put(self._configuration(notifications[:count]))

    def _configuration(self, notifications: list[tuple[Path, str, str, BaseNotification]]) -> dict[str, Any]:
        """AWS's NotificationConfiguration."""
        configuration: dict[str, Any] = {}
        for _, kind, target, settings in notifications:
            group, key = _NOTIFICATIONS[kind]
            entry: dict[str, Any] = {key: self._qualified_arn(target), "Events": list(settings.events)}
            if settings.id is not None:
                entry["Id"] = settings.id
            if settings.filter is not None and settings.filter.rules():
                entry["Filter"] = {"Key": {"FilterRules": settings.filter.rules()}}
            configuration.setdefault(group, []).append(entry)
        return configuration

    def _qualified_arn(self, reference: str) -> str:
        qualifier = short_name(reference)[2]
        return self._arn(reference) + (f":{qualifier}" if qualifier else "")


_NOTIFICATIONS = {
    "function": ("LambdaFunctionConfigurations", "LambdaFunctionArn"),
    "queue": ("QueueConfigurations", "QueueArn"),
    "topic": ("TopicConfigurations", "TopicArn"),
}


def _attributes(queue: Queue) -> dict[str, Any]:
    """The arguments of `Simulation.queue`: what the file sets, in the order of the schema."""
    names = [name for name in Queue.model_fields if name in queue.model_fields_set and name != "redrive_policy"]
    given = {name: getattr(queue, name) for name in names}
    if queue.redrive_allow_policy is not None:
        given["redrive_allow_policy"] = queue.redrive_allow_policy.model_dump(exclude_defaults=True)
    return given
