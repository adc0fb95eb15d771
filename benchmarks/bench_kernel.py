"""The kernel alone: M/M/50 whose customers give up waiting, on the timeline and on SimPy, with the same random numbers.

Arrivals are Poisson, service times exponential, 50 servers, 98 % busy; a customer leaves after a patience of two mean
service times. Both sides count who was served and who left, and add up the waiting times.
"""

from __future__ import annotations

import argparse
import random
from collections import deque
from collections.abc import Iterator
from heapq import heappop, heappush
from typing import Any

from benchmarks.harness import best_of, ratio
from simbus.kernel import Timeline

SERVERS = 50
MEAN_SERVICE = 1_000_000  # ns
PATIENCE = 2 * MEAN_SERVICE


def customers(count: int) -> list[tuple[int, int]]:
    """Gap before each arrival and its service time, in nanoseconds."""
    rng = random.Random(1)
    rate = 0.98 * SERVERS / MEAN_SERVICE
    return [(round(rng.expovariate(rate)), round(rng.expovariate(1 / MEAN_SERVICE))) for _ in range(count)]


class TimelineQueue:
    """The model as calls on the timeline: no object but a list per customer."""

    def __init__(self, work: list[tuple[int, int]]) -> None:
        self.timeline = Timeline(1)
        self.work: Iterator[tuple[int, int]] = iter(work)
        self.free = SERVERS
        self.waiting: deque[list[int]] = deque()
        self.served = self.left = self.waited = 0

    def run(self) -> tuple[int, int, int]:
        self.next_arrival(next(self.work))
        self.timeline.run()
        return self.served, self.left, self.waited

    def next_arrival(self, customer: tuple[int, int]) -> None:
        self.timeline.after(customer[0], self.arrive, customer[1])

    def arrive(self, service: int) -> None:
        timeline = self.timeline
        if self.free:
            self.free -= 1
            timeline.after(service, self.end)
        else:
            customer = [timeline.now, service, 0]
            customer[2] = timeline.after(PATIENCE, self.leave, customer)
            self.waiting.append(customer)
        following = next(self.work, None)
        if following is not None:
            self.next_arrival(following)

    def leave(self, customer: list[int]) -> None:
        self.waiting.remove(customer)  # always near the left: patience is the same for all
        self.left += 1

    def end(self, _: Any) -> None:
        self.served += 1
        if self.waiting:
            arrived, service, token = self.waiting.popleft()
            self.timeline.cancel(token)
            self.waited += self.timeline.now - arrived
            self.timeline.after(service, self.end)
        else:
            self.free += 1


def on_heapq(work: list[tuple[int, int]]) -> tuple[int, int, int]:
    """The floor: the same model written out over a bare heap, with nothing around it."""
    heap: list[tuple[int, int, int, Any]] = []
    waiting: deque[list[int]] = deque()
    source = iter(work)
    free, served, left, waited, seq = SERVERS, 0, 0, 0, 1
    gap, service = next(source)
    heappush(heap, (gap, seq, 0, service))
    while heap:
        now, _, kind, what = heappop(heap)
        if kind == 0:
            seq += 1
            if free:
                free -= 1
                heappush(heap, (now + what, seq, 1, None))
            else:
                customer = [now, what, 1]
                waiting.append(customer)
                heappush(heap, (now + PATIENCE, seq, 2, customer))
            following = next(source, None)
            if following is not None:
                seq += 1
                heappush(heap, (now + following[0], seq, 0, following[1]))
        elif kind == 1:
            served += 1
            if waiting:
                customer = waiting.popleft()
                customer[2] = 0
                waited += now - customer[0]
                seq += 1
                heappush(heap, (now + customer[1], seq, 1, None))
            else:
                free += 1
        elif what[2]:
            waiting.remove(what)
            left += 1
    return served, left, waited


def on_simpy(work: list[tuple[int, int]]) -> tuple[int, int, int]:
    """The same model as SimPy's own bank_renege example writes it."""
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


def main(count: int = 200_000, times: int = 3) -> list[str]:
    """The lines of this benchmark."""
    work = customers(count)
    floor = best_of(times, "bare heapq", count, lambda: on_heapq(work))
    ours = best_of(times, "timeline", count, lambda: TimelineQueue(work).run())
    peer = best_of(times, "SimPy", count, lambda: on_simpy(work))
    return [
        *(measured.line() for measured in (floor, ours, peer)),
        ratio("kernel, M/M/50 with patience", ours, peer),
        ratio("kernel, M/M/50 with patience", ours, floor),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200_000)
    parser.add_argument("--times", type=int, default=3)
    arguments = parser.parse_args()
    print("\n".join(main(arguments.count, arguments.times)))
