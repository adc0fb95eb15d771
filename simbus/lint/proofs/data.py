"""What the small scenarios are made of: the resources of a finding with their own settings, and a workload.

Filters are left out, so that the workload passes.
"""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any, Final

from simbus.arn import short_name
from simbus.lint.view import Mapping, View

DEAD: Final = "dead-letters"
MOST_IN_BATCH: Final = 10
CODE: Final = str(Path(__file__).parent.with_name("handlers.py").resolve())
HOUR: Final = 3600
Data = dict[str, Any]


def function_of(view: View, name: str, handler: str = "", **simulate: Any) -> Data:
    """A function with its own timeout and concurrency, and nothing else of its own."""
    own = view.spec.functions[name]
    made: Data = {"timeout": own.timeout, "simulate": {"duration": "100ms", "init_duration": "0s", **simulate}}
    if own.reserved_concurrent_executions is not None:
        made["reserved_concurrent_executions"] = own.reserved_concurrent_executions
    return {**made, "handler": f"handlers.{handler}", "code": CODE} if handler else made


def mapping_of(mapping: Mapping, **changes: Any) -> Data:
    settings = mapping.settings.settings()
    settings.pop("filter_criteria", None)
    given = {"event_source": mapping.name, "function": mapping.function, **settings, **changes}
    return {key: value for key, value in given.items() if value is not None}


def queue_scenario(view: View, mapping: Mapping, function: Data, **changes: Any) -> Data:
    """A queue with its dead-letter queue, its mapping and its function."""
    queue = queue_of(view, mapping.source)
    queues: Data = {mapping.source: queue}
    if "redrive_policy" in queue:
        dead = short_name(queue["redrive_policy"]["dead_letter_target_arn"])[1]
        queues[dead] = {**queue_of(view, dead), "redrive_policy": None}
    return {
        "functions": {mapping.function: function},
        "queues": queues,
        "event_source_mappings": [mapping_of(mapping, on_failure=None, **changes)],
        "workload": [],
    }


def queue_of(view: View, name: str) -> Data:
    return view.spec.queues[name].model_dump(exclude_unset=True, exclude={"redrive_allow_policy"})


def send(mapping: Mapping, body: str, count: int = 1, at: str = "1s") -> Data:
    message: Data = {"queue": mapping.source, "message_body": body}
    if mapping.source.endswith(".fifo"):
        message |= {"message_group_id": "group-{n}", "message_deduplication_id": "{uuid}"}
    return {"send_message": message, "at": at, "count": count}


def of_queue(mapping: Mapping, *names: str) -> tuple[Data, ...]:
    return tuple({"queue": mapping.source, name: 0} for name in names)


def changed(data: Data, *path: str | int, to: Any) -> Data:
    """A copy with one value changed; None takes it out."""
    made = deepcopy(data)
    inner: Any = made
    for key in path[:-1]:
        inner = inner.setdefault(key, {}) if isinstance(inner, dict) else inner[key]
    if to is None:
        inner.pop(path[-1], None)
    else:
        inner[path[-1]] = to
    return made
