"""A replay: operations that come from a file are done again, each at its time."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any

from simbus.errors import AwsError, SimbusError, UsageError
from simbus.recording.client import Client, Done, Request, Send
from simbus.recording.operations import Operation
from simbus.recording.source import Input
from simbus.recording.values import decoded
from simbus.resources import Resources


class Replay:
    """Does the operations of one file (`source`) in a simulation; one of them at a time stands on the timeline.

    `begin` is when its time 0 is (nanoseconds of virtual time), `speed` how many of its seconds pass in one of virtual
    time. `stop` is when it ends (None: with the file); `numbers`: just these of its operations, counted from 0 (None:
    all). `issued` counts the operations so far, `refused` those whose caller in Python had an error.
    """

    def __init__(
        self,
        simulation: Resources,
        source: Input,
        *,
        begin: int = 0,
        speed: float = 1.0,
        stop: int | None = None,
        numbers: Container[int] | None = None,
    ) -> None:
        self._simulation = simulation
        self._timeline = simulation.world.timeline
        self.source = source
        self._operations = source.operations()
        self._begin = begin
        self._speed = speed
        self._stop = stop
        self._numbers = numbers
        self._clients: dict[str, Client] = {}
        self._waiting = 0
        self._held: Operation | None = None
        self.issued = 0
        self.note: Callable[[int], None] | None = None  # is told the number of each that is done
        self.refused = 0

    def __repr__(self) -> str:
        return f"<Replay of {self.source.path}: {self.issued} operations so far>"

    def start(self) -> None:
        """Put the first operation on the timeline."""
        self._put(next(self._operations, None))

    def _put(self, operation: Operation | None) -> None:
        if operation is None:
            return
        if self._waiting and not operation.meanwhile:  # its caller waits in an earlier one
            self._held = operation
            return
        when = operation.when if self._speed == 1.0 else round(operation.when / self._speed)
        if self._stop is None or self._begin + when < self._stop:
            self._timeline.arrive_after(operation.position, self._begin + when, self._play, operation)

    def _play(self, operation: Operation) -> None:
        self.issued += 1
        if operation.verb != "receive_messages":
            self.start()
            self._do(operation)
            return
        self._waiting += 1  # it plays the timeline until there is a message
        try:
            self.start()
            self._do(operation)
        finally:
            self._waiting -= 1
        if not self._waiting:
            held, self._held = self._held, None
            self._put(held)

    def _do(self, operation: Operation) -> None:
        if self._numbers is not None and self.issued - 1 not in self._numbers:
            return
        if self.note is not None:
            self.note(self.issued - 1)
        try:
            arguments = {name: decoded(value, self._resource) for name, value in operation.arguments.items()}
        except ValueError as error:
            raise UsageError(f"{self.source.path}:{operation.line}: {error}. Correct the line.") from None
        resource = self._resource(operation.resource)
        send = sender(resource, operation.verb)
        if operation.client is None:
            self._call(send, arguments)
        else:
            request = Request(operation.resource, operation.verb, send, arguments)
            self._client(operation.client).issue(request)

    def _call(self, send: Send, arguments: dict[str, Any]) -> None:
        """What a caller in Python did: the error would be his."""
        try:
            send(arguments, self._answered)
        except SimbusError:
            self.refused += 1

    def _answered(self, error: AwsError | None) -> None:
        if error is not None:
            self.refused += 1

    def _resource(self, name: str) -> Any:
        try:
            return self._simulation[name]
        except KeyError as error:
            raise UsageError(f"{self.source.path}: {error.args[0]}") from None

    def _client(self, name: str) -> Client:
        found = self._clients.get(name)
        if found is None:
            found = self._clients[name] = Client(self._simulation.world, self._simulation.bus, name)
        return found


def sender(resource: Any, verb: str) -> Send:
    """What does an operation of a resource with its arguments, and tells `done` of its end or its error."""
    if verb == "invoke":
        return lambda arguments, done: _invoke(resource, arguments, done)
    if verb == "put_events":
        return lambda arguments, done: _put_events(resource, arguments, done)
    method = getattr(resource, verb)

    def send(arguments: dict[str, Any], done: Done) -> None:
        try:
            method(**arguments)
        except AwsError as error:
            done(error)

    return send


def _invoke(function: Any, arguments: dict[str, Any], done: Done) -> None:
    given = dict(arguments)
    if given.pop("invocation_type", "RequestResponse") == "RequestResponse":
        function.start_invoke(given.pop("payload", None), lambda answer: done(_error(answer)), **given)
        return
    try:
        function.invoke(**arguments)
    except AwsError as error:
        done(error)


def _error(answer: Any) -> AwsError | None:
    return answer if isinstance(answer, AwsError) else None


def _put_events(bus: Any, arguments: dict[str, Any], done: Done) -> None:
    """A client takes an entry that is refused for an error, as a workload does."""
    try:
        answer = bus.put_events(**arguments)
    except AwsError as error:
        done(error)
        return
    if answer["FailedEntryCount"]:
        refused = next(entry for entry in answer["Entries"] if "ErrorCode" in entry)
        done(AwsError(refused["ErrorCode"], refused["ErrorMessage"]))
