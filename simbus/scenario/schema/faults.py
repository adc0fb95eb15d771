"""`faults`: what goes wrong on purpose, and when."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, create_model, model_validator

from simbus.errors import UsageError
from simbus.faults.rules import EFFECTS, Effect, check_effects, check_timing, check_value, words
from simbus.scenario.schema.base import Check, Duration, Model, between, name_of, refuse
from simbus.services import SERVICES

_DURATIONS = {"anyOf": [{"type": "string"}, {"type": "object"}], "examples": ["5s", {"exponential": "5s"}]}
_SCHEMAS: dict[str, dict[str, Any]] = {
    "rate": {"type": "number", "minimum": 0, "maximum": 1},
    "flag": {"const": True},
    "count": {"type": "integer", "minimum": 1},
    "duration": _DURATIONS,
}


Durations = Annotated[Any, Check(lambda value: value, _DURATIONS)]


class Fault(Model):
    """One fault: what it is about, one or more things that go wrong with it, and when.

    The keys of resources and effects come from `simbus.services` and `simbus.faults.rules`.
    """

    at: Duration | None = Field(default=None, description="When it begins, or may begin; 0s if left out.")
    for_: Durations = Field(
        default=None, validation_alias="for", description="How long it lasts; to the end of the run if left out."
    )
    every: Durations = Field(
        default=None, description="The time from the end of one occurrence to the next: 10m, {exponential: 10m} ..."
    )
    count: Annotated[int, between(1, 1_000_000, "a count is 1 to 1000000", "Choose such a number")] | None = Field(
        default=None, description="How often it occurs, with `every` or `over`."
    )
    over: Duration | None = Field(default=None, description="The time over which `count` occurrences are spread.")
    delay: Durations = Field(
        default=None,
        description="How much later a duplicate or an overtaken message comes; {uniform: [0s, 1s]} if left out.",
    )

    @model_validator(mode="after")
    def _fits(self) -> Fault:
        given = self.settings()
        resources = {word: given[word] for word in words() if word in given}
        try:
            check_effects(resources, [name for name in EFFECTS if name in given], delay="delay" in given)
            check_timing(given)
        except UsageError as error:
            raise refuse(str(error)) from None
        return self

    def settings(self) -> dict[str, Any]:
        """What is given, by its key."""
        found = {name.rstrip("_"): getattr(self, name) for name in type(self).model_fields}
        return {name: value for name, value in found.items() if value is not None}


def fault_model() -> type[Fault]:
    """The model of a fault, with a key for each service and each effect."""
    fields: dict[str, Any] = {
        service.word: (Annotated[str, name_of(service.name)] | None, None) for service in SERVICES.values()
    }
    for name, effect in EFFECTS.items():
        fields[name] = (Annotated[Any, _value(name, effect)], Field(default=None, description=effect.about))
    return create_model("Fault", __base__=Fault, __doc__=Fault.__doc__, **fields)


def _value(name: str, effect: Effect) -> Check:
    """The check of an effect's value; a duration is read where the file's folder is known."""

    def check(value: Any) -> Any:
        try:
            if effect.kind != "duration":
                check_value(name, value)
        except UsageError as error:
            raise refuse(str(error)) from None
        return value

    return Check(check, _SCHEMAS[effect.kind])
