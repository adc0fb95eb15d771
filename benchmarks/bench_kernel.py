"""How fast is the timeline alone? M/M/50 whose customers give up waiting, no rows.

Arrivals are Poisson, service times exponential, 50 servers, 98 % busy; a customer leaves after a patience of two mean
service times. The floor, the timeline and SimPy get the same random numbers, count who was served and who left, and
add up the waiting times: the digest is the same. ciw draws its own numbers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from heapq import heappop, heappush
from typing import Any

from benchmarks.harness import Contender, Result, Size, absent, by_peer, in_turn, peer, speed
from benchmarks.queueing import PATIENCE, SERVERS, customers
from simbus.kernel import Timeline

QUESTION = "How fast is the timeline alone? M/M/50 whose customers give up waiting, no rows."


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


def run(size: Size) -> Result:
    """The timeline beside the bare heap, SimPy and ciw."""
    count, fewer = size.of(200_000, 500), size.of(20_000, 200)
    work = customers(count)
    contenders = [
        Contender("bare heapq", count, lambda: on_heapq(work)),
        Contender("simbus timeline", count, lambda: TimelineQueue(work).run()),
    ]
    notes = []
    for package, name, many in (("simpy", "SimPy", count), ("ciw", "ciw", fewer)):
        if peer(package) is None:
            notes.append(absent(package))
        else:
            contenders.append(Contender(name, many, by_peer(package, f"peer_{package}", many)))
    measured = in_turn(size.times, *contenders)
    floor, ours, *peers = measured
    ratios = [speed(ours, floor, least=0.4)]
    ratios += [speed(ours, each, least=4 if each.name == "SimPy" else None) for each in peers]
    return Result(QUESTION, "customer", tuple(measured), tuple(ratios), tuple(notes))
