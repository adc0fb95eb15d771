"""The rule about functions that invoke themselves, through whatever they write to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final, NamedTuple

from simbus.arn import short_name
from simbus.errors import UsageError
from simbus.lint.rule import Finding
from simbus.lint.view import View
from simbus.scenario.source import Path

UNSEEN: Final = ("dynamodb", "kinesis", "events")  # recursive loop detection knows SQS, SNS, S3 and Lambda
_SECTIONS: Final = {
    "buckets": "s3",
    "queues": "sqs",
    "topics": "sns",
    "streams": "kinesis",
    "tables": "dynamodb",
    "event_buses": "events",
    "functions": "lambda",
}


class Write(NamedTuple):
    """A function sends something somewhere, as its settings say; `guessed`: as a variable of its environment hints."""

    path: Path
    function: str
    target: str
    guessed: bool


def recursive(view: View) -> Iterator[Finding]:
    """Each loop is found once, where its first function writes."""
    leads = _leads(view)
    seen: set[frozenset[str]] = set()
    for write in _writes(view):
        way = _way(leads, write.target, write.function)
        if way is None or frozenset(way) in seen:
            continue
        seen.add(frozenset(way))
        unseen = sorted({name.partition(":")[0] for name in way} & set(UNSEEN))
        endless = f" Lambda's loop detection does not see {' and '.join(unseen)}: it never stops." if unseen else ""
        verb = "is" if write.guessed else "goes to"
        yield Finding(
            write.path,
            f"{verb} {write.target}, which invokes {write.function.partition(':')[2]} again: "
            f"{' -> '.join([write.function, *way])}.{endless}",
            "Write to a resource that does not lead back, or filter what the function wrote itself.",
            write,
        )


def _leads(view: View) -> dict[str, list[str]]:
    """What leads where: resources to functions and to each other, functions to what they write to."""
    found: dict[str, list[str]] = defaultdict(list)
    for mapping in view.mappings:
        found[mapping.name].append(f"lambda:{mapping.function}")
    for trigger in view.triggers:
        if ":" in trigger.source and not trigger.source.startswith("lambda:"):
            found[trigger.source].append(f"lambda:{trigger.function}")
    for name, bucket in view.spec.buckets.items():
        for _, kind, target, _ in bucket.every_notification():
            if kind != "function":
                found[f"s3:{name}"].append(_plain(target))
        if bucket.sends_to_event_bridge:
            found[f"s3:{name}"].append("events:default")
    for name, topic in view.spec.topics.items():
        found[f"sns:{name}"] += [_plain(each.endpoint) for each in topic.subscriptions]
    for name, bus in view.spec.event_buses.items():
        for rule in bus.rules.values():
            if rule.event_pattern is not None:
                found[f"events:{name}"] += [_plain(target.arn) for target in rule.targets]
    for write in _writes(view):
        found[write.function].append(write.target)
    return found


def _writes(view: View) -> Iterator[Write]:
    for name, function in view.spec.functions.items():
        path: Path = ("functions", name)
        if function.dead_letter_config is not None:
            target = function.dead_letter_config.target_arn
            yield Write((*path, "dead_letter_config", "target_arn"), f"lambda:{name}", _plain(target), False)
    for config_path, name, config in view.invoke_configs():
        for key in ("on_success", "on_failure"):
            target_arn = config.destination(key)
            if target_arn is not None:
                yield Write((*config_path, key), f"lambda:{name}", _plain(target_arn), False)
    for mapping in view.mappings:
        if mapping.on_failure is not None:
            path = (*mapping.path, "on_failure")
            yield Write(path, f"lambda:{mapping.function}", _plain(mapping.on_failure), False)
    known = {
        name: f"{service}:{name}" for section, service in _SECTIONS.items() for name in getattr(view.spec, section)
    }
    for name, function in view.spec.functions.items():
        for variable, value in function.environment.items():
            target_name = _named(value, known)
            if target_name is not None and target_name != f"lambda:{name}":
                path = ("functions", name, "environment", variable)
                yield Write(path, f"lambda:{name}", target_name, True)


def _named(value: str, known: dict[str, str]) -> str | None:
    """The resource that a variable names: by its name, `service:name`, its ARN, or a queue's URL."""
    if value in known:
        return known[value]
    if value.startswith("https://sqs."):
        return known.get(value.rpartition("/")[2])
    found = _plain(value)
    return found if found in known.values() else None


def _plain(reference: str) -> str:
    """`sqs:failed` of a name or an ARN; what names no resource stays as it is."""
    try:
        service, name, _ = short_name(reference)
    except UsageError:
        return reference
    return f"{service}:{name}"


def _way(leads: dict[str, list[str]], start: str, goal: str) -> list[str] | None:
    """The shortest way from a resource to a function, both included."""
    ways, seen = [[start]], {start}
    for way in ways:
        if way[-1] == goal:
            return way
        for following in leads.get(way[-1], ()):
            if following not in seen:
                seen.add(following)
                ways.append([*way, following])
    return None
