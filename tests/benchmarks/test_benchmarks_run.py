"""Every benchmark runs, small, so that it can't rot; both sides of a comparison do the same work."""

from __future__ import annotations

import pytest

from benchmarks import bench_invoke, bench_kernel


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
