"""From AWS's settings in snake_case to a checked FunctionConfig.

Sources of the ranges: botocore's model of CreateFunction, Lambda quotas; recordings test_create_lambda_exceptions,
test_function_arns, test_large_environment_variables_fails.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec

from simbus.errors import AwsError, UsageError
from simbus.functions.config import OLD_PYTHON_RUNTIMES, RUNTIMES, FunctionConfig, LoggingConfig, Simulate
from simbus.functions.latency import parse_latencies
from simbus.kernel.distributions import Distribution, parse_distribution
from simbus.kernel.durations import parse_duration

_NAME = re.compile(r"[a-zA-Z0-9_-]+")
_VARIABLE = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*")
_LOG_GROUP = re.compile(r"[.\-_/#A-Za-z0-9]{1,512}")
_APPLICATION_LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
_SYSTEM_LEVELS = ("DEBUG", "INFO", "WARN")
ROLE = r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+"
ENVIRONMENT_LIMIT = 4_096
# Developer Guide, "Defined runtime environment variables": reserved, no function may set them.
RESERVED_VARIABLES = (
    *("_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV"),
    *("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION"),
    *("AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME"),
    *("AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
    *("AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"),
)

Simulated = Simulate | Mapping[str, Any] | None


def function_config(
    name: str,
    *,
    handler: str | Callable[..., Any] | None = None,
    code: str | Path | None = None,
    dead_letter_arn: str | None = None,
    simulate: Simulated = None,
    **settings: Any,
) -> FunctionConfig:
    """The configuration of a new function. Raises UsageError, or AwsError where CreateFunction would refuse.

    `settings`: runtime, timeout (s), memory_size (MB), environment (`{"variables": {...}}` or the variables),
    architectures (`["x86_64"]`) or architecture, ephemeral_storage (`{"size": MB}` or MB), logging_config,
    recursive_loop, description, role. `simulate`: see `simbus.functions.config.Simulate`; durations may be written
    `"50ms"`, distributions as in a scenario file.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"function {name!r}: a name has letters, digits, - and _ only. Rename it.")
    if len(name) > 64:
        raise AwsError(
            "InvalidParameterValueException",
            f"1 validation error detected: Value '{name}' at 'functionName' failed to satisfy constraint: Member must "
            "have length less than or equal to 64",
            Type="User",
        )
    check_handler(name, handler, code)
    config = FunctionConfig(
        name,
        handler,
        None if code is None else Path(code),
        dead_letter_arn=dead_letter_arn,
        simulate=_simulate(name, simulate),
    )
    return changed(config, settings)


def changed(config: FunctionConfig, settings: Mapping[str, Any]) -> FunctionConfig:
    """The configuration with these settings instead of its own (UpdateFunctionConfiguration)."""
    fields: dict[str, Any] = {}
    for key, value in settings.items():
        parse = _SETTINGS.get(key)
        if parse is None:
            close = get_close_matches(key, _SETTINGS, 1)
            hint = f" Did you mean {close[0]}?" if close else f" Known are {', '.join(_SETTINGS)}."
            raise UsageError(f"function {config.name}: there is no setting {key}.{hint}")
        field, parsed = parse(config.name, value)
        fields[field] = parsed
    return msgspec.structs.replace(config, **fields)


def check_handler(name: str, handler: object, code: object) -> None:
    """Raises UsageError where handler and code do not belong together."""
    if isinstance(handler, str) and code is None:
        raise UsageError(
            f"function {name}: handler is {handler!r} but there is no code; a handler by name lies in a directory, a "
            ".py file or a .zip. Give `code`, or a Python callable as handler."
        )
    if handler is None and code is not None:
        raise UsageError(f"function {name}: there is code but no handler; name it as module.function.")
    if handler is not None and not isinstance(handler, str) and not callable(handler):
        raise UsageError(f"function {name}: handler is {handler!r}; it is a callable, or the text module.function.")
    if callable(handler) and code is not None:
        raise UsageError(f"function {name}: the handler is a callable, so `code` would not be used. Leave it out.")
    if isinstance(handler, str) and (len(handler) > 128 or re.search(r"\s", handler)):
        raise UsageError(f"function {name}: handler is {handler!r}; it has up to 128 characters and no blanks.")


