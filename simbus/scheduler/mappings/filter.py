"""The filters of an event source mapping: which records reach the function.

A pattern is matched with a record whose data are decoded first: the `body` of a message, the `data` of a Kinesis
record; a DynamoDB record is matched as it is. Source: Developer Guide, "Control which events Lambda sends to your
function", with the tables of formats on its pages for SQS, Kinesis and DynamoDB; recordings test_sqs_event_filter,
test_sqs_invalid_event_filter, test_dynamodb_event_filter, test_dynamodb_invalid_event_filter.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from base64 import b64decode
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from simbus.errors import AwsError
from simbus.filtering import EventPattern, compile_filter_pattern
from simbus.scheduler.mappings.settings import Kind
from simbus.scheduler.mappings.validation import refused

_NOT_JSON: Final = object()
_INVALID: Final = "Invalid filter pattern definition."


def compile_criteria(kind: Kind, filters: Sequence[str]) -> Criteria | None:
    """The filters of a mapping, compiled; None where there are none, so that everything passes.

    Raises AwsError InvalidParameterValueException, `Invalid filter pattern definition.`
    """
    if not filters:
        return None
    if kind == "sqs":
        return QueueCriteria(filters)
    return StreamCriteria(filters, flatten=kind == "kinesis")


class Criteria(ABC):
    """Compiled filters of one mapping: a record passes where one of them matches. Immutable.

    `keys` are the keys at the root that the patterns name: a caller may leave out all others from a record.
    """

    def __init__(self, filters: Sequence[str]) -> None:
        self.patterns = [_compiled(pattern) for pattern in filters]
        names = [name for pattern in self.patterns for name in _names(pattern)]
        self.keys = frozenset(name.partition(".")[0] for name in names)

    @abstractmethod
    def accepts(self, record: dict[str, Any]) -> bool:
        """Whether a record passes, given as an element of Lambda's `Records`."""


class QueueCriteria(Criteria):
    """Filters of a queue. Only the body of a message, and what stands in the record besides, can be asked for.

    A pattern that goes into the body (`{"body": {"a": [1]}}`) matches JSON objects only; one that names the body as a
    text (`{"body": ["a"]}`) matches what is no JSON object or array only. Everything else is not accepted.
    """

    def __init__(self, filters: Sequence[str]) -> None:
        super().__init__(filters)
        names = [_names(pattern) for pattern in self.patterns]
        self._plain = [
            (pattern, any(name.startswith("body.") for name in asked), "body" in asked)
            for pattern, asked in zip(self.patterns, names, strict=True)
        ]
        self._decodes = "body" in self.keys

    def accepts(self, record: dict[str, Any]) -> bool:
        body = _json(record["body"]) if self._decodes else _NOT_JSON
        is_json = body is not _NOT_JSON
        decoded = {**record, "body": body} if is_json else record
        for pattern, into_body, whole_body in self._plain:
            if into_body and not is_json:
                continue
            if whole_body and is_json and not into_body:
                continue
            if pattern.matches(decoded if into_body else record):
                return True
        return False


class StreamCriteria(Criteria):
    """Filters of a stream. Kinesis (`flatten`): `data` is decoded, the other keys of `kinesis` stand at the root.

    A record whose data are no JSON is dropped by a pattern that asks for them. A pattern that does not go into the
    data (`{"data": ["a"]}`) is refused: it must be JSON.
    """

    def __init__(self, filters: Sequence[str], *, flatten: bool) -> None:
        super().__init__(filters)
        data = "data" if flatten else "dynamodb"
        names = [_names(pattern) for pattern in self.patterns]
        if any(data in asked for asked in names):
            raise refused(_INVALID)
        into_data = [any(name.startswith("data.") for name in asked) for asked in names]
        self._flatten = flatten
        self._decodes = flatten and any(into_data)
        self._of_metadata = [pattern for pattern, into in zip(self.patterns, into_data, strict=True) if not into]

    def accepts(self, record: dict[str, Any]) -> bool:
        patterns = self.patterns
        if self._flatten:
            record = {**record, **record["kinesis"]}
            if self._decodes:
                data = _json(b64decode(record["data"]))
                if data is _NOT_JSON:
                    patterns = self._of_metadata
                else:
                    record["data"] = data
        return any(pattern.matches(record) for pattern in patterns)


def _compiled(pattern: str) -> EventPattern:
    try:
        return compile_filter_pattern(pattern)
    except AwsError:
        raise refused(_INVALID) from None


def _names(pattern: EventPattern) -> list[str]:
    """The dotted paths that a pattern asks for."""
    return [field.name for alternative in pattern.alternatives for field in alternative.fields]


def _json(data: str | bytes) -> Any:
    """The JSON object or array that a text holds; `_NOT_JSON` for any other text."""
    if data.lstrip()[:1] not in ("{", "[", b"{", b"["):
        return _NOT_JSON
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return _NOT_JSON
