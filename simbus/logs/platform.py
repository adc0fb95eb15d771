"""The lines that Lambda itself writes to a log stream: INIT_START, START, END, REPORT, INIT_REPORT; text and JSON.

Sources: recorded lines of test_multi_line_prints, test_invocation_type_event_error and test_invocation_with_logs (AWS,
2025-11-25); Developer Guide, "Lambda runtime environment" (Status of a failed invocation) and "Configuring JSON log
format" (which system event has which level).
"""

from __future__ import annotations

import hashlib
import re
from typing import Protocol

import msgspec

from simbus.logs.stream import LogStream

_SYSTEM_LEVELS = {"DEBUG": 0, "INFO": 1, "WARN": 2}
_RUNTIME_BUILD = "v64"  # AWS raises it with each update of a managed runtime; its value means nothing here


class Report(msgspec.Struct, gc=False):
    """The figures of one REPORT line; durations in milliseconds, memory in MB.

    `status` is None where the function itself answered (also with an error), else `timeout` or `error` with
    `error_type`; `function_failed` says that the function answered with an error.
    """

    duration_ms: float
    billed_ms: int
    memory_size: int
    max_memory_used: int
    init_ms: float | None = None
    status: str | None = None
    error_type: str | None = None
    function_failed: bool = False


def runtime_version(runtime: str, region: str) -> tuple[str, str]:
    """What INIT_START names: `python:3.13.v64` and the ARN of that version of the runtime."""
    language, version = re.fullmatch(r"([a-z]+)\.?(.*?)(?:\.x)?", runtime).groups()  # type: ignore[union-attr]
    label = f"{language}:{version}.{_RUNTIME_BUILD}"
    digest = hashlib.sha256(label.encode()).hexdigest()
    return label, f"arn:aws:lambda:{region}::runtime:{digest}"


class PlatformLines(Protocol):
    """Writes Lambda's own lines in one of the two formats."""

    def init_start(self) -> None: ...
    def initialised(self, duration_ms: float, provisioned: bool) -> None: ...
    def init_report(self, duration_ms: float, phase: str, status: str, error_type: str | None) -> None: ...
    def start(self, request_id: str) -> int | None:
        """Returns the number of the line, where the row of the invocation says it; None where it was written."""

    def end(self, request_id: str, report: Report) -> None:
        """Write END and REPORT."""

    def end_said(self, duration_ms: float, init_ms: float | None) -> int | None:
        """Like `start`: the number of END, after which REPORT comes; None where `end` has to write them."""


class TextLines:
    """LogFormat Text: tab-separated lines, each with its newline."""

    __slots__ = ("_arn", "_label", "_start_tail", "_stream")

    def __init__(self, stream: LogStream, version: str, runtime: str, region: str) -> None:
        self._stream = stream
        self._start_tail = f" Version: {version}\n"
        self._label, self._arn = runtime_version(runtime, region)

    def init_start(self) -> None:
        self._stream.emit(f"INIT_START Runtime Version: {self._label}\tRuntime Version ARN: {self._arn}\n")

    def initialised(self, duration_ms: float, provisioned: bool) -> None:
        """On demand the REPORT has the duration of an init that went well."""
        if provisioned:
            self.init_report(duration_ms, "init", "success", None)

    def init_report(self, duration_ms: float, phase: str, status: str, error_type: str | None) -> None:
        tail = "" if error_type is None else f"\tError Type: {error_type}"
        self._stream.emit(
            f"INIT_REPORT Init Duration: {duration_ms:.2f} ms\tPhase: {phase}"
            + (f"\tStatus: {status}{tail}\n" if status != "success" else "\n")
        )

    def start(self, request_id: str) -> int | None:
        number = self._stream.number(1)
        if number is None:
            self._stream.emit(f"START RequestId: {request_id}{self._start_tail}", None, request_id)
        return number

    def end_said(self, duration_ms: float, init_ms: float | None) -> int | None:
        if _is_tie(duration_ms) or (init_ms is not None and _is_tie(init_ms)):
            return None
        return self._stream.number(2)

    def end(self, request_id: str, report: Report) -> None:
        tail = "" if report.init_ms is None else f"Init Duration: {report.init_ms:.2f} ms\t"
        if report.status is not None:
            tail += f"Status: {report.status}"
            if report.error_type is not None:
                tail += f"\tError Type: {report.error_type}"
        self._stream.emit(f"END RequestId: {request_id}\n", None, request_id)
        self._stream.emit(
            f"REPORT RequestId: {request_id}\tDuration: {report.duration_ms:.2f} ms\t"
            f"Billed Duration: {report.billed_ms} ms\tMemory Size: {report.memory_size} MB\t"
            f"Max Memory Used: {report.max_memory_used} MB\t{tail}\n",
            None,
            request_id,
        )


