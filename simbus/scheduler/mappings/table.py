"""The event source mappings of an account: Lambda's operations on them.

Sources: recordings of test_lambda_api (TestLambdaEventSourceMappings), test_function_name_variations,
test_duplicate_event_source_mappings, test_esm_with_not_existing_*; botocore's model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from simbus.arn import short_name
from simbus.bus import Bus
from simbus.errors import AwsError, UsageError
from simbus.scheduler.destinations import Destinations
from simbus.scheduler.lambda_function import LambdaFunction
from simbus.scheduler.mappings.filter import compile_criteria
from simbus.scheduler.mappings.mapping import EventSourceMapping, FunctionTarget
from simbus.scheduler.mappings.pollers import Pollers
from simbus.scheduler.mappings.port import FunctionPort
from simbus.scheduler.mappings.request import read
from simbus.scheduler.mappings.settings import Kind, MappingSettings
from simbus.scheduler.mappings.validation import (
    check_constraints,
    check_max_items,
    check_visibility,
    refused,
    settings_of,
)
from simbus.scheduler.recursion import RecursionGuard
from simbus.scheduler.validation import invalid
from simbus.sources.sqs.queue import Queue
from simbus.world import World, uuid

_KINDS: dict[str, Kind] = {"sqs": "sqs", "kinesis": "kinesis", "dynamodb": "dynamodb"}
_FUNCTION = re.compile(
    r"(?P<full>arn:aws:lambda:)?(?:(?P<region>[a-z]{2}(?:-[a-z]+)+-\d):)?(?:(?P<account>\d{12}):)?"
    r"(?:function:|lambda:)?(?P<name>[a-zA-Z0-9-_]+)(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9-_]+))?"
)
_NO_QUEUE = (
    "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: "
    "The specified queue does not exist."
)


class _Source(NamedTuple):
    kind: Kind
    arn: str
    resource: Any  # None: it does not exist


class EventSourceMappings:
    """Every mapping, by UUID, in the order in which they were made."""

    def __init__(self, world: World, bus: Bus, destinations: Destinations, recursion: RecursionGuard) -> None:
        self._world = world
        self._recursion = recursion
        self._pollers = Pollers(world, bus, destinations)
        self._rng = world.timeline.rng("event-source-mappings")
        self._mappings: dict[str, EventSourceMapping] = {}
        self._deleted: list[EventSourceMapping] = []

    # --- operations ------------------------------------------------------------------------------------------------

    def create_event_source_mapping(self, *, transition_delay: int = 0, **parameters: Any) -> dict[str, Any]:
        """CreateEventSourceMapping: AWS's answer, `State` Creating (or Disabled where `enabled` is False).

        The parameters are botocore's in snake_case. `transition_delay` (ns) is how long this mapping takes from
        Creating to Enabled, and for each later change. Raises AwsError: InvalidParameterValueException,
        ValidationException, ResourceConflictException; UsageError for unknown parameters.
        """
        return self.create(transition_delay=transition_delay, **parameters)[1]

    def create(self, *, transition_delay: int = 0, **parameters: Any) -> tuple[EventSourceMapping, dict[str, Any]]:
        """The same; the mapping itself as well."""
        given = self._read(parameters)
        source = self._source(given.get("event_source_arn"))
        fifo = isinstance(source.resource, Queue) and source.resource.settings.fifo_queue
        settings = settings_of(source.kind, source.arn, fifo, given, self._world.epoch_ms() / 1000)
        compile_criteria(source.kind, settings.filters)
        target = self._target(given.get("function_name"), source.arn)
        self._check_source(source, settings, target)
        self._check_duplicate(source, target)
        name = uuid(self._rng)
        mapping = EventSourceMapping(
            self._world,
            name,
            source.kind,
            source.arn,
            target,
            settings,
            self._pollers.maker(source.kind, source.resource, name),
            transition_delay,
        )
        self._mappings[name] = mapping
        return mapping, mapping.create()

    def update_event_source_mapping(self, **parameters: Any) -> dict[str, Any]:
        """UpdateEventSourceMapping of `uuid`: what is not given stays. Raises AwsError as create does."""
        mapping = self._find(parameters.pop("uuid", None))
        given = self._read(parameters)
        for name in ("event_source_arn", "starting_position", "starting_position_timestamp"):
            if name in given:
                raise refused(f"{name} of an event source mapping can't be changed. Delete it and make another.")
        source = self._source(mapping.source_arn)
        fifo = isinstance(source.resource, Queue) and source.resource.settings.fifo_queue
        now = self._world.epoch_ms() / 1000
        settings = settings_of(mapping.kind, mapping.source_arn, fifo, given, now, mapping.settings)
        compile_criteria(mapping.kind, settings.filters)
        target = mapping.target
        if "function_name" in given:
            target = self._target(given["function_name"], mapping.source_arn)
            if target.arn == mapping.target.arn:
                target = mapping.target
            else:
                self._check_duplicate(source, target)
        self._check_source(source, settings, target)
        return mapping.update(settings, target)

    def delete_event_source_mapping(self, uuid: str) -> dict[str, Any]:
        """DeleteEventSourceMapping: its last description, `State` Deleting. Raises AwsError."""
        mapping = self._find(uuid)
        answer = mapping.delete()
        self._forget_deleted()
        return answer

    def get_event_source_mapping(self, uuid: str) -> dict[str, Any]:
        """GetEventSourceMapping. Raises AwsError ResourceNotFoundException."""
        return self._find(uuid).describe()

    def list_event_source_mappings(
        self,
        *,
        event_source_arn: str | None = None,
        function_name: str | None = None,
        marker: str | None = None,
        max_items: int = 100,
    ) -> dict[str, Any]:
        """ListEventSourceMappings: `{"EventSourceMappings": [...]}`, with a `NextMarker` where there are more.

        `max_items` is 1 to 10,000; AWS returns 100 at most. Raises AwsError.
        """
        check_max_items(max_items)
        self._forget_deleted()
        found = list(self._mappings.values())
        if event_source_arn is not None:
            arn = self._source(event_source_arn).arn
            found = [mapping for mapping in found if mapping.source_arn == arn]
        if function_name is not None:
            try:
                arn = self._target(function_name, "").arn
            except AwsError:
                message = f"Function not found: {self._world.arn('lambda', function_name)}"
                raise AwsError("ResourceNotFoundException", message, 404, Type="User") from None
            found = [mapping for mapping in found if mapping.target.arn == arn]
        if marker is not None and not marker.isdecimal():
            raise invalid("The marker is not one that a list operation has answered with.")
        begin = 0 if marker is None else int(marker)
        end = begin + min(max_items, 100)
        answer: dict[str, Any] = {"EventSourceMappings": [mapping.describe() for mapping in found[begin:end]]}
        if end < len(found):
            answer["NextMarker"] = str(end)
        return answer

    def reading(self, source_arn: str) -> list[EventSourceMapping]:
        """The mappings of a queue or stream, or of the streams of a table, in the order in which they were made."""
        self._forget_deleted()
        of_table = f"{source_arn}/stream/"
        return [m for m in self._mappings.values() if m.source_arn == source_arn or m.source_arn.startswith(of_table)]

    def __iter__(self) -> Iterator[EventSourceMapping]:
        """Those that are there, in the order in which they were made."""
        self._forget_deleted()
        return iter(list(self._mappings.values()))

    def __getitem__(self, uuid: str) -> EventSourceMapping:
        return self._find(uuid)

    def final_rows(self) -> None:
        """The run has ended: what the mappings hold is written down."""
        for mapping in (*self._mappings.values(), *self._deleted):
            mapping.finish()

    # --- what they name --------------------------------------------------------------------------------------------

    def _read(self, parameters: dict[str, Any]) -> dict[str, Any]:
        given = read(parameters)
        check_constraints(given)
        if given.get("on_failure") and not given["on_failure"].startswith("arn:"):
            service, name, _ = short_name(given["on_failure"])
            given["on_failure"] = self._world.arn(service, name)
        return given

    def _find(self, uuid: str | None) -> EventSourceMapping:
        self._forget_deleted()
        mapping = self._mappings.get(uuid or "")
        if mapping is None:
            raise AwsError("ResourceNotFoundException", "The resource you requested does not exist.", 404, Type="User")
        return mapping

    def _forget_deleted(self) -> None:
        for mapping in [mapping for mapping in self._mappings.values() if mapping.deleted]:
            self._deleted.append(self._mappings.pop(mapping.uuid))

    def _source(self, reference: str | None) -> _Source:
        """The source that `sqs:name` or an ARN names; of a table its stream. Raises AwsError for other services."""
        service, name, _ = ("", "", None) if reference is None else short_name(reference)
        if reference is None or service not in _KINDS:
            raise refused("Unrecognized event source.")
        if service == "kinesis" and "/consumer/" in reference:
            raise UsageError(
                f"{reference} is a stream consumer; enhanced fan-out is not built. Map the stream itself: its shards "
                "are read once a second."
            )
        found: Any = self._world.find(reference)
        if service == "dynamodb" and getattr(found, "stream", None) is not None:
            found = found.stream
        arn = reference if reference.startswith("arn:") else self._world.arn(service, name)
        if found is not None and not reference.startswith("arn:"):
            arn = found.arn
        elif found is not None and arn not in (found.arn, found.arn.partition("/stream/")[0]):
            found = None
        return _Source(_KINDS[service], arn if found is None else found.arn, found)

    def _target(self, reference: str | None, source_arn: str) -> FunctionTarget:
        """The function, version or alias of a name or (partial) ARN. Raises AwsError where it is not there."""
        match = _FUNCTION.fullmatch(reference or "")
        account = self._world.account
        if match is None or match["account"] not in (None, account.id) or match["region"] not in (None, account.region):
            raise refused("Function does not exist")
        found: Any = self._world.find(f"lambda:{match['name']}")
        qualifier = match["qualifier"]
        if not isinstance(found, LambdaFunction) or (qualifier is not None and not found.core.has(qualifier)):
            raise refused("Function does not exist")
        if qualifier == "$LATEST" and match["full"]:
            qualifier = None
        port = FunctionPort(self._world, found.core, self._recursion, qualifier, source_arn)
        return FunctionTarget(port, found.arn if qualifier is None else f"{found.arn}:{qualifier}")

    def _check_source(self, source: _Source, settings: MappingSettings, target: FunctionTarget) -> None:
        if source.resource is None:
            raise refused(_NO_QUEUE if source.kind == "sqs" else f"Stream not found: {source.arn}")
        if source.kind == "sqs":
            check_visibility(source.resource.settings.visibility_timeout, target.port.timeout)
        elif not hasattr(source.resource, "shards"):
            raise refused(f"Stream not found: {source.arn}")
        if settings.on_failure is not None:
            self._check_destination(settings.on_failure)

    def _check_destination(self, reference: str) -> None:
        if short_name(reference)[0] not in ("sqs", "sns", "s3") or self._world.find(reference) is None:
            raise refused(f"The destination ARN {reference} is invalid.")
        if reference.endswith(".fifo"):  # own words; the Developer Guide: a standard queue, a standard topic
            raise refused(f"The destination ARN {reference} is invalid: a FIFO queue or topic can't be a destination.")

    def _check_duplicate(self, source: _Source, target: FunctionTarget) -> None:
        for mapping in self._mappings.values():
            if mapping.deleted or (mapping.source_arn, mapping.target.arn) != (source.arn, target.arn):
                continue
            arn, name = f'(" {source.arn} ")', f'(" {target.port.function.resource} ")'
            end = f"Please update or delete the existing mapping with UUID {mapping.uuid}"
            message = f"The event source arn {arn} and function {name} provided mapping already exists. {end}"
            if source.kind == "sqs":
                message = f"An event source mapping with SQS arn {arn} and function {name} already exists. {end}"
            raise AwsError("ResourceConflictException", message, 409, Type="User")
