"""Amazon CloudWatch Logs. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/

What functions have printed so far, and what else was put into log groups. Logs Insights, subscription and metric
filters are not played.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from simbus.aws.paging import given, make_token, read_token
from simbus.aws.table import Api, Response, not_built
from simbus.logs.groups import MOST_EVENTS, Event, Group, Place, Stream, invalid

if TYPE_CHECKING:
    from simbus.resources import Resources

T = TypeVar("T", Group, Stream)

api = Api("logs")
_NUMBER_BITS: Final = 144  # an event id of AWS is the time in ms, and so many bits behind it
_bad_token = partial(invalid, "The specified nextToken is invalid.")


# --- groups and streams ----------------------------------------------------------------------------------------------


@api.operation
def create_log_group(account: Resources, *, logGroupName: str, logGroupClass: str = "STANDARD") -> None:
    if logGroupClass != "STANDARD":
        raise not_built(f"logs CreateLogGroup with logGroupClass {logGroupClass}")
    account.log_groups.create_log_group(logGroupName)


@api.operation
def delete_log_group(account: Resources, *, logGroupName: str) -> None:
    account.log_groups.delete_log_group(logGroupName)


@api.operation
def create_log_stream(account: Resources, *, logGroupName: str, logStreamName: str) -> None:
    account.log_groups.create_log_stream(logGroupName, logStreamName)


@api.operation
def delete_log_stream(account: Resources, *, logGroupName: str, logStreamName: str) -> None:
    account.log_groups.delete_log_stream(logGroupName, logStreamName)


@api.operation
def put_retention_policy(account: Resources, *, logGroupName: str, retentionInDays: int) -> None:
    account.log_groups.put_retention_policy(logGroupName, retentionInDays)


@api.operation
def delete_retention_policy(account: Resources, *, logGroupName: str) -> None:
    account.log_groups.delete_retention_policy(logGroupName)


@api.operation
def describe_log_groups(
    account: Resources,
    *,
    logGroupNamePrefix: str = "",
    logGroupNamePattern: str = "",
    logGroupClass: str = "STANDARD",
    limit: int = 50,
    nextToken: str | None = None,
) -> Response:
    """By name, those of a prefix, or those that contain a text in whatever case.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogGroups.html
    """
    if logGroupNamePrefix and logGroupNamePattern:
        raise invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
    groups = [
        group
        for group in account.log_groups.groups()
        if group.name.startswith(logGroupNamePrefix)
        and logGroupNamePattern.lower() in group.name.lower()
        and logGroupClass == "STANDARD"
    ]
    found, token = _page(groups, _limited(limit, 50), nextToken)
    return given(logGroups=[_shown_group(account, group) for group in found], nextToken=token)


def _shown_group(account: Resources, group: Group) -> dict[str, Any]:
    arn = _arn(account, group.name)
    return given(
        logGroupName=group.name,
        creationTime=group.created_at,
        retentionInDays=group.retention_in_days,
        metricFilterCount=0,  # there are none
        arn=f"{arn}:*",
        storedBytes=group.stored_bytes,
        logGroupClass="STANDARD",
        logGroupArn=arn,
    )


@api.operation
def describe_log_streams(
    account: Resources,
    *,
    logGroupName: str | None = None,
    logGroupIdentifier: str | None = None,
    logStreamNamePrefix: str | None = None,
    orderBy: str = "LogStreamName",
    descending: bool = False,
    nextToken: str | None = None,
    limit: int = 50,
) -> Response:
    """By name, or by the time of the last event: here at once, on AWS after up to an hour.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogStreams.html
    """
    if orderBy not in ("LogStreamName", "LastEventTime"):
        raise invalid(
            f"1 validation error detected: Value '{orderBy}' at 'orderBy' failed to satisfy constraint: Member must "
            "satisfy enum value set: [LogStreamName, LastEventTime]"
        )
    if orderBy == "LastEventTime" and logStreamNamePrefix is not None:
        raise invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
    group = _group(logGroupName, logGroupIdentifier)
    streams = account.log_groups.streams(group, logStreamNamePrefix or "")
    if orderBy == "LastEventTime":
        streams.sort(key=lambda stream: (stream.last or 0, stream.name))
    if descending:
        streams.reverse()
    found, token = _page(streams, _limited(limit, 50), nextToken)
    return given(logStreams=[_shown_stream(account, group, stream) for stream in found], nextToken=token)


def _shown_stream(account: Resources, group: str, stream: Stream) -> dict[str, Any]:
    return given(
        logStreamName=stream.name,
        creationTime=stream.created_at,
        firstEventTimestamp=stream.first,
        lastEventTimestamp=stream.last,
        lastIngestionTime=stream.ingested,
        uploadSequenceToken=_sequence_token(stream.id),
        arn=f"{_arn(account, group)}:log-stream:{stream.name}",
        storedBytes=0,  # AWS: zero for every stream since 2019
    )


# --- events ----------------------------------------------------------------------------------------------------------


@api.operation
def put_log_events(
    account: Resources,
    *,
    logGroupName: str,
    logStreamName: str,
    logEvents: Sequence[Mapping[str, Any]],
    sequenceToken: str | None = None,  # AWS ignores it since 2023
) -> Response:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html"""
    if not logEvents:
        raise invalid(
            "1 validation error detected: Value '[]' at 'logEvents' failed to satisfy constraint: Member must have "
            "length greater than or equal to 1"
        )
    rejected = account.log_groups.put_log_events(logGroupName, logStreamName, logEvents)
    token = _sequence_token(len(logEvents))
    return given(nextSequenceToken=token, rejectedLogEventsInfo=rejected or None)


