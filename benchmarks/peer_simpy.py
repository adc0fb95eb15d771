"""The kernel's model in SimPy, in a process of its own, as SimPy's own bank_renege example writes it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from benchmarks.harness import report
from benchmarks.queueing import PATIENCE, SERVERS, customers


def on_simpy(work: list[tuple[int, int]]) -> tuple[int, int, int]:
    """How many customers were served, how many left, and how long those served had waited."""
    import simpy

    environment = simpy.Environment()
    servers = simpy.Resource(environment, SERVERS)
    figures = [0, 0, 0]

    def customer(service: int) -> Iterator[Any]:
        arrived = environment.now
        with servers.request() as request:
            yield request | environment.timeout(PATIENCE)
            if not request.triggered:
                figures[1] += 1
                return
            figures[2] += environment.now - arrived
            yield environment.timeout(service)
            figures[0] += 1

    def arrivals() -> Iterator[Any]:
        for gap, service in work:
            yield environment.timeout(gap)
            environment.process(customer(service))

    environment.process(arrivals())
    environment.run()
    return figures[0], figures[1], figures[2]


if __name__ == "__main__":
    import simpy  # noqa: F401 - its import is not what is measured

    customers_of_this_run = customers(int(sys.argv[1]))
    report(lambda: on_simpy(customers_of_this_run))
