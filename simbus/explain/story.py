"""A story as values: what became of one event or request, step by step, and what came before and after it.

`simbus explain --json` prints them. Times are milliseconds since the epoch, in virtual time.
"""

from __future__ import annotations

from typing import Literal

import msgspec


class Upstream(msgspec.Struct):
    """What led to the story, the nearest first: an event, the request of a function, or the rule of a schedule."""

    kind: Literal["event", "request", "rule"]
    id: str
    name: str
    time: int | None = None
    text: str = ""
    others: int = 0  # so many more events were in the same batch


class Step(msgspec.Struct):
    """One thing that happened.

    `kind` is `attempt` (`status`: what it came to), the kind of a row of hops (`throttled`, `retry`, `redrive` ...),
    `settled` (`status`: the outcome of a delivery) or `standing` (a message that is in a queue at the end). `place` is
    the subscription, queue or target where it happened. `attempt` counts the attempts of a request, or the requests of
    a function for an event that came in batches. `caused` are the stories of the events that it led to.
    """

    time: int | None
    kind: str
    place: str
    text: str = ""
    request_id: str | None = None
    attempt: int | None = None
    status: str | None = None
    caused: list[Story] = []


class Record(msgspec.Struct):
    """One event of a batch that a request was for."""

    event_id: str
    source: str
    subject: str | None
    outcome: str | None


class Story(msgspec.Struct):
    """An event (`kind` event), or a request that was for several (`kind` request, then `source` is the function).

    `subscriptions` are those that took the event, by name. `led_to` are events that follow from this one without a
    function between (a topic's message in a queue). `more` counts the stories that were left out below this one.
    """

    kind: Literal["event", "request"]
    id: str
    time: int | None
    source: str
    type: str
    subject: str | None
    parent: str | None
    upstream: list[Upstream] = []
    subscriptions: list[str] = []
    steps: list[Step] = []
    records: list[Record] = []
    led_to: list[Story] = []
    more: int = 0