def _number(field: str, low: int, high: int, unit: str) -> Callable[[str, Any], tuple[str, int]]:
    def parse(name: str, value: Any) -> tuple[str, int]:
        if isinstance(value, bool) or not isinstance(value, int):
            raise UsageError(f"function {name}: {field} is {value!r}; it is a whole number of {unit}.")
        if not low <= value <= high:
            raise UsageError(f"function {name}: {field} is {value}; Lambda allows {low:,} to {high:,} {unit}.")
        return field, value

    return parse


def _runtime(name: str, value: Any) -> tuple[str, str]:
    if value not in RUNTIMES and value not in OLD_PYTHON_RUNTIMES:
        raise AwsError(
            "InvalidParameterValueException",
            f"Value {value} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: "
            f"[{', '.join(RUNTIMES)}] or be a valid ARN",
            Type="User",
        )
    return "runtime", value


def _environment(name: str, value: Any) -> tuple[str, dict[str, str] | None]:
    if value is None:
        return "environment", None
    if set(value) == {"variables"} and isinstance(value["variables"], Mapping):
        value = value["variables"]
    for key, text in value.items():
        if not isinstance(key, str) or not isinstance(text, str):
            raise UsageError(f"function {name}: environment variable {key!r} is {text!r}; names and values are text.")
        if not _VARIABLE.fullmatch(key) and key not in RESERVED_VARIABLES:
            raise UsageError(
                f"function {name}: environment variable {key!r}: a name begins with a letter and goes on with letters, "
                "digits and underscores. Rename it."
            )
    reserved = [key for key in value if key in RESERVED_VARIABLES]
    if reserved:
        raise AwsError(
            "InvalidParameterValueException",
            "Lambda was unable to configure your environment variables because the environment variables you have "
            "provided contains reserved keys that are currently not supported for modification. Reserved keys used in "
            f"this request: {', '.join(reserved)}",
            Type="User",
        )
    measured = json.dumps(dict(value), separators=(",", ":"), ensure_ascii=False)
    if value and len(measured.encode()) > ENVIRONMENT_LIMIT:
        raise AwsError(
            "InvalidParameterValueException",
            "Lambda was unable to configure your environment variables because the environment variables you have "
            f"provided exceeded the 4KB limit. String measured: {measured}",
            Type="User",
        )
    return "environment", dict(value)


def _architecture(name: str, value: Any) -> tuple[str, str]:
    if isinstance(value, (list, tuple)) and len(value) == 1:
        value = value[0]
    if value not in ("x86_64", "arm64"):
        raise UsageError(f"function {name}: architecture is {value!r}; it is x86_64 or arm64, exactly one.")
    return "architecture", value


def _ephemeral_storage(name: str, value: Any) -> tuple[str, int]:
    if isinstance(value, Mapping):
        value = value.get("size")
    return _number("ephemeral_storage", 512, 10_240, "MB")(name, value)


def _logging(name: str, value: Any) -> tuple[str, LoggingConfig]:
    given = dict(value or {})
    try:
        config = msgspec.convert(given, LoggingConfig)
    except msgspec.ValidationError as error:
        raise UsageError(f"function {name}: logging_config: {error}.") from None
    unknown = set(given) - set(LoggingConfig.__struct_fields__)
    if unknown:
        raise UsageError(f"function {name}: logging_config has no {', '.join(sorted(unknown))}.")
    levels = (("application_log_level", _APPLICATION_LEVELS), ("system_log_level", _SYSTEM_LEVELS))
    for field, allowed in levels:
        level = given.get(field)
        if level is not None and level not in allowed:
            raise UsageError(f"function {name}: {field} is {level!r}; it is one of {', '.join(allowed)}.")
        if level is not None and config.log_format == "Text":
            raise UsageError(
                f"function {name}: {field} is {level} but log_format is Text; levels need log_format JSON. Set it, or "
                "leave the level out."
            )
    if config.log_group is not None and not _LOG_GROUP.fullmatch(config.log_group):
        raise UsageError(f"function {name}: log_group is {config.log_group!r}; it has 1 to 512 of a-zA-Z0-9.-_/#.")
    if config.log_format == "JSON":
        config = msgspec.structs.replace(
            config,
            application_log_level=config.application_log_level or "INFO",
            system_log_level=config.system_log_level or "INFO",
        )
    return "logging", config


