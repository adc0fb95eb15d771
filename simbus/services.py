"""The table of the AWS services that simbus plays. One line is one service; every other list of services comes from it.

Adding a source is one file and one line:

1. The file, `simbus/sources/NAME.py` (a folder, where it grows): a class that derives from `Source` in
   `simbus.sources.base`, or from `Subscribable` in `simbus.sources.delivery`, which can hand its events to functions,
   queues and topics; `service` is AWS's name. `simbus.sources.codecommit` is the smallest.
2. The line in `_TABLE` below.

What follows from them, without another line anywhere:

- `sim.WORD(name, **settings)`; `service:name` and the ARN lead to it wherever a resource is named.
- The section of a scenario file: its keys are the keyword-only parameters of the class, with their types and
  defaults, its description the class's docstring. Plain types, `Literal`, lists, a msgspec.Struct and `X | None` serve;
  a parameter that names another resource is annotated with `Names("lambda", "sqs")`. A parameter bears the name that
  AWS's API gives it, in snake_case.
- The verbs of a workload: the operations that the class lists in `verbs = ("push",)`, with their parameters and
  templates in them.
- `simbus check` with file, line and suggestion, and `simbus schema`.

`tests/test_services.py` then asks for the rest: tests, a scenario of the gallery that uses it, a row in the README.
A service whose settings AWS nests more deeply has a hand-made section in `simbus.scenario.schema` and a factory in
`simbus.resources`, which go before what would be made here.

This module holds texts only: reading the table imports no source.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple


class Service(NamedTuple):
    """One line of the table.

    `name` is AWS's word in ARNs (`sqs`), `word` what one resource of it is called (`queue`), `section` where a scenario
    file has them (`queues`), `arn` how the last part of its ARN is written, `path` where its class is.
    """

    name: str
    word: str
    section: str
    arn: str
    path: str
    regional: bool = True

    @property
    def words(self) -> str:
        """The word as a sentence has it: `event bus`."""
        return self.word.replace("_", " ")

    def load(self) -> Any:
        """The class of its resources."""
        module, _, name = self.path.partition(":")
        return getattr(import_module(module), name)


_TABLE = (
    Service("lambda", "function", "functions", "function:{}", "simbus.scheduler.lambda_function:LambdaFunction"),
    Service("s3", "bucket", "buckets", "{}", "simbus.sources.s3.bucket:Bucket", regional=False),
    Service("sqs", "queue", "queues", "{}", "simbus.sources.sqs.queue:Queue"),
    Service("sns", "topic", "topics", "{}", "simbus.sources.sns.topic:Topic"),
    Service("events", "event_bus", "event_buses", "event-bus/{}", "simbus.sources.eventbridge.bus:EventBus"),
    Service("kinesis", "stream", "streams", "stream/{}", "simbus.sources.kinesis.stream:Stream"),
    Service("dynamodb", "table", "tables", "table/{}", "simbus.sources.dynamodb.table:Table"),
    Service("codecommit", "repository", "repositories", "{}", "simbus.sources.codecommit:Repository"),
)

SERVICES: dict[str, Service] = {service.name: service for service in _TABLE}
"""Every service by AWS's name."""


class Names:
    """An annotation: this text names a resource of one of these services (`sqs:failed`, or its ARN)."""

    def __init__(self, *services: str) -> None:
        self.services = services
