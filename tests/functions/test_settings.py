"""From AWS's settings to a checked configuration: defaults, ranges, and the words of each refusal."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from simbus import AwsError, Simulation, UsageError
from simbus.functions.config import Simulate
from simbus.functions.settings import changed, function_config
from simbus.kernel import MILLISECOND, SECOND
from simbus.kernel.distributions import Constant


def handler(event: Any, context: Any) -> None:
    """A handler that does nothing."""


def test_defaults() -> None:
    """CreateFunction's defaults: 3 s, 128 MB, 512 MB of /tmp, x86_64, Text, Terminate (botocore; recorded
    test_create_lambda_exceptions)."""
    config = function_config("f")
    assert (config.timeout, config.memory_size, config.ephemeral_storage) == (3, 128, 512)
    assert (config.architecture, config.recursive_loop, config.log_group) == ("x86_64", "Terminate", "/aws/lambda/f")
    assert (config.logging.log_format, config.logging.application_log_level) == ("Text", None)
    assert config.timeout_ns == 3 * SECOND


@pytest.mark.parametrize(
    ("setting", "low", "high"),
    [("timeout", 1, 900), ("memory_size", 128, 10_240), ("ephemeral_storage", 512, 10_240)],
)
def test_ranges(setting: str, low: int, high: int) -> None:
    """Both ends are allowed, one beyond is not (Lambda quotas)."""
    for value in (low, high):
        assert getattr(function_config("f", **{setting: value}), setting) == value
    for value in (low - 1, high + 1):
        with pytest.raises(UsageError, match=f"function f: {setting} is {value}; Lambda allows {low:,} to {high:,}"):
            function_config("f", **{setting: value})
    for odd in (1.5, "9", True, None):
        with pytest.raises(UsageError, match=f"{setting} is .*whole number"):
            function_config("f", **{setting: odd})


@pytest.mark.parametrize("name", ["", "a b", "a.b", "ä"])
def test_bad_names(name: str) -> None:
    """Letters, digits, - and _ (botocore FunctionName)."""
    with pytest.raises(UsageError, match="letters, digits"):
        function_config(name)


def test_a_name_has_64_characters_at_most() -> None:
    """The exact text (recorded: test_function_arns)."""
    function_config("x" * 64)
    with pytest.raises(AwsError) as caught:
        function_config("x" * 65)
    assert caught.value.message == (
        f"1 validation error detected: Value '{'x' * 65}' at 'functionName' failed to satisfy constraint: Member must "
        "have length less than or equal to 64"
    )


def test_the_environment_has_4_kb() -> None:
    """Measured on its compact JSON: 4,096 bytes pass, 4,097 do not (recorded:
    test_large_environment_variables_fails, test_lambda_envvars_near_limit_succeeds)."""
    fits = {"K": "v" * (4096 - len('{"K":""}'))}
    assert function_config("f", environment=fits).environment == fits
    large = {"K": fits["K"] + "v"}
    with pytest.raises(AwsError) as caught:
        function_config("f", environment=large)
    assert caught.value.code == "InvalidParameterValueException"
    assert caught.value.message == (
        "Lambda was unable to configure your environment variables because the environment variables you have "
        f"provided exceeded the 4KB limit. String measured: {json.dumps(large, separators=(',', ':'))}"
    )


def test_the_environment_may_be_nested_as_in_aws() -> None:
    """`{"variables": {...}}` and the short form are synonyms."""
    assert function_config("f", environment={"variables": {"A": "b"}}).environment == {"A": "b"}
    assert function_config("f", environment={"A": "b"}).environment == {"A": "b"}
    assert function_config("f", environment={"variables": "text"}).environment == {"variables": "text"}
    with pytest.raises(UsageError, match="environment variable 'A' is 1; names and values are text"):
        function_config("f", environment={"A": 1})


def test_runtime_is_one_of_aws() -> None:
    """The exact beginning of the text (recorded: test_create_lambda_exceptions)."""
    assert function_config("f", runtime="python2.7").runtime == "python2.7"
    with pytest.raises(
        AwsError, match="Value nope at 'runtime' failed to satisfy constraint: Member must satisfy enum"
    ):
        function_config("f", runtime="nope")


def test_architectures_is_exactly_one() -> None:
    """x86_64 or arm64 (botocore)."""
    assert function_config("f", architectures=["arm64"]).architecture == "arm64"
    for bad in (["arm64", "x86_64"], [], "sparc"):
        with pytest.raises(UsageError, match="exactly one"):
            function_config("f", architectures=bad)


def test_logging_config() -> None:
    """JSON has levels, INFO by default; Text has none (recorded: TestLoggingConfig)."""
    config = function_config("f", logging_config={"log_format": "JSON", "system_log_level": "WARN"})
    assert (config.logging.application_log_level, config.logging.system_log_level) == ("INFO", "WARN")
    assert function_config("f", logging_config={"log_group": "/x/y"}).log_group == "/x/y"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"log_format": "XML"}, "logging_config"),
        ({"levels": 1}, "has no levels"),
        ({"log_format": "JSON", "application_log_level": "LOUD"}, "application_log_level is 'LOUD'; it is one of"),
        ({"log_format": "JSON", "system_log_level": "TRACE"}, "system_log_level is 'TRACE'; it is one of DEBUG"),
        ({"application_log_level": "INFO"}, "levels need log_format JSON"),
        ({"log_group": "no blanks"}, "log_group is 'no blanks'"),
    ],
)
def test_bad_logging_config(given: dict[str, Any], words: str) -> None:
    """Each mistake is named (ranges: botocore LoggingConfig)."""
    with pytest.raises(UsageError, match=words):
        function_config("f", logging_config=given)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"handler": "app.handler"}, "there is no code"),
        ({"code": "x"}, "there is code but no handler"),
        ({"handler": 7}, "it is a callable, or the text"),
        ({"handler": handler, "code": "x"}, "would not be used"),
        ({"handler": "a b", "code": "x"}, "no blanks"),
        ({"handler": "a" * 129, "code": "x"}, "up to 128"),
        ({"recursive_loop": "Sometimes"}, "Allow or Terminate"),
        ({"timeouts": 3}, "there is no setting timeouts. Did you mean timeout?"),
        ({"zzz": 3}, "there is no setting zzz. Known are runtime, timeout"),
        ({"simulate": {"durations": "1s"}}, "no simulate.durations. Did you mean duration?"),
        ({"simulate": {"duration": "soon"}}, "simulate.duration"),
        ({"simulate": {"error_rate": 1.1}}, "simulate.error_rate is 1.1; it is a share from 0 to 1"),
        ({"simulate": {"cpu": -0.1}}, "simulate.cpu is -0.1"),
        ({"simulate": {"error_rate": "often"}}, "simulate.error_rate"),
        ({"simulate": {"max_memory_used": -5}}, "simulate.max_memory_used"),
        ({"simulate": {"max_memory_used": "80 MB"}}, "simulate.max_memory_used"),
        ({"simulate": {"idle_timeout": -1}}, "simulate.idle_timeout"),
        ({"simulate": {"await_handler": "yes"}}, "simulate.await_handler"),
        ({"simulate": {"isolate": "pandas"}}, "simulate.isolate"),
        ({"simulate": {"response": object()}}, "simulate.response"),
    ],
)
def test_refusals(given: dict[str, Any], words: str) -> None:
    """Nothing is accepted and ignored."""
    with pytest.raises(UsageError) as caught:
        function_config("f", **given)
    assert words in str(caught.value)
    assert str(caught.value).startswith("function f: ")


def test_simulate() -> None:
    """Durations as text, as nanoseconds or as a distribution."""
    given = {"duration": "50ms", "idle_timeout": "10m", "aws_latency": 5, "isolate": ["a", "b"], "init_duration": None}
    simulate = function_config("f", simulate=given).simulate
    assert simulate.duration.sample(None) == 50 * MILLISECOND  # type: ignore[arg-type]
    assert (simulate.idle_timeout, simulate.isolate) == (600 * SECOND, ("a", "b"))
    assert simulate.aws_latency.sample(Random(1), "s3") == 5
    assert function_config("f", simulate={"duration": Constant(7)}).simulate.duration == Constant(7)
    ready = Simulate(cpu=0.5)
    assert function_config("f", simulate=ready).simulate is ready


def test_changed_keeps_the_rest() -> None:
    """UpdateFunctionConfiguration changes what it names."""
    config = changed(function_config("f", timeout=9, memory_size=512), {"timeout": 10})
    assert (config.timeout, config.memory_size) == (10, 512)


def test_a_dead_letter_queue_is_a_queue_or_a_topic(sim: Simulation) -> None:
    """SQS standard queue or SNS standard topic (DeadLetterConfig)."""
    sim.bucket("archive")
    with pytest.raises(UsageError, match="dead_letter_config is arn:aws:s3:::archive"):
        sim.function("f", dead_letter_config="s3:archive")
    assert sim.function("g", dead_letter_config={"target_arn": None}).config.dead_letter_arn is None


def test_reserved_environment_variables_can_not_be_set() -> None:
    """Developer Guide, "Defined runtime environment variables"; the text as CreateFunction answers it, quoted in
    serverless/serverless issues."""
    with pytest.raises(AwsError) as caught:
        function_config("f", environment={"A": "b", "AWS_REGION": "eu-west-1", "_HANDLER": "x"})
    assert caught.value.code == "InvalidParameterValueException"
    assert caught.value.message == (
        "Lambda was unable to configure your environment variables because the environment variables you have provided "
        "contains reserved keys that are currently not supported for modification. Reserved keys used in this request: "
        "AWS_REGION, _HANDLER"
    )
    assert function_config("f", environment={"AWS_XRAY_CONTEXT_MISSING": "x", "TZ": "x"}).environment


@pytest.mark.parametrize("name", ["1A", "A-B", "_A", "A B", ""])
def test_names_of_environment_variables(name: str) -> None:
    """They begin with a letter and have letters, digits and underscores (botocore EnvironmentVariableName)."""
    with pytest.raises(UsageError, match="a name begins with a letter"):
        function_config("f", environment={name: "x"})
