"""When the items of a workload arrive: one generator each, so that a workload of any length takes no memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import count as counting
from pathlib import Path
from random import Random

from simbus.scenario.schema.workload import Item, Rate
from simbus.scenario.trace import Arrival, TraceFile

Offer = Callable[[int, Item, Random], Iterator[Arrival] | None]
"""Other arrivals of an item, by its index; None: those that it says itself."""


def arrivals(item: Item, rng: Random, folder: Path) -> Iterator[Arrival]:
    """The arrivals of an item in the order of time; nanoseconds since the start of the run.

    - `at`: once, or `count` times at the same instant;
    - `rate`: a Poisson process from `at` (default 0) on, for `for` (the end is not part of it) or `count` arrivals;
      `arrivals: constant` gives one every 1/rate, the first at `at`;
    - `count` with `over`: a Poisson process of which it is known that it has `count` arrivals in that time, that is,
      `count` uniform instants in order; `arrivals: constant` spaces them evenly, the first at 0;
    - `trace`: the rows of a file.
    """
    if item.trace is not None:
        yield from TraceFile(item.trace, folder).arrivals()
        return
    begin = item.at or 0
    for when in _instants(item, rng):
        yield Arrival(begin + when, None)


def _instants(item: Item, rng: Random) -> Iterator[int]:
    constant = item.arrivals == "constant"
    if item.rate is not None:
        times = _every(item.rate) if constant else _poisson(item.rate, rng)
        return _first(times, item.count) if item.for_ is None else _before(times, item.for_)
    if item.over is not None and item.count is not None:
        return _evenly(item.count, item.over) if constant else _uniform_in_order(item.count, item.over, rng)
    return _first(iter(lambda: 0, None), 1 if item.count is None else item.count)


def _every(rate: Rate) -> Iterator[int]:
    return (k * rate.nanoseconds // rate.arrivals for k in counting())


def _poisson(rate: Rate, rng: Random) -> Iterator[int]:
    mean = rate.nanoseconds / rate.arrivals
    when = 0.0
    while True:
        when -= mean * math.log(1.0 - rng.random())
        yield int(when)


def _evenly(count: int, over: int) -> Iterator[int]:
    return (k * over // count for k in range(count))


def _uniform_in_order(count: int, over: int, rng: Random) -> Iterator[int]:
    """Uniform instants in order without sorting: the least of the k that are left is the (1 - u^(1/k)) of the rest."""
    at = 0.0
    for left in range(count, 0, -1):
        at += (over - at) * -math.expm1(math.log(1.0 - rng.random()) / left)
        yield min(int(at), over - 1 if over else 0)


def _first(times: Iterator[int], count: int | None) -> Iterator[int]:
    assert count is not None
    for _ in range(count):
        yield next(times)


def _before(times: Iterator[int], end: int) -> Iterator[int]:
    for when in times:
        if when >= end:
            return
        yield when
