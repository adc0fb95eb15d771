"""The configuration of a function, under AWS's names (CreateFunction), and what simbus has to be told besides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from simbus.functions.latency import Latencies
from simbus.kernel import MILLISECOND, SECOND
from simbus.kernel.distributions import Constant, Distribution

LogFormat = Literal["Text", "JSON"]

# What CreateFunction accepted on 2026-01-12 (recorded: test_create_lambda_exceptions), and the runtimes before them
# whose error payloads and log lines differ.
RUNTIMES = (
    *(f"nodejs{v}.x" for v in (16, 18, 20, 22, 24)),
    *(f"python3.{v}" for v in range(8, 15)),
    "java8.al2",
    "java11",
    "java17",
    "java21",
    "java25",
    "dotnet6",
    "dotnet8",
    "dotnet10",
    "ruby3.2",
    "ruby3.3",
    "ruby3.4",
    "provided.al2",
    "provided.al2023",
)
OLD_PYTHON_RUNTIMES = ("python2.7", "python3.6", "python3.7")


class LoggingConfig(msgspec.Struct, frozen=True):
    """LoggingConfig. The levels only apply where `log_format` is JSON, both default to INFO there."""

    log_format: LogFormat = "Text"
    application_log_level: str | None = None
    system_log_level: str | None = None
    log_group: str | None = None


class Simulate(msgspec.Struct, frozen=True):
    """What the code of a function does not say: how long it takes, how often it fails.

    `duration` is added to the time that the handler itself spends (sleeping, waiting for sources). `cpu` is the share
    of it (0 to 1) that shrinks with memory, up to 1,769 MB: that is one vCPU, and a duration is given for that size.
    `init_duration` None: drawn from measurements for runtime and memory. `max_memory_used` in MB. `aws_latency`: how
    long its calls to AWS take, see `simbus.functions.latency`. `idle_timeout` in nanoseconds: AWS does not document
    how long an idle environment lives; 640 s is what real request traces of 2020 show
    (pacslab/serverless-performance-modeling at 4b88970, warm up to 635.8 s).
    `response` is what a modelled function answers.
    """

    duration: Distribution = Constant(MILLISECOND)
    cpu: float = 0.0
    init_duration: Distribution | None = None
    error_rate: float = 0.0
    max_memory_used: int | None = None
    idle_timeout: int = 640 * SECOND
    aws_latency: Latencies = Latencies()
    await_handler: bool = False
    isolate: tuple[str, ...] = ("aws_lambda_powertools",)
    response: Any = None


class FunctionConfig(msgspec.Struct, frozen=True):
    """One function. `handler` is `module.function` inside `code`, a Python callable, or None: a modelled function.

    `role` None: one that is named after the function. `environment` None: there is none, not even an empty one.
    `timeout` in seconds (1 to 900, default 3), `memory_size` in MB (128 to 10,240, default 128), `ephemeral_storage`
    in MB (512 to 10,240, default 512). `dead_letter_arn` is DeadLetterConfig.TargetArn.
    """

    name: str
    handler: str | Callable[..., Any] | None = None
    code: Path | None = None
    runtime: str = "python3.13"
    timeout: int = 3
    memory_size: int = 128
    environment: Mapping[str, str] | None = None
    architecture: str = "x86_64"
    ephemeral_storage: int = 512
    dead_letter_arn: str | None = None
    logging: LoggingConfig = LoggingConfig()
    recursive_loop: Literal["Allow", "Terminate"] = "Terminate"
    description: str = ""
    role: str | None = None
    simulate: Simulate = Simulate()

    @property
    def timeout_ns(self) -> int:
        return self.timeout * SECOND

    @property
    def log_group(self) -> str:
        return self.logging.log_group or f"/aws/lambda/{self.name}"
