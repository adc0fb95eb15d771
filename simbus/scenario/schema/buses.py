"""`event_buses`: EventBridge buses with their rules, targets and archives."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from simbus.arn import short_name
from simbus.errors import AwsError, UsageError
from simbus.scenario.schema.base import Check, Model, between, matching, one_of, reference, refuse
from simbus.sources.eventbridge.cron import parse_schedule
from simbus.sources.eventbridge.targets import SERVICES

BUS_NAME = matching(
    r"[a-zA-Z0-9._-]{1,256}", "a bus's name has 1 to 256 letters, digits, dots, hyphens and underscores", "Rename it"
)
RULE_NAME = matching(
    r"[a-zA-Z0-9._-]{1,64}", "a rule's name has 1 to 64 letters, digits, dots, hyphens and underscores", "Rename it"
)
ARCHIVE_NAME = matching(
    r"[a-zA-Z0-9._-]{1,48}", "an archive's name has 1 to 48 letters, digits, dots, hyphens and underscores", "Rename it"
)
TARGET_ID = matching(
    r"[a-zA-Z0-9._-]{1,64}", "an id has 1 to 64 letters, digits, dots, hyphens and underscores", "Change it"
)


def _target(value: Any) -> Any:
    """`lambda:resize`, `logs:/aws/events/orders` or an ARN."""
    if not isinstance(value, str) or value.startswith("logs:") or ":logs:" in value:
        return value
    try:
        service = short_name(value)[0]
    except UsageError as error:
        raise refuse(f"is {value!r}, which names no resource;{str(error).partition(';')[2]}") from None
    if service not in SERVICES:
        raise refuse(f"is {value!r}; a target is one of {', '.join(f'{name}:name' for name in SERVICES)}. Name one.")
    return value


def _schedule(value: Any) -> Any:
    try:
        if isinstance(value, str):
            parse_schedule(value)
    except AwsError as error:
        raise refuse(
            f"is {value!r}; AWS answers: {error.message} Write rate(5 minutes), of which 1 is rate(1 minute), or "
            "cron(0 3 * * ? *), which has six fields and a ? for the day of the month or of the week."
        ) from None
    return value


Pattern = Annotated[
    dict[str, Any] | str,
    Field(description="An event pattern: a mapping, or AWS's JSON text."),
]


class RetryPolicy(Model):
    """RetryPolicy of a target."""

    maximum_retry_attempts: Annotated[
        int, between(0, 185, "EventBridge allows 0 to 185 retries", "Choose a number in between")
    ] = 185
    maximum_event_age_in_seconds: Annotated[
        int, between(60, 86_400, "EventBridge allows 60 to 86400 seconds", "Choose a number in between")
    ] = 86_400


class DeadLetterConfig(Model):
    """DeadLetterConfig of a target: an SQS standard queue."""

    arn: Annotated[str, reference("sqs")]


class InputTransformer(Model):
    """InputTransformer of a target."""

    input_paths_map: dict[str, str] = Field(default={}, description="Variable: JSON path, such as $.detail.id.")
    input_template: str = Field(description='For example {"id": <id>}, or a text in quotes.')


class SqsParameters(Model):
    """SqsParameters of a target that is a FIFO queue."""

    message_group_id: str


class KinesisParameters(Model):
    """KinesisParameters of a target that is a stream."""

    partition_key_path: str


class Target(Model):
    """A target of a rule."""

    id: Annotated[str, TARGET_ID] | None = Field(default=None, description="target-1, target-2 ... if left out.")
    arn: Annotated[str, Check(_target, {"examples": ["lambda:resize", "logs:/aws/events/orders"]})]
    role_arn: str | None = None
    input: Any = Field(default=None, description="JSON text, or what becomes JSON.")
    input_path: str | None = None
    input_transformer: InputTransformer | None = None
    sqs_parameters: SqsParameters | None = None
    kinesis_parameters: KinesisParameters | None = None
    retry_policy: RetryPolicy | None = None
    dead_letter_config: DeadLetterConfig | None = None


class Rule(Model):
    """A rule: an event pattern, a schedule, or both."""

    event_pattern: Pattern | None = None
    schedule_expression: Annotated[str, Check(_schedule, {"examples": ["rate(5 minutes)"]})] | None = Field(
        default=None, description="On the default bus only; it fires until `duration` or `until` is over."
    )
    state: Annotated[str, one_of(("ENABLED", "DISABLED"), "the states are")] = "ENABLED"
    description: str | None = None
    role_arn: str | None = None
    targets: list[Target] = Field(default=[])

    @model_validator(mode="after")
    def _what(self) -> Rule:
        if self.event_pattern is None and self.schedule_expression is None:
            raise refuse("has no event_pattern and no schedule_expression; a rule needs one of them. Add it.")
        return self


class Archive(Model):
    """An archive of a bus."""

    event_pattern: Pattern | None = Field(default=None, description="Left out, or {}: every event.")
    retention_days: Annotated[
        int, between(0, 2**31 - 1, "EventBridge keeps events for 0 (for ever) days or more", "Choose such a number")
    ] = 0
    description: str = ""


class EventBus(Model):
    """An event bus; `default` is there without being named."""

    rules: dict[Annotated[str, RULE_NAME], Rule] = Field(default={})
    archives: dict[Annotated[str, ARCHIVE_NAME], Archive] = Field(default={})
