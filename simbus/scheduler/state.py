"""Whether a function can be used yet: what CreateFunction and the update operations begin takes AWS a moment.

Recorded: test_function_state. Lambda Developer Guide, "Lambda function states": while a function is Pending
invocations, updates and PublishVersion fail; while an update is in progress invocations use the code and configuration
before it. How long it takes AWS does not say: `function_activation` of the account (1 s). What other services send to
a Pending function is run all the same.
"""

from __future__ import annotations

from typing import Any

from simbus.errors import AwsError
from simbus.functions.config import FunctionConfig
from simbus.functions.function import LATEST, Function
from simbus.scheduler.configuration import pending, updating
from simbus.scheduler.revisions import Revisions


class FunctionState:
    """Of one function. `coming` is the configuration of $LATEST that an update in progress will bring."""

    def __init__(self, function: Function, revisions: Revisions) -> None:
        self._function = function
        self._revisions = revisions
        self._pending = False
        self._updating = False
        self.coming: FunctionConfig | None = None

    def create(self, delay: int) -> None:
        """It is Pending for `delay` nanoseconds."""
        self._pending = True
        self._function.world.timeline.after(delay, self._active)

    def _active(self, _: None) -> None:
        self._pending = False
        self._revisions.renew(LATEST)

    def update(self, config: FunctionConfig, delay: int, at_once: bool) -> None:
        """Bring `config` to $LATEST, after `delay` nanoseconds; `at_once`: it only says until then that it does."""
        if at_once or not delay:
            self._function.update(config)
        else:
            self.coming = config
        if delay:
            self._updating = True
            self._function.world.timeline.after(delay, self._updated)

    def _updated(self, _: None) -> None:
        self._updating = False
        coming, self.coming = self.coming, None
        if coming is not None and not self._function.deleted:
            self._function.update(coming)
        self._revisions.renew(LATEST)

    def check_active(self) -> None:
        """Raises AwsError ResourceConflictException (409) while it is Pending."""
        if self._pending:
            raise _conflict("The function is currently in the following state: Pending")

    def check_settled(self) -> None:
        """The same, and while an update is in progress."""
        self.check_active()
        if self._updating:
            raise _conflict(f"An update is in progress for resource: {self._function.arn}")

    def shown(self, configuration: dict[str, Any], number: str) -> dict[str, Any]:
        """The configuration of a version as it is shown now."""
        if self._pending:
            return pending(configuration)
        return updating(configuration) if self._updating and number == LATEST else configuration


def _conflict(why: str) -> AwsError:
    message = f"The operation cannot be performed at this time. {why}"
    return AwsError("ResourceConflictException", message, 409, Type="User")
