"""`expect`: what must be true of the finished run."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from simbus.errors import UsageError
from simbus.scenario.comparison import Kind, parse_comparison
from simbus.scenario.schema.base import Check, FunctionName, Model, name_of, refuse

QUEUE_FIGURES = ("messages",)
FUNCTION_FIGURES = (
    "invocations",
    "error_rate",
    "throttles",
    "p50_duration",
    "p90_duration",
    "p95_duration",
    "p99_duration",
)


def _comparison(kind: Kind) -> Check:
    def check(value: Any) -> Any:
        try:
            return parse_comparison(value, kind)
        except UsageError as error:
            raise refuse(str(error)) from None

    number = {"count": [{"type": "integer"}], "share": [{"type": "number"}], "duration": []}[kind]
    return Check(check, {"anyOf": [*number, {"type": "string"}]})


Count = Annotated[Any, _comparison("count")]
Share = Annotated[Any, _comparison("share")]
Milliseconds = Annotated[Any, _comparison("duration")]


class Expectation(Model):
    """One line of `expect`: figures of the whole run (`lost`), of a queue or of a function."""

    lost: Count | None = Field(
        default=None, description="Change events lost: neither processed, kept nor dead-lettered."
    )
    queue: Annotated[str, name_of("sqs")] | None = None
    messages: Count | None = Field(default=None, description="Messages that are in the queue at the end.")
    function: FunctionName | None = None
    invocations: Count | None = Field(default=None, description="Attempts, as AWS's metric Invocations: no throttles.")
    error_rate: Share | None = Field(default=None, description="Share of the attempts that were not ok.")
    throttles: Count | None = Field(default=None, description="Attempts that were refused, as AWS's metric Throttles.")
    p50_duration: Milliseconds | None = None
    p90_duration: Milliseconds | None = None
    p95_duration: Milliseconds | None = None
    p99_duration: Milliseconds | None = None

    @model_validator(mode="after")
    def _figures_fit(self) -> Expectation:
        subjects = [name for name in ("lost", "queue", "function") if getattr(self, name) is not None]
        if len(subjects) != 1:
            found = " and ".join(subjects) or "no subject"
            raise refuse(
                f"has {found}; an expectation is about one of lost, queue and function. Write one item for each."
            )
        allowed = {"lost": (), "queue": QUEUE_FIGURES, "function": FUNCTION_FIGURES}[subjects[0]]
        given = [name for name in (*QUEUE_FIGURES, *FUNCTION_FIGURES) if getattr(self, name) is not None]
        wrong = [name for name in given if name not in allowed]
        if wrong:
            raise refuse(f"has {wrong[0]}, which is no figure of {subjects[0]}. Put it into an item of its own.")
        if allowed and not given:
            raise refuse(f"expects nothing of the {subjects[0]}; name at least one of {', '.join(allowed)}. Add one.")
        return self

    def figures(self) -> list[str]:
        """The figures that this item compares."""
        return [name for name in ("lost", *QUEUE_FIGURES, *FUNCTION_FIGURES) if getattr(self, name) is not None]
