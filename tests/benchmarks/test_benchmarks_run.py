"""Every benchmark runs, small, so that it can't rot; both sides of a comparison do the same work."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

from benchmarks import bench_emulator, bench_kernel, bench_logs, bench_sources, peer_simpy, table
from benchmarks.__main__ import NAMES, benchmark
from benchmarks.harness import BUSY, Contender, Measured, Own, Ratio, Result, Size, in_turn, measure, peer
from benchmarks.queueing import customers

TINY = Size(share=0.001, times=1)


@cache
def result(name: str) -> Result:
    """What the benchmark finds when it runs small; each runs once for all tests."""
    return benchmark(name)(TINY)


def works(name: str) -> dict[str, str]:
    """The digest of the work beside each contender's name."""
    return {each.name: each.work for each in result(name).measured}


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_answers_its_question_in_figures_and_ratios(name: str) -> None:
    """A question, at least two contenders, what each did, and a ratio; or a note that says what is not installed."""
    found = result(name)
    assert found.question.endswith(("?", "."))
    if not found.measured:
        pytest.skip(found.notes[0])
    assert all(each.count > 0 and each.cpu > 0 and each.wall > 0 and len(each.work) == 8 for each in found.measured)
    assert len(found.measured) >= 2
    assert found.ratios or any("not installed" in note for note in found.notes)
    assert len({each.name for each in found.measured}) == len(found.measured)


def test_every_benchmark_is_in_the_table() -> None:
    """`python -m benchmarks` runs each file bench_*.py."""
    files = Path(table.__file__).parent.glob("bench_*.py")
    assert {path.stem.removeprefix("bench_") for path in files} == set(NAMES)


def test_the_kernel_and_its_peers_serve_the_same_customers() -> None:
    """The floor, the timeline and SimPy count the same customers and add up the same waiting time."""
    work = customers(2_000)
    floor = bench_kernel.on_heapq(work)
    assert bench_kernel.TimelineQueue(work).run() == floor
    if peer("simpy") is None:
        pytest.skip("SimPy is in the extra `bench`")
    digests = works("kernel")
    assert digests["SimPy"] == digests["simbus timeline"] == digests["bare heapq"]


