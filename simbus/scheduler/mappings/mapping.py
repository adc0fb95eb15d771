"""One event source mapping: its identity, its state, and the poller that does the work.

Sources: the answers recorded in sqs_esm, kinesis_esm, dynamodb_esm (shapes, states, reasons); botocore's model of
EventSourceMappingConfiguration and ResourceInUseException. How long AWS takes from one state to the next is not
documented (seconds to a minute); here it is `transition_delay`, by default nothing. To be Enabled a mapping waits for
its function, too: Lambda invokes none that is Pending.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from msgspec.structs import replace

from simbus.errors import AwsError
from simbus.scheduler.mappings.filter import Criteria, compile_criteria
from simbus.scheduler.mappings.port import FunctionPort, Poller
from simbus.scheduler.mappings.settings import Kind, MappingSettings
from simbus.world import World

State = Literal["Creating", "Enabling", "Enabled", "Disabling", "Disabled", "Updating", "Deleting"]
NOTHING_PROCESSED = "No records processed"
_REASONS = {"sqs": "USER_INITIATED", "kinesis": "User action", "dynamodb": "User action"}


class FunctionTarget(NamedTuple):
    """What a mapping invokes: the port, and the ARN as AWS shows it."""

    port: FunctionPort
    arn: str


MakePoller = Callable[[FunctionPort, MappingSettings, Criteria | None, Callable[[str], None]], Poller]


class EventSourceMapping:
    """A mapping. `state` is AWS's word; `last_processing_result` is kept for streams only, as on AWS."""

    def __init__(
        self,
        world: World,
        uuid: str,
        kind: Kind,
        source_arn: str,
        target: FunctionTarget,
        settings: MappingSettings,
        make_poller: MakePoller,
        transition_delay: int,
    ) -> None:
        self.uuid = uuid
        self.arn = f"arn:aws:lambda:{world.account.region}:{world.account.id}:event-source-mapping:{uuid}"
        self.kind = kind
        self.source_arn = source_arn
        self.target = target
        self.settings = settings
        self.last_processing_result = NOTHING_PROCESSED
        self.state: State = "Disabled"
        self.deleted = False
        self._world = world
        self._delay = transition_delay
        self._modified_ms = world.epoch_ms()
        criteria = compile_criteria(kind, settings.filters)
        self._poller = make_poller(target.port, settings, criteria, self.note)

    def __repr__(self) -> str:
        return f"<EventSourceMapping {self.uuid} {self.source_arn} -> {self.target.arn} {self.state}>"

    @property
    def poller(self) -> Poller:
        """What polls the source."""
        return self._poller

    def note(self, result: str) -> None:
        """What the poller came to last: `OK`, `PROBLEM: Function call failed`, `No records processed`."""
        self.last_processing_result = result

    def describe(self) -> dict[str, Any]:
        """The configuration under botocore's names, as AWS answers it; LastModified is in seconds since 1970."""
        found = {
            **self.settings.shown(self.kind),
            "EventSourceArn": self.source_arn,
            "EventSourceMappingArn": self.arn,
            "FunctionArn": self.target.arn,
            "LastModified": self._modified_ms / 1000,
            "State": self.state,
            "StateTransitionReason": _REASONS[self.kind],
            "UUID": self.uuid,
        }
        if self.kind != "sqs":
            found["LastProcessingResult"] = self.last_processing_result
        return dict(sorted(found.items()))

    # --- states ----------------------------------------------------------------------------------------------------

    def create(self) -> dict[str, Any]:
        """The answer of CreateEventSourceMapping; where it is enabled it polls as soon as it is `Enabled`."""
        if not self.settings.enabled:
            return self.describe()
        return self._pass("Creating", "Enabled")

    def update(self, settings: MappingSettings, target: FunctionTarget) -> dict[str, Any]:
        """The answer of UpdateEventSourceMapping. Raises ResourceInUseException while it changes already."""
        self.check_usable("update")
        criteria = compile_criteria(self.kind, settings.filters)
        self.settings, self.target = settings, target
        self._poller.port = target.port
        self._poller.change(settings, criteria)
        enabled = self.state == "Enabled"
        if settings.enabled == enabled:
            return self._pass("Updating", self.state)
        return self._pass("Enabling", "Enabled") if settings.enabled else self._pass("Disabling", "Disabled")

    def enable(self) -> dict[str, Any]:
        """UpdateEventSourceMapping with Enabled true: it goes on where it stopped. Raises ResourceInUseException."""
        return self.update(replace(self.settings, enabled=True), self.target)

    def disable(self) -> dict[str, Any]:
        """The same with false: what is in flight is finished, nothing more is read."""
        return self.update(replace(self.settings, enabled=False), self.target)

    def delete(self) -> dict[str, Any]:
        """The answer of DeleteEventSourceMapping. What is in flight is finished. Raises ResourceInUseException."""
        self.check_usable("delete")
        return self._pass("Deleting", "Deleting")

    def check_usable(self, action: str) -> None:
        """Raises ResourceInUseException in any state but Enabled and Disabled."""
        if self.state not in ("Enabled", "Disabled"):
            raise AwsError(
                "ResourceInUseException", f"Cannot {action} the event source mapping because it is in use.", Type="User"
            )

    def _pass(self, through: State, to: State) -> dict[str, Any]:
        """Go through a state to another; the answer shows the first."""
        self._modified_ms = self._world.epoch_ms()
        self.state = through
        answer = self.describe()
        delay = max(self._delay, self.target.port.pending if to == "Enabled" else 0)
        if delay:
            self._world.timeline.after(delay, self._arrive, to)
        else:
            self._arrive(to)
        return answer

    def _arrive(self, to: State) -> None:
        if to == "Deleting":
            self.deleted = True
            self._poller.leave()
            return
        before, self.state = self.state, to
        if to == "Enabled" and before != "Updating":
            self._poller.start()
        elif to == "Disabled" and before != "Updating":
            self._poller.stop()

    def finish(self) -> None:
        """The run has ended: what is held is written down."""
        self._poller.finish()
