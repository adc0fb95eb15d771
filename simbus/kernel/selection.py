"""Parts of a scenario by their numbers: `0.3,0.8-12,2` are event 3 and events 8 to 12 of item 0, and all of item 2.

`workload[0]` is item 0, its first event is 0.0; of `faults` the same are the occurrences. What a run is shrunk to.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping
from itertools import groupby

from simbus.errors import UsageError

_PART = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,12})(?:-([0-9]{1,12}))?)?", re.ASCII)
NONE = "none"


class Ranges:
    """Numbers as ranges, both ends included."""

    def __init__(self, ranges: Iterable[tuple[int, int]]) -> None:
        self._ranges = tuple(ranges)

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and any(first <= number <= last for first, last in self._ranges)


class Selection:
    """Some events of some items; an item that is not named is left out as a whole. `str` gives the text back."""

    def __init__(self, text: str, items: Mapping[int, Container[int] | None]) -> None:
        self._text = text
        self._items = dict(items)

    def __str__(self) -> str:
        return self._text

    def __getitem__(self, item: int) -> Container[int] | None:
        """Which of an item's events take part: None for all."""
        return self._items.get(item, ())

    def check(self, option: str, count: int, what: str) -> None:
        """Raise UsageError where an item is named that a list of `count` does not have."""
        for item in self._items:
            if item >= count:
                raise UsageError(
                    f"{option}: names item {item}; the scenario has {count} in its {what}, which count from 0. "
                    "Correct the number."
                )

    @classmethod
    def parse(cls, text: str) -> Selection:
        """The selection that a text stands for. Raises UsageError ("is 'x'; ...")."""
        items: dict[int, list[tuple[int, int]] | None] = {}
        for part in () if text == NONE else text.split(","):
            match = _PART.fullmatch(part.strip())
            if match is None:
                raise UsageError(
                    f"is {text!r}; parts are items, or numbers in an item, counted from 0. "
                    "Write for example 0, or 0.3,0.8-12, or none."
                )
            item, first, last = match.groups()
            if last and int(last) < int(first):
                raise UsageError(f"is {text!r}; {part.strip()} runs backwards. Write {item}.{last}-{first}.")
            known = items.setdefault(int(item), [] if first else None)
            if first and known is not None:
                known.append((int(first), int(last or first)))
            elif not first:
                items[int(item)] = None
        return cls(text, {item: None if ranges is None else Ranges(ranges) for item, ranges in items.items()})

    @classmethod
    def of(cls, parts: Iterable[tuple[int, int]]) -> Selection:
        """Just these parts (item, number)."""
        return cls.parse(_text(parts))


def _text(parts: Iterable[tuple[int, int]]) -> str:
    words = []
    for item, numbers in groupby(sorted(set(parts)), key=lambda part: part[0]):
        # In a run of successive numbers, number minus place is the same.
        runs = groupby(enumerate(number for _, number in numbers), key=lambda pair: pair[1] - pair[0])
        for _, run in runs:
            found = [number for _, number in run]
            words.append(f"{item}.{found[0]}" + (f"-{found[-1]}" if len(found) > 1 else ""))
    return ",".join(words) or NONE
