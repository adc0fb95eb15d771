"""The same seed gives the same run to the byte: in another process, another Python, with a slow or a fast disk."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from simbus import Simulation, bus
from simbus.functions import version
from simbus.logs import writer

ROOT = Path(__file__).parents[1]
PROGRAM = """
import random, time, uuid
import anyio
from simbus import Simulation

def handler(event, context):
    time.sleep(random.random())
    for name in {"apple", "pear", "plum", "fig"}:
        pass
    print(time.time(), uuid.uuid4(), sorted({"a", "b"}))
    if random.random() < 0.3:
        raise ValueError(uuid.uuid4())
    if random.random() < 0.3:
        return {"a": 1}["a"] / (len(event) - len(event))
    bucket.put_object(f"{uuid.uuid4()}", str(time.time()))

with Simulation(seed=11) as sim:
    dead = sim.queue("dead")
    bucket = sim.bucket("results")
    function = sim.function("f", handler=handler, dead_letter_config=dead, reserved_concurrent_executions=4)
    modelled = sim.function("m", simulate={"duration": {"exponential": "1s"}, "error_rate": 0.2})
    topic = sim.topic("t", subscriptions=[{"endpoint": "lambda:f"}, {"endpoint": "lambda:m"}])

    async def publish(n):
        await anyio.sleep(sim.timeline.rng("mine").random())
        await topic.apublish(str(n))

    async def main():
        async with anyio.create_task_group() as tasks:
            for n in range(40):
                tasks.start_soon(publish, n)

    sim.run_async(main())
    sim.run()
    sim.finish()
    print(sim.digest())
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The program as a file, so that traces have lines of source on every Python."""
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return path


def digest_of(program: Path, python: str, hash_seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    command = [python, "-W", "error", str(program)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def other_pythons() -> list[str]:
    """Newer interpreters on the PATH that can import simbus and what it needs."""
    found = []
    for minor in (12, 13, 14):
        python = shutil.which(f"python3.{minor}")
        if python is None or sys.version_info[:2] == (3, minor):
            continue
        probe = [python, "-c", "import simbus.simulation"]
        done = subprocess.run(probe, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False)
        if done.returncode == 0:
            found.append(python)
    return found


def test_two_processes_with_different_hash_seeds_give_the_same_digest(program: Path) -> None:
    """Neither the order of sets nor the addresses of objects may show in a run."""
    digests = {digest_of(program, sys.executable, hash_seed) for hash_seed in ("0", "12345")}
    assert len(digests) == 1
    assert len(digests.pop()) == 64


def test_another_python_gives_the_same_digest(program: Path) -> None:
    """Nor the version of Python: random numbers come from `random()` and `getrandbits()`, which never change."""
    pythons = other_pythons()
    if not pythons:
        pytest.skip("no other Python on the PATH can import simbus")
    assert {digest_of(program, python, "1") for python in pythons} == {digest_of(program, sys.executable, "0")}


def play(seed: int | str = 3, **options: Any) -> tuple[str, list[tuple[Any, ...]]]:
    """A run with enough rows for several batches, and everything that it wrote."""
    with Simulation(seed=seed, **options) as sim:
        queue = sim.queue("dead")
        simulate = {"duration": {"exponential": "200ms"}, "error_rate": 0.2}
        function = sim.function("f", dead_letter_config=queue, simulate=simulate, reserved_concurrent_executions=20)
        for n in range(150):
            function.invoke(n, invocation_type="Event")
        sim.run()
        with sim.reader() as reader:
            rows = [tuple(row) for row in reader.invocations()]
        return sim.digest(), rows


@pytest.mark.parametrize("batch_rows", [5, 100, 10_000])
def test_batches_change_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, batch_rows: int) -> None:
    """How rows are cut into batches is not seen in the run."""
    whole = play()
    written: list[int] = []
    write: Callable[..., Awaitable[None]] = writer._write

    async def counted(*arguments: Any) -> None:
        written.append(1)
        await write(*arguments)

    monkeypatch.setattr(writer, "_write", counted)
    monkeypatch.setattr(writer.RunWriter.__init__, "__kwdefaults__", {"batch_rows": batch_rows})
    monkeypatch.setattr(bus, "FLUSH_EVENTS", 1)
    monkeypatch.setattr(version, "LOOK_EVERY", 1)
    assert play(db=tmp_path / "run.db") == whole
    assert (len(written) > 5) is (batch_rows < 1000)


def test_seeds_differ() -> None:
    """Another seed is another run; a seed may be a text."""
    digests = [play(seed)[0] for seed in (1, 2, "1x", "two")]
    assert len(set(digests)) == 4
    assert play("two")[0] == digests[3]


def test_a_file_or_none_gives_the_same_digest(tmp_path: Path) -> None:
    """Where the rows go is no part of the run."""
    assert play(db=tmp_path / "run.db") == play()


def test_async_user_code_repeats() -> None:
    """Tasks that are cancelled end in an order that the seed decides, not the addresses of objects."""

    def run() -> tuple[str, list[int]]:
        ended: list[int] = []
        with Simulation(seed=5) as sim:
            topic = sim.topic("t")
            topic.subscribe(sim.function("f", simulate={"duration": {"exponential": "1s"}}))

            async def work(n: int) -> None:
                try:
                    while True:
                        await topic.apublish(str(n))
                        await anyio.sleep(sim.timeline.rng("work").random())
                finally:
                    ended.append(n)

            async def main() -> None:
                with anyio.move_on_after(5):
                    async with anyio.create_task_group() as tasks:
                        for n in range(10):
                            tasks.start_soon(work, n)

            sim.run_async(main())
            sim.run()
            return sim.digest(), ended

    first = run()
    assert sorted(first[1]) == list(range(10))
    assert [run() for _ in range(4)] == [first] * 4
