"""Tells stories: puts the rows of an event in order, and the events that it led to below them, level by level."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Final

from simbus.errors import UsageError
from simbus.expectations.rows import Rows
from simbus.explain.reading import MOST_ABOUT, Attempt, Delivery, Event, Hop, Reading, Standing
from simbus.explain.story import Record, Step, Story
from simbus.explain.upstream import upstream_of
from simbus.kernel import MILLISECOND
from simbus.kernel.durations import format_duration

MOST_CANDIDATES: Final = 10
MOST_STORIES: Final = 200
"""How many stories may stand below one."""

_REQUEST = re.compile(r"^RequestId: \S+ (Error: )?")  # which the step says already

# What comes first of what happens at one millisecond.
_RANKS: Final = {"filtered": 0, "throttled": 0, "refused": 0, "attempt": 1, "settled": 3, "standing": 4}
_HOP: Final = 2
# Rows of a whole batch stand under its first event.
_AFTER_ATTEMPT: Final = ("retry", "bisect", "failed")
_BEFORE_ATTEMPT: Final = ("throttled", "refused")
_DELIVERED: Final = ("destination", "dead_letter")
_OUTCOMES: Final = {
    "ok": "processed",
    "dead_letter": "given up: it is in a dead-letter queue or a failure destination",
    "dropped": "lost",
    "held": "held: not settled when the run ended",
    "error": "the caller was told of the error",
    "throttled": "the caller was told of the throttle",
}


class Teller:
    """Tells the stories of one run file."""

    def __init__(self, run: Rows) -> None:
        self.reading = Reading(run)
        self._told: set[str] = set()
        self._left = 0

    def events(self, events: Sequence[Event]) -> list[Story]:
        """The stories of these events, with everything before and after them."""
        self._told = {event.id for event in events}
        self._left = MOST_STORIES
        stories = self._tell(events)
        for story in stories:
            story.upstream = upstream_of(self.reading, story.parent)
        return stories

    def named(self, name: str, file: str) -> Story:
        """The story of what is named by its id, by the beginning of it, or by what one event is about.

        Of several about the same, it is that of the event that led to the others (an object and the item of its key).
        Raises UsageError where nothing, or more than one thing, goes by that name.
        """
        events, requests = self.reading.named(name)
        if name in events or (len(events) == 1 and not requests):
            return self.events(self.reading.events(events))[0]
        if name in requests or (len(requests) == 1 and not events):
            return self.request(requests[0])
        about = self.reading.events(events) if events or requests else self.reading.about(name)
        first = [] if events or requests else self._first(about)
        if len(first) == 1:
            return self.events(first)[0]
        found = [f"event {each.id} {each.source} {each.type}" for each in sorted(about, key=_begun)]
        runs = self.reading.attempts(requests)
        found += [f"request {each} lambda:{runs[each][0].function}" for each in requests]
        if not found:
            raise UsageError(
                f"{file}: has no event, request or message {name}; it is named by its id, the beginning of that, or an "
                "object key. Ask the tables events and invocations for ids."
            )
        shown = "\n  ".join(found[:MOST_CANDIDATES] + ["..."] * (len(found) > MOST_CANDIDATES))
        raise UsageError(f"{file}: {name} is not one thing alone. Give more of its id:\n  {shown}")

    def _first(self, events: Sequence[Event]) -> list[Event]:
        """Those that none of the others led to: their stories have the others in them."""
        if len(events) == MOST_ABOUT:  # there may be more
            return list(events)
        ids = {event.id for event in events}
        return [each for each in events if not any(up.id in ids for up in upstream_of(self.reading, each.parent))]

    def request(self, request_id: str) -> Story:
        """The story of a request: that of its event, or of the batch that it was for."""
        attempts = self.reading.attempts([request_id])[request_id]
        first = attempts[0]
        settled = self.reading.settled_by([request_id])
        ids = list(dict.fromkeys([*first.events, *(delivery.event_id for delivery in settled)]))
        events = self.reading.events(ids)
        if len(events) == 1:
            return self.events(events)[0]
        self._told, self._left = set(ids), MOST_STORIES
        name = f"lambda:{first.function}"
        story = Story("request", request_id, first.queued_at, name, first.invocation_type, None, first.source_arn)
        outcomes = {delivery.event_id: delivery.outcome for delivery in settled}
        story.records = [Record(each.id, each.source, each.subject, outcomes.get(each.id)) for each in events]
        story.subscriptions = [name]
        story.steps = [_attempt_step(attempt) for attempt in attempts]
        if events:
            story.upstream = upstream_of(self.reading, events[0].id, others=len(events) - 1)
        self._go_on([story])
        return story

    # --- one level -------------------------------------------------------------------------------------------------

    def _tell(self, events: Sequence[Event]) -> list[Story]:
        """The stories of events that happened beside each other, and all that they led to."""
        reading = self.reading
        ids = [event.id for event in events]
        deliveries, hops = reading.deliveries(ids), reading.hops(ids)
        requests = {each.request_id for some in deliveries.values() for each in some if each.request_id is not None}
        runs, batches = reading.attempts(requests), reading.batches_with(events)
        standing = reading.standing(events)
        first_ids = {attempt.events[0] for some in batches.values() for attempt in some}
        others = reading.hops(first_ids - set(ids))
        stories = []
        for event in events:
            story = Story("event", event.id, event.time, event.source, event.type, event.subject, event.parent)
            attempts = _with_those_that_settled(event, batches.get(event.id, ()), deliveries[event.id], runs)
            story.subscriptions = list(dict.fromkeys(each.subscription for each in deliveries[event.id]))
            story.steps = sorted(
                [
                    *_numbered(attempts),
                    *map(_hop_step, hops[event.id]),
                    *_of_the_batch(event, attempts, {**others, **hops}),
                    *map(_settled_step, deliveries[event.id]),
                    *map(_standing_step, standing[event.id]),
                ],
                key=partial(_order, {run.ended_at for run in attempts if run.started_at != run.ended_at}),
            )
            _explain_waits(story.steps)
            stories.append(story)
        self._go_on(stories)
        return stories

    def _go_on(self, stories: Sequence[Story]) -> None:
        """Tell what these led to, and hang it where it belongs."""
        parents: dict[str, list[Story]] = defaultdict(list)
        for story in stories:
            parents[story.id].append(story)
            for step in story.steps:
                if step.request_id is not None and story not in parents[step.request_id]:
                    parents[step.request_id].append(story)
        caused = [event for event in self.reading.caused_by(parents) if event.id not in self._told]
        room = max(self._left, 0)
        self._left -= len(caused)
        self._told.update(event.id for event in caused)
        for event in caused[room:]:
            parents[event.parent or ""][0].more += 1
        if not caused[:room]:
            return
        for child in self._tell(caused[:room]):
            _hang(child, parents[child.parent or ""][0])


def _with_those_that_settled(
    event: Event, batches: Sequence[Attempt], deliveries: Sequence[Delivery], runs: Mapping[str, Sequence[Attempt]]
) -> list[Attempt]:
    """The attempts that had an event in their batch, and those that settled it, whose payload may be left out."""
    known = {attempt.request_id for attempt in batches}
    settling = dict.fromkeys(each.request_id or "" for each in deliveries)
    others = [attempt for request in settling if request not in known for attempt in runs.get(request, ())]
    if batches:
        others = [attempt._replace(events=attempt.events or (event.id,)) for attempt in others]
    return [*batches, *others]


def _begun(event: Event) -> int:
    return event.time


def _hang(child: Story, story: Story) -> None:
    """Put what was caused under the step that caused it."""
    if child.parent == story.id:
        for step in story.steps:
            if step.kind == "settled" and step.place == child.source:
                step.caused = [*step.caused, child]
                return
        story.led_to.append(child)
        return
    of_request = [step for step in story.steps if step.request_id == child.parent]
    for step in of_request:
        if step.kind in _DELIVERED and step.place == child.source and step.time == child.time:
            step.caused = [*step.caused, child]
            return
    runs = [step for step in of_request if step.kind == "attempt" and (step.time or 0) <= (child.time or 0)]
    if runs:
        runs[-1].caused = [*runs[-1].caused, child]
    else:
        story.led_to.append(child)


# --- steps -----------------------------------------------------------------------------------------------------------


def _numbered(attempts: Sequence[Attempt]) -> Iterator[Step]:
    """The attempts of an event; each batch has a request of its own, and is counted by function."""
    counts: Counter[str] = Counter()
    for attempt in attempts:
        counts[attempt.function] += 1
        yield _attempt_step(attempt._replace(attempt=counts[attempt.function]) if attempt.events else attempt)


def _attempt_step(attempt: Attempt) -> Step:
    error = "" if attempt.error_type is None else f" {attempt.error_type}"
    message = _REQUEST.sub("", " ".join((attempt.error_message or "").split()))
    said = f": {message}" if message else ""
    took = "" if attempt.duration_ms is None else f" after {attempt.duration_ms:g} ms"
    began = attempt.queued_at if attempt.started_at is None else attempt.started_at
    notes = []
    if attempt.init_duration_ms is not None:
        notes.append(f"cold start {attempt.init_duration_ms:g} ms")
    if (attempt.attempt == 1 or attempt.events) and began > attempt.queued_at:
        notes.append(f"waited {_ms(began - attempt.queued_at)}")
    if ":rule/" in (attempt.source_arn or ""):
        notes.append(f"rule {(attempt.source_arn or '').partition(':rule/')[2]}")
    if len(attempt.events) > 1:
        notes.append(f"batch of {len(attempt.events)}")
    noted = f" ({', '.join(notes)})" if notes else ""
    return Step(
        began,
        "attempt",
        f"lambda:{attempt.function}",
        f"{attempt.status}{error}{took}{noted}{said}",
        attempt.request_id,
        attempt.attempt,
        attempt.status,
    )


def _hop_step(hop: Hop) -> Step:
    detail = hop.detail or ""
    request = detail.removeprefix("request ") if detail.startswith("request ") and hop.kind in _DELIVERED else None
    return Step(hop.time, hop.kind, hop.place, detail, request)


def _settled_step(delivery: Delivery) -> Step:
    words = _OUTCOMES[delivery.outcome]
    if delivery.outcome == "ok" and not delivery.subscription.startswith("lambda:"):
        words = "delivered"
    return Step(
        delivery.settled_at, "settled", delivery.subscription, words, delivery.request_id, status=delivery.outcome
    )


def _standing_step(message: Standing) -> Step:
    words = {"in_flight": "in flight"}.get(message.state, message.state)
    text = f"still in the queue at the end, {words}, received {message.receive_count} times"
    return Step(None, "standing", f"sqs:{message.queue}", text)


def _of_the_batch(event: Event, attempts: Sequence[Attempt], hops: dict[str, list[Hop]]) -> Iterator[Step]:
    """The rows that speak of a whole batch stand under its first event: those of the batches that this one was in."""
    since = event.time
    for attempt in attempts:
        if attempt.events and attempt.events[0] != event.id:
            began, ended = attempt.started_at or attempt.queued_at, attempt.ended_at
            for hop in hops.get(attempt.events[0], ()):
                if hop.place != f"lambda:{attempt.function}":
                    continue
                throttled = hop.kind in _BEFORE_ATTEMPT and since <= hop.time <= began
                if throttled or (hop.kind in _AFTER_ATTEMPT and hop.time == ended):
                    yield _hop_step(hop)
        since = attempt.ended_at or since


def _explain_waits(steps: Sequence[Step]) -> None:
    """Say of a throttle when it was tried again."""
    for step, later in pairwise(steps):
        if step.kind == "throttled" and step.time is not None and later.time is not None and later.time > step.time:
            step.text += f"; tried again after {_ms(later.time - step.time)}"


def _order(ended: set[int | None], step: Step) -> tuple[float, int]:
    """`ended` is when attempts ended: what is said of one then stands before another that begins then."""
    rank = _RANKS.get(step.kind, _HOP)
    if step.kind in _AFTER_ATTEMPT and step.time in ended:
        rank = 0
    return float("inf") if step.time is None else step.time, rank


def _ms(duration: int) -> str:
    return format_duration(duration * MILLISECOND)
