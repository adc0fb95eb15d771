"""What does one event cost by each service that invokes the function itself? All rows written, a handler that looks.

S3's notification, SNS, EventBridge, and Invoke, asynchronous and not. Each event has 1 KB and an invocation of its own,
one a millisecond. The floor is that of bench_invoke: a bare loop that decodes S3's event and writes its rows.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.bench_invoke import floor
from benchmarks.harness import Contender, Result, Size, in_turn, run_digest, speed
from simbus import Simulation
from simbus.kernel import MILLISECOND

QUESTION = "What does an event cost by each service that invokes the function itself, with all rows?"
TEXT = "x" * 1000
PAYLOAD = {"order": 1, "text": TEXT}
Put = Callable[[int], object]


def handler(event: dict[str, Any], context: object) -> None:
    """What the event costs a real handler: it looks at it."""
    assert event


def _s3(sim: Simulation, function: Any) -> Put:
    bucket = sim.bucket("uploads", notifications=[{"function": function, "events": ["s3:ObjectCreated:*"]}])
    body = TEXT.encode()
    return lambda n: bucket.put_object(f"img/{n % 1000}.jpg", body)


def _sns(sim: Simulation, function: Any) -> Put:
    topic = sim.topic("orders")
    topic.subscribe(function)
    return lambda n: topic.publish(TEXT)


def _eventbridge(sim: Simulation, function: Any) -> Put:
    bus = sim.event_bus("default", rules={"shop": {"event_pattern": {"source": ["shop"]}, "targets": [function]}})
    entries = [{"Source": "shop", "DetailType": "order", "Detail": PAYLOAD}]
    return lambda n: bus.put_events(entries)


def _event(sim: Simulation, function: Any) -> Put:
    return lambda n: function.invoke(PAYLOAD, invocation_type="Event")


SERVICES = {"S3": _s3, "SNS": _sns, "EventBridge": _eventbridge, "Invoke (Event)": _event}


def pushed(service: str, count: int, path: Path) -> str:
    """Cause `count` events, one a millisecond; the run's digest."""
    with Simulation(seed=1, db=path) as sim:
        function = sim.function("work", handler=handler, memory_size=512, simulate={"duration": "20ms"})
        put = SERVICES[service](sim, function)

        def arrive(n: int) -> None:
            put(n)
            if n + 1 < count:
                sim.timeline.after(MILLISECOND, arrive, n + 1)

        sim.timeline.at(0, arrive, 0)
        sim.run()
    return run_digest(path)


def asked(count: int, path: Path) -> str:
    """Invoke `count` times and wait for each answer; the run's digest."""
    with Simulation(seed=1, db=path) as sim:
        function = sim.function("work", handler=handler, memory_size=512, simulate={"duration": "20ms"})
        for _ in range(count):
            function.invoke(PAYLOAD)
    return run_digest(path)


def run(size: Size) -> Result:
    """Each service, and the floor."""
    count = size.of(40_000, 100)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "run.db")
        measured = in_turn(
            size.times,
            floor(count, Path(name)),
            *(Contender(f"simbus, {each}", count, lambda s=each: pushed(s, count, path)) for each in SERVICES),  # type: ignore[misc]
            Contender("simbus, Invoke (RequestResponse)", count, lambda: asked(count, path)),
        )
    bare, *services = measured
    return Result(QUESTION, "event", tuple(measured), tuple(speed(each, bare) for each in services))
