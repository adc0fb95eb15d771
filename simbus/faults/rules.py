"""The words of a fault: which there are, of which resources, and what each takes. No fault is done here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from simbus.errors import UsageError
from simbus.kernel.distributions import Distribution
from simbus.services import SERVICES

Kind = Literal["rate", "duration", "flag", "count"]

_LAMBDA = ("lambda",)


class Effect(NamedTuple):
    """One thing that can go wrong. `services` (AWS's names): whose it is; none: the account's.

    `kind` says what its value is: a share of 0 to 1, a duration or a distribution of durations, true, or a whole
    number. `standard`: SQS and SNS do it to standard queues and topics only. `late`: `delay` says how much later.
    `instant`: it does something as it begins, even if it lasts no time.
    """

    kind: Kind
    services: tuple[str, ...]
    about: str
    standard: bool = False
    late: tuple[str, ...] = ()
    instant: bool = False


EFFECTS: dict[str, Effect] = {
    "error_rate": Effect("rate", _LAMBDA, "Share of the attempts that fail instead of running the handler."),
    "timeout_rate": Effect("rate", _LAMBDA, "Share of the attempts that run the handler, then hang until the timeout."),
    "crash_rate": Effect(
        "rate", _LAMBDA, "Share of the attempts whose process exits when the handler has returned: what it did stands."
    ),
    "latency": Effect("duration", _LAMBDA, "How much longer each attempt takes: a duration or a distribution."),
    "throttle_rate": Effect("rate", _LAMBDA, "Share of the invocations that Lambda refuses with 429."),
    "cold_starts": Effect(
        "flag",
        _LAMBDA,
        "Every idle environment is reclaimed when it begins, every other one after its invocation.",
        instant=True,
    ),
    "destination_failure_rate": Effect(
        "rate",
        _LAMBDA,
        "Share of the records and dead letters that do not reach their destination.",
    ),
    "outage": Effect("flag", tuple(SERVICES), "The resource answers every call and delivery with 503."),
    "duplicate_rate": Effect(
        "rate",
        ("lambda", "s3", "sqs", "sns", "events", "kinesis", "dynamodb"),
        "Share of the deliveries that happen twice, as at-least-once delivery may: asynchronous events of a function, "
        "messages of a standard queue or topic, events of a bucket or bus; batches of a stream are read again.",
        standard=True,
        late=("lambda", "s3", "sqs", "sns", "events"),
    ),
    "reorder_rate": Effect(
        "rate",
        ("s3", "sqs", "sns", "events"),
        "Share of the messages of a standard queue or topic, or events of a bucket or bus, that later ones overtake.",
        standard=True,
        late=("s3", "sqs", "sns", "events"),
    ),
    "neighbour_concurrency": Effect(
        "count", (), "Concurrent executions that others take from the account's unreserved concurrency."
    ),
}
"""Every fault by its key, in the order in which several of one item begin."""

TIMINGS = (
    "`at` and `for` (left out: from the beginning, to the end of the run), `every` with `for` (and `at`, `count`), or "
    "`count` with `over` and `for` (and `at`)"
)


def words() -> tuple[str, ...]:
    """The keys that name what a fault is about: `function`, `queue` ..."""
    return tuple(service.word for service in SERVICES.values())


def check_effects(resources: Mapping[str, str], effects: Sequence[str], *, delay: bool) -> None:
    """Raise UsageError ("has ...") where effects do not fit what they are about.

    `resources` are the given ones by their key (`queue`), as short names (`sqs:jobs`); `delay`: one is given.
    """
    if not effects:
        raise UsageError(f"has no fault; a fault is one or more of {', '.join(EFFECTS)}. Add one.")
    if len(resources) > 1:
        raise UsageError(f"is about {' and '.join(resources)}; a fault is about one resource. Write one item for each.")
    word, name = next(iter(resources.items()), (None, ""))
    service = name.partition(":")[0]
    for effect in effects:
        _check(effect, EFFECTS[effect], word, service, name)
    if delay and not any(service in EFFECTS[effect].late for effect in effects):
        raise UsageError(
            "has delay, which says how much later a duplicate or an overtaken message comes; nothing here does. "
            "Remove it."
        )


def _check(name: str, effect: Effect, word: str | None, service: str, resource: str) -> None:
    if word is None and effect.services:
        named = ", ".join(SERVICES[each].word for each in effect.services)
        raise UsageError(f"has {name} but not of what; it is the fault of one of {named}. Name one.")
    if word is not None and service not in effect.services:
        named = ", ".join(SERVICES[each].word for each in effect.services) or "the account, which has no key"
        raise UsageError(f"has {name} of a {word}; it is a fault of {named}. Put it into an item of its own.")
    if effect.standard and service in ("sqs", "sns") and resource.endswith(".fifo"):
        what = "delivers each message once" if name == "duplicate_rate" else "keeps the order of each group"
        raise UsageError(f"has {name} of {resource}; a FIFO {word} {what}. Name a standard {word}.")


def check_timing(given: Mapping[str, Any]) -> None:
    """Raise UsageError ("has ...") where at, for, every, count and over are no timing. None: not given."""
    names = tuple(name for name in ("for", "every", "count", "over") if given.get(name) is not None)
    if names not in ((), ("for",), ("for", "every"), ("for", "every", "count"), ("for", "count", "over")):
        found = ", ".join(name for name in ("at", *names) if given.get(name) is not None)
        raise UsageError(f"has {found}; a fault occurs by {TIMINGS}. Choose one of these forms.")


def check_lasts(effects: Iterable[str], length: Distribution) -> None:
    """Raise UsageError ("is ...") for a fault that lasts no time, and so does nothing."""
    if length.mean() <= 0 and not any(EFFECTS[effect].instant for effect in effects):
        raise UsageError("is 0s; a fault lasts some time. Make it longer, or leave it out: to the end of the run.")


def check_value(name: str, value: Any) -> None:
    """Raise UsageError ("is ...") where a value is not what the effect takes. Durations are read elsewhere."""
    kind = EFFECTS[name].kind
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "rate" and not (number and 0 <= value <= 1):
        raise UsageError(f"is {value!r}; a share is 0 to 1. Write 0.01 for one per cent.")
    if kind == "flag" and value is not True:
        raise UsageError(f"is {value!r}; it is there or it is not. Write true, or leave it out.")
    if kind == "count" and not (isinstance(value, int) and number and 1 <= value <= 1_000_000):
        raise UsageError(f"is {value!r}; concurrent executions are counted from 1. Write such a number.")
