"""Proofs about functions and how they are invoked."""

from __future__ import annotations

from copy import deepcopy
from importlib.util import find_spec
from typing import Final

from simbus.lint.functions import READ_TIMEOUT
from simbus.lint.loops import Write
from simbus.lint.proofs.data import CODE, DEAD, Data, changed, function_of
from simbus.lint.rule import Finding, Proof
from simbus.lint.view import View

MARGIN: Final = 60  # s that a client should wait longer than the function may take


def _invoke(name: str, count: int = 10) -> Data:
    return {"invoke": {"function": name, "invocation_type": "Event"}, "at": "1s", "count": count}


def _of_function(name: str, *names: str) -> tuple[Data, ...]:
    return tuple({"function": name, each: 0} for each in names)


def failures_lost(view: View, finding: Finding) -> Proof:
    name = finding.about.function
    function = function_of(view, name, error_rate=1.0)
    config = view.config_of(finding.about)
    if config is not None:
        function["event_invoke_config"] = config.model_dump(
            exclude_unset=True, include={"maximum_retry_attempts", "maximum_event_age_in_seconds"}
        )
    data: Data = {"functions": {name: function}, "queues": {DEAD: {}}, "workload": [_invoke(name)]}
    mended = changed(data, "functions", name, "event_invoke_config", "on_failure", to=f"sqs:{DEAD}")
    return Proof("10 events, and a function that fails", data, mended, _of_function(name, "lost", "dead_lettered"))


def too_old_for_retries(view: View, finding: Finding) -> Proof:
    name: str = finding.about
    own = view.spec.functions[name].event_invoke_config
    function = function_of(view, name)
    age = 60 if own is None else own.maximum_event_age_in_seconds
    retries = 2 if own is None else own.maximum_retry_attempts
    function["event_invoke_config"] = {"maximum_event_age_in_seconds": age, "maximum_retry_attempts": retries}
    seconds = 30 if age <= 60 else 90
    data: Data = {
        "functions": {name: function},
        "workload": [_invoke(name)],
        "faults": [{"function": name, "error_rate": 1.0, "for": f"{seconds}s"}],
    }
    mended = changed(data, "functions", name, "event_invoke_config", "maximum_event_age_in_seconds", to=21_600)
    story = f"10 events, and a function that fails for the first {seconds} s"
    return Proof(story, data, mended, _of_function(name, "lost", "invocations"))


def fifo_targets(view: View, finding: Finding) -> Proof | None:
    name, key = finding.about
    if key == "on_success":
        return None  # a lost record of a success is no figure
    target, mended_target = f"{DEAD}.fifo", DEAD
    data: Data = {
        "functions": {name: function_of(view, name, error_rate=1.0)},
        "queues": {target: {"fifo_queue": True, "content_based_deduplication": True}, mended_target: {}},
        "workload": [_invoke(name, 3)],
    }
    path = ("dead_letter_config", "target_arn") if key == "target_arn" else ("event_invoke_config", "on_failure")
    damaged = changed(data, "functions", name, *path, to=f"sqs:{target}")
    mended = changed(data, "functions", name, *path, to=f"sqs:{mended_target}")
    return Proof("3 events, and a function that fails", damaged, mended, _of_function(name, "lost", "dead_lettered"))


def longer_than_the_caller_waits(view: View, finding: Finding) -> Proof | None:
    """A client that invokes once, and a function that needs its whole timeout; mended with a longer read timeout."""
    if find_spec("boto3") is None:
        return None  # it is boto3 that asks again
    name: str = finding.about
    timeout = view.spec.functions[name].timeout
    work = function_of(view, name)
    work["simulate"]["duration"] = f"{timeout * 1000 - 100}ms"
    caller = next(each for each in ("caller", "the-caller") if each != name)
    event = {"function": name, "read_timeout": READ_TIMEOUT}
    data: Data = {
        "functions": {name: work, caller: {"handler": "handlers.ask", "code": CODE, "timeout": 900}},
        "workload": [{"invoke": {"function": caller, "payload": event}, "at": "1s"}],
    }
    mended = changed(data, "workload", 0, "invoke", "payload", "read_timeout", to=timeout + MARGIN)
    story = f"a client invokes once, through boto3; the function ends after {timeout} s, short of its timeout"
    return Proof(story, data, mended, _of_function(name, "invocations"))


def switched_off(view: View, finding: Finding) -> Proof:
    name: str = finding.about
    data: Data = {"functions": {name: function_of(view, name)}, "workload": [_invoke(name)]}
    mended = changed(data, "functions", name, "reserved_concurrent_executions", to=10)
    return Proof("10 asynchronous events", data, mended, _of_function(name, "lost", "invocations"))


def recursive(view: View, finding: Finding) -> Proof | None:
    """The whole scenario with modelled functions, and one event; mended without the setting that closes the loop."""
    write: Write = finding.about
    if write.guessed:
        return None  # what the code of a handler writes, no setting says
    name = write.function.partition(":")[2]
    data = deepcopy(view.scenario.source.data)
    for key in ("workload", "expect", "faults", "duration", "description"):
        data.pop(key, None)
    fails = write.path[-1] in ("on_failure", "target_arn")
    for each, raw in data["functions"].items():
        made = {key: value for key, value in (raw or {}).items() if key not in ("handler", "code")}
        data["functions"][each] = made
        made["simulate"] = {
            "duration": "100ms",
            "init_duration": "0s",
            "error_rate": 1.0 if fails and each == name else 0.0,
        }
    data["workload"] = [_invoke(name, 1)]
    data["until"] = "30m"
    path = view.scenario.source.resolve(write.path)
    mended = changed(data, *(path[:-1] if path[-1] == "target_arn" else path), to=None)
    return Proof("one event", data, mended, _of_function(name, "invocations"))
