"""`expect`: what must be true of the finished run. The figures are those of `simbus.expectations.figures`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import Field, create_model, model_validator

from simbus.arn import short_name
from simbus.errors import UsageError
from simbus.expectations import item
from simbus.expectations.checks import load_check
from simbus.expectations.comparison import Kind, parse_comparison
from simbus.expectations.figures import FIGURES
from simbus.expectations.rows import Subject
from simbus.scenario.schema.base import Check, Model, name_of, named, reference, refuse

_NUMBERS: Final = {"count": [{"type": "integer"}], "share": [{"type": "number"}], "usd": [{"type": "number"}]}


def _comparison(kind: Kind) -> Check:
    def check(value: Any) -> Any:
        try:
            return parse_comparison(value, kind)
        except UsageError as error:
            raise refuse(str(error)) from None

    return Check(check, {"anyOf": [*_NUMBERS.get(kind, []), {"type": "string"}]})


def _whole(key: str, check: Callable[[Any], Any]) -> Check:
    """A resource without a qualifier: figures know no versions and aliases."""

    def checked(value: Any) -> Any:
        value = check(value)
        if isinstance(value, str) and (qualifier := short_name(value)[2]) is not None:
            raise refuse(f"is {value!r}; {item.no_qualifier(key, qualifier)}")
        return value

    return Check(checked, {})


def _source(service: str) -> Any:
    return Annotated[str, name_of(service)] | None


class _Expectation(Model):
    """One line of `expect`: figures of a source, of a function, of both (a mapping, a subscription) or of the run."""

    queue: _source("sqs") = None  # type: ignore[valid-type]
    stream: _source("kinesis") = None  # type: ignore[valid-type]
    table: _source("dynamodb") = None  # type: ignore[valid-type]
    topic: _source("sns") = None  # type: ignore[valid-type]
    bucket: _source("s3") = None  # type: ignore[valid-type]
    source: Annotated[str, reference()] | None = Field(default=None, description="Any source of events: service:name.")
    function: Annotated[str, _whole("function", named("lambda")), name_of("lambda")] | None = None
    always: bool = Field(
        default=False,
        description="At every instant (messages, concurrency), or in every minute of virtual time; else at the end.",
    )
    check: str | None = Field(
        default=None,
        description="module.function beside the scenario; it gets a RunReader: query(sql) ...",
    )
    result: Annotated[Any, _comparison("share")] = Field(default=None, description="What the check shall return.")

    @model_validator(mode="after")
    def _figures_fit(self) -> _Expectation:
        text = item.mistake(self._given())
        if text is not None:
            raise refuse(text)
        return self

    def _given(self) -> dict[str, Any]:
        every = ((name, getattr(self, name)) for name in type(self).model_fields)
        return {name: value for name, value in every if value is not None and value is not False}

    def _names(self) -> dict[str, str]:
        given = self._given()
        return {key: ":".join(short_name(given[key])[:2]) for key in item.SUBJECTS if key in given}

    def subject(self) -> Subject:
        """What it is about."""
        return item.subject(self._names())

    def figures(self) -> list[str]:
        """The figures that this item compares."""
        return [name for name in FIGURES if name in self._given()]

    def expectation(self, folder: Path) -> item.Expectation:
        """The expectation; the module of a check lies in `folder`. Raises UsageError as `load_check` does."""
        made = item.expectation(self._given(), self._names())
        return made if self.check is None else made._replace(check=load_check(folder, self.check))


_figures: dict[str, Any] = {
    name: (Annotated[Any, _comparison(figure.kind)], Field(default=None, description=figure.words))
    for name, figure in FIGURES.items()
}
if TYPE_CHECKING:
    Expectation = _Expectation
else:
    Expectation = create_model("Expectation", __base__=_Expectation, __doc__=_Expectation.__doc__, **_figures)
