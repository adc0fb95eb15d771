"""simbus: a deterministic simulator of event-driven AWS Lambda applications, in virtual time.

The map of the house, from the bottom up:

    kernel/       time, order, chance: the timeline, the asyncio loop that lives on it, distributions
    errors.py     SimbusError and its children          arn.py, model.py, world.py   names and small typed values
    services.py   the table of AWS services: every other list of them comes from it, and how one is added
    metrics/      CloudWatch's metrics, a row for each minute in which something happened
    bus.py        sources publish change events, subscriptions receive them; every step is a row
    filtering/    the one language of event patterns, filter policies and filter criteria
    logs/         structlog -> SQLite: log streams, Lambda's own lines, the run file and its reader
    functions/    Lambda: configuration, concurrency, execution environments, the sandbox that handlers run in
    sources/      a file or a folder per AWS service
    scheduler/    who asks for invocations: Invoke, the asynchronous queue, destinations; mappings/ with the pollers of
                  queues/ and streams/
    faults/       what goes wrong on purpose
    resources.py  what is in the simulated account     recording/  what was done to it from outside, and is done again
    simulation.py the handle that puts it together     comparison/ which events of two runs came out differently
    expectations/ figures of a run's rows, and what is expected of them
    exploration/  many seeds, and what the first failure is shrunk to
    scenario/     the file format     report/, explain/  what a run came to, and why     lint/  known bad settings
    load/         other rates than a workload's own, and the highest at which all is as expected
    cli/          the command line
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simbus.arn import Account
from simbus.errors import (
    AwsError,
    GuardError,
    RunError,
    ScenarioError,
    SimbusError,
    SpinError,
    StalledError,
    UsageError,
)

if TYPE_CHECKING:
    from simbus.expectations import expect
    from simbus.expectations.judgement import ExpectationFailed
    from simbus.exploration.exploration import explore
    from simbus.simulation import Simulation

__all__ = [
    "Account",
    "AwsError",
    "ExpectationFailed",
    "GuardError",
    "RunError",
    "ScenarioError",
    "SimbusError",
    "Simulation",
    "SpinError",
    "StalledError",
    "UsageError",
    "expect",
    "explore",
]

_LATER = {
    "Simulation": "simbus.simulation",
    "expect": "simbus.expectations",
    "explore": "simbus.exploration.exploration",
    "ExpectationFailed": "simbus.expectations.judgement",
}


def __getattr__(name: str) -> Any:
    """Import what is heavy when it is asked for, so that `simbus --help` and the errors stay light."""
    if name in _LATER:
        from importlib import import_module

        if name == "Simulation":  # the sandbox takes hold of the real clock: before a test has put another in its place
            import_module("simbus.functions.sandbox.process")
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
