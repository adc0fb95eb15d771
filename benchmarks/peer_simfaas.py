"""A function's requests in SimFaaS, in a process of its own: its ServerlessSimulator, which writes no rows."""

from __future__ import annotations

import sys

import numpy
from simfaas.ServerlessSimulator import ServerlessSimulator

from benchmarks.harness import report


def on_simfaas(requests: int, rate: float, warm: float, cold: float) -> str:
    """About so many requests, `rate` a second, with mean service times in seconds; requests, cold starts, rejects."""
    numpy.random.seed(1)
    simulator = ServerlessSimulator(
        arrival_rate=rate,
        warm_service_rate=1 / warm,
        cold_service_rate=1 / cold,
        expiration_threshold=600,
        max_time=requests / rate,
    )
    simulator.generate_trace()
    return f"{simulator.total_req_count} {simulator.total_cold_count} {simulator.total_reject_count}"


if __name__ == "__main__":
    count, *seconds = sys.argv[1:]
    report(lambda: on_simfaas(int(count), *map(float, seconds)))
