"""`simbus explain`."""

from __future__ import annotations

import json as json_text
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simbus.cli.exits import complain, exit_status, printing
from simbus.errors import UsageError

if TYPE_CHECKING:
    from simbus.explain.story import Story
    from simbus.logs.reader import RunReader

FIRST = 10


def explain(
    file: Annotated[Path, typer.Argument(metavar="RUN.db", help="The run file.", show_default=False)],
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="ID",
            help="An event, request or message, by its id or the beginning of it; or an object key, a partition key.",
            show_default=False,
        ),
    ] = None,
    lost: Annotated[bool, typer.Option("--lost", help="The events that were lost.")] = False,
    dead: Annotated[bool, typer.Option("--dead", help="The events in dead-letter queues and destinations.")] = False,
    limit: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help=f"How many of the lost or dead ones, from the first. [default: {FIRST}]"),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Tell the whole story of an event or a request.

    What led to it, who took it and who filtered it out, every throttle, attempt and retry with its reason, where it
    ended, and what it led to across functions, as a tree in virtual time.
    """
    with exit_status():
        _check(name, lost, dead)
        if name is not None and limit is not None:
            raise UsageError(f"--limit {limit}: is about --lost and --dead, and there is one {name}. Leave it out.")
        from simbus.expectations.thinned import share_in
        from simbus.logs.reader import open_run

        with open_run(file) as run:
            if (share := share_in(run)) < 1:
                complain(
                    f"{file}: keeps {share:.4g} of its payloads, which tell who was in a batch: of batches that went "
                    "well as a whole a story has only those that settled its event."
                )
            total, stories = _stories(run, name, "lost" if lost else "dead", limit or FIRST)
        with printing():
            _print(total, stories, json)


def _check(name: str | None, lost: bool, dead: bool) -> None:
    given = [word for word, value in (("ID", name), ("--lost", lost), ("--dead", dead)) if value]
    if len(given) != 1:
        found = " and ".join(given) or "nothing"
        raise UsageError(f"simbus explain: has {found}; it explains one of ID, --lost and --dead. Give one of them.")


def _stories(run: RunReader, name: str | None, outcome: str, limit: int) -> tuple[int, list[Story]]:
    from simbus.explain.stories import Teller

    teller = Teller(run)
    if name is not None:
        return 1, [teller.named(name, str(run.path))]
    total, events = teller.reading.came_to("lost" if outcome == "lost" else "dead", limit)
    return total, teller.events(events)


def _print(total: int, stories: list[Story], json: bool) -> None:
    if json:
        import msgspec

        print(json_text.dumps({"events": total, "stories": msgspec.to_builtins(stories)}, indent=2))
        return
    from simbus.explain.text import show

    show(stories, sys.stdout)
    if total > len(stories):
        print(f"\n... and {total - len(stories):,} more: --limit shows them")
    elif not total:
        print("none")
