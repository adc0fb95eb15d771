"""Stack traces as Lambda would show them: user code under /var/task, Python under /var/lang, nothing of simbus."""

from __future__ import annotations

import os
import site
import sys
import sysconfig
import traceback
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any

from simbus.functions.config import OLD_PYTHON_RUNTIMES, FunctionConfig

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + "/"
_STDLIB = sysconfig.get_path("stdlib") + "/"
_SITES = tuple(
    sorted({f"{path}/" for path in (sysconfig.get_path("purelib"), *site.getsitepackages())}, key=len, reverse=True)
)
Frame = tuple[str, int, str, str | None]


class Frames:
    """Renames and filters the frames of one function's traces."""

    def __init__(self, config: FunctionConfig, code: Any, outside: Callable[[], Any]) -> None:
        runtime = config.runtime if config.runtime.startswith("python") else ""
        self._stdlib = f"/var/lang/lib/{runtime or f'python3.{sys.version_info.minor}'}/"
        self._call = _call_of_the_runtime(runtime, self._stdlib)
        self._code = code
        self._outside = outside
        self._folder = None if isinstance(config.handler, str) else _folder(config.handler)

    def name(self, path: str) -> str:
        """How a file is shown."""
        if self._code is not None:
            path = str(self._code.shown(path))
        if self._folder is not None and path.startswith(self._folder):
            return "/var/task/" + path[len(self._folder) :]
        for folder in _SITES:  # on Lambda they are bundled with the code
            if path.startswith(folder):
                return "/var/task/" + path[len(folder) :]
        return self._stdlib + path[len(_STDLIB) :] if path.startswith(_STDLIB) else path

    def shown(self, trace: TracebackType | None, skip_loop: bool = False) -> list[Frame]:
        """The frames of a traceback, outermost first; `skip_loop`: without those of the loop that awaited it."""
        with self._outside():  # the lines are read from the real files
            frames = self.shown_frames(traceback.extract_tb(trace))
        if skip_loop:
            while len(frames) > 1 and frames[0].filename.startswith(f"{self._stdlib}asyncio/"):
                del frames[0]
        return [(frame.filename, frame.lineno or 0, frame.name, frame.line) for frame in frames]

    def of_handler(self, trace: TracebackType | None, skip_loop: bool = False) -> list[Frame]:
        """The frames of a handler's error; one without any was raised by the call itself (a wrong number of
        arguments), and shows the runtime's own line, as awslambdaric leaves it."""
        return self.shown(trace, skip_loop) or [self._call]

    def shown_frames(self, stack: Iterable[traceback.FrameSummary]) -> list[traceback.FrameSummary]:
        """The same for a stack summary, in place."""
        kept = []
        for frame in stack:
            if not frame.filename.startswith(_PACKAGE):
                frame.line  # noqa: B018 - read while the file still has its real name
                frame.filename = self.name(frame.filename)
                kept.append(frame)
        return kept


def _call_of_the_runtime(runtime: str, stdlib: str) -> Frame:
    """The frame that calls the handler. Its line moves with the runtime's version; those here were seen: 178 on
    python3.12 (2025), 127 on python3.9 (github.com/chime/terraform-aws-alternat/pull/18)."""
    line, call = 178, "response = request_handler(event, lambda_context)"
    file = f"{stdlib}site-packages/awslambdaric/bootstrap.py"
    if runtime in ("python3.8", "python3.9", "python3.10", "python3.11"):
        line, file = 127, "/var/runtime/bootstrap.py"
    elif runtime in OLD_PYTHON_RUNTIMES:
        line, file, call = 177, "/var/runtime/awslambda/bootstrap.py", "result = request_handler(json_input, context)"
    return file, line, "handle_event_request", call


def _folder(handler: Callable[..., Any] | None) -> str | None:
    """The directory that the top-level module or package of a callable lies in, with a slash at its end."""
    function: Any = handler
    while hasattr(function, "func"):  # functools.partial
        function = function.func
    function = getattr(function, "__func__", function)
    module: Any = sys.modules.get(getattr(function, "__module__", None) or type(function).__module__)
    file = getattr(module, "__file__", None)
    if module is None or not file:
        return None
    depth = module.__name__.count(".") + (1 if hasattr(module, "__path__") else 0)
    folder = str(os.path.dirname(os.path.abspath(file)))
    for _ in range(depth):
        folder = os.path.dirname(folder)
    return folder + "/"
