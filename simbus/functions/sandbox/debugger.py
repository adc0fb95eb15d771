"""A debugger that is started inside a handler (`breakpoint()`) talks to the console, not to the environment's streams.

pdb takes its streams when it is made and its commands in `cmdloop`; both look at `sys`. A test runner that captures
output (pytest) puts the console's streams there itself: they are kept then.
"""

from __future__ import annotations

import cmd
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from simbus.functions.sandbox.dispatch import Patch, patch

if TYPE_CHECKING:
    from simbus.functions.sandbox.process import Sandbox

_init = cmd.Cmd.__init__
_cmdloop = cmd.Cmd.cmdloop


def patches() -> list[Patch]:
    """What is put in while simulations run."""
    return patch(cmd.Cmd, "__init__", _made) + patch(cmd.Cmd, "cmdloop", _asked)


def _made(sandbox: Sandbox, self: cmd.Cmd, *args: Any, **kwargs: Any) -> None:
    if not _is_debugger(self):
        _init(self, *args, **kwargs)
        return
    stdin = sys.__stdin__ if sys.stdin is sandbox.stdin else sys.stdin
    stdout = sys.__stdout__ if sys.stdout is sandbox.stdout else sys.stdout
    with _streams(sandbox, stdin, stdout):
        _init(self, *args, **kwargs)


def _asked(sandbox: Sandbox, self: cmd.Cmd, *args: Any, **kwargs: Any) -> None:
    if not _is_debugger(self):
        _cmdloop(self, *args, **kwargs)
        return
    with _streams(sandbox, self.stdin, self.stdout):
        _cmdloop(self, *args, **kwargs)


def _is_debugger(program: cmd.Cmd) -> bool:
    bdb = sys.modules.get("bdb")
    return bdb is not None and isinstance(program, bdb.Bdb)


@contextmanager
def _streams(sandbox: Sandbox, stdin: Any, stdout: Any) -> Iterator[None]:
    """These are the streams for a moment; then the environment's are again."""
    sys.stdin, sys.stdout, sys.stderr = stdin, stdout, stdout
    try:
        yield
    finally:
        sys.stdin, sys.stdout, sys.stderr = sandbox.stdin, sandbox.stdout, sandbox.stderr