def test_a_python_for_peers_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line, with its variable."""
    monkeypatch.setenv("SIMBUS_PEERS_PYTHON", "/nope")
    with pytest.raises(SystemExit, match=r"^\$SIMBUS_PEERS_PYTHON is /nope: no such program; it names a Python\."):
        peer("a-package-that-nobody-has-asked-for")


def test_simpy_runs_here_as_it_does_in_its_own_process() -> None:
    """The peer's model is the floor's, to the nanosecond."""
    pytest.importorskip("simpy", reason="SimPy is in the extra `bench`")
    work = customers(500)
    assert peer_simpy.on_simpy(work) == bench_kernel.on_heapq(work)


@pytest.mark.parametrize("source", bench_sources.SOURCES)
def test_every_record_goes_through_its_mapping(source: str, tmp_path: Path) -> None:
    """What the benchmark divides by is work that was done: each record is processed, in batches as large as asked."""
    path = tmp_path / "run.db"
    bench_sources.through_mapping(source, 10, 200, path)
    records, invocations = bench_sources.processed(path)
    assert records == 200
    assert 20 <= invocations <= 24


def test_the_filters_let_the_same_events_pass() -> None:
    """Plain Python, both dialects and moto: one digest."""
    assert len(set(works("filters").values())) == 1


def test_seeds_are_the_same_in_one_process_and_in_two() -> None:
    """Both come to the same document."""
    assert len(set(works("explore").values())) == 1


def test_a_recording_replayed_is_the_run_that_was_recorded() -> None:
    """The digest beside each figure is that of the run."""
    assert len(set(works("replay").values())) == 1


def test_the_floor_of_the_logs_writes_the_lines_of_the_handler(tmp_path: Path) -> None:
    """Each line that was printed is a row on both sides."""
    path = tmp_path / "run.db"
    bench_logs.on_simbus(bench_logs.printing, 2, path)
    rows = bench_logs.rows_of(path)
    assert len(rows) == 2 * bench_logs.LINES
    assert bench_logs.on_sqlite(rows, tmp_path / "floor.db") == len(rows)


def test_boto3_is_answered_on_both_sides() -> None:
    """simbus and moto answer the same calls; the benchmark divides one by the other."""
    if peer("boto3") is None or peer("moto") is None:
        pytest.skip("the peer is in the extra `moto`")
    assert len(set(works("boto3").values())) == 1


@pytest.mark.parametrize("job", bench_emulator.COUNTS)
def test_a_job_comes_to_the_handler(job: str, tmp_path: Path) -> None:
    """Each message and each object once, in virtual time."""
    if peer("boto3") is None:
        pytest.skip("boto3 is in the extra `boto3`")
    came, seconds = bench_emulator.on_simbus(job, 25, tmp_path / "run.db")
    assert {word for word in came.split() if word.isdigit() or "-" in word} == (
        {str(n) for n in range(25)} if job == "messages" else {f"object-{n}" for n in range(25)}
    )
    assert seconds > 0


def test_the_best_run_of_each_contender_counts() -> None:
    """They take turns, and the run with the least CPU time is kept with its own wall time and digest."""
    order: list[str] = []
    costs = {"a": iter([3.0, 1.0]), "b": iter([2.0, 4.0])}

    def contender(name: str) -> Contender:
        def once() -> Own:
            order.append(name)
            cpu = next(costs[name])
            return Own(cpu, 2 * cpu, name)

        return Contender(name, 10, once)

    a, b = in_turn(2, contender("a"), contender("b"))
    assert order == ["a", "b", "a", "b"]
    assert (a.cpu, a.wall, b.cpu) == (1.0, 2.0, 2.0)
    assert a.work != b.work
    assert measure(Contender("c", 1, lambda: "a")).work == a.work


def test_a_ratio_knows_whether_its_target_is_met() -> None:
    """At least, at most, or no target."""
    assert Ratio("", 0.9, least=0.8).met is True
    assert Ratio("", 0.7, least=0.8).met is False
    assert Ratio("", 2.6, most=2.5).met is False
    assert Ratio("", 2.6).met is None


def _example(others: float) -> Result:
    measured = Measured("simbus", 1_000, 0.01, 0.02, "0123abcd", others)
    return Result("How fast?", "event", (measured,), (Ratio("its speed", 0.5, least=0.8),), ("a note",))


def test_a_part_of_the_table_says_what_was_found() -> None:
    """Time for one unit of work, digest, ratio, target and verdict; a run too small is not judged."""
    text = table.block("x", _example(0.0), judged=True)
    assert text.splitlines()[0] == "x: How fast?"
    assert "10.00 us CPU" in text
    assert "20.00 us wall" in text
    assert "work 0123abcd" in text
    assert "0.50 (target: at least 0.8; NOT MET)" in text
    assert "DISTURBED" not in text
    assert "  - a note" in text
    assert "at least 0.8; too little work to judge" in table.block("x", _example(0.0), judged=False)


def test_a_busy_machine_is_named_beside_the_figure() -> None:
    """No ratio is worth much beside a busy neighbour."""
    assert f"DISTURBED: others used {BUSY + 0.3:.1f} cores" in table.block("x", _example(BUSY + 0.3), judged=True)


def test_the_document_has_what_the_table_has() -> None:
    """`--json`: the circumstances, and of each benchmark the contenders, the ratios and their targets."""
    found = json.loads(json.dumps(table.document(TINY, {"x": _example(0.0)})))
    assert {"machine", "python", "simbus", "peers"} <= set(found)
    [ratio] = found["benchmarks"]["x"]["ratios"]
    assert (ratio["value"], ratio["least"], ratio["met"]) == (0.5, 0.8, False)
    assert found["benchmarks"]["x"]["contenders"][0]["cpu_us"] == pytest.approx(10)


def test_the_table_is_written_between_its_markers(tmp_path: Path) -> None:
    """What stands around it stays, and a second table takes the place of the first."""
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{table.BEGIN}\n{table.END}\nafter\n")
    table.write("first", readme)
    table.write("second", readme)
    assert readme.read_text() == f"before\n{table.BEGIN}\n```text\nsecond\n```\n{table.END}\nafter\n"


def test_the_readme_has_a_table_of_all_benchmarks() -> None:
    """Made by `python -m benchmarks --write`: machine, Python, commit, and each question with a figure and a digest."""
    text = table.README.read_text().partition(table.BEGIN)[2].partition(table.END)[0]
    for word in ("machine", "python", "simbus", "peers", "measured"):
        assert f"\n{word} " in text
    parts = dict(part.split(": ", 1) for part in text.split("\n\n")[1:] if ": " in part)
    assert list(parts)[: len(NAMES)] == list(NAMES)
    for name in NAMES:
        assert parts[name].splitlines()[0] == benchmark_question(name)
        assert "CPU" in parts[name]
        assert " work " in parts[name]


def benchmark_question(name: str) -> str:
    """The line that stands above its figures."""
    return result(name).question
