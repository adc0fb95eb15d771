"""Which event of one run is which of another.

Ids differ from run to run, so an event is known by its place: from outside, by its source, type, subject and time;
inside, by what caused it (another event, or the request of a function, which is known by its events), and which of
those it is. Where no such place is the same in both runs (a batch was cut otherwise), events of the same function are
matched by what they say, then in their order.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable
from typing import NamedTuple

from simbus.comparison.reading import Event, Run

OUTSIDE = "outside"


class Pair(NamedTuple):
    """Where one event stands in both runs; None: it is not in that one."""

    before: int | None
    after: int | None


class _Names:
    """Numbers for keys that both runs may have."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}

    def of(self, key: Hashable) -> int:
        return self._numbers.setdefault(key, len(self._numbers))


class _Side:
    """One of the two runs while it is matched."""

    def __init__(self, run: Run, names: _Names) -> None:
        self.run = run
        self.names = names
        self.number: dict[int, int] = {}  # of each event that has been placed
        self.levels = self._levels()
        self._request_numbers: dict[str, int] = {}
        self._requests: Counter[Hashable] = Counter()

    def _levels(self) -> dict[int, list[int]]:
        """The events by how many causes lie before them. A cause comes before what it causes."""
        level: list[int] = []
        found: dict[int, list[int]] = defaultdict(list)
        for place, event in enumerate(self.run.events):
            causes = [level[each] for each in self.causes(event) if each < place]
            level.append(1 + max(causes) if causes else int(event.parent is not None))
            found[level[-1]].append(place)
        return found

    def causes(self, event: Event) -> Iterable[int]:
        """The events that led to an event."""
        if event.parent is None:
            return ()
        request = self.run.requests.get(event.parent)
        if request is not None:
            return request.events
        place = self.run.place.get(event.parent)
        return () if place is None else (place,)

    def cause(self, event: Event) -> Hashable:
        """What caused an event, in a form that both runs share."""
        if event.parent is None:
            return OUTSIDE
        if event.parent in self.run.requests:
            return ("request", self._request(event.parent))
        place = self.run.place.get(event.parent)
        return event.parent if place is None else ("event", self.number.get(place, -place - 1))

    def _request(self, request_id: str) -> int:
        if request_id not in self._request_numbers:
            self._number_requests()
        return self._request_numbers[request_id]

    def _number_requests(self) -> None:
        """Number every request whose events are placed, in the order in which they began."""
        for request_id, request in self.run.requests.items():
            if request_id in self._request_numbers or not all(place in self.number for place in request.events):
                continue
            key = (request.function, tuple(self.number[place] for place in request.events))
            self._requests[key] += 1
            self._request_numbers[request_id] = self.names.of((key, self._requests[key]))

    def function(self, event: Event) -> str | None:
        """The function whose request caused an event."""
        request = None if event.parent is None else self.run.requests.get(event.parent)
        return None if request is None else request.function


Key = Callable[[_Side, Event], Hashable]


def _first(side: _Side, event: Event) -> Hashable:
    """The same words of the same cause; what comes from outside at the same time."""
    cause = side.cause(event)
    return (cause, event.source, event.type, event.subject, event.time if cause is OUTSIDE else event.content)


def _whenever(side: _Side, event: Event) -> Hashable:
    """The same cause, whatever it says, and whenever it came from outside."""
    return (side.cause(event), event.source, event.type, event.subject)


def _whatever(side: _Side, event: Event) -> Hashable:
    """What a request made, about something else: a key that has changed."""
    cause = side.cause(event)
    return None if cause is OUTSIDE else (cause, event.source, event.type)


def _same_words(side: _Side, event: Event) -> Hashable:
    function = side.function(event)
    return None if function is None else (function, event.source, event.type, event.subject, event.content)


def _same_subject(side: _Side, event: Event) -> Hashable:
    function = side.function(event)
    if function is None or event.subject is None:
        return None
    return (function, event.source, event.type, event.subject)


def match(before: Run, after: Run) -> list[Pair]:
    """Every event of both runs once, in the order of the first; those that are only in the second come last."""
    names = _Names()
    sides = _Side(before, names), _Side(after, names)
    found: dict[int, int] = {}
    left: tuple[list[int], list[int]] = ([], [])
    for level in range(max((*sides[0].levels, *sides[1].levels), default=-1) + 1):
        rest = tuple(side.levels.get(level, []) for side in sides)
        for key in (_first, _whenever, _whatever):
            rest = _paired(sides, rest, key, found)
        for side, places, unpaired in zip(sides, rest, left, strict=True):
            for place in places:
                side.number[place] = names.of((id(side), place))
            unpaired.extend(places)
    rest = left
    for key in (_same_words, _same_subject):
        rest = _paired(sides, rest, key, found)
    pairs = [Pair(place, found.get(place)) for place in range(len(before.events))]
    return [*pairs, *(Pair(None, place) for place in sorted(rest[1]))]


def _paired(
    sides: tuple[_Side, _Side], rest: tuple[list[int], ...], key: Key, found: dict[int, int]
) -> tuple[list[int], list[int]]:
    """Pair the events of the same key in their order; what is left over of both sides."""
    waiting: dict[Hashable, list[int]] = defaultdict(list)
    for place in rest[1]:
        name = key(sides[1], sides[1].run.events[place])
        if name is not None:
            waiting[name].append(place)
    for places in waiting.values():
        places.reverse()
    left, taken = [], set()
    for place in rest[0]:
        name = key(sides[0], sides[0].run.events[place])
        partners = waiting.get(name) if name is not None else None
        if not partners:
            left.append(place)
            continue
        partner = partners.pop()
        taken.add(partner)
        found[place] = partner
        sides[0].number[place] = sides[1].number[partner] = sides[0].names.of(("pair", place))
    return left, [place for place in rest[1] if place not in taken]
