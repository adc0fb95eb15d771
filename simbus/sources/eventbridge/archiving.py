"""Archives and replays as operations of a bus; those that name one find it in the whole account, as on AWS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simbus.arn import short_name
from simbus.bus import Bus
from simbus.errors import AwsError, UsageError
from simbus.sources.base import Source, operation, twin
from simbus.sources.eventbridge.archive import MAX_ACTIVE_REPLAYS, Archive, Archives, Kept, Replay
from simbus.sources.eventbridge.base import EventBusBase, Passing
from simbus.sources.eventbridge.errors import (
    check_length,
    check_name,
    check_range,
    exists_already,
    no_bus,
    over_limit,
    page,
    snake_keys,
    validation,
)
from simbus.sources.eventbridge.event import epoch_seconds
from simbus.sources.eventbridge.rules import check_pattern
from simbus.world import World

_LONGEST_RETENTION = 2**31 - 1


class Archiving(EventBusBase):
    """CreateArchive, StartReplay and what belongs to them. `archives` are those of the account."""

    def __init__(self, world: World, bus: Bus, name: str, archives: Archives) -> None:
        super().__init__(world, bus, name)
        self._archives = archives
        self._shuffle = world.timeline.rng(f"{self.name}/replays")

    @operation
    def create_archive(
        self,
        archive_name: str,
        *,
        event_pattern: str | Mapping[str, Any] | None = None,
        retention_days: int = 0,
        description: str = "",
    ) -> dict[str, Any]:
        """Keep the events of this bus that match (all, without a pattern): `{"ArchiveArn", "State", "CreationTime"}`.

        `retention_days` 0 keeps them for ever. Raises AwsError ResourceAlreadyExistsException, ValidationException,
        InvalidEventPatternException.
        """
        self._check_exists()
        check_name(archive_name, "archiveName", 48)
        check_range(retention_days, "retentionDays", 0, _LONGEST_RETENTION)
        check_length(description, "description", 512)
        pattern = _pattern(event_pattern)
        if archive_name in self._archives.archives:
            raise exists_already(f"Archive {archive_name} already exists.")
        archive = Archive(self._world, archive_name, self.arn, pattern, retention_days, description)
        self._archives.archives[archive_name] = archive
        self._keepers[archive_name] = archive.keep
        return _created(archive)

    acreate_archive = twin(create_archive)

    @operation
    def update_archive(
        self,
        archive_name: str,
        *,
        event_pattern: str | Mapping[str, Any] | None = None,
        retention_days: int | None = None,
        description: str | None = None,
    ) -> dict[str, Any]:
        """Change what is given; the rest stays. Raises AwsError ResourceNotFoundException and as `create_archive`."""
        archive = self._archives.archive(archive_name)
        pattern = archive.event_pattern if event_pattern is None else _pattern(event_pattern)
        days = archive.retention_days if retention_days is None else retention_days
        check_range(days, "retentionDays", 0, _LONGEST_RETENTION)
        check_length(description, "description", 512)
        archive.change(pattern, days, archive.description if description is None else description)
        return _created(archive)

    aupdate_archive = twin(update_archive)

    @operation
    def describe_archive(self, archive_name: str) -> dict[str, Any]:
        """DescribeArchive in AWS's JSON, its counts exact. Raises AwsError ResourceNotFoundException."""
        return self._archives.archive(archive_name).described()

    adescribe_archive = twin(describe_archive)

    @operation
    def list_archives(
        self,
        *,
        name_prefix: str = "",
        event_source_arn: str | None = None,
        limit: int | None = None,
        next_token: str | None = None,
    ) -> dict[str, Any]:
        """`{"Archives": [...]}` of the account by name, in pages; `event_source_arn` leaves those of one bus."""
        found = [
            archive.shown()
            for name, archive in sorted(self._archives.archives.items())
            if name.startswith(name_prefix) and event_source_arn in (None, archive.bus_arn)
        ]
        return page("Archives", found, limit, next_token)

    alist_archives = twin(list_archives)

    @operation
    def delete_archive(self, archive_name: str) -> None:
        """Delete an archive and what it holds. Raises AwsError ResourceNotFoundException."""
        archive = self._archives.archive(archive_name)
        del self._archives.archives[archive_name]
        bus = self._world.targets.get(archive.bus_arn)
        if isinstance(bus, EventBusBase):
            bus._keepers.pop(archive_name, None)

    adelete_archive = twin(delete_archive)

    @operation
    def start_replay(
        self,
        replay_name: str,
        event_source_arn: str,
        event_start_time: Any,
        event_end_time: Any,
        *,
        destination: Mapping[str, Any] | str | Source | None = None,
        filter_arns: Sequence[str] = (),
        description: str | None = None,
    ) -> dict[str, Any]:
        """Play the events of an archive (its name or ARN) again whose own time lies in the period.

        Times are datetimes, seconds since 1970 or texts. `destination` is AWS's `{"Arn", "FilterArns"}`, or the bus
        that the archive is of; left out it is this bus. `filter_arns` are rules: only these see the events. Answers
        `{"ReplayArn", "State": "STARTING", "ReplayStartTime"}`. Raises AwsError ResourceAlreadyExistsException,
        ValidationException, ResourceNotFoundException, LimitExceededException (10 active replays).
        """
        self._check_exists()
        check_name(replay_name, "replayName", 64)
        check_length(description, "description", 512)
        if replay_name in self._archives.replays:
            raise exists_already(f"Replay {replay_name} already exists.")
        period = epoch_seconds(event_start_time), epoch_seconds(event_end_time)
        if period[0] >= period[1]:
            raise _parameter("EventEndTime", "EventStartTime must be before EventEndTime.")
        bus, given_arns = self._destination(destination)
        archive_name = event_source_arn.rpartition("/")[2]
        archive = self._archives.archives.get(archive_name)
        if archive is None:
            raise _parameter("EventSourceArn", f"Archive {archive_name} does not exist.")
        if archive.bus_arn != bus.arn:
            raise _parameter("Destination.Arn", "Cross event bus replay is not permitted.")
        if sum(replay.active for replay in self._archives.replays.values()) >= MAX_ACTIVE_REPLAYS:
            raise over_limit()
        arns = tuple(filter_arns) or given_arns
        replay = Replay(self._world, self._shuffle, replay_name, archive, period, arns, description, bus._play_again)
        self._archives.replays[replay_name] = replay
        return {"ReplayArn": replay.arn, "State": replay.state, "ReplayStartTime": self._world.datetime()}

    astart_replay = twin(start_replay)

    @operation
    def cancel_replay(self, replay_name: str) -> dict[str, str]:
        """Stop a replay that is STARTING or RUNNING: `{"ReplayArn", "State": "CANCELLING"}`.

        Raises AwsError ResourceNotFoundException; IllegalStatusException for one that has ended or is being cancelled.
        """
        replay = self._archives.replay(replay_name)
        if replay.state not in ("STARTING", "RUNNING"):
            raise AwsError(
                "IllegalStatusException", f"Replay {replay_name} is not in a valid state for this operation."
            )
        replay.cancel()
        return {"ReplayArn": replay.arn, "State": replay.state}

    acancel_replay = twin(cancel_replay)

    @operation
    def describe_replay(self, replay_name: str) -> dict[str, Any]:
        """DescribeReplay in AWS's JSON. Raises AwsError ResourceNotFoundException."""
        return self._archives.replay(replay_name).described()

    adescribe_replay = twin(describe_replay)

    @operation
    def list_replays(
        self,
        *,
        name_prefix: str = "",
        state: str | None = None,
        event_source_arn: str | None = None,
        limit: int | None = None,
        next_token: str | None = None,
    ) -> dict[str, Any]:
        """`{"Replays": [...]}` of the account by name, in pages; `state` and `event_source_arn` filter them."""
        found = [
            replay.shown()
            for name, replay in sorted(self._archives.replays.items())
            if name.startswith(name_prefix)
            and state in (None, replay.state)
            and event_source_arn in (None, replay.archive.arn)
        ]
        return page("Replays", found, limit, next_token)

    alist_replays = twin(list_replays)

    def _destination(self, given: Mapping[str, Any] | str | Source | None) -> tuple[Archiving, tuple[str, ...]]:
        """The bus of a Destination, and its FilterArns."""
        if given is None:
            return self, ()
        arns: tuple[str, ...] = ()
        if isinstance(given, Mapping):
            found = snake_keys(given, ("arn", "filter_arns"), "destination")
            given, arns = str(found.get("arn", "")), tuple(found.get("filter_arns") or ())
        reference = given if isinstance(given, str) else given.arn
        try:
            service, name, _ = short_name(reference)
        except UsageError:
            service = name = ""
        if service != "events":
            raise _parameter("Destination.Arn", "Must contain an event bus ARN.")
        bus = self._world.targets.get(self._world.arn("events", name))
        if not isinstance(bus, Archiving):
            raise no_bus(name)
        return bus, arns

    def _play_again(self, kept: Kept, replay_name: str, only: frozenset[str] | None) -> None:
        """Put an archived event onto the bus again: the same, with `replay-name`."""
        cut = kept.text.index(',"resources":')
        text = f'{kept.text[:cut]},"replay-name":"{replay_name}"{kept.text[cut:]}'
        row_id = self._uuid()
        self._bus.hop(row_id, "replayed", self.name, replay_name)
        self._receive(row_id, text, kept.detail_type, kept.source, kept.event_id, Passing(only=only))


def _pattern(given: str | Mapping[str, Any] | None) -> str | None:
    """An archive's pattern; `{}` is that of an archive of all events."""
    return None if given in ({}, "{}") else check_pattern(given)


def _parameter(name: str, reason: str) -> AwsError:
    return validation(f"Parameter {name} is not valid. Reason: {reason}")


def _created(archive: Archive) -> dict[str, Any]:
    return {"ArchiveArn": archive.arn, "State": "ENABLED", "CreationTime": archive.created_at}
