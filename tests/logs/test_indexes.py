"""The indexes of a finished run file: what is asked of millions of rows reads few of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simbus import Simulation
from simbus.explain.reading import Reading
from simbus.logs.reader import RunReader, open_run

QUERIES = {
    "the log of a request": "SELECT message FROM log_events WHERE request_id = 'x' ORDER BY id",
    "the attempts of a request": "SELECT status FROM invocations WHERE request_id = 'x'",
    "what became of an event": "SELECT outcome FROM deliveries WHERE event_id = 'x'",
    "what failed": "SELECT request_id, error_message FROM invocations WHERE status != 'ok'",
    "what failed of a function": "SELECT count(*) FROM invocations WHERE function = 'work' AND status != 'ok'",
    "what a request led to": "SELECT id FROM events WHERE parent IN ('x', 'y')",
}
# Few rows, or what an index has found.
FEW = ("SCAN s", "SCAN log_streams", "SCAN r", "SCAN routes", "SCAN (subquery", "SCAN deliveries")


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunReader]:
    path = tmp_path_factory.mktemp("indexes") / "run.db"
    with Simulation(seed=1, db=path) as sim:
        work = sim.function("work")
        sim.bucket("uploads", notifications=[{"function": work, "events": ["s3:ObjectCreated:*"]}]).put_object("a", b"")
        clicks = sim.stream("clicks")
        sim.event_source_mapping(clicks, work, starting_position="TRIM_HORIZON")
        clicks.put_record(b"x", partition_key="one")
        sim.run()
    with open_run(path) as reader:
        yield reader


def scans(rows: RunReader, sql: str, parameters: dict[str, str] | None = None) -> list[str]:
    """The steps of the plan that read a table from its first row to its last."""
    plan = [row["detail"] for row in rows.query(f"EXPLAIN QUERY PLAN {sql}", parameters or {})]
    return [step for step in plan if step.startswith("SCAN") and " USING " not in step and not step.startswith(FEW)]


@pytest.mark.parametrize("question", QUERIES)
def test_common_questions_read_no_table_as_a_whole(rows: RunReader, question: str) -> None:
    """Each is answered from an index."""
    assert scans(rows, QUERIES[question]) == []


def test_counting_attempts_reads_no_events(rows: RunReader) -> None:
    """The data of events is most of a file: only the payload of an invocation is made of it."""
    plan = [
        row["detail"]
        for row in rows.query("EXPLAIN QUERY PLAN SELECT count(*), sum(duration_ms) FROM invocations GROUP BY function")
    ]
    assert not [step for step in plan if "events" in step or " e " in step]


def test_what_an_event_is_about_is_found_by_index(rows: RunReader) -> None:
    """`simbus explain RUN.db img/1.jpg`, a partition key or a stream's sequence number."""
    asked: list[tuple[str, dict[str, str]]] = []

    class Noting:
        def query(self, sql: str, parameters: dict[str, str]) -> list[tuple[str, ...]]:
            asked.append((sql, parameters))
            return list(rows.query(sql, parameters))  # type: ignore[arg-type]

    reading = Reading(Noting())  # type: ignore[arg-type]
    [put] = reading.about("a")
    assert put.source == "s3:uploads"
    [record] = reading.about("one")
    assert [each.id for each in reading.about(record.id.partition(":")[2])] == [record.id]
    assert all(scans(rows, sql, parameters) == [] for sql, parameters in asked)
