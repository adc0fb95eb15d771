"""The queueing model that bench_kernel and its peers share."""

from __future__ import annotations

import random

SERVERS = 50
LOAD = 0.98  # share of the time that a server is busy, if nobody left
MEAN_SERVICE = 1_000_000  # ns
PATIENCE_SERVICES = 2  # a customer leaves after waiting that many mean service times
PATIENCE = PATIENCE_SERVICES * MEAN_SERVICE


def customers(count: int) -> list[tuple[int, int]]:
    """Gap before each arrival and its service time, in nanoseconds."""
    rng = random.Random(1)
    rate = LOAD * SERVERS / MEAN_SERVICE
    return [(round(rng.expovariate(rate)), round(rng.expovariate(1 / MEAN_SERVICE))) for _ in range(count)]
