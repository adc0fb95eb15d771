"""The parameters of CreateEventSourceMapping and UpdateEventSourceMapping: known names, types, one flat form.

The names are botocore's in snake_case; the keys inside of a parameter may be written as botocore has them, too. The
short forms of the scenario file mean the same: `event_source`, `function`, `on_failure`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any, Final

from simbus.errors import UsageError
from simbus.scheduler.mappings.settings import REPORT_BATCH_ITEM_FAILURES, PollerConfig

SYNONYMS: Final = {"event_source": "event_source_arn", "function": "function_name"}
_OTHER_SOURCES: Final = (
    "topics",
    "queues",
    "source_access_configurations",
    "self_managed_event_source",
    "amazon_managed_kafka_event_source_config",
    "self_managed_kafka_event_source_config",
    "document_db_event_source_config",
)
_NOT_BUILT: Final = ("tags", "logging_config")
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake(name: str) -> str:
    """`kms_key_arn` of `KMSKeyArn`."""
    return _WORD.sub("_", name).lower()


def read(given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters under flat names, as MappingSettings has them; those that are None are not given.

    Besides these: `event_source_arn`, `function_name` and `on_success`. A setting that is taken back by an empty value
    (`scaling_config={}`) is None here. Raises UsageError for names that the operation does not have, and other types.
    """
    found: dict[str, Any] = {}
    for name, value in given.items():
        key = SYNONYMS.get(snake(name), snake(name))
        if value is None:
            continue
        reader = _READERS.get(key)
        if reader is None:
            raise UsageError(_unknown(name, key))
        for flat, read_value in reader(key, value).items():
            if flat in found:
                raise UsageError(f"{name} says {flat} a second time; it can be given once. Take one of them out.")
            found[flat] = read_value
    return found


def _unknown(name: str, key: str) -> str:
    if key in _OTHER_SOURCES:
        return f"{name} belongs to Kafka, MQ or DocumentDB; simbus maps SQS, Kinesis and DynamoDB. Take it out."
    if key in _NOT_BUILT:
        return f"{name} of an event source mapping is not built. Take it out."
    near = get_close_matches(key, [*_READERS, *SYNONYMS], 1)
    meant = f" Did you mean {near[0]}?" if near else ""
    return f"an event source mapping has no parameter {name}; it has {', '.join(_READERS)}.{meant}"


def _expected(name: str, value: Any, what: str) -> UsageError:
    return UsageError(f"{name} is {value!r}; {what} is expected. Write one.")


def _number(name: str, value: Any) -> dict[str, Any]:
    if type(value) is not int:
        raise _expected(name, value, "a whole number")
    return {name: value}


def _flag(name: str, value: Any) -> dict[str, Any]:
    if type(value) is not bool:
        raise _expected(name, value, "true or false")
    return {name: value}


def _text(name: str, value: Any) -> dict[str, Any]:
    if type(value) is not str:
        raise _expected(name, value, "a text")
    return {name: value}


def _reference(name: str, value: Any) -> dict[str, Any]:
    """A resource: by its object, or by a text."""
    return _text(name, value if isinstance(value, str) else getattr(value, "arn", value))


def _members(name: str, value: Any, allowed: tuple[str, ...]) -> dict[str, Any]:
    """The members of a structure that are given, under their names in snake_case."""
    if not isinstance(value, Mapping):
        raise _expected(name, value, "a mapping")
    found = {snake(key): member for key, member in value.items() if member is not None}
    for key in found:
        if key not in allowed:
            raise UsageError(f"{name} has no {key}; it has {', '.join(allowed)}. Correct the key.")
    return found


def _timestamp(name: str, value: Any) -> dict[str, Any]:
    """Seconds since 1970 of a datetime, a number, or an ISO text."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise _expected(name, value, "a time like 2026-01-01T00:00:00Z") from None
    if isinstance(value, datetime):
        value = (value if value.tzinfo is not None else value.replace(tzinfo=UTC)).timestamp()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _expected(name, value, "a time")
    return {name: float(value)}


def _destinations(name: str, value: Any) -> dict[str, Any]:
    """`{"on_failure": {"destination": ARN}}`, or the ARN itself in place of the inner mapping."""
    found: dict[str, Any] = {}
    for key, member in _members(name, value, ("on_failure", "on_success")).items():
        found |= _destination(key, member)
    return found or {"on_failure": None}


def _destination(name: str, value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        value = _members(name, value, ("destination",)).get("destination")
    return {name: None} if not value else _reference(name, value)


def _response_types(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise _expected(name, value, f"a list such as [{REPORT_BATCH_ITEM_FAILURES}]")
    return {name: tuple(value)}


def _filters(name: str, value: Any) -> dict[str, Any]:
    """The patterns as texts; one that is a mapping is written as JSON. A filter without a pattern is an empty text."""
    filters = _members(name, value, ("filters",)).get("filters") or []
    if not isinstance(filters, list | tuple):
        raise _expected(f"{name}.filters", filters, "a list")
    patterns = [_members("a filter", item, ("pattern",)).get("pattern", "") for item in filters]
    return {
        "filters": tuple(
            item if isinstance(item, str) else json.dumps(item, separators=(",", ":"), ensure_ascii=False)
            for item in patterns
        )
    }


def _scaling(name: str, value: Any) -> dict[str, Any]:
    number = _members(name, value, ("maximum_concurrency",)).get("maximum_concurrency")
    return {"maximum_concurrency": None} if number is None else _number("maximum_concurrency", number)


def _pollers(name: str, value: Any) -> dict[str, Any]:
    found = _members(name, value, ("minimum_pollers", "maximum_pollers"))
    for key, number in found.items():
        _number(key, number)
    return {name: PollerConfig(**found) if found else None}


def _metrics(name: str, value: Any) -> dict[str, Any]:
    found = _members(name, value, ("metrics",)).get("metrics") or []
    return {"metrics": _response_types(f"{name}.metrics", found)[f"{name}.metrics"]}


_READERS: Final[dict[str, Callable[[str, Any], dict[str, Any]]]] = {
    "event_source_arn": _reference,
    "function_name": _reference,
    "enabled": _flag,
    "batch_size": _number,
    "filter_criteria": _filters,
    "maximum_batching_window_in_seconds": _number,
    "parallelization_factor": _number,
    "starting_position": _text,
    "starting_position_timestamp": _timestamp,
    "destination_config": _destinations,
    "on_failure": _destination,
    "maximum_record_age_in_seconds": _number,
    "bisect_batch_on_function_error": _flag,
    "maximum_retry_attempts": _number,
    "tumbling_window_in_seconds": _number,
    "function_response_types": _response_types,
    "scaling_config": _scaling,
    "provisioned_poller_config": _pollers,
    "metrics_config": _metrics,
    "kms_key_arn": _text,
}
