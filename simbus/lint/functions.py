"""Rules about functions and how they are invoked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from simbus.arn import short_name
from simbus.lint.rule import Finding
from simbus.lint.view import View
from simbus.scenario.source import Path

FIRST_RETRY: Final = 60
SECOND_RETRY: Final = 180
READ_TIMEOUT: Final = 60


def failures_lost(view: View) -> Iterator[Finding]:
    seen: set[tuple[str, str | None]] = set()
    for trigger in view.triggers:
        function, config = view.spec.functions[trigger.function], view.config_of(trigger)
        target = None if config is None else config.destination("on_failure")
        if function.dead_letter_config is None and target is None and (trigger.function, trigger.qualifier) not in seen:
            seen.add((trigger.function, trigger.qualifier))
            retries = 2 if config is None else config.maximum_retry_attempts
            yield Finding(
                ("functions", trigger.function),
                f"has neither an on_failure destination nor a dead-letter queue; {trigger.source} invokes it "
                f"asynchronously, and an event that fails {retries + 1} times is gone",
                "Add event_invoke_config: {on_failure: sqs:name}.",
                trigger,
            )


def too_old_for_retries(view: View) -> Iterator[Finding]:
    for path, name, config in view.invoke_configs():
        age, retries = config.maximum_event_age_in_seconds, config.maximum_retry_attempts
        needed = FIRST_RETRY if retries == 1 else SECOND_RETRY
        if retries and age <= needed:
            which = "none of its retries takes" if age <= FIRST_RETRY else "its second retry does not take"
            yield Finding(
                (*path, "maximum_event_age_in_seconds"),
                f"is {age}; Lambda retries {name} after one minute and after two more, so {which} place",
                f"Set it well above {needed}, or maximum_retry_attempts to what fits.",
                name,
            )


def fifo_targets(view: View) -> Iterator[Finding]:
    for path, target, function in _targets(view):
        service, name, _ = short_name(target)
        if service in ("sqs", "sns") and name.endswith(".fifo"):
            yield Finding(
                path,
                f"is {target}; what is FIFO refuses a message without a message group, and Lambda sends none",
                "Name a standard one.",
                (function, path[-1]),
            )


def _targets(view: View) -> Iterator[tuple[Path, str, str]]:
    """Where asynchronous invocations leave their records and dead letters: path, target, function."""
    for name, function in view.spec.functions.items():
        if function.dead_letter_config is not None:
            path: Path = ("functions", name, "dead_letter_config", "target_arn")
            yield path, function.dead_letter_config.target_arn, name
    for config_path, name, config in view.invoke_configs():
        for key in ("on_success", "on_failure"):
            target = config.destination(key)
            if target is not None:
                yield (*config_path, key), target, name


def switched_off(view: View) -> Iterator[Finding]:
    invoked = {trigger.function for trigger in view.triggers} | {mapping.function for mapping in view.mappings}
    for name, function in view.spec.functions.items():
        if function.reserved_concurrent_executions == 0 and name in invoked:
            yield Finding(
                ("functions", name, "reserved_concurrent_executions"),
                "is 0, which throttles every invocation; asynchronous events are given up at once, without a retry",
                "Raise it, or take the triggers away.",
                name,
            )


def longer_than_the_caller_waits(view: View) -> Iterator[Finding]:
    called = {
        short_name(item.invoke.function)[1]: index
        for index, item in reversed(list(enumerate(view.spec.workload)))
        if item.invoke is not None and item.invoke.invocation_type == "RequestResponse"
    }
    for name, index in called.items():
        timeout = view.spec.functions[name].timeout
        if timeout > READ_TIMEOUT:
            yield Finding(
                ("functions", name, "timeout"),
                f"is {timeout}, and workload[{index}] waits for the answer; a client that gives up after "
                f"{READ_TIMEOUT} s calls again, beside the invocation that still runs",
                f"Shorten it to {READ_TIMEOUT} or less, lengthen the client's read timeout and make its retries safe, "
                "or invoke asynchronously.",
                name,
            )
