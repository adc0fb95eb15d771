"""The logging that AWS's Python runtime sets up before it imports the user's code, in Text and in JSON.

Matches awslambdaric 4.0.1 (bootstrap.py `_setup_logging`, lambda_runtime_log_utils.py). Level filtering needs JSON
(Developer Guide, "Log-level filtering"): a printed line counts as INFO, one of JSON with a `level` as that level.
"""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable
from typing import Any, Literal, Protocol

import msgspec

from simbus.functions.config import FunctionConfig

_RANKS = {"TRACE": 0, "DEBUG": 1, "INFO": 2, "WARN": 3, "WARNING": 3, "ERROR": 4, "FATAL": 5, "CRITICAL": 5}
_DATE_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
_TEXT_FORMAT = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n"
_RESERVED = frozenset(logging.makeLogRecord({}).__dict__) | {"aws_request_id", "tenant_id", "_frame_type", "taskName"}
_encode = json.JSONEncoder(ensure_ascii=False).encode


class Host(Protocol):
    """What logging needs of the process that it runs in."""

    request_id: str

    @property
    def log(self) -> Any: ...
    def outer_handlers(self) -> list[logging.Handler]: ...
    def runs_here(self) -> bool: ...
    def pause(self, delay: int) -> None: ...


def application_level(config: FunctionConfig) -> int | None:
    """The root logger's level where the log format sets one: JSON, INFO unless ApplicationLogLevel says otherwise."""
    if config.logging.log_format != "JSON":
        return None
    name = config.logging.application_log_level or "INFO"
    return logging.getLevelNamesMapping().get({"TRACE": "DEBUG"}.get(name, name))


def line_filter(config: FunctionConfig) -> Callable[[str], str | Literal[False]] | None:
    """Says for a printed line which level it has, or False where it is filtered out; None: in Text it has no level."""
    if config.logging.log_format != "JSON":
        return None
    lowest = _RANKS[config.logging.application_log_level or "INFO"]

    def level_of(line: str) -> str | Literal[False]:
        level = "INFO"
        if line.startswith("{"):
            level = _level_in(line)
        return level if _RANKS.get(level.upper(), 2) >= lowest else False

    return level_of


def _level_in(line: str) -> str:
    try:
        found = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return "INFO"
    level = found.get("level") if isinstance(found, dict) else None
    return level if isinstance(level, str) else "INFO"


class LogSink:
    """What `context.log` finds on the root handler: it writes a message as one event."""

    __slots__ = ("_host",)

    def __init__(self, host: Host) -> None:
        self._host = host

    def log(self, message: str, level: str | None = None) -> None:
        message.encode()  # what is not UTF-8 fails here, as it does on its way out of the real runtime
        self._host.log.emit(message, level, self._host.request_id or None)


class _NoLock:
    """In place of a handler's lock: nothing that a record does here can be half done when another thread runs."""

    __slots__ = ()

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        """There is nothing to release."""

    __enter__ = acquire

    def __exit__(self, *_: object) -> None:
        """There is nothing to release."""


class LambdaLoggerHandler(logging.Handler):
    """The handler on the root logger: one record, one log event, also where it has several lines."""

    def __init__(self, host: Host, log_format: str) -> None:
        super().__init__()
        self._host = host
        self.log_sink = LogSink(host)
        self.setFormatter(JsonFormatter(host) if log_format == "JSON" else TextFormatter(host))
        self.addFilter(self._add_request_id)

    def createLock(self) -> None:
        self.lock: Any = _NoLock()

    def _add_request_id(self, record: logging.LogRecord) -> bool:
        record.aws_request_id = self._host.request_id or ""
        record.tenant_id = None
        return True

    def emit(self, record: logging.LogRecord) -> None:
        host = self._host
        if not host.runs_here():  # the machinery logs while these handlers are installed
            for handler in host.outer_handlers():
                if record.levelno >= handler.level:
                    handler.handle(record)
            return
        host.pause(0)
        self.log_sink.log(self.format(record), record.levelname)


class TextFormatter(logging.Formatter):
    """`[INFO]<TAB>2026-01-01T00:00:00.000Z<TAB>request id<TAB>message`."""

    def __init__(self, host: Any) -> None:
        super().__init__(_TEXT_FORMAT, "%Y-%m-%dT%H:%M:%S")
        self._host = host

    def formatException(self, ei: Any) -> str:
        told = traceback.TracebackException(*ei)
        show_paths(told, self._host.shown_frames)
        return "".join(told.format()).removesuffix("\n")


def show_paths(told: traceback.TracebackException | None, shown: Callable[[Any], Any]) -> None:
    """Let an exception and those behind it have only the frames that `shown` gives back."""
    if told is not None:
        told.stack[:] = shown(told.stack)
        show_paths(told.__cause__, shown)
        show_paths(told.__context__, shown)


class JsonFormatter(logging.Formatter):
    """One JSON object a record; fields given as `extra` are added."""

    def __init__(self, host: Any) -> None:
        super().__init__(datefmt=_DATE_FORMAT)
        self._host = host

    def format(self, record: logging.LogRecord) -> str:
        record.levelno = min(50, max(0, record.levelno)) // 10 * 10
        record.levelname = logging.getLevelName(record.levelno)
        result: dict[str, Any] = {
            "timestamp": self.formatTime(record, self.datefmt),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            **self._exception(record),
            "requestId": getattr(record, "aws_request_id", None),
            "location": f"{record.pathname}:{record.funcName}:{record.lineno}" if record.exc_info else None,
        }
        extra = {k: v for k, v in record.__dict__.items() if k not in _RESERVED and k not in result}
        return _encode({k: v for k, v in (result | extra).items() if v is not None}) + "\n"

    def _exception(self, record: logging.LogRecord) -> dict[str, Any]:
        if not record.exc_info or record.exc_info[0] is None:
            return {"stackTrace": None, "errorType": None, "errorMessage": None}
        kind, error, trace = record.exc_info
        stack = traceback.extract_tb(trace)
        stack[:] = self._host.shown_frames(stack)
        return {"stackTrace": stack.format(), "errorType": kind.__name__, "errorMessage": str(error)}
