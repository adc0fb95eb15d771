"""`functions`: AWS's CreateFunction and the configurations around it, and `simulate`."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import Field, model_validator

from simbus.functions.config import OLD_PYTHON_RUNTIMES, RUNTIMES
from simbus.kernel import MINUTE
from simbus.scenario.schema.base import (
    Check,
    Duration,
    Model,
    Share,
    Unwrap,
    between,
    matching,
    one_of,
    reference,
    refuse,
)

FUNCTION_NAME = matching(
    "[a-zA-Z0-9_-]{1,64}", "a function's name has 1 to 64 letters, digits, hyphens and underscores", "Rename it"
)
_ALIAS_NAME = matching(
    r"(?!\d+$)[a-zA-Z0-9_-]{1,128}",
    "an alias has 1 to 128 letters, digits, hyphens and underscores, and is no number",
    "Rename it",
)
_VERSION = matching(r"\$LATEST|[0-9]+", "a version is $LATEST or a number in quotes", 'Write "1" for the first')
_VARIABLE = matching(
    "[a-zA-Z][a-zA-Z0-9_]*",
    "a variable's name begins with a letter and goes on with letters, digits and underscores",
    "Rename it",
)
_HANDLER = matching(r"[^\s]{1,128}", "a handler has at most 128 characters and no blanks", "Write module.function")
_RUNTIME = one_of(RUNTIMES + OLD_PYTHON_RUNTIMES, "the runtimes are")
_CONCURRENCY = between(0, 1_000_000, "concurrency is 0 or more", "Choose a number that is")
_MAX_ENVIRONMENT = 4096


def _environment_size(value: Any) -> Any:
    """Lambda measures the compact JSON of all variables (recorded: test_large_environment_variables_fails)."""
    if isinstance(value, dict):
        size = len(json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str).encode())
        if size > _MAX_ENVIRONMENT:
            raise refuse(f"has {size} bytes as JSON; Lambda allows {_MAX_ENVIRONMENT} for all variables. Shorten them.")
    return value


class DeadLetterConfig(Model):
    """DeadLetterConfig: where an asynchronous event goes that failed for the last time."""

    target_arn: Annotated[str, reference("sqs", "sns")]


class DestinationConfig(Model):
    """DestinationConfig: where the record of an asynchronous invocation goes."""

    on_success: Annotated[str, reference("sqs", "sns", "lambda", "events"), Unwrap("destination")] | None = None
    on_failure: Annotated[str, reference("sqs", "sns", "lambda", "events", "s3"), Unwrap("destination")] | None = None


class EventInvokeConfig(DestinationConfig):
    """EventInvokeConfig: retries and destinations of asynchronous invocations."""

    maximum_retry_attempts: Annotated[int, between(0, 2, "Lambda allows 0 to 2 retries", "Choose one of these")] = 2
    maximum_event_age_in_seconds: Annotated[
        int, between(60, 21_600, "Lambda keeps an event for 60 to 21600 seconds", "Choose a number in between")
    ] = 21_600
    destination_config: DestinationConfig | None = Field(
        default=None, description="AWS's nesting of on_success, on_failure."
    )

    @model_validator(mode="after")
    def _once(self) -> EventInvokeConfig:
        nested = self.destination_config
        for name in ("on_success", "on_failure"):
            if nested is not None and getattr(nested, name) is not None and getattr(self, name) is not None:
                raise refuse(f"gives {name} twice, also in destination_config; both mean the same. Keep one of them.")
        return self

    def destination(self, name: str) -> str | None:
        """`on_success` or `on_failure`, whichever way it is written."""
        nested: str | None = getattr(self.destination_config, name, None)
        own: str | None = getattr(self, name)
        return own if own is not None else nested


class LoggingConfig(Model):
    """LoggingConfig. The levels are only allowed where log_format is JSON."""

    log_format: Annotated[str, one_of(("Text", "JSON"), "the log formats are")] = "Text"
    application_log_level: (
        Annotated[str, one_of(("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"), "the levels are")] | None
    ) = None
    system_log_level: Annotated[str, one_of(("DEBUG", "INFO", "WARN"), "the levels are")] | None = None
    log_group: (
        Annotated[
            str,
            matching(
                r"[.\-_/#A-Za-z0-9]{1,512}",
                "a log group has 1 to 512 letters, digits and characters of .-_/#",
                "Rename it",
            ),
        ]
        | None
    ) = None


class RoutingConfig(Model):
    """RoutingConfig of an alias: the share of the invocations that goes to one other version."""

    additional_version_weights: dict[Annotated[str, _VERSION], Share] = Field(default={})


class Alias(Model):
    """An alias of a function, with its provisioned concurrency."""

    function_version: Annotated[str, _VERSION] = "$LATEST"
    routing_config: RoutingConfig = Field(default_factory=lambda: RoutingConfig.model_validate({}))
    provisioned_concurrent_executions: Annotated[int, _CONCURRENCY] | None = None
    event_invoke_config: EventInvokeConfig | None = None


class Simulate(Model):
    """What the code of a function does not say."""

    duration: Any = Field(
        None,
        description="Added to the time that the handler takes: 50ms, {p50: 120ms, p99: 900ms}, {exponential: 50ms}, "
        "{empirical: file.csv, column: ms}; 1ms if left out.",
    )
    cpu: Share = Field(
        default=0.0, description="Share of the duration that shrinks with memory_size, up to 1,769 MB (one vCPU)."
    )
    init_duration: Any = Field(
        default=None, description="As duration; left out: drawn from measurements of cold starts."
    )
    error_rate: Share = Field(default=0.0, description="Share of the attempts that fail.")
    max_memory_used: (
        Annotated[int, between(1, 1_000_000, "memory is counted in MB, 1 or more", "Give the MB for REPORT")] | None
    ) = None
    idle_timeout: Duration = 10 * MINUTE
    aws_latency: Any = Field(
        default=None,
        description="How long each call of the handler to an AWS service takes: 5ms, a distribution as in duration, or "
        "one for each service: {dynamodb: 5ms, s3: {p50: 30ms, p99: 200ms}, default: 20ms}.",
    )
    await_handler: bool = Field(default=False, description="Await an async def handler, which managed Python does not.")
    isolate: list[str] = Field(
        default=["aws_lambda_powertools"], description="Modules that each environment gets of its own."
    )
    response: Any = Field(default=None, description="What a function without handler answers.")


class Function(Model):
    """One function. Without a handler it is modelled: it takes `simulate.duration` and answers `simulate.response`."""

    handler: Annotated[str, _HANDLER] | None = Field(default=None, description="module.function in `code`.")
    code: str | None = Field(default=None, description="A directory, .py file or .zip, relative to the scenario file.")
    runtime: Annotated[str, _RUNTIME] = "python3.13"
    timeout: Annotated[int, between(1, 900, "Lambda allows 1 to 900 seconds", "Shorten it, or split the work")] = Field(
        3, description="Seconds."
    )
    memory_size: Annotated[int, between(128, 10_240, "Lambda allows 128 to 10240 MB", "Choose a number in between")] = (
        Field(default=128, description="MB.")
    )
    environment: Annotated[dict[Annotated[str, _VARIABLE], str], Check(_environment_size, {}), Unwrap("variables")] = (
        Field(default={})
    )
    architectures: Annotated[
        list[Annotated[str, one_of(("x86_64", "arm64"), "the architectures are")]], Field(min_length=1, max_length=1)
    ] = Field(default=["x86_64"])
    reserved_concurrent_executions: Annotated[int, _CONCURRENCY] | None = None
    provisioned_concurrent_executions: Annotated[int, _CONCURRENCY] | None = Field(
        default=None, description="Of $LATEST."
    )
    dead_letter_config: DeadLetterConfig | None = None
    event_invoke_config: EventInvokeConfig | None = None
    logging_config: LoggingConfig | None = None
    ephemeral_storage: Annotated[
        int,
        between(512, 10_240, "Lambda allows 512 to 10240 MB of ephemeral storage", "Choose a number in between"),
        Unwrap("size"),
    ] = 512
    recursive_loop: Annotated[str, one_of(("Allow", "Terminate"), "the choices are")] = "Terminate"
    aliases: dict[Annotated[str, _ALIAS_NAME], Alias] = Field(default={})
    simulate: Simulate = Field(default_factory=lambda: Simulate.model_validate({}))

    @model_validator(mode="after")
    def _code_and_handler(self) -> Function:
        if (self.handler is None) != (self.code is None):
            given, absent = ("code", "handler") if self.handler is None else ("handler", "code")
            raise refuse(f"has {given} but no {absent}; a function has both, or none (then it is modelled). Add it.")
        return self
