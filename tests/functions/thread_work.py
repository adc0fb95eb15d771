"""Work for threads that depends on chance: used by the tests that look for the same rows in every run."""

from __future__ import annotations

import concurrent.futures
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from simbus import Simulation

UPDATES = 5


def count(event: dict[str, Any], context: Any) -> int:
    """Five workers read, sleep and write; `locked`: one at a time."""
    lock = threading.Lock()
    counter = {"value": 0}

    def update(number: int) -> None:
        value = counter["value"]
        time.sleep(random.random())
        counter["value"] = value + 1
        print(f"{number} wrote {value + 1} at {time.monotonic()} in {threading.current_thread().name}")

    def work(number: int) -> None:
        time.sleep(3 * random.random())
        if event["locked"]:
            with lock:
                update(number)
        else:
            update(number)

    with ThreadPoolExecutor(UPDATES) as pool:
        futures = [pool.submit(work, number) for number in range(UPDATES)]
        for future in concurrent.futures.as_completed(futures):
            future.result()
    return counter["value"]


def counted(seed: int, locked: bool, ties: int | None = None) -> tuple[int, str, str]:
    """The counter, the log and the digest of one run."""
    with Simulation(seed=seed, ties=ties) as sim:
        function = sim.function("count", handler=count, timeout=60)
        result = function.invoke({"locked": locked}).json()
        sim.run()
        return result, "".join(row[-1] for row in sim.rows.log_lines), sim.digest()
