"""Two invocations at once that read, wait and write the same thing: one update is lost, as on AWS, but repeatably."""

from __future__ import annotations

import time
from typing import Any

from simbus import Simulation
from simbus.kernel import MILLISECOND

QUICK = {"init_duration": "0s", "duration": "1ms"}


def add_in_s3(sim: Simulation) -> tuple[Any, Any]:
    """A function that adds 1 to the number in an S3 object, and takes 100 ms for it."""
    bucket = sim.bucket("state")
    bucket.put_object("count", "0")

    def handler(event: Any, context: Any) -> None:
        count = int(bucket.get_object("count")["Body"])
        time.sleep(0.1)
        bucket.put_object("count", str(count + 1))

    return sim.function("add", handler=handler, simulate=QUICK), bucket


def test_two_concurrent_invocations_lose_an_update(sim: Simulation) -> None:
    """Environments run at the same time; S3 has no lock: read, wait, write loses one (Developer Guide, concurrency)."""
    add, bucket = add_in_s3(sim)
    for _ in range(2):
        add.invoke({}, invocation_type="Event")
    sim.run()
    one, two = add.invocations
    assert one.started_at < two.ended_at
    assert two.started_at < one.ended_at
    assert one.log_stream != two.log_stream
    assert bucket.get_object("count")["Body"] == b"1"


def test_one_after_the_other_loses_nothing(sim: Simulation) -> None:
    """Reserved concurrency 1 puts them in a row: the second is throttled and comes back after a second."""
    add, bucket = add_in_s3(sim)
    add.put_function_concurrency(1)
    for _ in range(2):
        add.invoke({}, invocation_type="Event")
    sim.run()
    assert bucket.get_object("count")["Body"] == b"2"


def test_it_is_the_same_with_anything_outside_the_function(sim: Simulation) -> None:
    """A dict of the test stands for any store: the handlers really interleave at their sleeps."""
    store = {"count": 0}
    order: list[str] = []

    def handler(event: Any, context: Any) -> None:
        order.append(f"{event} reads")
        count = store["count"]
        time.sleep(0.1)
        store["count"] = count + 1
        order.append(f"{event} writes")

    function = sim.function("add", handler=handler, simulate=QUICK)
    for name in ("a", "b"):
        function.invoke(name, invocation_type="Event")
    sim.run()
    assert order == ["a reads", "b reads", "a writes", "b writes"]
    assert store == {"count": 1}


def random_arrivals(seed: int) -> tuple[int, str]:
    """What 20 updates at random instants within 2 s come to, and the digest of the run."""
    with Simulation(seed=seed) as sim:
        add, bucket = add_in_s3(sim)
        rng = sim.timeline.rng("arrivals")
        for _ in range(20):
            instant = int(rng.random() * 2000) * MILLISECOND
            sim.timeline.at(instant, lambda _: add.invoke({}, invocation_type="Event"))
        sim.run()
        return int(bucket.get_object("count")["Body"]), sim.digest()


def test_how_many_are_lost_depends_on_the_seed_alone() -> None:
    """Random arrivals: another seed loses another number of updates, the same seed the same, to the byte."""
    results = {seed: random_arrivals(seed) for seed in range(6)}
    assert results == {seed: random_arrivals(seed) for seed in range(6)}
    counts = {count for count, _ in results.values()}
    assert len(counts) > 1
    assert max(counts) < 20


def writers(ties: int | None) -> str:
    """Who wrote last of four that start and write at the same instants."""
    with Simulation(seed=1, ties=ties) as sim:
        bucket = sim.bucket("state")

        def handler(event: Any, context: Any) -> None:
            time.sleep(0.1)
            bucket.put_object("last", event)

        function = sim.function("write", handler=handler, simulate=QUICK)
        for name in "abcd":
            function.invoke(name, invocation_type="Event")
        sim.run()
        return str(bucket.get_object("last")["Body"].decode())


def test_exploring_ties_finds_the_other_orders() -> None:
    """Simultaneous events run first in, first out; each `ties` explores another order, and repeats it."""
    assert writers(None) == "d"
    found = [writers(ties) for ties in range(12)]
    assert len(set(found)) > 2
    assert found == [writers(ties) for ties in range(12)]