@api.operation
def get_log_events(
    account: Resources,
    *,
    logStreamName: str,
    logGroupName: str | None = None,
    logGroupIdentifier: str | None = None,
    startTime: int | None = None,
    endTime: int | None = None,
    nextToken: str | None = None,
    limit: int = MOST_EVENTS,
    startFromHead: bool = False,
    unmask: bool = False,  # nothing is masked
) -> Response:
    """One stream: its last events, or with `startFromHead` its first ones; tokens lead on in both directions.

    A token that leads to the end is answered with itself, as on AWS.
    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html
    """
    direction, place = (None, (0, 0)) if nextToken is None else _read_place(nextToken)
    backwards = not startFromHead if direction is None else direction == "b"
    found, _ = account.log_groups.events(
        _group(logGroupName, logGroupIdentifier),
        [logStreamName],
        since=startTime,
        before=endTime,
        after=place if direction == "f" else None,
        until=place if direction == "b" else None,
        latest=backwards,
        limit=_limited(limit, MOST_EVENTS),
    )
    first, last = (found[0].place, found[-1].place) if found else (place, place)
    if not found and direction == "f":
        first = (place[0], place[1] + 1)  # what lies before includes the last one that was seen
    elif not found and direction == "b":
        last = (place[0], place[1] - 1)
    return {
        "events": [
            {"timestamp": event.timestamp, "message": event.message, "ingestionTime": event.ingestion_time}
            for event in found
        ],
        "nextForwardToken": _token("f", last),
        "nextBackwardToken": _token("b", first),
    }


@api.operation
def filter_log_events(
    account: Resources,
    *,
    logGroupName: str | None = None,
    logGroupIdentifier: str | None = None,
    logStreamNames: Sequence[str] | None = None,
    logStreamNamePrefix: str | None = None,
    startTime: int | None = None,
    endTime: int | None = None,
    filterPattern: str = "",
    nextToken: str | None = None,
    limit: int = MOST_EVENTS,
    interleaved: bool = True,  # AWS ignores it since 2019: streams are always interleaved
    unmask: bool = False,  # nothing is masked
) -> Response:
    """Every stream of a group, by time. `endTime` is included here, other than in GetLogEvents.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
    """
    if logStreamNames is not None and logStreamNamePrefix is not None:
        raise invalid("logStreamNamePrefix and logStreamNames are mutually exclusive.")
    found, more = account.log_groups.events(
        _group(logGroupName, logGroupIdentifier),
        logStreamNames,
        prefix=logStreamNamePrefix or "",
        since=startTime,
        before=None if endTime is None else endTime + 1,
        pattern=filterPattern,
        after=None if nextToken is None else _read_key(nextToken),
        limit=_limited(limit, MOST_EVENTS),
    )
    return given(
        events=[_shown_event(event) for event in found],
        searchedLogStreams=[],  # empty since 2020, says the API reference
        nextToken=make_token(f"{found[-1].timestamp}/{found[-1].number}") if more else None,
    )


def _shown_event(event: Event) -> dict[str, Any]:
    return {
        "logStreamName": event.stream,
        "timestamp": event.timestamp,
        "message": event.message,
        "ingestionTime": event.ingestion_time,
        "eventId": _digits(event.place),
    }


# --- names and tokens ------------------------------------------------------------------------------------------------


def _group(name: str | None, identifier: str | None) -> str:
    """The group that a request names, by name or by ARN."""
    if (name is None) == (identifier is None):
        raise invalid("Exactly one of logGroupName and logGroupIdentifier must be specified.")
    if name is None:
        assert identifier is not None
        name = identifier.split(":log-group:")[-1].removesuffix(":*")
    return name


def _arn(account: Resources, group: str) -> str:
    here = account.world.account
    return f"arn:aws:logs:{here.region}:{here.id}:log-group:{group}"


def _limited(limit: int, most: int) -> int:
    if not 1 <= limit <= most:
        bound, end = ("greater", 1) if limit < 1 else ("less", most)
        raise invalid(
            f"1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: Member must have "
            f"value {bound} than or equal to {end}"
        )
    return limit


def _page(entries: Sequence[T], limit: int, token: str | None) -> tuple[Sequence[T], str | None]:
    """A page of groups or streams, whatever their order; a token is the name of the last one before."""
    begin = 0
    if token is not None:
        names: list[str] = [_name(entry) for entry in entries]
        last = read_token(token, _bad_token)
        if last not in names:
            raise _bad_token()
        begin = names.index(last) + 1
    found = entries[begin : begin + limit]
    return found, make_token(_name(found[-1])) if begin + limit < len(entries) else None


def _name(entry: Group | Stream) -> str:
    return entry.name


def _digits(place: Place) -> str:
    """56 digits: the timestamp, and behind it what tells events of one millisecond apart."""
    return f"{(place[0] << _NUMBER_BITS) + place[1]:056d}"


def _token(direction: str, place: Place) -> str:
    return f"{direction}/{_digits(place)}"


def _read_place(token: str) -> tuple[str, Place]:
    direction, _, digits = token.partition("/")
    if direction not in ("f", "b") or not digits.isdecimal():
        raise _bad_token()
    return direction, (int(digits) >> _NUMBER_BITS, int(digits) & (1 << _NUMBER_BITS) - 1)


def _read_key(token: str) -> Place:
    time, _, number = read_token(token, _bad_token).partition("/")
    if not (time.isdecimal() and number.isdecimal()):
        raise _bad_token()
    return int(time), int(number)


def _sequence_token(number: int) -> str:
    """49 digits, which nobody needs to send back."""
    return f"{number:049d}"
