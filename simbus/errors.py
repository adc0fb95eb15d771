"""Every error that simbus raises on purpose.

A message has four parts: where, what was found, the rule, what to do. `SimbusError.exit_status` is what the
command line returns for it.
"""

from __future__ import annotations


class SimbusError(Exception):
    """The base of every error that simbus raises on purpose."""

    exit_status = 70


class UsageError(SimbusError):
    """The caller's input is wrong: a scenario, an option, an argument. Exit status 2."""

    exit_status = 2


class ScenarioError(UsageError):
    """A scenario file is wrong; the message names file, line, path, the finding, the rule and the remedy."""


class RunError(SimbusError):
    """A run could not finish. Exit status 3."""

    exit_status = 3


class StalledError(RunError):
    """Nothing is scheduled, but something is unfinished: it waits for what can't happen any more."""


class SpinError(RunError):
    """Code goes round at one instant of virtual time without ever letting it pass."""


class GuardError(RunError):
    """A handler burned more CPU time of the machine than the guard allows."""


class HungUp(Exception):
    """Who called AWS waits no longer for the answer; AWS does not know. The SDK makes its own error of it."""


class AwsError(SimbusError):
    """An answer that AWS itself would give: an error code and a message, as an SDK shows them.

    `code` is AWS's error code (`ResourceNotFoundException`, `InvalidParameterValue` ...), `status` the HTTP status,
    `extra` further fields of the answer (for example `Reason` of a throttle).
    """

    exit_status = 2

    def __init__(self, code: str, message: str, status: int = 400, **extra: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.extra = extra
