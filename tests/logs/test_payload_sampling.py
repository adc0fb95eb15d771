"""`run_file.payloads`: the payloads of a share of the events are kept, and everything else of all of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from simbus import Simulation, UsageError, expect
from simbus.cli import app
from simbus.logs.reader import RunReader, open_run

FACTS = "SELECT id, time, source, type, subject, parent FROM events ORDER BY rowid"
OUTCOMES = """
    SELECT request_id, attempt, function, started_at, ended_at, duration_ms, status, error_message, log_stream
    FROM invocations ORDER BY rowid
"""


def shop(payloads: float | str, path: Path | None = None, events: int = 60) -> Simulation:
    """Objects and messages for functions, one of which fails now and then; not run yet."""
    sim = Simulation(seed=3, db=path, payloads=payloads)
    frail = sim.function("frail", simulate={"error_rate": 0.2}, event_invoke_config={"maximum_retry_attempts": 0})
    work = sim.function("work")
    bucket = sim.bucket("uploads", notifications=[{"function": frail, "events": ["s3:ObjectCreated:*"]}])
    jobs = sim.queue("jobs")
    sim.event_source_mapping(jobs, work)
    for number in range(events):
        sim.at(f"{number}s", lambda number=number: bucket.put_object(f"{number}.jpg", b"x"))  # type: ignore[misc]
        sim.at(f"{number}s", lambda number=number: jobs.send_message(f"job {number}"))  # type: ignore[misc]
    return sim


def read(payloads: float | str, *queries: str, events: int = 60) -> list[list[tuple[Any, ...]]]:
    with shop(payloads, events=events) as sim:
        sim.run()
        sim.finish()
        with sim.reader() as rows:
            return [[tuple(row) for row in rows.query(sql)] for sql in queries]


def test_only_payloads_are_left_out() -> None:
    """No row, time, outcome, error message or log line is sampled: they are the same to the byte."""
    logs = "SELECT * FROM log_events"
    others = ("deliveries", "hops", "metrics", "log_streams")
    all_of_it = read(1, FACTS, OUTCOMES, logs, *(f"SELECT * FROM {table}" for table in others))
    assert read(0, FACTS, OUTCOMES, logs, *(f"SELECT * FROM {table}" for table in others)) == all_of_it
    assert all(all_of_it[:3])


def test_an_event_its_attempts_and_its_message_are_kept_together() -> None:
    """A message has the id of its event; an attempt for one event goes by that event."""
    events, attempts, messages = read(
        "30%",
        "SELECT id, data IS NOT NULL FROM events",
        """SELECT d.event_id, i.payload IS NOT NULL, i.response IS NOT NULL FROM invocations i
        JOIN deliveries d USING (request_id) WHERE i.function = 'frail' AND i.status = 'ok'""",
        "SELECT message_id, body IS NOT NULL, attributes IS NOT NULL FROM messages",
    )
    kept = dict(events)
    assert 15 < sum(kept.values()) < 60
    assert attempts
    assert all(kept[event] == payload == response for event, payload, response in attempts)
    assert [kept[message] for message, _, _ in messages] == [body for _, body, _ in messages]
    assert all(body or not attributes for _, body, attributes in messages)


def test_a_larger_share_keeps_the_same_and_more() -> None:
    """A hash of the id decides: what 10 % keep, 50 % keep as well."""
    [few], [many] = (read(share, "SELECT id FROM events WHERE data IS NOT NULL") for share in (0.1, 0.5))
    assert set(few) < set(many)
    assert few


def test_attempts_that_failed_keep_their_payload() -> None:
    """What an error came of is what people look for."""
    [failed], [whole] = (
        read(share, "SELECT request_id, payload, response FROM invocations WHERE status != 'ok'") for share in (0, 1)
    )
    assert failed == whole
    assert all(json.loads(payload)["Records"][0]["s3"] for _, payload, _ in failed)
    assert failed
    [[left]] = read(0, "SELECT count(payload) + count(response) FROM invocations WHERE status = 'ok'")
    assert left == (0,)


def test_rows_are_the_same_from_memory_and_file_however_they_are_cut(tmp_path: Path) -> None:
    """The digest is that of the rows as written; asking on the way changes nothing."""

    def digest(path: Path | None, look: Callable[[Simulation], object]) -> str:
        with shop(0.3, path) as sim:
            for _ in range(60):
                sim.run("1s")
                look(sim)
            sim.run()
            sim.finish()
            return sim.digest()

    def look_closely(sim: Simulation) -> None:
        sim.digest()
        with sim.reader() as rows:
            list(rows.query("SELECT data FROM events"))

    whole = digest(None, lambda _: None)
    assert digest(None, look_closely) == whole
    assert digest(tmp_path / "a.db", lambda sim: sim.rows.flush()) == whole
    with open_run(tmp_path / "a.db") as rows:
        assert rows.run["payloads"] == 0.3
        assert rows.run["digest"] == whole
        assert counts(rows)["all"] == 120
        assert 20 < counts(rows)["kept"] < 55


def counts(rows: RunReader) -> dict[str, int]:
    [row] = rows.query("SELECT count(data) AS kept, count(*) AS 'all' FROM events")
    return dict(row)


def test_a_whole_run_file_names_no_share(tmp_path: Path) -> None:
    """The fact `payloads` is there where some were left out."""
    with shop(1.0, tmp_path / "run.db", events=1) as sim:
        sim.run()
    with open_run(tmp_path / "run.db") as rows:
        assert "payloads" not in rows.run


@pytest.mark.parametrize("share", [2, -0.1, True, "many", "101%", None])
def test_what_is_no_share_is_refused(share: Any) -> None:
    """From 0 to 1, or a percentage."""
    with pytest.raises(UsageError, match=r"^payloads is .*; it is the share .* from 0 to 1\. Write"):
        Simulation(payloads=share)


# --- expectations ----------------------------------------------------------------------------------------------------


def test_figures_that_are_read_from_payloads_are_refused(tmp_path: Path) -> None:
    """The order of messages needs their groups, the age of a stream's records its batches: never silently nothing."""
    path = tmp_path / "run.db"
    with Simulation(payloads=0.5, db=path) as sim:
        stream, count = sim.stream("clicks"), sim.function("count")
        sim.event_source_mapping(stream, count, starting_position="TRIM_HORIZON")
        for number in range(10):
            stream.put_record(b"x", partition_key=f"{number % 2}")
        sim.run()
        with pytest.raises(UsageError, match=r"has iterator_age of kinesis:clicks, which is read from payloads"):
            sim.expect(stream="clicks", iterator_age="< 5s")
    with pytest.raises(UsageError, match=r"has out_of_order, which is read from payloads; .* Keep all of them"):
        expect(path, out_of_order=0)
    # Those that are read elsewhere: a metric, the partition key of a record.
    expect(path, iterator_age="< 5s")
    expect(path, stream="clicks", out_of_order=0, lost=0, processed=10)


