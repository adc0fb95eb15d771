"""stdout and stderr of an environment: each line that ends with a newline is one log event.

Recorded (test_multi_line_prints): blank lines are dropped, a carriage return does not split.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from simbus.functions.sandbox.state import Dead

if TYPE_CHECKING:
    from simbus.functions.sandbox.process import Sandbox


class _Bytes(io.RawIOBase):
    """`sys.stdout.buffer`."""

    def __init__(self, text: LineStream) -> None:
        self._text = text

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        raw = bytes(data)
        self._text.write(raw.decode("utf-8", "replace"))
        return len(raw)


class LineStream(io.TextIOBase):
    """A text stream whose lines go to the environment's log."""

    mode = "w"

    def __init__(self, sandbox: Sandbox, name: str, descriptor: int) -> None:
        self._sandbox = sandbox
        self.partial = ""
        self._descriptor = descriptor
        self.name = name

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override]
        return "strict" if self._descriptor == 1 else "backslashreplace"

    @property
    def buffer(self) -> _Bytes:
        return _Bytes(self)

    @property
    def line_buffering(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def reconfigure(self, **options: Any) -> None:
        """Every option is one about buffering or encoding; the log takes text at once."""

    def write(self, text: str, /) -> int:
        sandbox = self._sandbox
        if sandbox.ending is not None:
            sandbox.raise_dead()
        if text == "\n":  # how `print` ends
            if self.partial:
                line, self.partial = self.partial, ""
                sandbox.log_line(line + text)
            return 1
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if not text.isascii():
            # A lone surrogate fails on the strict stdout of the runtime; stderr shows it as \\ud83d, as Python's does.
            text = text.encode(errors=self.errors).decode()
        if "\n" not in text:
            self.partial += text
            return len(text)
        *lines, rest = (self.partial + text).split("\n")
        self.partial = rest
        for line in lines:
            if line:
                sandbox.log_line(line + "\n")
        return len(text)

    def flush(self) -> None:
        """Nothing waits but an unfinished line."""
        if self._sandbox.ending is not None and self._sandbox.runs_here():
            raise Dead

    def close(self) -> None:
        """A process that closes its stdout loses nothing here."""

    def flush_partial(self) -> None:
        """At the end of an invocation an unfinished line is written all the same."""
        if self.partial:
            line, self.partial = self.partial, ""
            self._sandbox.log_line(line)


class NoInput(io.StringIO):
    """stdin of a Lambda function is empty: `input()` meets the end of file."""

    def fileno(self) -> int:
        return 0
