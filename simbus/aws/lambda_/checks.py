"""What Lambda refuses before it looks at anything: patterns and value sets of its service model, in AWS's words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from simbus.scheduler.managed import MOST_TAGS
from simbus.scheduler.validation import invalid, violated

ARN: Final = (
    r"arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)"
)
DESTINATION: Final = rf"$|kafka://([^.]([a-zA-Z0-9\-_.]{{0,248}}))|{ARN}"
TARGET: Final = r"(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()"
HANDLER: Final = r"[^\s]+"
QUALIFIER: Final = r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+"
STATEMENT_ID: Final = "([a-zA-Z0-9-_]+)"
VARIABLE: Final = "[a-zA-Z]([a-zA-Z0-9_])+"
RESOURCE: Final = (
    r"arn:(aws[a-zA-Z-]*):lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:(function:[a-zA-Z0-9-_]+"
    r"(:(\$LATEST|[a-zA-Z0-9-_]+))?|code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:[0-9a-fA-F]{8}-"
    r"[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|(capacity-provider|network-connector):"
    r"[a-zA-Z0-9-_]{1,64})"
)
LOG_GROUP: Final = r"[\.\-_/#A-Za-z0-9]+"
APPLICATION_LEVELS: Final = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
_ARCHITECTURES: Final = ("x86_64", "arm64")


def matches(name: str, value: str | None, pattern: str, most: int | None = None) -> None:
    """Raises ValidationException for a text of another form, or that is too long."""
    if value is None:
        return
    if not re.fullmatch(pattern, value):
        raise violated(f"Value '{value}' at '{name}'", f"Member must satisfy regular expression pattern: {pattern}")
    if most is not None and len(value) > most:
        raise violated(f"Value '{value}' at '{name}'", f"Member must have length less than or equal to {most}")


def one_of(name: str, value: str | None, values: Sequence[str]) -> None:
    """Raises ValidationException for a value that is not in the set."""
    if value is not None and value not in values:
        raise violated(f"Value '{value}' at '{name}'", f"Member must satisfy enum value set: [{', '.join(values)}]")


def check_architectures(values: Sequence[str] | None) -> None:
    """Raises ValidationException: it is exactly one."""
    shown = f"Value '[{', '.join(values or ())}]' at 'architectures'"
    for value in values or ():
        if value not in _ARCHITECTURES:
            inner = f"Member must satisfy enum value set: [{', '.join(_ARCHITECTURES)}], Member must not be null"
            raise violated(shown, f"Member must satisfy constraint: [{inner}]")
    if values is not None and len(values) > 1:
        raise violated(shown, "Member must have length less than or equal to 1")


def check_variables(variables: Mapping[str, str] | None) -> None:
    """Raises ValidationException for a name that environment variables can't have."""
    for name in variables or ():
        if not re.fullmatch(VARIABLE, name) and not name.startswith("_"):  # some reserved ones, refused otherwise, do
            shown = ", ".join(f"{key}={value}" for key, value in (variables or {}).items())
            inner = f"Member must satisfy regular expression pattern: {VARIABLE}"
            raise violated(
                f"Value '{{{shown}}}' at 'environment.variables'", f"Map keys must satisfy constraint: [{inner}]"
            )


def check_logging(config: Mapping[str, Any] | None, before: str = "Text") -> None:
    """Raises ValidationException, and InvalidParameterValueException for levels of Text (in simbus's words).

    `before` is the format that the function has.
    """
    given = config or {}
    one_of("loggingConfig.logFormat", given.get("LogFormat"), ("JSON", "Text"))
    one_of("loggingConfig.applicationLogLevel", given.get("ApplicationLogLevel"), APPLICATION_LEVELS)
    one_of("loggingConfig.systemLogLevel", given.get("SystemLogLevel"), ("DEBUG", "INFO", "WARN"))
    matches("loggingConfig.logGroup", given.get("LogGroup"), LOG_GROUP, 512)
    if given.get("LogFormat", before) == "Text" and {"ApplicationLogLevel", "SystemLogLevel"} & given.keys():
        raise invalid("ApplicationLogLevel and SystemLogLevel need LogFormat JSON.")


def check_tags(tags: Mapping[str, str] | None) -> None:
    """Raises AWS's errors for tags of a function that does not exist yet."""
    if len(tags or ()) > MOST_TAGS:
        raise invalid("Number of tags exceeds resource tag limit.")
    for key, value in (tags or {}).items():
        if not 1 <= len(key) <= 128 or len(value) > 256:
            part, most = ("keys", 128) if not 1 <= len(key) <= 128 else ("values", 256)
            inner = f"Member must have length less than or equal to {most}"
            raise violated(f"Value '{{{key}={value}}}' at 'tags'", f"Map {part} must satisfy constraint: [{inner}]")
