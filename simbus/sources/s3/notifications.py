"""The notification configuration of a bucket: checked as S3 checks it, and kept as S3 gives it back.

Sources: S3 user guide, "Event notification types and destinations" and "Configuring event notifications using object
key name filtering"; recordings test_invalid_lambda_arn, test_invalid_sqs_arn, test_multiple_invalid_sqs_arns,
test_notifications_with_filter, test_filter_rules_empty_value; AWS's answers quoted in aws-cli issue 2387
(ambiguous) and minio issue 2472 (overlap).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final, NamedTuple
from urllib.parse import unquote_plus

from simbus.arn import short_name
from simbus.errors import AwsError, UsageError
from simbus.sources.s3.errors import argument, malformed
from simbus.world import World

_FAMILIES: Final = {
    "ObjectCreated": ("Put", "Post", "Copy", "CompleteMultipartUpload"),
    "ObjectRemoved": ("Delete", "DeleteMarkerCreated"),
    "ObjectRestore": ("Post", "Completed", "Delete"),
    "Replication": (
        "OperationFailedReplication",
        "OperationMissedThreshold",
        "OperationReplicatedAfterThreshold",
        "OperationNotTracked",
    ),
    "LifecycleExpiration": ("Delete", "DeleteMarkerCreated"),
    "ObjectTagging": ("Put", "Delete"),
    "ObjectAcl": ("Put",),
}
_SINGLE: Final = ("ReducedRedundancyLostObject", "LifecycleTransition", "IntelligentTiering")
_NO_WILDCARD: Final = ("ObjectAcl",)


class Kind(NamedTuple):
    """One of the three sorts of configuration."""

    group: str
    arn_key: str
    argument: str
    service: str


KINDS: Final = (
    Kind("LambdaFunctionConfigurations", "LambdaFunctionArn", "CloudFunction", "lambda"),
    Kind("QueueConfigurations", "QueueArn", "Queue", "sqs"),
    Kind("TopicConfigurations", "TopicArn", "Topic", "sns"),
)


def expand(event: str) -> tuple[str, ...]:
    """The event types that `s3:ObjectCreated:*` or a plain name stands for, as records have them (without `s3:`)."""
    family, _, rest = event.removeprefix("s3:").partition(":")
    members = _FAMILIES.get(family, ())
    if event.startswith("s3:"):
        if rest == "*" and members and family not in _NO_WILDCARD:
            return tuple(f"{family}:{member}" for member in members)
        if rest in members:
            return (f"{family}:{rest}",)
        if not rest and family in _SINGLE and ":" not in event[3:]:
            return (family,)
    raise argument("The event is not supported for notifications", "Event", event)


@dataclass(frozen=True)
class Configuration:
    """One notification: which events of which keys go where. `rules` are the filter as S3 gives it back."""

    kind: Kind
    id: str
    arn: str
    events: tuple[str, ...]
    types: frozenset[str]
    rules: tuple[tuple[str, str], ...] | None

    @property
    def prefix(self) -> str:
        return self._rule("Prefix")

    @property
    def suffix(self) -> str:
        return self._rule("Suffix")

    def _rule(self, name: str) -> str:
        """The value of a filter rule, decoded: S3 wants special characters URL-encoded there."""
        return next((unquote_plus(value) for rule, value in self.rules or () if rule == name), "")

    def shown(self) -> dict[str, Any]:
        """The form of AWS's JSON."""
        shown: dict[str, Any] = {"Id": self.id, self.kind.arn_key: self.arn, "Events": list(self.events)}
        if self.rules is not None:
            shown["Filter"] = {"Key": {"FilterRules": [{"Name": name, "Value": value} for name, value in self.rules]}}
        return shown


def read(world: World, configuration: Mapping[str, Any], new_id: Any) -> list[Configuration]:
    """The configurations of AWS's JSON, structure checked; an entry without Id gets `new_id()`.

    Raises AwsError InvalidArgument or MalformedXML as S3 does; UsageError for unknown keys.
    """
    _known(configuration, [kind.group for kind in KINDS] + ["EventBridgeConfiguration"], "a notification configuration")
    found = [_read(world, kind, entry, new_id) for kind in KINDS for entry in configuration.get(kind.group) or ()]
    ids = [each.id for each in found]
    for each in ids:
        if ids.count(each) > 1:
            raise argument("Same ID used for multiple configurations. IDs must be unique", "Id", each)
    for one, other in combinations(found, 2):
        _check_overlap(one, other)
    return found


def _read(world: World, kind: Kind, entry: Mapping[str, Any], new_id: Any) -> Configuration:
    _known(entry, ["Id", kind.arn_key, "Events", "Filter"], f"an entry of {kind.group}")
    events = tuple(entry.get("Events") or ())
    if not events or not entry.get(kind.arn_key):
        raise malformed()
    arn = _arn(world, kind, entry[kind.arn_key])
    types = frozenset(name for event in events for name in expand(event))
    return Configuration(kind, entry.get("Id") or new_id(), arn, events, types, _rules(entry.get("Filter")))