# --- the other doors -------------------------------------------------------------------------------------------------

SCENARIO = """
functions: {work: {}}
queues: {jobs: {}}
event_source_mappings: [{event_source: "sqs:jobs", function: work}]
workload: [{send_message: {queue: jobs, message_body: "{n}"}, count: 40, over: 1m}]
expect: [{lost: 0}]
"""


def simbus(*words: object, status: int = 0) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == status, result.output
    return result.output


def kept(path: Path) -> tuple[int, int]:
    with open_run(path) as rows:
        [row] = rows.query("SELECT count(data), (SELECT count(body) FROM messages) FROM events")
        return tuple(row)


def test_scenario_and_command_line_keep_the_same(tmp_path: Path) -> None:
    """`run_file: {payloads: 25%}` and `--payloads 25%`; the command that repeats a run says it."""
    plain, thinned = tmp_path / "jobs.yaml", tmp_path / "thinned.yaml"
    plain.write_text(SCENARIO)
    thinned.write_text(f"{SCENARIO}\nrun_file: {{payloads: 25%}}\n")
    a, b, c = tmp_path / "a.db", tmp_path / "b.db", tmp_path / "c.db"
    simbus("run", thinned, "--db", a)
    found = json.loads(simbus("run", plain, "--db", b, "--payloads", "0.25", "--json"))
    assert "run_file.payloads=0.25" in found["reproduce"]
    assert kept(a) == kept(b)
    assert 0 < kept(a)[0] < 40
    recording = tmp_path / "jobs.jsonl"
    simbus("run", plain, "--db", c, "--record", recording)
    assert kept(c) == (40, 40)
    simbus("replay", recording, "--scenario", plain, "--db", b, "--payloads", "25%")
    assert kept(b) == kept(a)
    simbus("load", plain, "--rate", "1/s", "--for", "1m", "--payloads", "0", "--db", tmp_path / "runs", "--jobs", "1")
    [probe] = (tmp_path / "runs").glob("*.db")
    assert kept(probe) == (0, 0)


