"""The event filter language of EventBridge rules, Lambda event source mappings and SNS subscriptions.

One engine, three dialects: a pattern is compiled once and then only matched. Sources of the facts: the recordings
eventbridge_patterns.json and sns.json, the AWS guides named in dialect.py, and the open source engine that AWS runs
(github.com/aws/event-ruler).
"""

from __future__ import annotations

from typing import Any

from simbus.errors import AwsError
from simbus.filtering.compile import compile_text, source_of
from simbus.filtering.dialect import EVENTBRIDGE, LAMBDA
from simbus.filtering.matching import EventPattern
from simbus.filtering.rejection import PatternRejected
from simbus.filtering.sns import (
    ON_SET_ATTRIBUTES,
    ON_SUBSCRIBE,
    FilterPolicy,
    FilterPolicyScope,
    compile_filter_policy,
)

__all__ = [
    "ON_SET_ATTRIBUTES",
    "ON_SUBSCRIBE",
    "EventPattern",
    "FilterPolicy",
    "FilterPolicyScope",
    "compile_event_pattern",
    "compile_filter_pattern",
    "compile_filter_policy",
]


def compile_event_pattern(pattern: str | dict[str, Any]) -> EventPattern:
    """The pattern of an EventBridge rule or archive, as JSON text or as the object it stands for.

    Raises AwsError `InvalidEventPatternException` with AWS's message, the position in the text included (recordings
    in eventbridge_patterns.json). For an object the position is that in the text `json.dumps` makes of it.
    """
    try:
        return EventPattern(compile_text(source_of(pattern), EVENTBRIDGE))
    except PatternRejected as error:
        message = f"Event pattern is not valid. Reason: {error.reason}"
        raise AwsError("InvalidEventPatternException", message) from error


def compile_filter_pattern(pattern: str | dict[str, Any]) -> EventPattern:
    """The pattern of one filter in an event source mapping's FilterCriteria.

    Raises AwsError `InvalidParameterValueException`, always with the same message (recording
    test_sqs_invalid_event_filter). Lambda does not take cidr, wildcard, operators inside anything-but, or
    equals-ignore-case inside prefix and suffix.
    """
    try:
        return EventPattern(compile_text(source_of(pattern), LAMBDA))
    except PatternRejected as error:
        raise AwsError("InvalidParameterValueException", "Invalid filter pattern definition.") from error
