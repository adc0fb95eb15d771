"""Amazon EventBridge. https://docs.aws.amazon.com/eventbridge/latest/APIReference/

Partner event sources, global endpoints, API destinations and permissions of other accounts are not played.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from simbus.aws.table import Api, Response
from simbus.errors import AwsError
from simbus.sources.eventbridge.errors import no_bus

if TYPE_CHECKING:
    from simbus.resources import Resources
    from simbus.sources.eventbridge.bus import EventBus

api = Api("events")
DEFAULT = "default"


def _bus(account: Resources, name: str | None = None) -> EventBus:
    """The bus of a name or an ARN; the default one where none is given. Raises AwsError ResourceNotFoundException."""
    bare = (name or DEFAULT).rpartition("event-bus/")[2]
    bus: EventBus | None = account.find("events", bare)
    if bus is None:
        raise no_bus(bare)
    return bus


# --- events ----------------------------------------------------------------------------------------------------------


@api.operation
def put_events(account: Resources, *, Entries: Sequence[Mapping[str, Any]]) -> Response:
    return _bus(account).put_events(Entries)


@api.operation
def test_event_pattern(account: Resources, *, EventPattern: str, Event: str) -> Response:
    return {"Result": _bus(account).test_event_pattern(EventPattern, Event)}


# --- buses -----------------------------------------------------------------------------------------------------------


@api.operation
def create_event_bus(
    account: Resources, *, Name: str, Description: str | None = None, Tags: Sequence[Mapping[str, str]] = ()
) -> Response:
    if account.find("events", Name) is not None:
        raise AwsError("ResourceAlreadyExistsException", f"Event bus {Name} already exists.")
    bus = account.event_bus(Name)
    bus.tags.update({tag["Key"]: tag["Value"] for tag in Tags})
    bus.description = Description
    return {"EventBusArn": bus.arn} | ({} if Description is None else {"Description": Description})


@api.operation
def delete_event_bus(account: Resources, *, Name: str) -> None:
    bus = account.find("events", Name)
    if bus is not None:  # one that does not exist is no error
        bus.delete_event_bus()
        account.remove(bus)


@api.operation
def describe_event_bus(account: Resources, *, Name: str | None = None) -> Response:
    return _bus(account, Name).describe_event_bus()


@api.operation
def list_event_buses(
    account: Resources, *, NamePrefix: str = "", NextToken: str | None = None, Limit: int | None = None
) -> Response:
    return _bus(account).list_event_buses(name_prefix=NamePrefix, limit=Limit, next_token=NextToken)


# --- rules -----------------------------------------------------------------------------------------------------------


@api.operation
def put_rule(
    account: Resources,
    *,
    Name: str,
    ScheduleExpression: str | None = None,
    EventPattern: str | None = None,
    State: str = "ENABLED",
    Description: str | None = None,
    RoleArn: str | None = None,
    Tags: Sequence[Mapping[str, str]] = (),
    EventBusName: str | None = None,
) -> Response:
    bus = _bus(account, EventBusName)
    is_new = Name not in [rule["Name"] for rule in bus.list_rules(Name)["Rules"]]
    answer = bus.put_rule(
        Name,
        event_pattern=EventPattern,
        schedule_expression=ScheduleExpression,
        state=State,
        description=Description,
        role_arn=RoleArn,
    )
    if is_new:  # an existing rule keeps its tags
        _tags_of(account, answer["RuleArn"]).update({tag["Key"]: tag["Value"] for tag in Tags})
    return dict(answer)


@api.operation
def delete_rule(account: Resources, *, Name: str, EventBusName: str | None = None, Force: bool = False) -> None:
    _bus(account, EventBusName).delete_rule(Name, force=Force)


@api.operation
def enable_rule(account: Resources, *, Name: str, EventBusName: str | None = None) -> None:
    _bus(account, EventBusName).enable_rule(Name)


@api.operation
def disable_rule(account: Resources, *, Name: str, EventBusName: str | None = None) -> None:
    _bus(account, EventBusName).disable_rule(Name)


@api.operation
def describe_rule(account: Resources, *, Name: str, EventBusName: str | None = None) -> Response:
    return _bus(account, EventBusName).describe_rule(Name)


@api.operation
def list_rules(
    account: Resources,
    *,
    NamePrefix: str = "",
    EventBusName: str | None = None,
    NextToken: str | None = None,
    Limit: int | None = None,
) -> Response:
    return _bus(account, EventBusName).list_rules(NamePrefix, limit=Limit, next_token=NextToken)


# --- targets ---------------------------------------------------------------------------------------------------------


@api.operation
def put_targets(
    account: Resources, *, Rule: str, EventBusName: str | None = None, Targets: Sequence[Mapping[str, Any]]
) -> Response:
    return _bus(account, EventBusName).put_targets(Rule, Targets)


@api.operation
def remove_targets(
    account: Resources, *, Rule: str, EventBusName: str | None = None, Ids: Sequence[str], Force: bool = False
) -> Response:
    return _bus(account, EventBusName).remove_targets(Rule, Ids, force=Force)


@api.operation
def list_targets_by_rule(
    account: Resources,
    *,
    Rule: str,
    EventBusName: str | None = None,
    NextToken: str | None = None,
    Limit: int | None = None,
) -> Response:
    return _bus(account, EventBusName).list_targets_by_rule(Rule, limit=Limit, next_token=NextToken)


@api.operation
def list_rule_names_by_target(
    account: Resources,
    *,
    TargetArn: str,
    EventBusName: str | None = None,
    NextToken: str | None = None,
    Limit: int | None = None,
) -> Response:
    return _bus(account, EventBusName).list_rule_names_by_target(TargetArn, limit=Limit, next_token=NextToken)


# --- archives and replays --------------------------------------------------------------------------------------------


@api.operation
def create_archive(
    account: Resources,
    *,
    ArchiveName: str,
    EventSourceArn: str,
    Description: str = "",
    EventPattern: str | None = None,
    RetentionDays: int = 0,
) -> Response:
    return _bus(account, EventSourceArn).create_archive(
        ArchiveName, event_pattern=EventPattern, retention_days=RetentionDays, description=Description
    )


@api.operation
def update_archive(
    account: Resources,
    *,
    ArchiveName: str,
    Description: str | None = None,
    EventPattern: str | None = None,
    RetentionDays: int | None = None,
) -> Response:
    return _bus(account).update_archive(
        ArchiveName, event_pattern=EventPattern, retention_days=RetentionDays, description=Description
    )


@api.operation
def describe_archive(account: Resources, *, ArchiveName: str) -> Response:
    return _bus(account).describe_archive(ArchiveName)


@api.operation
def list_archives(
    account: Resources,
    *,
    NamePrefix: str = "",
    EventSourceArn: str | None = None,
    State: str | None = None,
    NextToken: str | None = None,
    Limit: int | None = None,
) -> Response:
    """Every archive is ENABLED, so that another `State` finds none."""
    if sum(given not in (None, "") for given in (NamePrefix, EventSourceArn, State)) > 1:
        raise AwsError(
            "ValidationException",
            "At most one filter is allowed for ListArchives. Use either : State, EventSourceArn, or NamePrefix.",
        )
    if State not in (None, "ENABLED"):
        return {"Archives": []}
    return _bus(account).list_archives(
        name_prefix=NamePrefix, event_source_arn=EventSourceArn, limit=Limit, next_token=NextToken
    )


@api.operation
def delete_archive(account: Resources, *, ArchiveName: str) -> None:
    _bus(account).delete_archive(ArchiveName)


@api.operation
def start_replay(
    account: Resources,
    *,
    ReplayName: str,
    Description: str | None = None,
    EventSourceArn: str,
    EventStartTime: datetime,
    EventEndTime: datetime,
    Destination: Mapping[str, Any],
) -> Response:
    return _bus(account).start_replay(
        ReplayName, EventSourceArn, EventStartTime, EventEndTime, destination=Destination, description=Description
    )


@api.operation
def cancel_replay(account: Resources, *, ReplayName: str) -> Response:
    return dict(_bus(account).cancel_replay(ReplayName))


@api.operation
def describe_replay(account: Resources, *, ReplayName: str) -> Response:
    return _bus(account).describe_replay(ReplayName)


@api.operation
def list_replays(
    account: Resources,
    *,
    NamePrefix: str = "",
    State: str | None = None,
    EventSourceArn: str | None = None,
    NextToken: str | None = None,
    Limit: int | None = None,
) -> Response:
    return _bus(account).list_replays(
        name_prefix=NamePrefix, state=State, event_source_arn=EventSourceArn, limit=Limit, next_token=NextToken
    )


# --- tags ------------------------------------------------------------------------------------------------------------


@api.operation
def tag_resource(account: Resources, *, ResourceARN: str, Tags: Sequence[Mapping[str, str]]) -> None:
    _tags_of(account, ResourceARN).update({tag["Key"]: tag["Value"] for tag in Tags})


@api.operation
def untag_resource(account: Resources, *, ResourceARN: str, TagKeys: Sequence[str]) -> None:
    tags = _tags_of(account, ResourceARN)
    for key in TagKeys:
        tags.pop(key, None)


@api.operation
def list_tags_for_resource(account: Resources, *, ResourceARN: str) -> Response:
    return {"Tags": [{"Key": key, "Value": value} for key, value in _tags_of(account, ResourceARN).items()]}


def _tags_of(account: Resources, arn: str) -> dict[str, str]:
    """The tags of a bus or a rule. Raises AwsError ResourceNotFoundException."""
    kind, _, rest = arn.rpartition(":")[2].partition("/")
    if kind == "event-bus":
        return _bus(account, rest).tags
    bus, _, rule = rest.rpartition("/")
    return _bus(account, bus or None).rule_tags(rule)
