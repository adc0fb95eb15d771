"""Every benchmark runs, small, so that it can't rot; both sides of a comparison do the same work."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import bench_boto3, bench_explore, bench_invoke, bench_kernel, bench_pytest, bench_replay, bench_sources


def test_kernel_benchmark_compares_the_same_work() -> None:
    """The floor, the timeline and SimPy count the same customers and add up the same waiting time."""
    work = bench_kernel.customers(2_000)
    floor = bench_kernel.on_heapq(work)
    assert bench_kernel.TimelineQueue(work).run() == floor
    pytest.importorskip("simpy", reason="SimPy is in the extra `bench`")
    assert bench_kernel.on_simpy(work) == floor
    assert "times SimPy" in "\n".join(bench_kernel.main(500, 1))


def test_invoke_benchmark_runs() -> None:
    """An S3 put to the settled invocation, beside the bare loop that writes the same rows."""
    lines = bench_invoke.main(300, 1)
    assert any("times bare heapq and executemany" in line for line in lines)


def test_growth_is_measured() -> None:
    """Time per invocation and peak memory, for a growing number of invocations."""
    assert len(bench_invoke.growth((100, 200))) == 2


@pytest.mark.parametrize("source", bench_sources.SOURCES)
def test_every_record_goes_through_its_mapping(source: str, tmp_path: Path) -> None:
    """What the benchmark divides by is work that was done: each record is processed, in batches as large as asked."""
    processed, invocations = bench_sources.through_mapping(source, 10, 200, tmp_path / "run.db")
    assert processed == 200
    assert 20 <= invocations <= 24


def test_source_benchmark_runs() -> None:
    """A line for each source and batch size, beside the floor, and one for the filters."""
    lines = bench_sources.main(300, 1)
    assert len(lines) == 2 + 2 * len(bench_sources.SOURCES) + 1
    assert bench_sources.filters(1000) == len(range(11, 1000))


def test_seeds_are_the_same_in_one_process_and_in_two() -> None:
    """Both lines end with the digest of what came of the seeds."""
    lines = bench_explore.main(20, 1)
    assert len({line.rpartition(" ")[2] for line in lines}) == 1
    assert "1.00 times 1 job" in lines[0]


def test_every_test_of_the_suite_passes(tmp_path: Path) -> None:
    """Tests of pytest's plugin, four kinds of them."""
    passed, cpu, wall = bench_pytest.suite(bench_pytest.TESTS, 2, tmp_path)
    assert passed == 8
    assert min(cpu, wall) > 0


def test_replay_benchmark_compares_the_same_work() -> None:
    """The digest beside each figure is that of the run: recorded and replayed it is the same one."""
    lines = bench_replay.main(200, 1)
    assert len({line.rpartition(" ")[2] for line in lines[:3]}) == 1


def test_a_long_recording_is_not_read_into_memory() -> None:
    """A megabyte of it is read with a small part of that at the peak."""
    [line] = bench_replay.memory((6_000,))
    size, peak = line.partition(" of ")[2].split(" MB read with ")
    assert float(size) > 1
    assert float(peak.split()[0]) < 0.25


@pytest.mark.parametrize("call", bench_boto3.CALLS)
def test_every_call_of_boto3_is_answered_on_both_sides(call: str) -> None:
    """simbus and moto answer the same calls; the benchmark divides one by the other."""
    pytest.importorskip("moto", reason="the peer is in the extra `moto`")
    assert bench_boto3.on_simbus(call, 20) == bench_boto3.on_moto(call, 20) == 20
