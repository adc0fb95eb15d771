"""The simulation that tests of formats read files for."""

from __future__ import annotations

import pytest

from simbus import Simulation


@pytest.fixture
def shop(sim: Simulation) -> Simulation:
    """Resources of every service."""
    sim.queue("dead")
    sim.function("work", dead_letter_config="sqs:dead", aliases={"live": {"function_version": "1"}})
    sim.function("other")
    sim.queue("jobs", redrive_policy={"dead_letter_target_arn": "sqs:dead", "max_receive_count": 3})
    sim.queue("jobs.fifo", fifo_queue=True)
    sim.bucket("uploads")
    sim.topic("alerts")
    sim.stream("clicks", shard_count=1)
    sim.table("orders", hash_key="id", stream_view_type="NEW_AND_OLD_IMAGES")
    sim.event_bus("shop")
    sim.event_bus("default", rules={"all": {"event_pattern": {"source": ["shop"]}, "targets": ["lambda:work"]}})
    return sim
