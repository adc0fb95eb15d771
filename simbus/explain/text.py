"""Stories as trees for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TextIO

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from simbus.explain.story import Record, Step, Story, Upstream

_WIDE = 10_000
_STYLES = {"ok": "green", "dead_letter": "yellow", "dropped": "bold red", "held": "cyan"}
_SHOWN = 12  # steps at either end of a long row
_DELIVERED = {"destination": "record to", "dead_letter": "dead letter to"}
_SILENT = ("sqs", "lambda")  # a message that nobody reads stands in its queue, a call has its caller


def show(stories: Iterable[Story], file: TextIO | None) -> None:
    """Print one tree for each story: with colours on a terminal, plain anywhere else."""
    if file is None:
        return
    # Wider than any line: a narrow terminal breaks them, but nothing is cut off.
    console = Console(file=file, highlight=False, width=_WIDE, soft_wrap=True)
    for number, story in enumerate(stories):
        if number:
            console.print()
        console.print(tree(story))


def tree(story: Story) -> Tree:
    """One story: what led to it, its steps with what they caused."""
    clock = _Clock(story)
    root = Tree(_head(story, clock), guide_style="dim")
    for each in reversed(story.upstream):
        root.add(_upstream(each, clock))
    _fill(root, story, clock)
    return root


class _Clock:
    """Writes times: the time of the day, with the date where the story knows more than one."""

    def __init__(self, story: Story) -> None:
        days = {_moment(time).date() for time in _times(story)}
        self._dated = len(days) > 1

    def __call__(self, time: int | None) -> str:
        if time is None:
            return "at the end"
        moment = _moment(time)
        text = moment.isoformat(sep=" ", timespec="milliseconds")
        return text if self._dated else text.partition(" ")[2]


def _moment(time: int) -> datetime:
    return datetime.fromtimestamp(time / 1000, UTC).replace(tzinfo=None)


def _times(story: Story) -> Iterator[int]:
    if story.time is not None:
        yield story.time
    yield from (each.time for each in story.upstream if each.time is not None)
    for step in story.steps:
        if step.time is not None:
            yield step.time
        for child in step.caused:
            yield from _times(child)
    for child in story.led_to:
        yield from _times(child)


def _head(story: Story, clock: _Clock) -> Text:
    what = "request" if story.kind == "request" else "event"
    line = Text(f"{clock(story.time)} ")
    line.append(f"{story.source} {story.type}{_about(story)}", style="bold")
    return line.append(f" ({what} {story.id})", style="dim")


def _about(what: Story | Record) -> str:
    """What an event is about, unless that is its own id (a message)."""
    own = what.id if isinstance(what, Story) else what.event_id
    return "" if what.subject in (None, own) else f" {what.subject}"


def _upstream(each: Upstream, clock: _Clock) -> Text:
    others = f" and {each.others} more of its batch" if each.others else ""
    when = "" if each.time is None else f"{clock(each.time)} "
    text = f" {each.text}" if each.text else ""
    return Text(f"because of {when}{each.name}{text} ({each.kind} {each.id}){others}", style="dim")


def _fill(branch: Tree, story: Story, clock: _Clock) -> None:
    for record in story.records:
        outcome = record.outcome or "settled by another request"
        branch.add(Text(f"for {record.source}{_about(record)} (event {record.event_id}): {outcome}"))
    for name, steps in _groups(story).items():
        inner = branch.add(Text(name, style="bold")) if name else branch
        request_id = None
        for step in _folded(steps):
            if isinstance(step, str):
                inner.add(Text(step, style="dim"))
                continue
            line = _step(step, clock, name)
            if step.kind == "attempt" and step.request_id != request_id:
                request_id = step.request_id
                line.append(f" (request {request_id})", style="dim")
            node = inner.add(line)
            for child in step.caused:
                _fill(node.add(_head(child, clock)), child, clock)
    for child in story.led_to:
        _fill(branch.add(_head(child, clock)), child, clock)
    if not (story.steps or story.led_to or story.source.partition(":")[0] in _SILENT):
        branch.add(Text("nobody: no subscription took it"))
    if story.more:
        branch.add(Text(f"... and {story.more} more events", style="dim"))


def _groups(story: Story) -> dict[str, list[Step]]:
    """The steps by subscription, where there are several; those of none of them come first, under no name."""
    of_request = {step.request_id: step.place for step in story.steps if step.kind in ("attempt", "settled")}
    names = dict.fromkeys([*story.subscriptions, *(step.place for step in story.steps if step.kind == "filtered")])
    if len(names) <= 1:
        return {"": story.steps}
    found: dict[str, list[Step]] = {"": [], **{name: [] for name in names}}
    for step in story.steps:
        of = step.place if step.place in names else of_request.get(step.request_id, "") if step.request_id else ""
        found[of].append(step)
    return {name: steps for name, steps in found.items() if steps}


def _folded(steps: list[Step]) -> Iterator[Step | str]:
    """The steps, without the middle of a long row of them that led to nothing."""
    middle = steps[_SHOWN:-_SHOWN]
    if len(middle) <= _SHOWN or any(step.caused for step in middle):
        yield from steps
        return
    yield from steps[:_SHOWN]
    runs = sum(step.kind == "attempt" for step in middle)
    yield f"... {len(middle)} more steps, {runs} of them attempts (--json has them)"
    yield from steps[-_SHOWN:]


def _step(step: Step, clock: _Clock, group: str) -> Text:
    line = Text(f"{clock(step.time)} ")
    if step.kind in _DELIVERED:
        return line.append(f"{_DELIVERED[step.kind]} {step.place}")
    if step.place != group:
        line.append(f"{step.place} ")
    if step.kind == "attempt":
        return line.append(f"attempt {step.attempt}: {step.text}", style="" if step.status == "ok" else "red")
    if step.kind in ("settled", "standing"):
        return line.append(step.text, style=_STYLES.get(step.status or "", ""))
    words = step.kind.replace("_", " ")
    return line.append(f"{words}: {step.text}" if step.text else words)
