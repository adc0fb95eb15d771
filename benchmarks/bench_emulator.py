"""How long do I wait for my test? Two jobs on simbus, in virtual time, and on ministack, an emulator in real time.

2,000 messages are sent to a queue whose mapping reads batches of ten, and 500 objects put into a bucket that notifies a
function, all through boto3, until each has come to the handler. The seconds are those of who waits: simbus computes how
long it would take on AWS and does not wait for it; ministack runs the handler in processes and polls by the clock. So
the ratio compares two kinds of tool, not two ways to do the same.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from benchmarks.harness import Contender, Measured, Own, Ratio, Result, Size, absent, in_process, in_turn, peer, speed
from benchmarks.jobs import BATCH, MESSAGES, OBJECTS, came, put_objects, send_messages
from simbus import Simulation
from simbus.kernel import SECOND

QUESTION = "How long do I wait? Two jobs through boto3 in simbus's virtual time, and in the real time of ministack."
COUNTS = {"messages": MESSAGES, "objects": OBJECTS}
NAMES = {"messages": "SQS messages", "objects": "S3 puts"}


def on_simbus(job: str, count: int, path: Path) -> tuple[str, float]:
    """Do the job until nothing is pending; what came to the handler, and how many virtual seconds it took."""
    lines: list[str] = []

    def handler(event: dict[str, Any], context: object) -> None:
        lines.extend(
            record["body"] if "body" in record else record["s3"]["object"]["key"] for record in event["Records"]
        )

    with Simulation(seed=1, db=path) as sim:
        function = sim.function("work", handler=handler, timeout=10)
        if job == "messages":
            queue = sim.queue("jobs", visibility_timeout=60)
            sim.event_source_mapping(queue, function, batch_size=BATCH)
            send_messages(sim.client("sqs"), queue.url, count)
        else:
            sim.bucket("uploads", notifications=[{"function": function, "events": ["s3:ObjectCreated:*"]}])
            put_objects(sim.client("s3"), "uploads", count)
        sim.run()
    return came(lines), sim.now / SECOND


def _ours(job: str, count: int, size: Size, path: Path) -> tuple[Measured, str]:
    virtual = 0.0

    def once() -> str:
        nonlocal virtual
        work, virtual = on_simbus(job, count, path)
        return work

    [measured] = in_turn(size.times, Contender(f"simbus, {NAMES[job]} (virtual)", count, once))
    note = f"{NAMES[job]}: simbus computes {virtual:,.1f} s of virtual time in {measured.wall:.2f} s of real time"
    return measured, note


def _theirs(job: str, count: int, python: str) -> tuple[Measured, str]:
    found: dict[str, Any] = {}

    def once() -> Own:
        found.update(in_process("peer_ministack", job, count, python=python))
        return Own(found["cpu"], found["wall"], found["work"])

    [measured] = in_turn(1, Contender(f"ministack, {NAMES[job]} (real)", count, once))
    drained = f"{found['came']:,} of {count:,} in {measured.wall:.1f} s of real time"
    again = f"{found['deliveries'] - found['came']:,} came again"
    return measured, f"{NAMES[job]}: ministack drained {drained}, {again}; its CPU time includes its start"


def run(size: Size) -> Result:
    """Both jobs on both; ministack does each once, since it takes its time."""
    if peer("boto3") is None:
        return Result(QUESTION, "event", (), (), (absent("boto3"),))
    measured: list[Measured] = []
    ratios: list[Ratio] = []
    found = peer("ministack")
    notes = [] if found else [absent("ministack")]
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "run.db")
        for job, usual in COUNTS.items():
            count = size.of(usual, 20)
            on_simbus(job, 20, path)  # botocore's models are read once
            ours, note = _ours(job, count, size, path)
            measured.append(ours)
            notes.append(note)
            if found:
                theirs, note = _theirs(job, count, found[0])
                measured.append(theirs)
                ratios.append(speed(ours, theirs, by="wall"))
                notes.append(note)
    return Result(QUESTION, "event", tuple(measured), tuple(ratios), tuple(notes))
