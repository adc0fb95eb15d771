"""What the models of a scenario are made of: strict models, ranges and forms with the rule in words, synonyms.

Every message goes on after a path: "is 1200; Lambda allows 1 to 900 seconds. Shorten it, or split the work."
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from simbus.arn import short_name
from simbus.errors import UsageError
from simbus.kernel.durations import parse_duration
from simbus.scenario.source import shown
from simbus.services import SERVICES

JsonSchema = dict[str, Any]


class Model(BaseModel):
    """A mapping of the scenario file. Unknown keys and other types than the declared ones are errors."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True, allow_inf_nan=False)

    @classmethod
    def synonyms(cls) -> dict[str, str]:
        """Every other way to write a key of this model, and AWS's own name of it."""
        found: dict[str, str] = {}
        for field in cls.model_fields.values():
            if isinstance(field.validation_alias, AliasChoices):
                first, *others = (str(choice) for choice in field.validation_alias.choices)
                found |= dict.fromkeys(others, first)
        return found

    @classmethod
    def known_keys(cls) -> list[str]:
        """Every key that this model knows, synonyms included."""
        own = [_first_alias(name, field) for name, field in cls.model_fields.items()]
        return own + list(cls.synonyms())

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        """Add the synonyms, and leave out what is not built yet."""
        made: JsonSchema = handler.resolve_ref_schema(handler(schema))
        properties, required = made.get("properties", {}), made.get("required", [])
        for key in [key for key, value in properties.items() if value.get("not") == {}]:
            del properties[key]
        for synonym, name in cls.synonyms().items():
            properties[synonym] = {**properties[name], "description": f"The same as {name}."}
            if name in required:
                required.remove(name)
                made.setdefault("allOf", []).append({"oneOf": [{"required": [name]}, {"required": [synonym]}]})
        if not required:
            made.pop("required", None)
        return made


def _first_alias(name: str, field: Any) -> str:
    alias = field.validation_alias
    return str(alias.choices[0]) if isinstance(alias, AliasChoices) else str(alias or name)


def same(*names: str, **more: Any) -> Any:
    """A field with synonyms: AWS's name first, then the short form, which means exactly the same."""
    return Field(validation_alias=AliasChoices(*names), **more)


def refuse(text: str) -> PydanticCustomError:
    """The error whose text goes on after the path."""
    return PydanticCustomError("rule", "{text}", {"text": text})


@dataclass(frozen=True, eq=False)
class Check:
    """Metadata of a type: `check` is called with the raw value before the type's own validation, returns it or raises.

    `schema` is added to the JSON Schema of the type.
    """

    check: Callable[[Any], Any]
    schema: JsonSchema

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        return {**handler(schema), **self.schema}


def between(low: float, high: float, rule: str, remedy: str) -> Check:
    """A number from `low` to `high`; `rule` says so in AWS's words, `remedy` what to do."""

    def check(value: Any) -> Any:
        if isinstance(value, int | float) and not isinstance(value, bool) and not low <= value <= high:
            raise refuse(f"is {shown(value)}; {rule}. {remedy}.")
        return value

    return Check(check, {"minimum": low, "maximum": high})


def matching(pattern: str, rule: str, remedy: str) -> Check:
    """A text that matches a pattern as a whole."""
    compiled = re.compile(pattern, re.ASCII)

    def check(value: Any) -> Any:
        if isinstance(value, str) and not compiled.fullmatch(value):
            raise refuse(f"is {shown(value)}; {rule}. {remedy}.")
        return value

    return Check(check, {"pattern": f"^(?:{pattern})$"})


def one_of(values: tuple[str, ...], rule: str) -> Check:
    """A text that is one of a few; the message lists them after the rule."""

    def check(value: Any) -> Any:
        if isinstance(value, str) and value not in values:
            raise refuse(f"is {shown(value)}; {rule} {', '.join(values)}. Choose one of these.")
        return value

    return Check(check, {"enum": list(values)})


@dataclass(frozen=True, eq=False)
class Unwrap:
    """Metadata of a type that AWS nests under `key` (`environment: {variables: {...}}`): both forms are accepted."""

    key: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._unwrap, handler(source))

    def _unwrap(self, value: Any) -> Any:
        if isinstance(value, dict) and list(value) == [self.key]:
            inner = value[self.key]
            return value if isinstance(inner, str) and self.key == "variables" else inner
        return value

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        inner = handler(schema)
        nested = {
            "type": "object",
            "properties": {self.key: inner},
            "required": [self.key],
            "additionalProperties": False,
        }
        return {"anyOf": [inner, nested]}


def _duration(value: Any) -> int:
    try:
        return parse_duration(value)
    except UsageError as error:
        raise refuse(str(error)) from None


def _reference(services: tuple[str, ...]) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            service, _, _ = short_name(value)
        except UsageError as error:
            raise refuse(f"is {value!r}, which names no resource;{str(error).partition(';')[2]}") from None
        if services and service not in services:
            wanted = " or ".join(f"{name}:name" for name in services)
            raise refuse(f"is {value!r}; only {wanted} can stand here. Name one of these.")
        return value

    return check


def reference(*services: str) -> Check:
    """A resource's name elsewhere: `sqs:failed` or a full ARN, of one of the services."""
    examples = [f"{service}:name" for service in services]
    return Check(_reference(services), {"description": "A resource: service:name, or its ARN.", "examples": examples})


def named(service: str) -> Callable[[Any], Any]:
    """Check a name where only one service can stand: `uploads`, `s3:uploads` or the ARN, all made `s3:uploads`."""
    what = SERVICES[service].words

    def check(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        full = value.split(":")[0] in (*SERVICES, "arn")
        try:
            found, name, qualifier = short_name(value if full else f"{service}:{value}")
        except UsageError:
            found = name = qualifier = ""
        if found != service:
            raise refuse(f"is {value!r}; {_a(what)} is named by its name, {service}:name or its ARN. Name {_a(what)}.")
        return f"{service}:{name}" + (f":{qualifier}" if qualifier else "")

    return check


def name_of(service: str) -> Check:
    """Such a name of a resource, which only one service can have."""
    what = _a(SERVICES[service].words).capitalize()
    return Check(named(service), {"description": f"{what}: its name, {service}:name or its ARN."})


def _a(what: str) -> str:
    return f"{'an' if what[0] in 'aeiou' else 'a'} {what}"


FunctionName = Annotated[str, name_of("lambda")]
Duration = Annotated[
    int,
    Check(_duration, {"type": "string", "examples": ["250ms", "5s", "10m", "6h"], "description": "A duration."}),
]
Share = Annotated[float, between(0, 1, "a share is 0 to 1", "Write 0.01 for one per cent")]


def not_built(what: str) -> Check:
    """A key of the contract that a later version builds: refused by its name. `what` begins the message."""

    def check(value: Any) -> Any:
        raise refuse(f"is given; {what} not built yet in this version of simbus. Remove it.")

    return Check(check, {"not": {}})
