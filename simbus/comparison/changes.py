"""What came out differently, event by event."""

from __future__ import annotations

from typing import Final, Literal

from simbus.comparison.matching import Pair, match
from simbus.comparison.reading import Event, Run
from simbus.report.comparison import ChangedEvent, Comparison, DeadLetters

Kind = Literal["outcome", "content", "response", "new", "gone"]
DEAD: Final = "dead_letter"


def compare(before: Run, after: Run, *, partly: bool = False) -> Comparison:
    """Compare two runs of the same events. `partly`: the second had only some of what came from outside.

    An event has changed where something else became of it for one of its subscriptions, where a function says something
    else in it, or answers something else to a caller; and where it is in one of the runs only.
    """
    pairs = match(before, after)
    missing = _not_replayed(before, pairs) if partly else set()
    changed, same, letters = [], 0, DeadLetters([], [], [], [])
    for pair in pairs:
        if pair.before in missing:
            continue
        found = _changed(before, after, pair)
        if found is None:
            same += 1
        else:
            changed.append(found)
        _letters(letters, before, after, pair)
    return Comparison(
        str(before.facts.get("digest") or ""),
        len(before.events) - len(missing),
        len(after.events),
        len(missing),
        same,
        changed,
        letters,
    )


def _changed(before: Run, after: Run, pair: Pair) -> ChangedEvent | None:
    if pair.after is None:
        assert pair.before is not None
        return _describe("gone", before, pair.before, before.outcomes.get(pair.before, {}), {})
    if pair.before is None:
        return _describe("new", after, pair.after, {}, after.outcomes.get(pair.after, {}))
    was, now = before.outcomes.get(pair.before, {}), after.outcomes.get(pair.after, {})
    kind: Kind | None = None
    if was != now:
        kind = "outcome"
    elif before.events[pair.before].content != after.events[pair.after].content:
        kind = "content"
    elif before.responses.get(pair.before) != after.responses.get(pair.after):
        kind = "response"
    if kind is None:
        return None
    found = _describe(kind, before, pair.before, was, now)
    return found if kind != "outcome" else _only_changed(found)


def _only_changed(event: ChangedEvent) -> ChangedEvent:
    """Without the subscriptions for which it is the same."""
    names = [name for name in {**event.before, **event.after} if event.before.get(name) != event.after.get(name)]
    event.before = {name: event.before[name] for name in names if name in event.before}
    event.after = {name: event.after[name] for name in names if name in event.after}
    return event


def _describe(kind: Kind, run: Run, place: int, was: dict[str, str], now: dict[str, str]) -> ChangedEvent:
    event = run.events[place]
    return ChangedEvent(
        kind, event.id, event.time, event.source, event.type, event.subject, _path(run, event), was, now
    )


def _path(run: Run, event: Event) -> list[str]:
    """What led to an event: the first event of each request on the way, and its function; the nearest first."""
    found: list[str] = []
    seen = {event.id}
    while event.parent is not None:
        request = run.requests.get(event.parent)
        if request is not None:
            found.append(f"lambda:{request.function}")
        cause = request.events[0] if request is not None and request.events else run.place.get(event.parent)
        if cause is None or run.events[cause].id in seen:
            if request is None:
                found.append(event.parent)
            break
        event = run.events[cause]
        seen.add(event.id)
        found.append(" ".join(part for part in (event.source, event.type, event.subject) if part))
    return found


def _letters(letters: DeadLetters, before: Run, after: Run, pair: Pair) -> None:
    """A dead letter of one subscription is one that passes when that subscription has it processed now."""
    was = {} if pair.before is None else before.outcomes.get(pair.before, {})
    now = {} if pair.after is None else after.outcomes.get(pair.after, {})
    for subscription in {**was, **now}:
        then = was.get(subscription)
        if then == DEAD and pair.before is not None:
            passes = now.get(subscription, "").startswith("ok")
            among = letters.gone if pair.after is None else letters.passing if passes else letters.not_passing
            among.append(before.events[pair.before].id)
        elif now.get(subscription) == DEAD and pair.after is not None:
            letters.new.append(after.events[pair.after].id)


def _not_replayed(before: Run, pairs: list[Pair]) -> set[int]:
    """What came from outside and is not in the second run, and all that it led to."""
    alone = {pair.before for pair in pairs if pair.before is not None and pair.after is None}
    found: set[int] = set()
    for place, event in enumerate(before.events):
        if place not in alone:
            continue
        if event.parent is None:
            found.add(place)
            continue
        request = before.requests.get(event.parent)
        cause = before.place.get(event.parent)
        leading = request.events if request is not None else (() if cause is None else (cause,))
        if any(each in found for each in leading):  # of a batch it can't be told which of its events led to it
            found.add(place)
    return found
