"""AWS_LAMBDA_EXEC_WRAPPER: a program that starts the runtime. simbus runs none, but knows what a bad path does.

Sources: Developer Guide, "Modifying the runtime environment" (wrapper scripts); /var/runtime/bootstrap of AWS's Python
base images (texts, exit statuses 127 and 126); recording test_lambda_runtime_wrapper_not_found.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from simbus.errors import UsageError
from simbus.functions.config import FunctionConfig
from simbus.functions.errors import exited
from simbus.logs.stream import LogStream
from simbus.model import Invocation, Outcome

if TYPE_CHECKING:
    from simbus.functions.sandbox import Code

VARIABLE = "AWS_LAMBDA_EXEC_WRAPPER"
_SYSTEM = ("/opt/", "/bin/", "/usr/", "/lib", "/sbin/", "/var/lang/", "/var/runtime/")  # layers, and Lambda's own files


class BadWrapper(NamedTuple):
    """Why the runtime does not start: the line that is printed, and the exit status."""

    line: str
    status: int


def bad_wrapper(config: FunctionConfig, code: Code | None) -> BadWrapper | None:
    """What is wrong with the function's wrapper; None where there is no wrapper.

    Raises UsageError for one that would run.
    """
    wrapper = (config.environment or {}).get(VARIABLE)
    if not wrapper:
        return None
    file = Path(wrapper if code is None else code.real(wrapper))
    in_code = code is not None and file.is_relative_to(code.root)
    if not wrapper.startswith(_SYSTEM) and not (in_code and file.is_file()):
        return BadWrapper(f"{wrapper}: does not exist\n", 127)
    if in_code and not os.access(file, os.X_OK):
        return BadWrapper(f"{wrapper}: is not an executable\n", 126)
    raise UsageError(
        f"function {config.name}: environment variable {VARIABLE} is {wrapper!r}; simbus runs the handler in its own "
        "process and starts no other program. Leave the variable out, and set what the wrapper sets."
    )


class NoRuntime:
    """Stands for the process of an environment whose runtime never starts."""

    def __init__(self, wrapper: BadWrapper, log: LogStream) -> None:
        self._wrapper = wrapper
        self._log = log

    def init(self, deadline: int, done: Callable[[Outcome | None], None]) -> None:
        """Say why, and exit."""
        self._log.emit(self._wrapper.line)
        done(exited("", self._wrapper.status))

    def invoke(self, invocation: Invocation, deadline: int, done: Callable[[Outcome], None]) -> None:
        """It is never reached: the init has failed."""
        raise AssertionError("a runtime that never started was invoked")

    def kill(self) -> None:
        """There is no process."""

    def discard(self) -> None:
        """There is no process, and no temporary directory."""
