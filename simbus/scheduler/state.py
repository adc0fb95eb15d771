"""Whether a function can be used yet: what CreateFunction and the update operations begin takes AWS a moment.

Recorded: test_function_state. Lambda Developer Guide, "Lambda function states": while a function is Pending
invocations, updates and PublishVersion fail; while an update is in progress invocations use the code and configuration
before it. How long it takes AWS does not say: `function_activation` of the account (1 s). Events of other services that
come meanwhile are accepted and tried again; event source mappings do not poll before.
"""

from __future__ import annotations

from typing import Any

from simbus.functions.config import FunctionConfig
from simbus.functions.function import LATEST, Function
from simbus.functions.version import conflict
from simbus.scheduler.configuration import pending, updating
from simbus.scheduler.revisions import Revisions


class FunctionState:
    """Of one function. `coming` is the configuration of $LATEST that an update in progress will bring."""

    def __init__(self, function: Function, revisions: Revisions) -> None:
        self._function = function
        self._revisions = revisions
        self._updating = False
        self.coming: FunctionConfig | None = None

    def begin(self, number: str, delay: int) -> None:
        """A version that has just been made is Pending for `delay` nanoseconds."""
        timeline = self._function.world.timeline
        self._function.versions[number].pending_until = timeline.now + delay
        timeline.after(delay, self._active, number)

    def _active(self, number: str) -> None:
        version = self._function.versions.get(number)
        if version is not None:  # it may have been deleted meanwhile
            version.pending_until = None
            self._revisions.renew(number)

    def update(self, config: FunctionConfig, delay: int) -> None:
        """Bring `config` to $LATEST, after `delay` nanoseconds."""
        if not delay:
            self._function.update(config)
            return
        self.coming = config
        self._updating = True
        self._function.world.timeline.after(delay, self._updated)

    def _updated(self, _: None) -> None:
        self._updating = False
        coming, self.coming = self.coming, None
        if coming is not None and not self._function.deleted:
            self._function.update(coming)
        self._revisions.renew(LATEST)

    def check_settled(self) -> None:
        """Raises AwsError ResourceConflictException (409) while $LATEST is Pending, or an update is in progress."""
        self._function.latest.check_active()
        if self._updating:
            raise conflict(f"An update is in progress for resource: {self._function.arn}")

    def shown(self, configuration: dict[str, Any], number: str) -> dict[str, Any]:
        """The configuration of a version as it is shown now."""
        if self._function.versions[number].pending_until is not None:
            return pending(configuration)
        return updating(configuration) if self._updating and number == LATEST else configuration
