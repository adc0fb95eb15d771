"""Compare what simbus did with what AWS did: the recordings in ../shared/data/aws-recorded (see the README there).

A recording holds placeholders where values differ from run to run: `<uuid:2>`, `<resource:1>`, `date` ...
`equal(recorded, actual)` walks both sides in parallel. Where the recording has a placeholder, simbus's value must have
that class (a UUID, an ISO time of exactly that shape ...), and within the compared part equal placeholders must stand
for equal values and different ones of a scope for different values. Everything else must be the same, field for field.
The order of the keys of an object is not compared (the recordings are partly sorted).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "aws-recorded"
ACCOUNT = "111111111111"
REGION = "us-east-1"

_ISO = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?"
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_MD5 = r"[0-9a-f]{32}"
_BASE64 = r"[A-Za-z0-9+/=]{20,}"
_TRACE = r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}(?:;Parent=[0-9a-f]{16})?(?:;Sampled=[01])?(?:;Lineage=[^;]+)?"
_NAME = r'[^:\s"]+?'

# What the value behind a placeholder looks like. Placeholders that are not named here stand for a bare name.
CLASSES = {
    "a-w-s-trace-header": _TRACE,
    "approximate-arrival-timestamp": r"\d{10}(?:\.\d+)?",
    "approximate-creation-datetime": r"\d{10}(?:\.\d+)?",
    "approximate-first-receive-timestamp": r"\d{13}",
    "cert-domain": r"https://sns\.[a-z0-9-]+\.amazonaws\.com",
    "code-sha256": _BASE64,
    "code-size": r"\d+",
    "config-id": r"\S+?",
    "datetime": rf"{_ISO}|\d+(?:\.\d+)?",
    "duration": r"\d+(?:\.\d+)?",
    "event-bus-arn": r"arn:aws:events:\S+?",
    "event-i-d": r"\S+?",
    "event-id": _UUID,
    "execution-start": rf"{_ISO}|\d+(?:\.\d+)?",
    "function-url": r"https://\S+?",
    "ip-address": r"\d{1,3}(?:\.\d{1,3}){3}",
    "key-name": r"\S+?",
    "kinesis-shard-id": r"shardId-\d{12}",
    "location": r"https://\S+?",
    "log-result": r".+?",
    "log-stream-name": r"\S+?",
    "m-d5-of-body": _MD5,
    "m-d5-of-message-attributes": _MD5,
    "md5-body": _MD5,
    "md5-hash": _MD5,
    "md5-of-body": _MD5,
    "memory": r"\d+",
    "object-key": r"\S+?",
    "partition": "aws",
    "principal-id": r"[A-Za-z0-9]+(?::[\w:@.-]+)?",
    "queue-url": r"https://sqs\.\S+?",
    "receipt-handle": _BASE64,
    "region": r"[a-z]{2}(?:-[a-z]+)+-\d",
    "remaining-time-in-millis": r"\d+",
    "request-id": rf"{_UUID}|[0-9A-Z]{{16}}",
    "rule-arn": r"arn:aws:events:\S+?",
    "sender-id": r"[A-Z0-9]+(?::\S+?)?",
    "sent-timestamp": r"\d{13}",
    "sequence-number": r"\d+",
    "shard-id": r"shardId-(?:\d{12}|\d{20}-[0-9a-f]{8})",
    "signature": _BASE64,
    "stack-trace": r".+?",
    "start-sequence-number": r"\d+",
    "test-msg-id": _UUID,
    "time-ms": r"\d+(?:\.\d+)?",
    "unsubscribe-domain": r"https://sns\.[a-z0-9-]+\.amazonaws\.com",
    "uuid": _UUID,
    "version-id": r"[\w.-]{32}",
    "x-amzn-trace-id": _TRACE,
}

# Placeholders that are written as a bare word, the whole value of a field.
WORDS = {
    "amz-id": _BASE64,
    "amz-request-id": r"[0-9A-Z]{16}",
    "code-sha256": _BASE64,
    "date": rf"{_ISO}|\d{{10}}(?:\.\d+)?",
    "datetime": CLASSES["datetime"],
    "event-id": _UUID,
    "function-url": CLASSES["function-url"],
    "object-sequencer": r"[0-9A-F]{16,}",
    "receipt-handle": _BASE64,
    "request-id": CLASSES["request-id"],
    "sender-id": CLASSES["sender-id"],
    "sent-timestamp": r"\d{13}",
    "sequencer": r"[0-9A-F]{16,}",
    "signature": _BASE64,
    "signing-cert-u-r-l": r"https://sns\.[a-z0-9-]+\.amazonaws\.com/SimpleNotificationService-[0-9a-f]+\.pem",
    "timestamp": r"\d{13}|" + _ISO,
    "topic-arn": r"arn:aws:sns:\S+",
    "unsubscribe-u-r-l": r"https://sns\.\S+",
    "version-id": CLASSES["version-id"],
}

_PLACEHOLDER = re.compile(r"<(timestamp:[^<>]+|[a-z][a-z0-9_-]*(?::\d+)?)>")
_SETUP_NAME = re.compile(r"\{((?:[a-z]+-)+\d+)\}")
_SAME_EVERYWHERE = ("region", "partition")  # an unnumbered placeholder that stands for one value only


def load_cases(file: str) -> list[dict[str, Any]]:
    """Every case of a recording (`s3_notifications`), or none where the recordings are not at hand."""
    path = DATA / f"{file}.json"
    return json.loads(path.read_text()) if path.exists() else []


def load_case(file: str, name: str, param: Any = None) -> dict[str, Any]:
    """The case of that name (its end is enough) and parameters. Skips the test where the recordings are not at hand."""
    if not DATA.exists():
        pytest.skip("the AWS recordings (../shared/data/aws-recorded) are not at hand")
    cases = [case for case in load_cases(file) if case["name"].endswith(name) and param in (None, case["param"])]
    assert len(cases) == 1, f"{file} has {len(cases)} cases named {name!r}"
    return cases[0]


def fill(value: Any, names: Mapping[str, str] | None = None) -> Any:
    """A case's `setup` or `inputs` with its `{queue-1}` replaced: by `names["queue-1"]`, or by `queue-1` itself."""
    if isinstance(value, dict):
        return {key: fill(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [fill(item, names) for item in value]
    if isinstance(value, str):
        return _SETUP_NAME.sub(lambda found: (names or {}).get(found[1], found[1]), value)
    return value


def whole(response: Mapping[str, Any]) -> dict[str, Any]:
    """A boto3 answer as it would have been recorded: of its metadata only the status."""
    status = response["ResponseMetadata"]["HTTPStatusCode"]
    return {**response, "ResponseMetadata": {"HTTPHeaders": {}, "HTTPStatusCode": status}}


def equal(recorded: Any, actual: Any, *, known: Mapping[str, str] | None = None) -> None:
    """Fail with one line for each field in which simbus differs from the recording.

    `known` names differences that are accepted, path -> why; one that is no longer there fails as well.
    """
    known = known or {}
    found = differences(recorded, actual)
    stale = [f"{path}: no longer different, take it out of `known`" for path in known if path not in found]
    lines = [f"{path}: {what}" for path, what in found.items() if path not in known] + stale
    assert not lines, "simbus differs from the AWS recording:\n  " + "\n  ".join(lines)


def differences(recorded: Any, actual: Any) -> dict[str, str]:
    """Path -> what differs there."""
    walk = _Walk()
    walk.compare(recorded, actual, "$")
    return walk.found


def normalise(recorded: Any, actual: Any) -> Any:
    """simbus's value, with the recording's placeholder wherever it fits: two structures to look at side by side."""
    walk = _Walk()
    return walk.compare(recorded, actual, "$")


class _Walk:
    """One comparison: the values bound to placeholders so far, and the differences found."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self._value_of: dict[str, str] = {}  # placeholder -> value
        self._placeholder_of: dict[tuple[str, str], str] = {}  # (scope, value) -> placeholder

    def compare(self, recorded: Any, actual: Any, path: str) -> Any:
        """Compare and return the actual value with placeholders put in."""
        if isinstance(recorded, dict | list) and isinstance(actual, str):
            actual = _parsed(actual)
        if isinstance(recorded, dict) and isinstance(actual, dict):
            return self._objects(recorded, actual, path)
        if isinstance(recorded, list) and isinstance(actual, list):
            return self._lists(recorded, actual, path)
        if isinstance(recorded, str):
            what = self._text(recorded, actual)
        else:
            same = recorded == actual and isinstance(recorded, bool) == isinstance(actual, bool)
            what = "" if same else f"recorded {_shown(recorded)}, simbus {_shown(actual)}"
        if what:
            self.found[path] = what
        return actual if what else recorded

    def _objects(self, recorded: dict[str, Any], actual: dict[str, Any], path: str) -> dict[str, Any]:
        for key, value in recorded.items():
            if key not in actual:
                self.found[f"{path}.{key}"] = f"missing; recorded {_shown(value)}"
        normal: dict[str, Any] = {}
        for key, value in actual.items():
            if key in recorded:
                normal[key] = self.compare(recorded[key], value, f"{path}.{key}")
            else:
                normal[key] = value
                self.found[f"{path}.{key}"] = f"not in the recording; simbus {_shown(value)}"
        return normal

    def _lists(self, recorded: list[Any], actual: list[Any], path: str) -> list[Any]:
        if len(recorded) != len(actual):
            self.found[path] = f"recorded {len(recorded)} elements, simbus {len(actual)}: {_shown(actual)}"
        pairs = zip(recorded, actual, strict=False)
        normal = [self.compare(left, right, f"{path}[{n}]") for n, (left, right) in enumerate(pairs)]
        return normal + actual[len(recorded) :]

    def _text(self, recorded: str, actual: Any) -> str:
        """Compare a text that may hold placeholders; '' where it agrees."""
        if recorded == actual and not _PLACEHOLDER.search(recorded):
            return ""
        if isinstance(actual, bool | dict | list) or actual is None:
            return f"recorded {_shown(recorded)}, simbus {_shown(actual)}"
        if recorded in WORDS:
            fits = re.fullmatch(WORDS[recorded], str(actual), re.DOTALL)
            return "" if fits else f"{_shown(actual)} has not the form of {recorded!r}: {WORDS[recorded]}"
        names = _PLACEHOLDER.findall(recorded)
        pattern = _pattern(recorded)
        match = re.fullmatch(pattern, str(actual), re.DOTALL)
        if match is None or not names:
            return f"recorded {_shown(recorded)}, simbus {_shown(actual)}"
        return "; ".join(filter(None, map(self._bind, names, match.groups())))

    def _bind(self, placeholder: str, value: str) -> str:
        """Note that a placeholder stands for a value; says what is wrong where that contradicts an earlier one."""
        scope, _, number = placeholder.partition(":")
        if scope == "timestamp" or not (number or scope in _SAME_EVERYWHERE):
            return ""
        bound = self._value_of.setdefault(placeholder, value)
        if bound != value:
            return f"<{placeholder}> is {_shown(value)} here but {_shown(bound)} before"
        other = self._placeholder_of.setdefault((scope, value), placeholder)
        return "" if other == placeholder else f"{_shown(value)} stands for <{placeholder}> and for <{other}>"


def _pattern(recorded: str) -> str:
    """The regular expression of a recorded text: each placeholder is a group of its class."""
    parts = _PLACEHOLDER.split(recorded)
    texts, names = parts[::2], parts[1::2]
    groups = [f"({_class(name)})" for name in names] + [""]
    return "".join(re.escape(text) + group for text, group in zip(texts, groups, strict=True))


def _class(placeholder: str) -> str:
    scope, _, shape = placeholder.partition(":")
    if scope == "timestamp":
        return re.sub(r"\d", r"\\d", re.escape(shape))
    return CLASSES.get(scope, _NAME)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:300]}..."
