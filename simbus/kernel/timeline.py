"""The one clock, the one queue of what happens next, the one seed.

Time is an integer: nanoseconds since the start of the run. Everything that happens later is an entry on one of two
heaps of plain tuples `(when, tie, seq, callback, arg)`. Entries of the first heap hold a run open; those of the
second (schedules, idle reclaim, retention) are played in order with them, but nobody waits for them.

Entries of the same instant are played first in, first out, and what arrives from outside (a workload, a recording)
before everything else. With `ties`, their order is shuffled by a generator of its own: another number explores another
order, and the same number repeats it.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from heapq import heapify, heappop, heappush
from typing import Any, Protocol

from simbus.errors import HungUp, StalledError
from simbus.kernel.ties import Shuffle, Ties

NANOSECOND = 1
MICROSECOND = 1_000
MILLISECOND = 1_000_000
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

Callback = Callable[[Any], object]
Entry = tuple[int, int, int, Callback, Any]


FOREVER = 1 << 62
"""An instant that no run reaches: 146 years in nanoseconds."""
_OUTSIDE = -(1 << 62)  # where the numbers of arrivals begin: below those of every other entry


class Actor(Protocol):
    """Who acts at this moment, when it is not the machinery itself: an execution environment that runs a handler."""

    request_id: str
    lineage: Any  # how often each function has run in this chain of requests
    answering: int  # how many of its calls to AWS are being answered: what these call in turn takes no time of its own
    patience: int  # the instant until which it waits for the answer to the call that it makes

    def latency(self, service: str) -> int:
        """Nanoseconds that its next call to that AWS service takes; 0 inside a call that is being answered."""

    def pause(self, delay: int) -> None:
        """Park for `delay` nanoseconds of virtual time (0: do not park, but still raise where the actor is dead)."""

    def wait(self, start: Callable[[Callable[[], None]], None]) -> None:
        """Park until the callback that is handed to `start` is called. Raises HungUp where its patience ends first."""


class Timeline:
    """Owns `now` (nanoseconds), what happens next, and every random number of a run.

    `seed` decides every generator; `ties` (None: first in, first out) the order of simultaneous entries.
    `actor` is the environment whose handler runs at this moment, None while the machinery itself runs. `patience` is
    the instant until which a caller outside of all handlers waits for an answer.
    """

    __slots__ = (
        "_arrivals",
        "_background",
        "_began",
        "_cancelled",
        "_heap",
        "_rngs",
        "_seq",
        "_tie",
        "_waits",
        "actor",
        "now",
        "patience",
        "played",
        "seed",
        "ties",
        "unfinished",
    )

    def __init__(self, seed: int | str = 0, *, ties: int | Ties | None = None) -> None:
        if isinstance(ties, int):
            ties = Ties(ties)
        self.seed = seed
        self.ties = ties
        self.now = 0
        self.actor: Actor | None = None
        self.patience = FOREVER
        self.played = 0
        self.unfinished: dict[int, Callable[[], str]] = {}
        self._heap: list[Entry] = []
        self._background: list[Entry] = []
        self._cancelled: set[int] = set()
        self._seq = 0
        self._waits = 0
        self._arrivals = _OUTSIDE
        self._began = 0  # `played` when the instant began
        self._rngs: dict[str, random.Random] = {}
        self._tie = None if ties is None else Shuffle(ties, self.rng(f"ties:{ties.number}"))

    def __repr__(self) -> str:
        return f"<Timeline now={self.now / SECOND:.3f}s pending={self.pending} background={len(self._background)}>"

    def count_simultaneous(self) -> Counter[int]:
        """Count from now on how many entries each instant has. Only where `ties` are given; it takes memory."""
        assert self._tie is not None
        self._tie.seen = Counter()
        return self._tie.seen

    @property
    def pending(self) -> int:
        """How many entries still hold the run open."""
        return len(self._heap)

    def rng(self, name: str) -> random.Random:
        """The generator of that name. It depends on (seed, name) alone, so that a new name shifts no old one."""
        found = self._rngs.get(name)
        if found is None:
            found = self._rngs[name] = random.Random(f"{self.seed}/{name}")
        return found

    def at(self, when: int, callback: Callback, arg: Any = None) -> int:
        """Call `callback(arg)` at `when` (not before now); holds the run open. Returns a token for `cancel`."""
        self._seq = seq = self._seq + 1
        if when < self.now:
            when = self.now
        tie = 0 if self._tie is None else self._tie(when, seq)
        heappush(self._heap, (when, tie, seq, callback, arg))
        return seq

    def after(self, delay: int, callback: Callback, arg: Any = None) -> int:
        """Call `callback(arg)` after `delay` nanoseconds; holds the run open. Returns a token for `cancel`."""
        self._seq = seq = self._seq + 1
        when = self.now + delay
        tie = 0 if self._tie is None else self._tie(when, seq)
        heappush(self._heap, (when, tie, seq, callback, arg))
        return seq

    def background(self, when: int, callback: Callback, arg: Any = None) -> int:
        """Like `at`, for what nobody waits for: a run may end before it happens."""
        self._seq = seq = self._seq + 1
        if when < self.now:
            when = self.now
        tie = 0 if self._tie is None else self._tie(when, seq)
        heappush(self._background, (when, tie, seq, callback, arg))
        return seq

    def first(self, when: int, callback: Callback, arg: Any = None) -> None:
        """Like `background`, but played before everything else of its instant, whatever `ties` is."""
        self._seq = seq = self._seq + 1
        heappush(self._background, (max(when, self.now), -2, seq, self._arrived, (callback, arg)))

    def arrive(self, when: int, callback: Callback, arg: Any = None) -> None:
        """Like `at`, for what comes from outside: it is played before everything else of its instant.

        So it does not matter when it was put here: a recording that is read line by line gives the order of the run
        that wrote it. With `ties` it is shuffled like the others, by numbers of its own.
        """
        self._arrivals = seq = self._arrivals + 1
        if when < self.now:
            when = self.now
        tie = 0 if self._tie is None else self._tie(when, seq)
        heappush(self._heap, (when, tie, seq, self._arrived, (callback, arg)))

    def arrive_after(self, position: int, when: int, callback: Callback, arg: Any = None) -> None:
        """Like `arrive`, at a given `position` of its instant, whatever `ties` is.

        One at a time: the next arrival of the same recording is put here when this one is called.
        """
        self._arrivals = seq = self._arrivals + 1
        turn = (self._take_turn, (position, callback, arg))
        heappush(self._heap, (max(when, self.now), -1, seq, self._arrived, turn))

    def _arrived(self, arrival: tuple[Callback, Any]) -> None:
        self._began += 1  # an arrival does not count in the position of others
        callback, arg = arrival
        callback(arg)

    def _take_turn(self, turn: tuple[int, Callback, Any]) -> None:
        position, callback, arg = turn
        while self.position < position and self.peek() == self.now:
            self.step()
        callback(arg)

    @property
    def position(self) -> int:
        """How many entries of this instant have been played, arrivals aside."""
        return self.played - self._began

    def pass_to(self, now: int) -> None:
        """Let time pass up to an instant at which nothing is played."""
        if now > self.now:
            self.now = now
            self._began = self.played

    def cancel(self, token: int) -> None:
        """Take an entry back that has not been played. (A token of one already played must not be given.)"""
        self._cancelled.add(token)

    @contextmanager
    def waiting(self, describe: Callable[[], str]) -> Iterator[None]:
        """Say that something is unfinished, so that a run that can't go on names it in its `StalledError`."""
        self._waits = token = self._waits + 1  # a number of its own: who waits shifts no tie
        self.unfinished[token] = describe
        try:
            yield
        finally:
            del self.unfinished[token]

    def peek(self) -> int | None:
        """When the next entry is due; None when there is none at all."""
        self._drop_cancelled()
        heads = [heap[0][0] for heap in (self._heap, self._background) if heap]
        return min(heads) if heads else None

    def step(self) -> None:
        """Play the next entry, whichever heap holds it. IndexError when there is none."""
        self._drop_cancelled()
        heap, background = self._heap, self._background
        if background and (not heap or background[0] < heap[0]):
            heap = background
        when, _, _, callback, arg = heappop(heap)
        if when != self.now:
            self.now = when
            self._began = self.played
        self.played += 1
        callback(arg)

    def run(self, until: int | None = None) -> None:
        """Play until nothing holds the run open, or up to and including the instant `until`.

        Raises StalledError where nothing is left to play although something is unfinished.
        """
        if until is None:
            self._play_pending(FOREVER)
            self.check_finished()
        else:
            self._play_until(until)

    def run_pending(self, until: int) -> None:
        """Play until nothing holds the run open, but nothing that lies after the instant `until`."""
        self._play_pending(until)
        if not self._heap:
            self.check_finished()

    def run_while(self, unfinished: Callable[[], bool], what: Callable[[], str]) -> None:
        """Play as long as `unfinished()` is true, for an answer that the caller waits for until `patience`.

        Raises StalledError naming `what()` if the timeline runs dry; HungUp at the end of the caller's patience.
        """
        until, self.patience = self.patience, FOREVER  # it is this caller's, not that of others who call meanwhile
        with self.waiting(what):
            while unfinished():
                when = self.peek()
                if until != FOREVER and (when is None or when >= until):
                    self.pass_to(until)
                    raise HungUp
                if when is None:
                    self.check_finished()
                self.step()

    def check_finished(self) -> None:
        """Raise StalledError if something is unfinished, naming the first three such things."""
        if self.unfinished:
            names = [describe() for describe in self.unfinished.values()]
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            raise StalledError(
                f"at {self.now / SECOND:.3f} s of virtual time nothing is scheduled, but unfinished: "
                f"{'; '.join(names[:3])}{more}. Nothing can happen any more that would wake it: "
                "schedule what it waits for, or give the wait a timeout."
            )

    def _play_pending(self, until: int) -> None:
        """The loop that a whole run is spent in."""
        heap, background, cancelled = self._heap, self._background, self._cancelled
        while heap:
            source = background if background and background[0] < heap[0] else heap
            if source[0][0] > until:
                return
            when, _, seq, callback, arg = heappop(source)
            if cancelled and seq in cancelled:
                cancelled.discard(seq)
                continue
            if when != self.now:
                self.now = when
                self._began = self.played
            self.played += 1
            callback(arg)

    def _play_until(self, until: int) -> None:
        while True:
            when = self.peek()
            if when is None or when > until:
                break
            self.step()
        self.pass_to(until)

    def _drop_cancelled(self) -> None:
        """Remove cancelled entries from the heads, so that what is seen there will be played."""
        cancelled = self._cancelled
        if not cancelled:
            return
        for heap in (self._heap, self._background):
            while heap and heap[0][2] in cancelled:
                cancelled.discard(heappop(heap)[2])

    def compact(self) -> None:
        """Drop every cancelled entry, wherever it stands: for whoever cancels many long timeouts."""
        cancelled = self._cancelled
        for heap in (self._heap, self._background):
            heap[:] = [entry for entry in heap if entry[2] not in cancelled]
            heapify(heap)
        cancelled.clear()
