"""Kinesis streams in a scenario: `streams`, and the verb put_record."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

from simbus.kernel import SECOND
from simbus.logs.reader import open_run
from simbus.scenario.build import build, run_scenario
from simbus.scenario.loader import Scenario, load
from simbus.sources.kinesis.stream import Stream


def scenario(folder: Path, text: str) -> Scenario:
    (folder / "clicks.yaml").write_text(text)
    return load(folder / "clicks.yaml")


def played(folder: Path, text: str) -> Stream:
    """The stream `clicks` after a run."""
    simulation, plan = build(scenario(folder, text))
    with simulation:
        simulation.play(plan.until, idle=False)
        stream: Stream = simulation["kinesis:clicks"]
        return stream


def query(folder: Path, text: str, sql: str) -> list[tuple[Any, ...]]:
    run_scenario(scenario(folder, text), db=folder / "run.db")
    with open_run(folder / "run.db") as run:
        return [tuple(row) for row in run.query(sql)]


def test_the_contract_s_lines(tmp_path: Path) -> None:
    """design.md, section 7: the stream `clicks` and its put_record, as they are written there."""
    stream = played(
        tmp_path,
        """
streams: {clicks: {shard_count: 4, retention_period_hours: 24}}
workload:
  - {put_record: {stream: clicks, partition_key: "user-{n % 50}", data: {page: "/", n: "{n}"}}, count: 1000, over: 1m}
""",
    )
    records = sorted(stream.records, key=lambda record: record.arrival)
    assert [(record.partition_key, json.loads(record.data)) for record in records] == [
        (f"user-{n % 50}", {"page": "/", "n": n}) for n in range(1000)
    ]
    assert all(shard.end for shard in stream.shards)
    assert len(stream.shards) == 4


def test_data_is_text_or_json_and_a_hash_key_decides_the_shard(tmp_path: Path) -> None:
    """A text is put as it is, without quotes; anything else as JSON. The stream's name is AWS's or the short one."""
    stream = played(
        tmp_path,
        """
streams: {clicks: {shard_count: 2}}
workload:
  - {put_record: {stream_name: clicks, partition_key: k, data: "n={n}", explicit_hash_key: 0}, at: 1s}
  - {put_record: {stream: "kinesis:clicks", partition_key: k, data: null, explicit_hash_key: "{n + 1}"}, at: 2s}
  - put_record:
      {stream: clicks, partition_key: k, data: "{n}", explicit_hash_key: 340282366920938463463374607431768211455}
    at: 3s
""",
    )
    first, second = stream.shards
    assert [record.data for record in first.records] == [b"n=0", b"null"]
    assert [record.data for record in second.records] == [b"0"]


def test_a_stream_s_settings_in_both_forms(tmp_path: Path) -> None:
    """AWS's nesting, StreamModeDetails.StreamMode, and the short form; without shard_count it is on-demand."""
    text = """
streams:
  one: {stream_mode_details: {stream_mode: ON_DEMAND}}
  two: {stream_mode: PROVISIONED, shard_count: 3, retention_period_hours: 48, max_record_size_in_ki_b: 2048}
  three: {}
"""
    simulation, _ = build(scenario(tmp_path, text))
    with simulation:
        one, two, three = (
            stream.describe_stream_summary()["StreamDescriptionSummary"] for stream in simulation.resources("kinesis")
        )
    assert (one["StreamModeDetails"], one["OpenShardCount"]) == ({"StreamMode": "ON_DEMAND"}, 4)
    assert (two["OpenShardCount"], two["RetentionPeriodHours"], two["MaxRecordSizeInKiB"]) == (3, 48, 2048)
    assert three["StreamModeDetails"] == {"StreamMode": "ON_DEMAND"}


def test_throttled_puts_are_retried_as_an_sdk_does(tmp_path: Path) -> None:
    """1,000 records a second and shard; the rest is throttled and tried twice more, after a random share of 1 and 2
    seconds (botocore, retries in standard mode). What fails a third time is an error that the client outside has."""
    text = """
streams: {clicks: {shard_count: 1}}
workload: [{put_record: {stream: clicks, partition_key: k, data: "{n}"}, at: 10s, count: 2500}]
"""
    rows = query(tmp_path, text, "SELECT time - 1767225600000, json_extract(data, '$.data') FROM events ORDER BY rowid")
    seconds = [when // 1000 for when, _ in rows]
    by_second = {second: seconds.count(second) for second in set(seconds)}
    assert by_second[10] == 1000
    assert max(by_second.values()) <= 1000
    assert max(when for when, _ in rows) < 13_000
    assert len({b64decode(data) for _, data in rows}) == len(rows)  # none twice
    failed = query(tmp_path, text, "SELECT kind, place, detail FROM hops WHERE kind = 'client_error'")
    assert len(failed) == 2500 - len(rows) > 0
    assert set(failed) == {
        (
            "client_error",
            "kinesis:clicks",
            "put_record, attempt 3: ProvisionedThroughputExceededException: Rate exceeded for shard "
            "shardId-000000000000 in stream clicks under account 000000000000.",
        )
    }


def test_the_retries_depend_on_the_seed_alone(tmp_path: Path) -> None:
    """Same seed, same run; another seed, other waits."""
    text = """
streams: {clicks: {shard_count: 1}}
workload: [{put_record: {stream: clicks, partition_key: k, data: "{n}"}, at: 10s, count: 1100}]
"""
    made = scenario(tmp_path, text)
    assert run_scenario(made, seed=1).digest == run_scenario(made, seed=1).digest
    assert run_scenario(made, seed=1).digest != run_scenario(made, seed=2).digest


def test_a_rate_below_the_shard_s_share_passes_untouched(tmp_path: Path) -> None:
    """900 records a second are below the limit of 1,000: none is held up."""
    text = """
streams: {clicks: {shard_count: 1}}
workload:
  - {put_record: {stream: clicks, partition_key: k, data: x}, rate: 900/s, for: 5s, arrivals: constant}
"""
    stream = played(tmp_path, text)
    gaps = {later.arrival - earlier.arrival for earlier, later in zip(stream.records, stream.records[1:], strict=False)}
    assert len(stream.records) == 4500
    assert max(gaps) < SECOND // 800