def test_wrong_shares_and_impossible_expectations_are_refused_before_the_run(tmp_path: Path) -> None:
    """Exit status 2, and no run file."""
    path = tmp_path / "jobs.yaml"
    path.write_text(SCENARIO)
    db = tmp_path / "run.db"
    assert "--payloads is 'half'; it is the share" in simbus("run", path, "--db", db, "--payloads", "half", status=2)
    path.write_text(SCENARIO.replace("{lost: 0}", "{queue: jobs, out_of_order: 0}"))
    said = " ".join(simbus("run", path, "--db", db, "--payloads", "0.5", status=2).split())
    assert "$.expect[0] has out_of_order of sqs:jobs, which is read from payloads" in said
    path.write_text(f"{SCENARIO}\nrun_file: {{payloads: 7}}\n")
    assert "$.run_file.payloads is 7; it is the share" in " ".join(simbus("run", path, "--db", db, status=2).split())
    assert not db.exists()


def test_a_thinned_run_is_not_compared(tmp_path: Path) -> None:
    """Events are compared by what is in them."""
    path, before, recording = tmp_path / "jobs.yaml", tmp_path / "before.db", tmp_path / "jobs.jsonl"
    path.write_text(SCENARIO)
    simbus("run", path, "--db", before, "--payloads", "50%", "--record", recording)
    words = ("replay", recording, "--scenario", path, "--db", tmp_path / "after.db", "--compare", before)
    assert "before.db keeps 0.5 of its payloads" in " ".join(simbus(*words, status=2).split())
    simbus("run", path, "--db", before)
    assert "the replay keeps 0.1 of its payloads" in " ".join(simbus(*words, "--payloads", "10%", status=2).split())


def test_a_story_says_that_it_is_told_without_payloads(tmp_path: Path) -> None:
    """A batch tells its events in its payload: those that failed are known, and the one that settled the event."""
    path = tmp_path / "run.db"
    with Simulation(seed=1, db=path, payloads=0) as sim:
        tries = iter([True, False])

        def handler(event: Any, context: Any) -> None:
            if next(tries):
                raise ValueError("not yet")

        jobs = sim.queue("jobs", visibility_timeout=30)
        sim.event_source_mapping(jobs, sim.function("work", handler=handler))
        message = jobs.send_message("x")["MessageId"]
        sim.run()
    said = simbus("explain", path, message)
    assert "keeps 0 of its payloads" in said
    assert "attempt 1" in said
    assert "attempt 2" in said


def test_a_batch_in_which_an_item_failed_keeps_its_payload() -> None:
    """ReportBatchItemFailures: the attempt went well, and its response says what did not."""

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        bad = [record["messageId"] for record in event["Records"] if record["body"] == "bad"]
        return {"batchItemFailures": [{"itemIdentifier": each} for each in bad]}

    with Simulation(seed=1, payloads=0) as sim:
        dead = sim.queue("dead")
        policy = {"dead_letter_target_arn": dead, "max_receive_count": 2}
        jobs = sim.queue("jobs", visibility_timeout=60, redrive_policy=policy)
        work = sim.function("work", handler=handler)
        sim.event_source_mapping(jobs, work, batch_size=2, function_response_types=["ReportBatchItemFailures"])
        for body in ("good", "bad", "good", "good"):
            jobs.send_message(body)
        sim.run()
        with sim.reader() as rows:
            found = [(row.status, row.response or "") for row in rows.invocations() if row.payload is not None]
    assert [status for status, _ in found] == ["ok", "ok"], "the bad message came twice"
    assert all("itemIdentifier" in response for _, response in found)
