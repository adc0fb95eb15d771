"""Proofs about streams and tables that a function reads."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from simbus.lint.proofs.data import DEAD, MOST_IN_BATCH, Data, changed, function_of, mapping_of
from simbus.lint.rule import Finding, Proof
from simbus.lint.streams import retention
from simbus.lint.view import Mapping, View


def _stream_scenario(view: View, mapping: Mapping, handler: str = "fails", **changes: Any) -> Data:
    data: Data = {
        "functions": {mapping.function: function_of(view, mapping.function, handler)},
        "queues": {},
        "workload": [],
    }
    if mapping.service == "kinesis":
        hours = view.spec.streams[mapping.source].retention_period_hours
        data["streams"] = {mapping.source: {"shard_count": 1, "retention_period_hours": hours}}
    else:
        data["tables"] = {mapping.source: {"hash_key": "id", "stream_view_type": "NEW_IMAGE"}}
    given = {"on_failure": None, "destination_config": None, "starting_position": "TRIM_HORIZON", **changes}
    data["event_source_mappings"] = [
        mapping_of(mapping, **{"starting_position_timestamp": None, "tumbling_window_in_seconds": None, **given})
    ]
    return data


def _put(mapping: Mapping, word: str, count: int = 1, at: str = "1s") -> Data:
    if mapping.service == "kinesis":
        record = {"stream": mapping.source, "partition_key": f"{word}-{{n}}", "data": f"{word} {{n}}"}
        return {"put_record": record, "at": at, "count": count}
    item = {"table": mapping.source, "item": {"id": {"S": f"{word}-{{n}}"}}}
    return {"put_item": item, "at": at, "count": count}


def _of_stream(mapping: Mapping, *names: str) -> tuple[Data, ...]:
    return tuple({"source": mapping.name, "function": mapping.function, name: 0} for name in names)


def _mend(data: Data, **settings: Any) -> Data:
    made = deepcopy(data)
    made["event_source_mappings"][0] |= settings
    made["queues"][DEAD] = {"message_retention_period": 1_209_600}
    return made


def endless_retries(view: View, finding: Finding) -> Proof:
    mapping: Mapping = finding.about
    data = _stream_scenario(view, mapping)
    data["workload"] = [_put(mapping, "bad"), _put(mapping, "good", 100, at="1m")]
    mended = _mend(data, maximum_retry_attempts=2, bisect_batch_on_function_error=True, on_failure=f"sqs:{DEAD}")
    story = (
        f"one record that can't be processed, and 100 good ones a minute later (retention {retention(view, mapping)} h)"
    )
    figures = (*_of_stream(mapping, "iterator_age", "lost"), {"function": mapping.function, "invocations": 0})
    return Proof(story, data, mended, figures)


def no_destination(view: View, finding: Finding) -> Proof:
    mapping: Mapping = finding.about
    data = _stream_scenario(view, mapping)
    data["workload"] = [_put(mapping, "bad", 3)]
    mended = _mend(data, on_failure=f"sqs:{DEAD}")
    return Proof("3 records that can't be processed", data, mended, _of_stream(mapping, "lost", "dead_lettered"))


def no_bisect(view: View, finding: Finding) -> Proof:
    mapping: Mapping = finding.about
    size = min(mapping.batch_size, MOST_IN_BATCH)
    retries = mapping.settings.maximum_retry_attempts
    data = _stream_scenario(
        view, mapping, batch_size=size, maximum_retry_attempts=2 if retries in (None, -1) else retries
    )
    data["workload"] = [_put(mapping, "good", size - 1), _put(mapping, "bad")]
    mended = _mend(data, bisect_batch_on_function_error=True)
    story = f"a batch of {size} records, one of which can't be processed, and a few retries"
    return Proof(story, data, mended, _of_stream(mapping, "lost"))


def from_the_latest(view: View, finding: Finding) -> Proof:
    mapping: Mapping = finding.about
    data = _stream_scenario(view, mapping, starting_position="LATEST")
    data["event_source_mappings"][0]["simulate"] = {"transition_delay": "60s"}
    data["workload"] = [_put(mapping, "good", 10, at="30s"), _put(mapping, "later", 1, at="2m")]
    mended = changed(data, "event_source_mappings", 0, "starting_position", to="TRIM_HORIZON")
    story = "10 records while Lambda makes the mapping, which takes a minute, and one later"
    return Proof(
        story, data, mended, (*_of_stream(mapping, "processed"), {"function": mapping.function, "invocations": 0})
    )
