"""What leads where in a simulation: an expectation of a source and a function is about a connection between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from simbus.arn import short_name
from simbus.errors import UsageError
from simbus.expectations.rows import Rows, Subject
from simbus.services import SERVICES

if TYPE_CHECKING:
    from simbus.resources import Resources

Connection = tuple[str, str]


def connections(simulation: Resources) -> list[Connection]:
    """Each source with what gets its events, by their short names (`sqs:jobs`, `lambda:work`), each pair once.

    A function is connected with itself: `source: lambda:work` are the calls of Invoke.
    """
    return list(dict.fromkeys((source, _short(target)) for source, target in _all(simulation)))


def _all(simulation: Resources) -> Iterator[Connection]:
    for mapping in simulation.event_source_mappings:
        yield _short(mapping.source_arn), mapping.target.arn
    for service in SERVICES:
        for resource in simulation.resources(service):
            if service == "lambda":
                yield resource.name, resource.name
            for target in getattr(resource, "target_arns", ()):
                yield resource.name, target
            for subscription in simulation.bus.subscriptions(resource.name):
                if subscription.name != resource.name:  # a bus subscribes to itself, for its rules
                    yield resource.name, subscription.name


def _short(reference: str) -> str:
    """`lambda:work` of an ARN or a name, without a qualifier; what is neither (an address of SNS) stays as it is."""
    try:
        service, name, _ = short_name(reference)
    except UsageError:
        return reference
    return f"{service}:{name}"


def unconnected(subject: Subject, known: Iterable[Connection]) -> str | None:
    """What is wrong with an expectation of a source and a function that have nothing to do with each other."""
    source, function = subject
    if source is None or function is None:
        return None
    pairs = list(known)
    if (source, f"lambda:{function}") in pairs:
        return None
    functions = [to.partition(":")[2] for each, to in pairs if each == source and to.startswith("lambda:")]
    sources = [each for each, to in pairs if to == f"lambda:{function}" and each != to]
    return (
        f"is about {source} and function {function}, which are not connected; {function} gets events of "
        f"{', '.join(sources) or 'no source'}, and {source} leads to {', '.join(functions) or 'no function'}. "
        "Name a connected pair, or one of the two."
    )


def had_connection(run: Rows, subject: Subject) -> bool:
    """Whether anything of the source reached the function, or was filtered out on the way (it may have ended since)."""
    reached = """
        SELECT EXISTS (
            SELECT 1 FROM (SELECT event_id, subscription FROM deliveries UNION ALL
                SELECT event_id, place FROM hops WHERE kind = 'filtered') d JOIN events e ON e.id = d.event_id
            WHERE e.source = :source
                AND (d.subscription = 'lambda:' || :function OR d.subscription GLOB 'lambda:' || :function || ':*'))
    """
    [row] = run.query(reached, {"source": subject.source, "function": subject.function})
    return bool(row[0])