def _recursive_loop(name: str, value: Any) -> tuple[str, str]:
    if value not in ("Allow", "Terminate"):
        raise UsageError(f"function {name}: recursive_loop is {value!r}; it is Allow or Terminate.")
    return "recursive_loop", value


def _description(name: str, value: Any) -> tuple[str, str]:
    if not isinstance(value, str) or len(value) > 256:
        raise UsageError(f"function {name}: description is {value!r}; it is a text of up to 256 characters.")
    return "description", value


def _role(name: str, value: Any) -> tuple[str, str | None]:
    if value is not None and not re.fullmatch(ROLE, value):
        raise AwsError(
            "ValidationException",
            f"1 validation error detected: Value '{value}' at 'role' failed to satisfy constraint: Member must satisfy "
            f"regular expression pattern: {ROLE}",
        )
    return "role", value


_SETTINGS: dict[str, Callable[[str, Any], tuple[str, Any]]] = {
    "runtime": _runtime,
    "timeout": _number("timeout", 1, 900, "seconds"),
    "memory_size": _number("memory_size", 128, 10_240, "MB"),
    "environment": _environment,
    "architecture": _architecture,
    "architectures": _architecture,
    "ephemeral_storage": _ephemeral_storage,
    "logging_config": _logging,
    "recursive_loop": _recursive_loop,
    "description": _description,
    "role": _role,
}


def _simulate(name: str, value: Simulated) -> Simulate:
    if value is None:
        return Simulate()
    if isinstance(value, Simulate):
        return value
    fields: dict[str, Any] = {}
    for key, given in value.items():
        if key not in Simulate.__struct_fields__:
            close = get_close_matches(key, Simulate.__struct_fields__, 1)
            hint = f" Did you mean {close[0]}?" if close else ""
            raise UsageError(f"function {name}: there is no simulate.{key}.{hint}")
        try:
            fields[key] = _simulated(key, given)
        except UsageError as error:
            raise UsageError(f"function {name}: simulate.{key} {error}") from None
    return Simulate(**fields)


def _simulated(key: str, value: Any) -> Any:
    """One value of `simulate`. Raises UsageError; its text starts with what was found."""
    if key in ("duration", "init_duration"):
        return value if isinstance(value, Distribution) or value is None else parse_distribution(value)
    if key == "idle_timeout":
        return _nanoseconds(value)
    if key == "aws_latency":
        return parse_latencies(value)
    if key in ("cpu", "error_rate") and not (_is_number(value) and 0 <= value <= 1):
        raise UsageError(f"is {value!r}; it is a share from 0 to 1.")
    if key == "max_memory_used" and value is not None and not (_is_number(value) and value == int(value) >= 1):
        raise UsageError(f"is {value!r}; it is a whole number of MB, at least 1.")
    if key == "await_handler" and not isinstance(value, bool):
        raise UsageError(f"is {value!r}; it is true or false.")
    if key == "isolate":
        if isinstance(value, str) or not all(isinstance(name, str) for name in value):
            raise UsageError(f"is {value!r}; it is a list of names of modules.")
        return tuple(value)
    if key == "response":
        _check_response(value)
    return value


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _nanoseconds(value: Any) -> int:
    nanoseconds = parse_duration(value) if isinstance(value, str) else value
    if isinstance(nanoseconds, bool) or not isinstance(nanoseconds, int) or nanoseconds < 0:
        raise UsageError(f"is {value!r}; it is a duration such as 10m, or nanoseconds, not below 0.")
    return nanoseconds


def _check_response(value: object) -> None:
    try:
        msgspec.json.encode(value)
    except (TypeError, ValueError) as error:
        raise UsageError(f"is {value!r}; it is a JSON value ({error}).") from None
