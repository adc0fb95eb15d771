"""What a comparison of two runs found, as `simbus replay --compare RUN.db --json` has it."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


def _about(words: str) -> Meta:
    return Meta(description=words)


class ChangedEvent(msgspec.Struct):
    """One event that came out differently."""

    change: Annotated[
        Literal["outcome", "content", "response", "new", "gone"],
        _about(
            "Of a delivery; of what a function says in it; of what a function answers its caller; or it is in one of "
            "the runs only."
        ),
    ]
    id: Annotated[str, _about("In the run before; in this one, if it is new.")]
    time: Annotated[int, _about("Milliseconds since 1970, in that run.")]
    source: str
    type: str
    subject: str | None
    caused_by: Annotated[list[str], _about("What led to it, the nearest first; empty: it came from outside.")]
    before: Annotated[dict[str, str], _about("What became of it, by subscription: those that changed.")]
    after: dict[str, str]


class DeadLetters(msgspec.Struct):
    """The dead letters of both runs, by the ids of their events."""

    passing: Annotated[list[str], _about("Dead letters before, and processed now.")]
    gone: Annotated[list[str], _about("Dead letters before, of events that are not there any more.")]
    not_passing: Annotated[list[str], _about("Dead letters before, and not processed now.")]
    new: Annotated[list[str], _about("Dead letters of this run alone.")]


class Comparison(msgspec.Struct):
    """What a replay has become, beside the run that it is compared with."""

    digest: Annotated[str, _about("Of the run before.")]
    events_before: int
    events_after: int
    not_replayed: Annotated[int, _about("Events of the run before that are not compared: they were left out.")]
    unchanged: int
    changed: list[ChangedEvent]
    dead_letters: DeadLetters
