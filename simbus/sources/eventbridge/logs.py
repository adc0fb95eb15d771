"""A CloudWatch Logs group as a target of a rule.

Sources: recording test_put_events_with_target_cloudwatch_logs (the message is the event); user guide, "Transforming
Amazon EventBridge target input" (an input transformer for a log group makes `{"timestamp": ..., "message": ...}`). The
group is made when the first event reaches it, with one log stream.
"""

from __future__ import annotations

from typing import Any

import msgspec

from simbus.errors import UsageError
from simbus.kernel import MILLISECOND, SECOND
from simbus.sources.eventbridge.event import epoch_seconds
from simbus.world import Delivery, World, uuid


class LogGroup:
    """Writes each event as one log event: `timestamp` is the event's own time, `ingestion_time` this instant."""

    def __init__(self, world: World, group: str, arn: str) -> None:
        self._world = world
        self._group = group
        self.name = f"logs:{group}"
        self.arn = arn
        self._stream: int | None = None

    def __repr__(self) -> str:
        return f"<LogGroup {self._group}>"

    def accept(self, delivery: Delivery) -> None:
        world = self._world
        now = world.epoch_ms()
        if self._stream is None:
            name = uuid(world.timeline.rng(self.name))
            self._stream = world.rows.add_log_stream(self._group, name, "", "", now)
        timestamp, message = _log_event(delivery.payload, now)
        world.rows.log_lines.append((world.rows.next_line(), self._stream, None, timestamp, now, None, message))


def log_group(world: World, group: str, arn: str) -> LogGroup:
    """The log group of that ARN, made where there is none yet."""
    found = world.targets.get(arn)
    if not isinstance(found, LogGroup):
        found = LogGroup(world, group, arn)
        world.register(found)
    return found


def _log_event(payload: str, now: int) -> tuple[int, str]:
    """Timestamp (ms) and message of what a rule sends: an event, or what its input transformer made."""
    try:
        found: Any = msgspec.json.decode(payload)
    except msgspec.DecodeError:
        return now, payload
    if not isinstance(found, dict):
        return now, payload
    if found.keys() == {"timestamp", "message"}:
        message = found["message"]
        return _milliseconds(found["timestamp"], now), message if isinstance(message, str) else _json(message)
    return _milliseconds(found.get("time"), now), payload


def _milliseconds(value: Any, now: int) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    try:
        return epoch_seconds(value) * SECOND // MILLISECOND
    except UsageError:
        return now


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
