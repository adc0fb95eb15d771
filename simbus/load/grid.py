"""A grid: values of the scenario that are tried side by side (`--memory 128,256`, `--set path=a,b,c`)."""

from __future__ import annotations

from itertools import product
from typing import Final, NamedTuple

from simbus.errors import UsageError

MOST_CELLS: Final = 1_000
_OPEN: Final = {"[": "]", "{": "}", "(": ")"}


class Axis(NamedTuple):
    """One thing that is varied: what the table calls it, and for each value its text and its overrides."""

    name: str
    values: tuple[tuple[str, tuple[str, ...]], ...]


class Cell(NamedTuple):
    """One combination: the value of each axis, and all the overrides of it."""

    values: tuple[str, ...]
    overrides: tuple[str, ...]


def axes(sets: list[str], memory: list[str], functions: list[str]) -> tuple[list[str], list[Axis]]:
    """The overrides with one value, which hold everywhere, and the axes of those with several. Raises UsageError."""
    fixed: list[str] = []
    found: list[Axis] = []
    for text in sets:
        path, equals, literal = text.partition("=")
        values = list(dict.fromkeys(split(literal)))  # what is named twice is one
        if equals and len(values) == 1:
            fixed.append(f"{path}={values[0]}")
        elif not equals:
            fixed.append(text)  # the scenario's loader says what is wrong with one without a value
        else:
            path = path.strip()
            found.append(Axis(path, tuple((value, (f"{path}={value}",)) for value in values)))
    for text in memory:
        fixed_here, axis = _memory(text, functions)
        fixed += fixed_here
        found += [] if axis is None else [axis]
    return fixed, found


def _memory(text: str, functions: list[str]) -> tuple[list[str], Axis | None]:
    """`128,256` of all functions, or `charge=128,256` of one."""
    name, equals, literal = text.rpartition("=")
    name = name.strip()
    if equals and name not in functions:
        raise UsageError(
            f"--memory {text}: the scenario has no function {name}; it has {', '.join(functions) or 'none'}."
        )
    whose = [name] if equals else functions
    values = list(dict.fromkeys(split(literal)))
    if not whose or not all(value.isdecimal() for value in values):
        raise UsageError(
            f"--memory {text}: is no list of memory sizes of functions, in MB. Write for example 128,256,512,1024, or "
            "NAME=128,256 for one function."
        )
    found = tuple((value, tuple(f'functions["{each}"].memory_size={value}' for each in whose)) for value in values)
    if len(found) == 1:
        return list(found[0][1]), None
    return [], Axis(f"memory of {name}" if equals else "memory", found)


def split(text: str) -> list[str]:
    """The values between commas; a comma in quotes or in brackets is part of its value."""
    values, start, closing, quote = [], 0, list[str](), ""
    for position, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in _OPEN:
            closing.append(_OPEN[character])
        elif closing and character == closing[-1]:
            closing.pop()
        elif character == "," and not closing:
            values.append(text[start:position].strip())
            start = position + 1
    return [*values, text[start:].strip()]


def cells(varied: list[Axis]) -> list[Cell]:
    """Every combination, the last axis fastest; one cell where nothing is varied. Raises UsageError."""
    found = [
        Cell(tuple(value for value, _ in chosen), tuple(each for _, overrides in chosen for each in overrides))
        for chosen in product(*(axis.values for axis in varied))
    ]
    if len(found) > MOST_CELLS:
        raise UsageError(
            f"--set, --memory: make {len(found):,} combinations; at most {MOST_CELLS:,}. Give fewer values."
        )
    return found
