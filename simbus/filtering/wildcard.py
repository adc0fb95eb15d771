"""The `wildcard` operator: `*` stands for any run of characters, `\\*` and `\\\\` for the characters themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from simbus.filtering.rejection import PatternRejected

# AWS does not publish the limit. "/Users/*/dir/dir/dir/dir/dir/doc.txt" is accepted and has 7 of these states,
# "*:*:*:*:*:event-bus/*" is refused and has 11 (recordings content_wildcard_repeating and _complex_EXC).
MAX_SIMULTANEOUS_STATES: Final = 10
TOO_COMPLEX: Final = (
    "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a "
    "wildcard character"
)


def split_wildcard(text: str) -> list[str]:
    """The literal pieces between the wildcards, unescaped. Raises PatternRejected with AWS's position in bytes."""
    pieces = [""]
    position = 0
    while position < len(text):
        char, following = text[position], text[position + 1 : position + 2]
        if char == "*":
            if following == "*":
                raise PatternRejected(f"Consecutive wildcard characters at pos {_offset(text, position)}")
            pieces.append("")
        elif char == "\\":
            if following not in ("*", "\\"):
                raise PatternRejected(f"Invalid escape character at pos {_offset(text, position)}")
            pieces[-1] += following
            position += 1
        else:
            pieces[-1] += char
        position += 1
    return pieces


def matcher(pieces: list[str]) -> Callable[[str], bool]:
    """A test whether a string consists of the pieces in this order, with anything between them."""
    if len(pieces) == 1:
        whole = pieces[0]
        return lambda value: value == whole
    first, *middle, last = pieces

    def test(value: str) -> bool:
        if not value.startswith(first) or not value.endswith(last):
            return False
        position, end = len(first), len(value) - len(last)
        for piece in middle:
            position = value.find(piece, position, end)
            if position < 0:
                return False
            position += len(piece)
        return position <= end

    return test


def check_complexity(pieces: list[str]) -> None:
    """Refuse a pattern that could be in too many places of itself at once.

    This is what AWS's MachineComplexityEvaluator counts: the largest number of prefixes of the pattern that one
    input can match at the same time. Raises PatternRejected.
    """
    if _simultaneous_states(pieces) >= MAX_SIMULTANEOUS_STATES:
        raise PatternRejected(TOO_COMPLEX)


def _simultaneous_states(pieces: list[str]) -> int:
    literal = '"' + "".join(pieces) + '"'
    stars: set[int] = set()
    place = 1
    for piece in pieces[:-1]:
        place += len(piece)
        stars.add(place)
    largest = 0
    seen: set[tuple[frozenset[int], frozenset[int]]] = set()
    todo = [(frozenset({0}), frozenset[int]())]
    while todo and largest < MAX_SIMULTANEOUS_STATES:
        reached, looping = state = todo.pop()
        if state in seen:
            continue
        seen.add(state)
        largest = max(largest, len(reached) + len(looping | (reached & stars)))
        active = reached | looping
        loops = frozenset(active & stars)
        steps: dict[str, set[int]] = {}
        for at in sorted(active):
            if at < len(literal):
                steps.setdefault(literal[at], set()).add(at + 1)
        todo.extend((frozenset(arrived), loops) for arrived in steps.values())
        todo.append((frozenset(), loops))
    return largest


def _offset(text: str, position: int) -> int:
    """AWS counts bytes, and counts the quotation mark in front of the string."""
    return len(text[:position].encode("utf-8", "surrogatepass")) + 1
