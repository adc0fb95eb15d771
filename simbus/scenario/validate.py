"""From plain data to the models, and from pydantic's errors to simbus's words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from simbus.scenario.schema import ScenarioFile, scenario_file
from simbus.scenario.schema.base import Model
from simbus.scenario.source import Path, Problem, Source, shown

_EXPECTED = {
    "string_type": ("a text", "Put it in quotes"),
    "int_type": ("a whole number", "Write a number without quotes"),
    "int_from_float": ("a whole number", "Round it"),
    "float_type": ("a number", "Write a number without quotes"),
    "finite_number": ("a finite number", "Write one"),
    "bool_type": ("true or false", "Write one of them, without quotes"),
    "list_type": ("a list", "Write [...], or lines that begin with -"),
}

_MEASURED = re.compile(r"([0-9]+) ?(?:s|MB|h)", re.ASCII)
_FEW = 5
_SHORTEST = 3  # fewer letters are the end of some word by chance
_OTHER_FORMATS = {
    "a CloudFormation template": ("AWSTemplateFormatVersion", "Transform", "Resources", "Globals", "Outputs"),
    "the Serverless Framework": ("service", "provider", "resources", "plugins", "custom"),
}


def validate(source: Source) -> ScenarioFile:
    """The scenario that the data of a source describes. Raises ScenarioError for its first mistake."""
    try:
        return scenario_file().model_validate(source.data)
    except ValidationError as error:
        found = error.errors(include_url=False)
        misspelt = {details["loc"][:-1] for details in found if details["type"] == "extra_forbidden"}
        # What is missing beside an unknown key is most likely that key.
        first = [each for each in found if each["type"] != "missing" or each["loc"][:-1] not in misspelt]
        raise source.error([_problem(details) for details in first]) from None


def _problem(details: ErrorDetails) -> Problem:
    path: Path = tuple(part for part in details["loc"] if part != "[key]")
    found, kind = details.get("input"), details["type"]
    if kind == "rule":
        return Problem(path, details["msg"])
    if kind == "missing":
        return Problem(path, f"is missing; {_container(path)} needs it. Add it.")
    if kind == "extra_forbidden":
        return Problem(path, _unknown(path))
    if kind in ("too_short", "too_long"):
        limits = details.get("ctx", {})
        rule = f"at least {limits['min_length']}" if kind == "too_short" else f"at most {limits['max_length']}"
        return Problem(path, f"is {shown(found)}; it has {rule}. Change the list.")
    if kind in ("dict_type", "model_type"):
        return Problem(path, f"is {shown(found)}; {_no_mapping(path, found)}")
    if kind == "int_type" and (measured := _MEASURED.fullmatch(str(found))) is not None:
        return Problem(path, f"is {found!r}; a whole number is expected. Write {measured[1]}, without a unit.")
    if kind == "literal_error":
        return Problem(path, f"is {shown(found)}; {details['ctx']['expected']} is expected. Write one of these.")
    expected, remedy = _EXPECTED.get(kind, (details["msg"][:1].lower() + details["msg"][1:], "Correct it"))
    return Problem(path, f"is {shown(found)}; {expected} is expected. {remedy}.")


def _container(path: Path) -> str:
    return str(path[-2]) if len(path) > 1 and isinstance(path[-2], str) else "an item of this list"


def _no_mapping(path: Path, found: Any) -> str:
    """The rule and the remedy where a mapping is expected."""
    if isinstance(found, list) and len(path) > 1 and path[-1] in scenario_file().model_fields:
        return f"{path[-1]} is a key of the whole file. Move it to the left margin."
    model = model_at(path)
    keys = [] if model is None else model.known_keys()
    pairs = f"{{{', '.join(f'{key}: ...' for key in keys)}}}" if 0 < len(keys) <= _FEW else "key: value pairs, or {}"
    return f"a mapping is expected. Write {pairs}."


def _unknown(path: Path) -> str:
    """The message for a key that the model does not have: what it could have been."""
    if len(path) == 1:
        for other, theirs in _OTHER_FORMATS.items():
            if path[0] in theirs:
                return (
                    f"belongs to {other}; a scenario has its own format, with AWS's parameter names in snake_case. "
                    "Write functions:, queues: and so on (simbus schema shows it)."
                )
    model, key = model_at(path[:-1]), str(path[-1])
    keys = model.known_keys() if model is not None else []
    twin = model.synonyms().get(key) if model is not None else None
    if key in keys:
        others = [other for other in keys if other != key and twin in (other, None) and _same(model, other, key)]
        return f"means the same as {' or '.join(others)}, which is given too. Keep one of them."
    near = closest(key, keys)
    if near is not None:
        return f"is no key of a scenario here; did you mean {near}?"
    return f"is no key of a scenario here; known are {', '.join(sorted(keys))}. Remove it."


def closest(key: str, known: Iterable[str]) -> str | None:
    """The known key that was meant: in AWS's own writing (`BatchSize`), misspelt, or shortened (`body`)."""
    plain = {name.replace("_", ""): name for name in known}
    written = key.replace("_", "").lower()
    found = get_close_matches(written, plain, 1) or [
        name for name in plain if len(written) >= _SHORTEST and name.endswith(written)
    ]
    return plain[found[0]] if found else None


def _same(model: type[Model] | None, one: str, other: str) -> bool:
    synonyms = {} if model is None else model.synonyms()
    return synonyms.get(one, one) == synonyms.get(other, other)


def model_at(path: Path) -> type[Model] | None:
    """The model of the mapping at a path; None where names are free (`functions`) or anything may stand."""
    annotation: Any = scenario_file()
    for part in path:
        model = _model_in(annotation)
        if model is not None:
            field = _field(model, part)
            if field is None:
                return None
            annotation = field
        else:
            annotation = _member(annotation)
    return _model_in(annotation)


def _field(model: type[Model], key: str | int) -> Any:
    """The annotation of a key of a model."""
    name = model.synonyms().get(str(key), key)
    for attribute, field in model.model_fields.items():
        alias = field.validation_alias
        if name in (attribute if alias is None else alias, *getattr(alias, "choices", ())):
            return field.annotation
    return None


def _model_in(annotation: Any) -> type[Model] | None:
    """The model that an annotation is, or holds besides None."""
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return annotation
    if hasattr(annotation, "__metadata__"):
        return _model_in(annotation.__origin__)
    if getattr(annotation, "__origin__", None) in (dict, list):
        return None
    return next((found for found in map(_model_in, get_args(annotation)) if found is not None), None)


def _member(annotation: Any) -> Any:
    """What the values of a dict or the items of a list are."""
    if hasattr(annotation, "__metadata__"):
        return _member(annotation.__origin__)
    if getattr(annotation, "__origin__", None) in (dict, list):
        return get_args(annotation)[-1]
    return next((found for found in map(_member, get_args(annotation)) if found is not None), None)