def _is_tie(duration_ms: float) -> bool:
    """Whether a duration lies half way between two hundredths, or nearly: Python and SQLite may round differently."""
    return abs(duration_ms * 100 % 1 - 0.5) < 1e-4


class JsonLines:
    """LogFormat JSON: one object a line; what is shown depends on SystemLogLevel (default INFO: start and report)."""

    __slots__ = ("_initialization", "_level", "_runtime", "_stream", "_version")

    def __init__(
        self,
        stream: LogStream,
        version: str,
        runtime: str,
        region: str,
        initialization: str,
        system_log_level: str | None = None,
    ) -> None:
        self._stream = stream
        self._version = version
        self._runtime = runtime_version(runtime, region)
        self._initialization = initialization
        self._level = _SYSTEM_LEVELS[system_log_level or "INFO"]

    def _write(self, level: str, kind: str, record: dict[str, object], request_id: str | None = None) -> None:
        if _SYSTEM_LEVELS[level] >= self._level:
            line = {"time": self._stream.iso_now(), "type": f"platform.{kind}", "record": record}
            self._stream.emit(msgspec.json.encode(line).decode() + "\n", level, request_id)

    def init_start(self) -> None:
        label, arn = self._runtime
        self._write(
            "INFO",
            "initStart",
            {
                "initializationType": self._initialization,
                "phase": "init",
                "runtimeVersion": label,
                "runtimeVersionArn": arn,
            },
        )

    def initialised(self, duration_ms: float, provisioned: bool) -> None:
        """On demand at DEBUG only."""
        self.init_report(duration_ms, "init", "success", None)

    def init_report(self, duration_ms: float, phase: str, status: str, error_type: str | None) -> None:
        record: dict[str, object] = {
            "initializationType": self._initialization,
            "phase": phase,
            "status": status,
        }
        error = {} if error_type is None else {"errorType": error_type}
        well = status == "success"
        self._write("DEBUG" if well else "WARN", "initRuntimeDone", record | error)
        on_demand = self._initialization == "on-demand"
        level = "WARN" if not well else "DEBUG" if on_demand else "INFO"
        self._write(level, "initReport", record | {"metrics": {"durationMs": round(duration_ms, 2)}} | error)

    def start(self, request_id: str) -> None:
        self._write("INFO", "start", {"requestId": request_id, "version": self._version}, request_id)

    def end_said(self, duration_ms: float, init_ms: float | None) -> None:
        """The row of an invocation says nothing in JSON."""

    def end(self, request_id: str, report: Report) -> None:
        status = report.status or ("error" if report.function_failed else "success")
        level = "INFO" if status == "success" else "WARN"
        done: dict[str, object] = {
            "requestId": request_id,
            "status": status,
            "metrics": {"durationMs": round(report.duration_ms, 2)},
        }
        self._write("DEBUG" if status == "success" else "WARN", "runtimeDone", done, request_id)
        metrics: dict[str, object] = {
            "durationMs": round(report.duration_ms, 2),
            "billedDurationMs": report.billed_ms,
            "memorySizeMB": report.memory_size,
            "maxMemoryUsedMB": report.max_memory_used,
        }
        if report.init_ms is not None:
            metrics["initDurationMs"] = round(report.init_ms, 2)
        record: dict[str, object] = {"requestId": request_id, "metrics": metrics, "status": status}
        if report.error_type is not None:
            record["errorType"] = report.error_type
        self._write(level, "report", record, request_id)
