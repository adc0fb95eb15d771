"""What may stand between an environment and its handler: errors at random, and faults. Without them nothing does."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Protocol

from simbus.functions.errors import modelled_error
from simbus.model import Invocation, Outcome

if TYPE_CHECKING:
    from simbus.functions.environment import Environment


class Answered(Protocol):
    """Takes the outcome of a handler, and by how much longer (nanoseconds) the attempt takes than it would."""

    def __call__(self, outcome: Outcome, slower: int = 0, /) -> None: ...


# Makes one attempt in an environment: calls its handler, or not; then `answered`, now or later.
Attempt = Callable[["Environment", Invocation, Answered], None]
AttemptLayer = Callable[[Attempt], Attempt]


def plainly(environment: Environment, invocation: Invocation, answered: Answered) -> None:
    """The handler is called, and that is all."""
    environment.call(invocation, answered)


def failing_at(rate: float, rng: Random) -> Attempt:
    """A share of the attempts fails instead of running the handler (`simulate.error_rate`)."""

    def attempt(environment: Environment, invocation: Invocation, answered: Answered) -> None:
        if rng.random() < rate:
            answered(modelled_error(invocation.request_id, environment.version.config.runtime, "simulate.error_rate"))
        else:
            environment.call(invocation, answered)

    return attempt
