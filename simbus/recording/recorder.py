"""Writing a recording: what is done to a simulation from outside, as lines of CloudEvents 1.0.

The first line (`simbus.recording`) says seed, start and scenario. An operation is a line of type `s3.put_object`, with
its arguments as data (`simbus.recording.values`), `client` and `position` as extension attributes. A change event that
something inside the simulation caused is a line with its `parent`; a replay leaves it to the simulation to cause it
again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from importlib.metadata import version
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

import msgspec

from simbus.errors import UsageError
from simbus.kernel import SECOND
from simbus.model import ChangeEvent
from simbus.recording.file import HEADER_TYPE, LineWriter, check_target
from simbus.recording.operations import data_verbs, is_change
from simbus.recording.values import encoded
from simbus.world import World

_SUBJECTS = ("key", "partition_key", "subject", "ref")


class Recorder:
    """Writes the operations of one simulation into a file. It is the `recorder` of its world while it is open."""

    def __init__(self, world: World, path: Path, seed: int | str, scenario: str | None) -> None:
        check_target(path)
        self._world = world
        self._timeline = world.timeline
        self._count = 0
        self._second = (-1, "")
        self._client: str | None = None
        self._muted = False
        self._calls: list[int] = []  # of those that have not returned: how much had been played
        self._file = LineWriter(path)
        self._header(seed, scenario)
        world.recorder = self

    def _header(self, seed: int | str, scenario: str | None) -> None:
        data = {
            "seed": seed,
            "start": self._world.start.isoformat().replace("+00:00", "Z"),
            "scenario": scenario,
            "ties": None if self._timeline.ties is None else str(self._timeline.ties),
            "version": version("simbus"),
            "account": self._world.account.id,
            "region": self._world.account.region,
        }
        line = {
            "specversion": "1.0",
            "id": "0",
            "source": "simbus",
            "type": HEADER_TYPE,
            "time": self._time(),
            "datacontenttype": "application/json",
            "data": data,
        }
        self._file.write(_json(line))
        self._file.flush()

    def close(self) -> None:
        """End the file; what happens later is not recorded."""
        if self._world.recorder is self:
            self._world.recorder = None
        self._file.close()

    # --- what is recorded ------------------------------------------------------------------------------------------

    def called(
        self, source: Any, method: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Any, ...]:
        """An operation is called from outside. Returns its positional arguments, an iterator among them as a list."""
        verb = method.__name__
        played = self._timeline.played
        # What an operation calls itself is a part of it; what is called while it waits, and the timeline plays, is not.
        inside = bool(self._calls) and self._calls[-1] == played
        self._calls.append(played)
        if not inside and not self._muted and self._wants(source.service, verb):
            args = tuple(list(each) if isinstance(each, Iterator) else each for each in args)
            names, optional = _parameters(method)
            given = {**dict(zip(names, args, strict=False)), **kwargs}
            said = {name: value for name, value in given.items() if value is not None or name not in optional}
            self.write(source.name, verb, said)
        return args

    def returned(self) -> None:
        """The operation that was called last has ended."""
        self._calls.pop()

    def _wants(self, service: str, verb: str) -> bool:
        return verb in _data(service) or (self._timeline.played > 0 and is_change(service, verb))

    def write(self, resource: str, verb: str, arguments: Mapping[str, Any]) -> None:
        """Write an operation down. Raises UsageError for an argument that no recording can hold."""
        self._count = count = self._count + 1
        try:
            data = {name: encoded(value) for name, value in arguments.items()}
        except UsageError as error:
            raise UsageError(f"{verb} of {resource} can't be recorded: {error}") from None
        service = resource.partition(":")[0]
        line: dict[str, Any] = {
            "specversion": "1.0",
            "id": str(count),
            "source": resource,
            "type": f"{service}.{verb}",
            "time": self._time(),
        }
        subject = next((data[name] for name in _SUBJECTS if isinstance(data.get(name), str)), None)
        if subject:
            line["subject"] = subject
        if self._client is not None:
            line["client"] = self._client
        position = self._timeline.position
        if position:
            line["position"] = position
        if self._timeline.unfinished:
            line["meanwhile"] = True
        line["datacontenttype"] = "application/json"
        line["data"] = data
        self._file.write(_json(line))

    def sent(self, client: str, attempt: int, send: Callable[[Any, Any], None], *given: Any) -> None:
        """A client sends a request: its first attempt is recorded, for a replay makes the others anew."""
        before = self._client, self._muted
        self._client, self._muted = client, attempt > 1
        try:
            send(*given)
        finally:
            self._client, self._muted = before

    def caused(self, event: ChangeEvent) -> None:
        """Something inside the simulation caused a change event."""
        service = event.source.partition(":")[0]
        head: dict[str, Any] = {
            "specversion": "1.0",
            "id": event.id,
            "source": event.source,
            "type": f"{service}:{event.type}",
            "time": self._time(),
        }
        if event.subject:
            head["subject"] = event.subject
        head["parent"] = event.parent
        head["datacontenttype"] = "application/json"
        self._file.write(_json(head)[:-1] + b',"data":' + event.data.encode("utf-8", "replace") + b"}")

    def _time(self) -> str:
        """Now, to the nanosecond."""
        second, rest = divmod(self._world.epoch_ns + self._timeline.now, SECOND)
        if second != self._second[0]:
            self._second = second, self._world.iso(timespec="seconds")[:-1]
        return f"{self._second[1]}.{rest:09}Z"


@lru_cache(maxsize=256)
def _parameters(method: Callable[..., Any]) -> tuple[tuple[str, ...], frozenset[str]]:
    """The names of an operation's positional parameters, and those that are None where they are left out."""
    parameters = list(signature(method).parameters.values())[1:]
    kinds = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    names = tuple(each.name for each in parameters if each.kind in kinds)
    return names, frozenset(each.name for each in parameters if each.default is None)


@lru_cache(maxsize=64)
def _data(service: str) -> frozenset[str]:
    return frozenset(data_verbs(service))


def _json(value: Any) -> bytes:
    try:
        return msgspec.json.encode(value)
    except (OverflowError, UnicodeEncodeError):  # a whole number of more than 64 bits
        return json.dumps(value, separators=(",", ":")).encode()
