"""The kernel's model in ciw, in a process of its own: M/M/50 whose customers leave after a patience."""

from __future__ import annotations

import sys

from benchmarks.harness import report
from benchmarks.queueing import LOAD, PATIENCE_SERVICES, SERVERS


def on_ciw(count: int) -> tuple[int, int]:
    """How many customers were served and how many left. ciw draws its own numbers, from one seed."""
    import ciw

    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(rate=LOAD * SERVERS)],
        service_distributions=[ciw.dists.Exponential(rate=1.0)],
        reneging_time_distributions=[ciw.dists.Deterministic(value=PATIENCE_SERVICES)],
        number_of_servers=[SERVERS],
    )
    ciw.seed(1)
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_customers(count, method="Arrive")
    kinds = [record.record_type for record in simulation.get_all_records()]
    return kinds.count("service"), kinds.count("renege")


if __name__ == "__main__":
    import ciw  # noqa: F401 - its import is not what is measured

    report(lambda: on_ciw(int(sys.argv[1])))
