"""One expectation: the words in which a scenario file and a test in Python say the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

from simbus.arn import short_name
from simbus.errors import UsageError
from simbus.expectations.comparison import Comparison, parse_comparison
from simbus.expectations.figures import FIGURES, Figure
from simbus.expectations.rows import Subject
from simbus.services import SERVICES

SOURCES: Final = {"queue": "sqs", "stream": "kinesis", "table": "dynamodb", "topic": "sns", "bucket": "s3"}
"""The keys that name a source of one service; `source` names any."""

SUBJECTS: Final = (*SOURCES, "source", "function")
STREAMS: Final = ("kinesis", "dynamodb")
Function = Callable[..., Any]


class Expectation(NamedTuple):
    """What is expected of a subject: one comparison for each figure, at the end or `always`.

    Or `check`, a function of the user over the run file, and what it shall return (`result` None: that it agrees).
    `name` is what results call the check.
    """

    subject: Subject = Subject()
    figures: tuple[tuple[str, Comparison], ...] = ()
    always: bool = False
    check: Function | None = None
    name: str = ""
    result: Comparison | None = None


def mistake(given: Mapping[str, Any]) -> str | None:
    """What is wrong with the keys of an expectation that have a value ("has ...; ..."), None where all is well."""
    sources = [key for key in (*SOURCES, "source") if key in given]
    figures = [key for key in given if key in FIGURES]
    if "check" in given or "result" in given:
        others = [key for key in given if key not in ("check", "result")]
        if "check" not in given:
            return "has result, which is what a check returns. Name the function under check."
        return (
            f"has check and {others[0]}; a check stands alone. Put {others[0]} into an item of its own."
            if others
            else None
        )
    if len(sources) > 1:
        return f"has {' and '.join(sources)}; an expectation is about one source. Write one item for each."
    if not figures and not sources and "function" not in given:
        subjects = ("lost", *SOURCES, "function", "source", "check")
        return f"has no subject; an expectation is about one of {', '.join(subjects)}. Add one."
    if not figures:
        fitting = [name for name in FIGURES if _misfit(name, given) is None]
        what = sources[0] if sources else "function"
        return f"expects nothing of the {what}; name at least one of {', '.join(fitting)}. Add one."
    return next((text for name in figures if (text := _misfit(name, given) or _moment(name, given)) is not None), None)


def _misfit(name: str, given: Mapping[str, Any]) -> str | None:
    """Why a figure can't be of the subject."""
    figure = FIGURES[name]
    source = next((key for key in (*SOURCES, "source") if key in given), None)
    if figure.of == "queue" and (source is None or _service(source, given) != "sqs" or "function" in given):
        return f"has {name}, which is a figure of a queue alone. Put it into an item with queue, and without function."
    if figure.of == "attempts" and source is not None:
        return f"has {name}, which is no figure of {source}. Put it into an item of its own, with function or alone."
    if figure.of == "calls" and source is not None and "function" in given:
        return f"has {name}, which is of what a call is sent to. Name the {source} or the function, not both."
    if figure.of == "records" and source is not None and _service(source, given) not in STREAMS:
        return f"has {name}, which is of the run, a stream, a table or a function. Put it into an item of its own."
    return None


def _service(key: str, given: Mapping[str, Any]) -> str:
    return SOURCES.get(key) or str(given[key]).partition(":")[0]


def _moment(name: str, given: Mapping[str, Any]) -> str | None:
    """Why a figure can't be asked for at the end, or all along."""
    figure: Figure = FIGURES[name]
    if given.get("always") and figure.series is None:
        return f"has {name} with always; it is a figure of the whole run. Leave always out."
    if not given.get("always") and figure.at_end is None:
        return f"has {name}, which is nothing at the end of a run. Add always: true."
    return None


_WRITTEN: Final = re.compile(
    r"(?:(?P<source>[\w-]+:\S+)\s+)?(?:->\s*(?P<function>lambda:\S+)\s+)?(?P<figure>\w+)(?P<always>\s+always)?\s*"
    r"(?P<comparison>(?:==|!=|>=|<=|<|>).*)",
    re.DOTALL,
)


