"""A compiled pattern and how it meets an event.

A pattern is a list of alternatives (one, or as many as `$or` makes); an alternative asks something of each of its
dotted paths. Two habits of AWS's engine (github.com/aws/event-ruler) shape the search. A path is a joined text, so
`{"a": {"b": 1}}` and `{"a.b": 1}` both have the field `a.b`. And the fields that satisfy an alternative must be able
to stand together: where two of them lie in one array of the event, they lie in the same element of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from simbus.filtering.operators import Test

Place = tuple[str | int, ...]
Elements = tuple[tuple[Place, int], ...]  # the array elements that a field lies in: which array, which index
Steps = tuple[tuple[tuple[str, int], ...], ...]

_MISSING: Final = object()
_NOWHERE: Final[Elements] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """What a pattern's list asks of one path: a scalar that passes `test`, or none at all where `absent` is true.

    `size` is the number of members of the list, `depth` the number of keys that lead to it.
    """

    test: Test
    absent: bool
    size: int
    depth: int


class Field:
    """One path of an alternative, with its condition."""

    __slots__ = ("_depth", "_steps", "condition", "name")

    def __init__(self, name: str, condition: Condition) -> None:
        self.name = name
        self.condition = condition
        self._steps = _steps_of(name)
        self._depth = len(self._steps)

    def find(self, event: dict[str, Any]) -> list[tuple[object, Elements]]:
        """Every scalar of the event that has this path, with the array elements it lies in."""
        found: list[tuple[object, Elements]] = []
        self._enter(event, 0, _NOWHERE, (), found)
        return found

    def _enter(
        self, node: dict[str, Any], at: int, within: Elements, place: Place, found: list[tuple[object, Elements]]
    ) -> None:
        for key, following in self._steps[at]:
            value = node.get(key, _MISSING)
            if value is _MISSING:
                continue
            if isinstance(value, dict):
                if following < self._depth:
                    self._enter(value, following, within, (*place, key), found)
            elif isinstance(value, list):
                self._enter_array(value, following, within, (*place, key), found)
            elif following == self._depth:
                found.append((value, within))

    def _enter_array(
        self, array: list[Any], at: int, within: Elements, place: Place, found: list[tuple[object, Elements]]
    ) -> None:
        todo = [(array, within, place)]
        while todo:  # no recursion: an event may nest arrays deeper than any pattern nests objects
            array, within, place = todo.pop()
            for index, value in enumerate(array):
                if isinstance(value, dict):
                    if at < self._depth:
                        self._enter(value, at, (*within, (place, index)), (*place, index), found)
                elif isinstance(value, list):
                    todo.append((value, (*within, (place, index)), (*place, index)))
                elif at == self._depth:
                    found.append((value, within))


class Alternative:
    """One way to satisfy a pattern: every field's condition, all at the same array elements."""

    __slots__ = ("conditions", "fields")

    def __init__(self, conditions: dict[str, Condition]) -> None:
        self.conditions = conditions
        self.fields = [Field(name, condition) for name, condition in conditions.items()]

    def matches(self, event: dict[str, Any]) -> bool:
        """Whether the event satisfies all conditions; arrays cost a search, everything else one look-up a field."""
        in_arrays = False
        for field in self.fields:
            found = field.find(event)
            test, absent = field.condition.test, field.condition.absent
            if not found:
                if not absent:
                    return False
                continue
            passed = nested = False
            for value, within in found:
                passed = passed or test(value)
                nested = nested or within != _NOWHERE
            if nested:
                # An element that lacks the field may still satisfy `exists: false`: only the search can tell.
                if not passed and not absent:
                    return False
                in_arrays = True
            elif not passed:
                return False
        return not in_arrays or self._consistent(event)

    def _consistent(self, event: dict[str, Any]) -> bool:
        """Search for one choice of fields that agree on every array's element, in the order of the paths' names."""
        choices = [_Choice(field, event) for field in sorted(self.fields, key=lambda field: field.name)]
        todo: list[tuple[int, dict[Place, int]]] = [(0, {})]
        seen: set[tuple[int, frozenset[tuple[Place, int]]]] = set()
        while todo:
            step, chosen = todo.pop()
            if step == len(choices):
                return True
            state = (step, frozenset(chosen.items()))
            if state not in seen:
                seen.add(state)
                todo.extend((step + 1, extended) for extended in choices[step].extend(chosen))
        return False


class _Choice:
    """The ways in which one field can be satisfied."""

    def __init__(self, field: Field, event: dict[str, Any]) -> None:
        found = field.find(event)
        self._passing = dict.fromkeys(within for value, within in found if field.condition.test(value))
        self._all = dict.fromkeys(within for _, within in found)
        self._absent = field.condition.absent

    def extend(self, chosen: dict[Place, int]) -> list[dict[Place, int]]:
        """The elements chosen so far, together with those of each passing field that does not contradict them."""
        extended = [{**chosen, **dict(within)} for within in self._passing if _agree(chosen, within)]
        if self._absent and not any(_agree(chosen, within) for within in self._all):
            extended.append(chosen)
        return extended


class EventPattern:
    """A compiled pattern. Immutable; `matches` changes nothing and may be called at any time."""

    __slots__ = ("alternatives",)

    def __init__(self, alternatives: list[dict[str, Condition]]) -> None:
        self.alternatives = tuple(Alternative(conditions) for conditions in alternatives)

    def matches(self, event: object) -> bool:
        """Whether a decoded JSON event matches; what is not a JSON object never does."""
        if not isinstance(event, dict):
            return False
        return any(alternative.matches(event) for alternative in self.alternatives)


def _agree(chosen: dict[Place, int], within: Elements) -> bool:
    return all(chosen.get(array, index) == index for array, index in within)


def _steps_of(name: str) -> Steps:
    """For each position in the dotted name: the keys that may stand there, and the position behind each."""
    parts = name.split(".")
    count = len(parts)
    return tuple(tuple((".".join(parts[at:end]), end) for end in range(at + 1, count + 1)) for at in range(count))