def _arn(world: World, kind: Kind, reference: str) -> str:
    try:
        service, name, qualifier = short_name(reference)
    except UsageError:
        service = ""
    if service != kind.service:
        raise argument("The ARN could not be parsed", kind.argument, reference)
    if service == "sqs" and name.endswith(".fifo"):
        raise argument("FIFO SQS queues are not supported.", kind.argument, reference)
    if service == "sns" and name.endswith(".fifo"):
        raise argument("FIFO SNS topics are not supported.", kind.argument, reference)
    if reference.startswith("arn:"):
        return reference
    return world.arn(service, name) + ("" if qualifier is None else f":{qualifier}")


def _rules(given: Mapping[str, Any] | None) -> tuple[tuple[str, str], ...] | None:
    if given is None:
        return None
    _known(given, ["Key"], "a Filter")
    _known(given.get("Key") or {}, ["FilterRules"], "Filter.Key")
    rules: list[tuple[str, str]] = []
    for rule in (given.get("Key") or {}).get("FilterRules") or ():
        name, value = str(rule.get("Name", "")).capitalize(), str(rule.get("Value", ""))
        if name not in ("Prefix", "Suffix"):
            raise argument("filter rule name must be either prefix or suffix", "FilterRule.Name", str(rule.get("Name")))
        if name in [known for known, _ in rules]:
            raise argument(f"Cannot specify more than one {name.lower()} rule in a filter.", "FilterRule.Name", name)
        if len(value.encode()) > 1024:
            raise argument(
                "Size of filter rule value cannot exceed 1024 bytes in UTF-8 representation", "FilterRule.Value", value
            )
        rules.append((name, value))
    return tuple(rules)


def _check_overlap(one: Configuration, other: Configuration) -> None:
    """Two notifications must not both want an event of a key."""
    if not one.types & other.types:
        return
    prefixes, suffixes = (one.prefix, other.prefix), (one.suffix, other.suffix)
    overlap = (prefixes[0].startswith(prefixes[1]) or prefixes[1].startswith(prefixes[0])) and (
        suffixes[0].endswith(suffixes[1]) or suffixes[1].endswith(suffixes[0])
    )
    if not overlap:
        return
    if one.rules or other.rules:
        raise AwsError(
            "InvalidArgument",
            "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are "
            "overlapping for the same event type.",
        )
    raise argument(
        "Configurations overlap. Configurations on the same bucket cannot share a common event type.",
        "Event",
        f"{', '.join(one.events)}, {', '.join(other.events)}",
    )


def check_destinations(world: World, configurations: list[Configuration]) -> None:
    """Every destination must exist; those that do not are named together. Raises AwsError InvalidArgument."""
    extra: dict[str, str] = {}
    for each in configurations:
        if each.arn not in world.targets:
            number = len(extra) // 2 + 1
            name, value = _missing(each)
            extra |= {f"ArgumentName{number}": name, f"ArgumentValue{number}": value}
    if extra:
        raise AwsError("InvalidArgument", "Unable to validate the following destination configurations", 400, **extra)


def _missing(configuration: Configuration) -> tuple[str, str]:
    arn = configuration.arn
    if configuration.kind.service == "lambda":
        return f"{arn}, null", f"Not authorized to invoke function [{arn}]"
    what = "queue" if configuration.kind.service == "sqs" else "topic"
    return arn, f"The destination {what} does not exist"


def _known(given: Mapping[str, Any], keys: list[str], where: str) -> None:
    for key in given:
        if key not in keys:
            raise UsageError(f"{where} has the key {key}; it may have {', '.join(keys)}. Remove or rename the key.")


def from_short_forms(
    notifications: Iterable[Mapping[str, Any]], arn: Callable[[Any], str]
) -> dict[str, list[dict[str, Any]]]:
    """AWS's NotificationConfiguration of the short form: `function`, `queue` or `topic`, with `events`, `filter`."""
    kinds = {
        "function": ("LambdaFunctionConfigurations", "LambdaFunctionArn", "lambda"),
        "queue": ("QueueConfigurations", "QueueArn", "sqs"),
        "topic": ("TopicConfigurations", "TopicArn", "sns"),
    }
    configuration: dict[str, list[dict[str, Any]]] = {}
    for given in notifications:
        kind = next((kind for kind in kinds if given.get(kind) is not None), None)
        if kind is None:
            raise UsageError(f"a notification names {', '.join(given)}; give it a function, a queue or a topic.")
        group, key, service = kinds[kind]
        target, events = given[kind], given.get("events")
        if not events or isinstance(events, str):
            raise UsageError(
                f"a notification has events {events!r}; events is a list of types. Write for example "
                '["s3:ObjectCreated:*"].'
            )
        if isinstance(target, str) and ":" not in target:
            target = f"{service}:{target}"
        entry: dict[str, Any] = {key: arn(target), "Events": list(events)}
        if given.get("id"):
            entry["Id"] = given["id"]
        rules = [
            {"Name": name, "Value": value} for name, value in (given.get("filter") or {}).items() if value is not None
        ]
        if rules:
            entry["Filter"] = {"Key": {"FilterRules": rules}}
        configuration.setdefault(group, []).append(entry)
    return configuration
