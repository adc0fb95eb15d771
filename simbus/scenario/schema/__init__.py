"""The scenario file as models: what `simbus schema` prints and every file is checked against.

A service that has no section here gets one that is made from its class: see `simbus.services`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any

from pydantic import Field, create_model

from simbus.errors import UsageError
from simbus.kernel import SECOND
from simbus.logs.sampling import ALL, share_of
from simbus.scenario.schema.base import Check, Duration, Model, between, matching, refuse
from simbus.scenario.schema.buses import BUS_NAME, EventBus
from simbus.scenario.schema.derived import section, verbs
from simbus.scenario.schema.expect import Expectation
from simbus.scenario.schema.faults import Fault, fault_model
from simbus.scenario.schema.functions import FUNCTION_NAME, Function
from simbus.scenario.schema.mappings import EventSourceMapping
from simbus.scenario.schema.sources import BUCKET_NAME, QUEUE_NAME, TOPIC_NAME, Bucket, Queue, Topic
from simbus.scenario.schema.streams import STREAM_NAME, Stream
from simbus.scenario.schema.tables import TABLE_NAME, Table
from simbus.scenario.schema.workload import Item
from simbus.scenario.source import shown
from simbus.services import SERVICES, Service


class Account(Model):
    """The AWS account and Region."""

    id: Annotated[str, matching("[0-9]{12}", "an account id has 12 digits", "Write them in quotes")] = "000000000000"
    region: Annotated[
        str, matching(r"[a-z]{2}(-[a-z]+)+-[0-9]", "a Region is written like us-east-1", "Write it so")
    ] = "us-east-1"
    concurrent_executions: Annotated[
        int, between(1, 1_000_000, "an account has 1 concurrent execution or more", "Choose such a number")
    ] = 1000
    function_activation: Duration = Field(
        default=SECOND,
        description="How long a function is Pending that a handler creates, and an update that it makes in progress.",
    )
    table_transition_delay: Duration = Field(
        default=10 * SECOND,
        description="How long a table is CREATING, UPDATING or DELETING after the API operation; 10s if left out.",
    )
    mapping_transition_delay: Duration = Field(
        default=5 * SECOND,
        description="How long an event source mapping that the API makes is Creating, Updating ...; 5s if left out.",
    )


def _start(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise refuse(f"is {shown(value)}; a start is a time. Write it like 2026-01-01T00:00:00Z.") from None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    if not 1970 <= moment.year <= 2200:
        raise refuse(f"is {value!r}; the clock can start from 1970 to 2200. Choose such a year.")
    return moment.astimezone(UTC)


def _seed(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise refuse(f"is {shown(value)}; a seed is a whole number or a text. Write one.")
    return value


def _share(value: Any) -> float:
    try:
        return share_of(value)
    except UsageError as error:
        raise refuse(str(error)) from None


class RunFile(Model):
    """How the run file is written."""

    payloads: Annotated[
        Any, Check(_share, {"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, {"type": "string"}]})
    ] = Field(
        default=ALL,
        description="Share of the events whose payloads it keeps (0.01, 1%); rows and outcomes are all kept.",
    )


class ScenarioFile(Model):
    """A simbus scenario: resources, workload and expectations of one run."""

    description: str = ""
    seed: Annotated[Any, Check(_seed, {"anyOf": [{"type": "integer"}, {"type": "string"}]})] = Field(
        default=0, description="Decides every random number; --seed wins."
    )
    start: Annotated[datetime, Check(_start, {"type": "string", "format": "date-time"})] = Field(
        default=datetime(2026, 1, 1, tzinfo=UTC), description="What the clock says at time 0."
    )
    duration: Duration | None = Field(
        default=None, description="The workload stops here; the run goes on until nothing is pending."
    )
    until: Duration | None = Field(default=None, description="The run goes on no further than this.")
    account: Account = Field(default_factory=lambda: Account.model_validate({}))
    run_file: RunFile = Field(default_factory=lambda: RunFile.model_validate({}))
    functions: dict[Annotated[str, FUNCTION_NAME], Function] = Field(default={})
    buckets: dict[Annotated[str, BUCKET_NAME], Bucket] = Field(default={})
    queues: dict[Annotated[str, QUEUE_NAME], Queue] = Field(default={})
    topics: dict[Annotated[str, TOPIC_NAME], Topic] = Field(default={})
    streams: dict[Annotated[str, STREAM_NAME], Stream] = Field(default={})
    tables: dict[Annotated[str, TABLE_NAME], Table] = Field(default={})
    event_buses: dict[Annotated[str, BUS_NAME], EventBus] = Field(default={})
    event_source_mappings: list[EventSourceMapping] = Field(default=[])
    faults: list[Fault] = Field(default=[], description="What goes wrong on purpose, and when.")
    workload: list[Item] = Field(default=[], description="What happens from outside, and when.")
    expect: list[Expectation] = Field(default=[], description="What must be true of the finished run.")


def derived() -> list[Service]:
    """The services whose sections are made from their classes."""
    return [service for service in SERVICES.values() if service.section not in ScenarioFile.model_fields]


def scenario_file() -> type[ScenarioFile]:
    """The model of a scenario file with the sections and verbs of every service."""
    return _with(tuple(derived()))


@lru_cache(maxsize=8)
def _with(services: tuple[Service, ...]) -> type[ScenarioFile]:
    operations: dict[str, type[Model]] = {}
    for service in services:
        for verb, model in verbs(service).items():
            if verb in Item.model_fields or verb in operations:
                raise TypeError(f"the verb {verb} of {service.name} is taken; call the operation otherwise")
            operations[verb] = model
    fields: dict[str, Any] = {verb: (model | None, None) for verb, model in operations.items()}
    item = create_model("Item", __base__=Item, __doc__=Item.__doc__, **fields)
    item.verbs = (*Item.verbs, *operations)
    sections: dict[str, Any] = {
        service.section: (dict[str, section(service)], Field(default={}))  # type: ignore[misc]
        for service in services
    }
    workload = (list[item], ScenarioFile.model_fields["workload"])  # type: ignore[valid-type]
    faults: Any = (list[fault_model()], ScenarioFile.model_fields["faults"])  # type: ignore[misc]
    return create_model(
        "ScenarioFile",
        __base__=ScenarioFile,
        __doc__=ScenarioFile.__doc__,
        **sections,
        workload=workload,
        faults=faults,
    )


def schema_json() -> dict[str, Any]:
    """The JSON Schema of a scenario file, for editors."""
    schema = scenario_file().model_json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
