"""What led to an event: from its parent up to what came from outside."""

from __future__ import annotations

from typing import Final

from simbus.explain.reading import Event, Reading
from simbus.explain.story import Upstream

MOST: Final = 100


def upstream_of(reading: Reading, parent: str | None, others: int = 0) -> list[Upstream]:
    """The nearest first. `parent` is the id of an event or a request, or the ARN of a rule; `others` were beside it."""
    found: list[Upstream] = []
    while parent is not None and len(found) < MOST and all(parent != each.id for each in found):
        if parent.startswith("arn:"):
            found.append(Upstream("rule", parent, parent.rpartition(":")[2]))
            break
        events = reading.events([parent])
        if events:
            found.append(_event(events[0], others))
            parent, others = events[0].parent, 0
            continue
        attempts = reading.attempts([parent]).get(parent)
        settled = reading.settled_by([parent])
        ids = [delivery.event_id for delivery in settled]
        if attempts:
            last = attempts[-1]
            number = f"attempt {last.attempt}, " if last.attempt > 1 else ""
            found.append(
                Upstream("request", parent, f"lambda:{last.function}", last.started_at, f"{number}{last.status}")
            )
            ids = [*last.events, *ids]
        elif settled:  # it had not ended when the run did
            found.append(Upstream("request", parent, settled[0].subscription, None, "not ended"))
        else:
            break
        ids = list(dict.fromkeys(ids))
        parent, others = (ids[0], len(ids) - 1) if ids else (None, 0)
    return found


def _event(event: Event, others: int) -> Upstream:
    about = "" if event.subject is None else f" {event.subject}"
    return Upstream("event", event.id, event.source, event.time, f"{event.type}{about}", others)
