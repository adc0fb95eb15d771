"""What a target gets instead of the whole event: Input, InputPath or InputTransformer.

Sources: user guide, "Transforming Amazon EventBridge target input"; recordings TestInputPath::*,
TestInputTransformer::*.

A placeholder outside of quotes becomes a JSON value, one inside of quotes its text; nothing is escaped. In a template
that is one text, objects and lists lose their quotes; in a JSON template they keep them, so that an object inside of
quotes is no JSON any more: the event can't be delivered (INVALID_JSON). A path that leads nowhere gives an empty text.
JSON templates are delivered without white space. AWS does not say what an InputPath that leads nowhere gives; here it
is `null`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from simbus.errors import UsageError
from simbus.sources.eventbridge.errors import constraint, validation

MISSING: Final = object()
MAX_VARIABLES: Final = 100
PREDEFINED: Final = (
    "aws.events.rule-arn",
    "aws.events.rule-name",
    "aws.events.event",
    "aws.events.event.json",
    "aws.events.event.ingestion-time",
)
_VARIABLE: Final = re.compile(r"[A-Za-z0-9_\-]{1,256}", re.ASCII).fullmatch
_PLACEHOLDER: Final = re.compile(r"<([A-Za-z0-9_.\-]+)>")
_STEP: Final = re.compile(r"\.([^.\[\]*\s]+)|\[(\d+)\]|\[(\*)\]|\['([^']+)'\]|\.(\*)")


class Matched(NamedTuple):
    """An event that matched a rule: its text, the same decoded, and when EventBridge received it."""

    text: str
    event: dict[str, Any]
    ingestion_time: str
    rule_arn: str
    rule_name: str


Shaper = Callable[[Matched], str]


class InvalidResult(Exception):
    """A template became something that is no JSON; the event can't be delivered."""


class JsonPath:
    """A path in JSONPath's dot notation: `$.detail.items[0].id`, `[*]` for all elements."""

    def __init__(self, text: str) -> None:
        self._steps = list(_steps(text))

    def find(self, event: Any) -> Any:
        """What the path leads to, MISSING for nothing; with `[*]` a list of all."""
        found, many = [event], False
        for step in self._steps:
            if step is None:
                many = True
                found = [item for value in found for item in _members(value)]
            else:
                found = [item for value in found if (item := _member(value, step)) is not MISSING]
        if many:
            return found
        return found[0] if found else MISSING


def _steps(text: str) -> Iterator[str | int | None]:
    position = 1
    while text[:1] == "$" and position < len(text):
        step = _STEP.match(text, position)
        if step is None:
            break
        name, index, every, bracketed, every_member = step.groups()
        yield int(index) if index is not None else None if every or every_member else name or bracketed
        position = step.end()
    if position != len(text):
        raise UsageError(
            f"{text!r} is no path that simbus reads; write $ with names and indices, as in $.detail.items[0].id."
        )


def _members(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def _member(value: Any, step: str | int) -> Any:
    if isinstance(step, int):
        return value[step] if isinstance(value, list) and step < len(value) else MISSING
    return value.get(step, MISSING) if isinstance(value, dict) else MISSING


def constant(text: str) -> Shaper:
    """Input: always this JSON."""
    return lambda matched: text


def part(path: JsonPath) -> Shaper:
    """InputPath: one part of the event as JSON."""

    def shape(matched: Matched) -> str:
        found = path.find(matched.event)
        return "null" if found is MISSING else _json(found)

    return shape


def check_variables(paths: Mapping[str, str], field: str) -> None:
    """InputPathsMap: at most 100 variables; only letters, digits, hyphens and underscores are in a name, so that none
    can hide a predefined one ("the keys cannot start with AWS."). Raises AwsError ValidationException.
    """
    if len(paths) > MAX_VARIABLES:
        raise constraint(dict(paths), field, f"have length less than or equal to {MAX_VARIABLES}")
    if not all(map(_VARIABLE, paths)):
        shown = ", ".join(f"{name}={path}" for name, path in paths.items())
        raise validation(
            f"1 validation error detected: Value '{{{shown}}}' at '{field}' failed to satisfy constraint: Map keys "
            "must satisfy constraint: [Member must have length less than or equal to 256, Member must have length "
            r"greater than or equal to 1, Member must satisfy regular expression pattern: [A-Za-z0-9\_\-]+]"
        )


def check_template(target_id: str, template: str, names: Mapping[str, str]) -> None:
    """Every placeholder is defined, and the template is JSON. Raises AwsError ValidationException."""
    for name in _PLACEHOLDER.findall(template):
        if name not in names and name not in PREDEFINED:
            raise validation(f"InputTemplate for target {target_id} contains invalid placeholder {name}.")
    filled = "".join(text if name is None else "" if inside else '""' for text, name, inside in _parts(template))
    if template.strip().startswith('"'):
        return
    try:
        msgspec.json.decode(filled)
    except msgspec.DecodeError:
        source = f'[Source: (String)"{template}"; line: 1, column: 1]'
        raise validation(f"Invalid InputTemplate for target {target_id} : {source}.") from None


def transformer(template: str, paths: Mapping[str, str]) -> Shaper:
    """InputTransformer: a template with variables, each the value at a path."""
    compiled = {name: JsonPath(path) for name, path in paths.items()}
    parts = list(_parts(template))
    is_text = template.strip().startswith('"')

    def shape(matched: Matched) -> str:
        values: dict[str, Any] = {}
        pieces = []
        for text, name, inside in parts:
            if name is None:
                pieces.append(text)
                continue
            if name not in values:
                values[name] = _predefined(name, matched) if name in PREDEFINED else compiled[name].find(matched.event)
            pieces.append(_inside(values[name], is_text) if inside else _outside(values[name]))
        result = "".join(pieces)
        return result if is_text else _minified(result)

    return shape


def _parts(template: str) -> Iterator[tuple[str, str | None, bool]]:
    """Literal texts, and placeholders with whether they stand inside of quotes."""
    position, inside = 0, False
    for found in _PLACEHOLDER.finditer(template):
        literal = template[position : found.start()]
        inside = _toggled(literal, inside)
        if literal:
            yield literal, None, False
        yield "", found[1], inside
        position = found.end()
    if template[position:]:
        yield template[position:], None, False


def _toggled(text: str, inside: bool) -> bool:
    """Whether a quote is open behind the text; an escaped one opens and closes nothing."""
    plain = re.sub(r"\\.", "", text, flags=re.DOTALL)
    return inside != (plain.count('"') % 2 == 1)


def _predefined(name: str, matched: Matched) -> Any:
    if name == "aws.events.rule-arn":
        return matched.rule_arn
    if name == "aws.events.rule-name":
        return matched.rule_name
    if name == "aws.events.event.ingestion-time":
        return matched.ingestion_time
    if name == "aws.events.event.json":
        return matched.event
    return {("detailType" if key == "detail-type" else key): v for key, v in matched.event.items() if key != "detail"}


def _outside(value: Any) -> str:
    return '""' if value is MISSING else _json(value)


def _inside(value: Any, in_text: bool) -> str:
    if value is MISSING:
        return ""
    if isinstance(value, str):
        return value
    return _json(value).replace('"', "") if in_text else _json(value)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def is_json(text: str) -> bool:
    """Whether a text is a JSON value."""
    try:
        msgspec.json.decode(text)
    except msgspec.DecodeError:
        return False
    return True


def _minified(text: str) -> str:
    try:
        return _json(msgspec.json.decode(text))
    except msgspec.DecodeError as error:
        raise InvalidResult(str(error)) from error