def parse(text: str) -> dict[str, Any]:
    """The item that a line says as results are shown: `p99_age < 2s`, `sqs:jobs -> lambda:work max_age <= 1m`.

    A source, a function or both, the figure, `always` or not, and the comparison with its sign. The keys are those of
    `expect:` in a scenario. Raises UsageError for another form.
    """
    match = _WRITTEN.fullmatch(text.strip())
    if match is None:
        raise UsageError(
            f"is {text!r}; an expectation is written as it is shown in a summary: whose, which figure, a comparison. "
            'Write for example "p99_age < 2s", "lambda:charge throttles == 0" or "sqs:jobs messages always <= 100".'
        )
    found: dict[str, Any] = {match["figure"]: match["comparison"].strip()}
    whose, function = match["source"], match["function"]
    if whose is not None and whose.startswith("lambda:") and function is None:
        whose, function = None, whose
    if whose is not None:
        service, _, name = whose.partition(":")
        key = next((key for key, of in SOURCES.items() if of == service), "source")
        found[key] = whose if key == "source" else name
    if function is not None:
        found["function"] = function.partition(":")[2]
    if match["always"]:
        found["always"] = True
    return found


def read(given: Mapping[str, Any]) -> Expectation:
    """An expectation from the keywords of a call in Python, as a scenario file has them; resources may be objects.

    Raises UsageError for what a scenario file would be refused for.
    """
    given = {key: value for key, value in given.items() if value is not None and value is not False}
    for key in given:
        if key not in FIGURES and key not in (*SUBJECTS, "always", "check", "result"):
            close = get_close_matches(key, [*FIGURES, *SUBJECTS], 1)
            raise UsageError(
                f"expect: has {key}; it is no figure. {f'Did you mean {close[0]}?' if close else 'Remove it.'}"
            )
    names = {key: _name(key, given[key]) for key in SUBJECTS if key in given}
    problem = mistake({**given, **names})
    if problem is not None:
        raise UsageError(f"expect: {problem}")
    return expectation(given, names)


def expectation(given: Mapping[str, Any], names: Mapping[str, str]) -> Expectation:
    """The expectation of checked keys; `names` are the short names of its resources (`sqs:failed`, `lambda:f`)."""
    check = given.get("check")
    return Expectation(
        subject(names),
        tuple((name, _comparison(name, given[name])) for name in FIGURES if given.get(name) is not None),
        bool(given.get("always")),
        check if callable(check) else None,
        getattr(check, "__name__", "function") if callable(check) else str(check or ""),
        None if given.get("result") is None else _comparison("result", given["result"]),
    )


def subject(names: Mapping[str, str]) -> Subject:
    """What an expectation is about, from the short names of its resources."""
    source = next((names[key] for key in (*SOURCES, "source") if key in names), None)
    return Subject(source, names["function"].partition(":")[2] if "function" in names else None)


def _comparison(name: str, value: Any) -> Comparison:
    if isinstance(value, Comparison):
        return value
    try:
        return parse_comparison(value, FIGURES[name].kind if name in FIGURES else "share")
    except UsageError as error:
        raise UsageError(f"expect: {name} {error}") from None


def _name(key: str, value: Any) -> str:
    """`sqs:failed` of a resource object, a name, `sqs:failed` or an ARN."""
    written = str(getattr(value, "name", value))
    wanted = "lambda" if key == "function" else SOURCES.get(key)
    if wanted is not None and written.partition(":")[0] not in (*SERVICES, "arn"):
        written = f"{wanted}:{written}"
    service, name, qualifier = short_name(written)
    if (wanted is not None and service != wanted) or qualifier is not None:
        raise UsageError(f"expect: {key} is {written}; {no_qualifier(key, qualifier)}")
    return f"{service}:{name}"


def no_qualifier(key: str, qualifier: str | None) -> str:
    """The rule and the remedy where something else is named than the key is for."""
    if qualifier is not None:
        return f"figures are of a whole function. Leave :{qualifier} out."
    return f"{key} names {SERVICES['lambda' if key == 'function' else SOURCES[key]].words}. Name one, or use source."
