"""What PutEvents takes, and the event that EventBridge makes of it.

Sources: EventBridge API reference, PutEvents and PutEventsResultEntry; user guide, "Calculating PutEvents event entry
size"; recordings test_put_events_time, test_put_events_response_entries_order and the faults test_put_event_*.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import msgspec

from simbus.errors import UsageError
from simbus.kernel import SECOND
from simbus.sources.eventbridge.errors import snake_keys, validation
from simbus.world import World

MAX_ENTRIES: Final = 10
MAX_BYTES: Final = 256 * 1024
TOO_LARGE: Final = "Total size of the entries in the request is over the limit."
_KEYS: Final = ("source", "detail_type", "detail", "resources", "time", "event_bus_name", "trace_header")
_REQUIRED: Final = (("source", "Source"), ("detail_type", "DetailType"), ("detail", "Detail"))
_OTHER_TIMES: Final = ("%m-%d-%YT%H:%M:%SZ", "%m-%d-%Y", "%m/%d/%Y", "%a, %d %b %Y %H:%M:%S GMT")


class Draft(NamedTuple):
    """One entry of PutEvents that is accepted. `detail` is compact JSON, `time` in seconds since 1970 or None: now."""

    source: str
    detail_type: str
    detail: str
    resources: tuple[str, ...]
    time: int | None
    bus: str | None


class Refused(NamedTuple):
    """One entry of PutEvents that is not accepted."""

    code: str
    message: str


def read_entries(entries: Sequence[Mapping[str, Any]]) -> list[Draft | Refused]:
    """What becomes of each entry, in their order. Raises AwsError for the request as a whole, UsageError for what an
    SDK would not even send (an unknown key, a time that is none)."""
    given = [snake_keys(entry, _KEYS, "an entry of put_events") for entry in entries]
    for entry in given:
        if entry.get("trace_header") is not None:
            raise UsageError("an entry of put_events has a trace_header; X-Ray is not built. Leave it out.")
        if not isinstance(entry.get("detail", ""), str | None):
            entry["detail"] = _encoded(entry["detail"])
    _check_count(given)
    if sum(map(_size, given)) > MAX_BYTES:
        raise validation(TOO_LARGE)
    return [_read(entry) for entry in given]


def _check_count(entries: list[dict[str, Any]]) -> None:
    if entries and len(entries) <= MAX_ENTRIES:
        return
    shown = f"[{', '.join(map(_java, entries))}]"
    bound = "less than or equal to 10" if entries else "greater than or equal to 1"
    raise validation(
        f"1 validation error detected: Value '{shown}' at 'entries' failed to satisfy constraint: Member must have "
        f"length {bound}"
    )


def _java(entry: Mapping[str, Any]) -> str:
    """An entry as AWS's message prints it."""

    def shown(key: str) -> Any:
        value = entry.get(key)
        return "null" if value is None else value

    return (
        f"PutEventsRequestEntry(time={shown('time')}, source={shown('source')}, resources={shown('resources')}, "
        f"detailType={shown('detail_type')}, detail={shown('detail')}, eventBusName={shown('event_bus_name')}, "
        f"traceHeader={shown('trace_header')}, kmsKeyIdentifier=null, internalMetadata=null)"
    )


def _size(entry: Mapping[str, Any]) -> int:
    """The size of an entry by AWS's rule."""
    texts = [entry.get("source"), entry.get("detail_type"), entry.get("detail"), *(entry.get("resources") or ())]
    try:
        return (14 if entry.get("time") is not None else 0) + sum(len(text.encode()) for text in texts if text)
    except UnicodeEncodeError as error:
        raise UsageError(
            f"an entry of put_events is no Unicode text: {error}. Encode it, for example in base64."
        ) from None


def _read(entry: Mapping[str, Any]) -> Draft | Refused:
    for key, name in _REQUIRED:
        if not entry.get(key):
            reason = f"{name} is a required argument."
            return Refused("InvalidArgument", f"Parameter {name} is not valid. Reason: {reason}")
    if entry["source"].startswith("aws."):
        return Refused("NotAuthorizedForSourceException", "Not authorized for the source.")
    detail = compact(entry["detail"])
    if detail is None:
        return Refused("MalformedDetail", "Detail is malformed.")
    time = entry.get("time")
    return Draft(
        entry["source"],
        entry["detail_type"],
        detail,
        tuple(entry.get("resources") or ()),
        None if time is None else epoch_seconds(time),
        entry.get("event_bus_name"),
    )


def compact(detail: str) -> str | None:
    """A JSON object without white space; None for what is none."""
    try:
        decoded = msgspec.json.decode(detail)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None
    return msgspec.json.encode(decoded).decode() if isinstance(decoded, dict) else None


def _encoded(detail: Any) -> str:
    try:
        return msgspec.json.encode(detail).decode()
    except (TypeError, UnicodeEncodeError) as error:
        raise UsageError(f"the detail of an entry of put_events can't be JSON: {error}. Give a JSON text.") from None


def epoch_seconds(value: Any) -> int:
    """The whole seconds since 1970 of a datetime, a number or a text, read as boto3 does; the rest is dropped."""
    if isinstance(value, datetime):
        return int((value.replace(tzinfo=UTC) if value.tzinfo is None else value).timestamp() // 1)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return int(value // 1)
    if isinstance(value, str):
        try:
            return epoch_seconds(datetime.fromisoformat(value))
        except ValueError:
            pass
        for form in _OTHER_TIMES:
            try:
                return epoch_seconds(datetime.strptime(value, form))
            except ValueError:
                continue
    raise UsageError(f"{value!r} is no time; write one like 2026-01-01T00:00:00Z, a datetime or seconds since 1970.")


class EventWriter:
    """Writes events as EventBridge delivers them: JSON text, the keys in AWS's order."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._account = world.account.id
        self._region = world.account.region
        self._second = (-1, "")

    def now(self) -> str:
        """This instant, to the second. The calendar is asked once a second."""
        second = (self._world.epoch_ns + self._world.timeline.now) // SECOND
        if second != self._second[0]:
            self._second = (second, self._world.iso(timespec="seconds"))
        return self._second[1]

    def time(self, seconds: int | None) -> str:
        """Seconds since 1970 as `2022-01-01T00:00:00Z`; None is now."""
        if seconds is None:
            return self.now()
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def write(
        self, event_id: str, detail_type: str, source: str, time: str, resources: Sequence[str], detail: str
    ) -> str:
        """The text of an event; `detail` is JSON text."""
        listed = msgspec.json.encode(resources).decode() if resources else "[]"
        return (
            f'{{"version":"0","id":"{event_id}","detail-type":{quoted(detail_type)},"source":{quoted(source)},'
            f'"account":"{self._account}","time":"{time}","region":"{self._region}","resources":{listed},'
            f'"detail":{detail}}}'
        )


def quoted(text: str) -> str:
    """A text as JSON."""
    return msgspec.json.encode(text).decode()
