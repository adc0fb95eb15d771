"""A stream without its records' traffic: settings, retention, resharding, and what can be asked about it."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, Literal

from simbus.bus import Bus
from simbus.errors import AwsError
from simbus.kernel import HOUR, SECOND
from simbus.sources.base import Source, operation, twin
from simbus.sources.kinesis.demand import Demand
from simbus.sources.kinesis.listing import filtered
from simbus.sources.kinesis.meter import MIB
from simbus.sources.kinesis.record import payload_writer, shown_shard
from simbus.sources.kinesis.request import (
    capacity,
    check_count,
    check_retention,
    constraint,
    hash_key_findings,
    invalid,
    name_findings,
    refuse,
)
from simbus.sources.kinesis.reshard import check_rate, check_scaling, pair_to_merge, split_point
from simbus.sources.kinesis.sequence import full_name
from simbus.sources.kinesis.shard import Record, Shard
from simbus.sources.kinesis.shards import Shards
from simbus.world import World

StreamMode = Literal["PROVISIONED", "ON_DEMAND"]
CREATING: Final = 10 * SECOND  # and deleting: AWS says that it is asynchronous, no more; ten seconds are common
RESHARDING: Final = 30 * SECOND  # AWS's documents only say that it takes a while; about half a minute is common
_TRIMS: Final = 32  # how often within a retention period expired records are looked for


class ManagedStream(Source):
    """What of a stream is not putting and getting records."""

    service = "kinesis"
    batch_info_key = "KinesisBatchInfo"  # of an on-failure record
    poll_interval = SECOND  # of Lambda for each shard (Lambda developer guide, "Polling and batching streams")

    def __init__(
        self,
        world: World,
        bus: Bus,
        name: str,
        *,
        shard_count: int | None = None,
        retention_period_hours: int = 24,
        stream_mode: StreamMode | None = None,
        max_record_size_in_ki_b: int = 1024,
    ) -> None:
        refuse(name_findings(name, "streamName"))
        check_retention(retention_period_hours)
        check_count(max_record_size_in_ki_b, "maxRecordSizeInKiB", 1024, 10_240)
        mode, count = capacity(stream_mode, shard_count)
        super().__init__(world, bus, name)
        self.stream_mode = mode
        self.retention_period_hours = retention_period_hours
        self.status: Literal["CREATING", "ACTIVE", "UPDATING", "DELETING"] = "ACTIVE"
        self.tags: dict[str, str] = {}
        self._max_data = max_record_size_in_ki_b * MIB // 1024
        self._created = world.timeline.now
        self._listeners: tuple[Callable[[Shard], object], ...] = ()
        self._shards = Shards(world, count, self._rng.getrandbits(40), retention_period_hours * HOUR, self._changed)
        self._demand = Demand() if mode == "ON_DEMAND" else None
        self._trimming: int | None = None  # the token of the next look for expired records
        self._scalings: list[int] = []
        self.event_payload: Callable[[Record, str], str] = payload_writer(world, self.arn)

    # --- for readers within the process ----------------------------------------------------------------------------

    @property
    def shards(self) -> list[Shard]:
        """The readable shards, open and closed, by number. A closed one goes when its last record has expired."""
        return list(self._shards.every)

    def shard(self, shard_id: str) -> Shard | None:
        """The readable shard of that id, or None."""
        return self._shards.find(shard_id)

    @property
    def records(self) -> list[Record]:
        """Every readable record, shard by shard; those of one shard in their order."""
        return [record for shard in self._shards.every for record in shard.records]

    def children(self, shard: Shard) -> list[Shard]:
        """The shards that took over a closed one's hash keys; to be read after it."""
        return self._shards.children(shard)

    def parents(self, shard: Shard) -> list[Shard]:
        """The shards that a shard took over from, as far as they are readable; to be read to their end first."""
        return self._shards.parents(shard)

    def listen(self, changed: Callable[[Shard], object]) -> None:
        """Call `changed(shard)` when a record has come into a shard, and when a shard was opened or closed.

        It is called in the middle of an operation: put what takes more than a note on the timeline.
        """
        self._listeners = (*self._listeners, changed)

    def unlisten(self, changed: Callable[[Shard], object]) -> None:
        """Take `listen` back."""
        self._listeners = tuple(listener for listener in self._listeners if listener != changed)

    def _changed(self, shard: Shard) -> None:
        for listener in self._listeners:
            listener(shard)

    # --- life ------------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """It has just been asked for by CreateStream: it is CREATING for ten seconds."""
        self.status = "CREATING"
        self._timeline.background(self._timeline.now + CREATING, self._begun)

    def _begun(self, _: None) -> None:
        if self.status == "CREATING":
            self.status = "ACTIVE"

    @operation
    def delete_stream(self, gone: Callable[[], object]) -> None:
        """It is DELETING for ten seconds, takes and gives nothing more, then `gone()` is called.

        Raises AwsError ResourceInUseException for a stream that is being created or changed.
        """
        if self.status == "DELETING":
            return
        self._check_active()
        self.status = "DELETING"
        self._timeline.background(self._timeline.now + CREATING, lambda _: gone())

    # --- describe --------------------------------------------------------------------------------------------------

    @operation
    def describe_stream(self, *, limit: int = 100, exclusive_start_shard_id: str | None = None) -> dict[str, Any]:
        """Settings and up to `limit` (1 to 10,000) shards; HasMoreShards says that there are more."""
        check_count(limit, "limit", 1, 10_000)
        after = self._after(exclusive_start_shard_id)
        described = {
            **self._described(),
            "Shards": [shown_shard(shard) for shard in after[:limit]] if self.status != "CREATING" else [],
            "HasMoreShards": len(after) > limit,
        }
        return {"StreamDescription": described}

    adescribe_stream = twin(describe_stream)

    @operation
    def describe_stream_summary(self) -> dict[str, Any]:
        """Settings and the number of open shards."""
        summary = {
            **self._described(),
            "OpenShardCount": len(self._shards.open),
            "ConsumerCount": 0,
            "MaxRecordSizeInKiB": self._max_data * 1024 // MIB,
        }
        return {"StreamDescriptionSummary": summary}

    adescribe_stream_summary = twin(describe_stream_summary)

    @operation
    def list_shards(
        self,
        *,
        exclusive_start_shard_id: str | None = None,
        max_results: int = 1000,
        next_token: str | None = None,
        shard_filter: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Up to `max_results` (1 to 10,000) shards, open and closed; NextToken where there are more.

        `shard_filter` is AWS's ShardFilter: `{"Type": "AT_LATEST"}` are the open ones.
        """
        check_count(max_results, "maxResults", 1, 10_000)
        if next_token is not None:
            if exclusive_start_shard_id is not None:
                raise invalid("NextToken and ExclusiveStartShardId cannot be provided together.")
            exclusive_start_shard_id = _shard_of_token(next_token)
        after = self._after(exclusive_start_shard_id)
        if shard_filter is not None:
            after = filtered(self._world, after, shard_filter, self.retention_period_hours * HOUR)
        answer: dict[str, Any] = {"Shards": [shown_shard(shard) for shard in after[:max_results]]}
        if len(after) > max_results:
            answer["NextToken"] = b64encode(after[max_results - 1].id.encode()).decode()
        return answer

    alist_shards = twin(list_shards)

    def _after(self, shard_id: str | None) -> list[Shard]:
        return [shard for shard in self._shards.every if shard_id is None or shard.id > shard_id]

    def _described(self) -> dict[str, Any]:
        return {
            "StreamName": self.resource,
            "StreamARN": self.arn,
            "StreamStatus": self.status,
            "StreamModeDetails": {"StreamMode": self.stream_mode},
            "RetentionPeriodHours": self.retention_period_hours,
            "StreamCreationTimestamp": self._world.datetime(self._created),
            "EnhancedMonitoring": [{"ShardLevelMetrics": []}],
            "EncryptionType": "NONE",
        }

    # --- retention -------------------------------------------------------------------------------------------------

    @operation
    def increase_stream_retention_period(self, retention_period_hours: int) -> None:
        """Keep records longer, up to 8,760 hours. Raises AwsError InvalidArgumentException for a shorter time."""
        self._retain(retention_period_hours, "shorter", retention_period_hours < self.retention_period_hours)

    aincrease_stream_retention_period = twin(increase_stream_retention_period)

    @operation
    def decrease_stream_retention_period(self, retention_period_hours: int) -> None:
        """Keep records for a shorter time, at least 24 hours; older ones are gone at once.

        Raises AwsError InvalidArgumentException for a longer time.
        """
        self._retain(retention_period_hours, "longer", retention_period_hours > self.retention_period_hours)

    adecrease_stream_retention_period = twin(decrease_stream_retention_period)

    def _retain(self, hours: int, wrong: str, refused: bool) -> None:
        check_retention(hours)
        if refused:
            other = "DecreaseRetentionPeriod" if wrong == "shorter" else "IncreaseRetentionPeriod"
            raise invalid(
                f"Requested retention period ({hours} hours) for stream {self.resource} can not be {wrong} than "
                f"existing retention period ({self.retention_period_hours} hours). Use {other} API."
            )
        self._shards.trim()
        self.retention_period_hours = hours
        self._shards.retain(hours * HOUR)
        if self._trimming is not None:
            self._timeline.cancel(self._trimming)
        self._trim(None)

    def _trim(self, _: None) -> None:
        """Drop expired records in the background, some at a time: reads never show them, this only frees memory."""
        retention = self.retention_period_hours * HOUR
        oldest = self._shards.trim()
        self._trimming = None
        if oldest is not None:
            when = max(oldest + retention, self._timeline.now + retention // _TRIMS)
            self._trimming = self._timeline.background(when, self._trim)

    # --- resharding ------------------------------------------------------------------------------------------------

    @operation
    def split_shard(self, shard_to_split: str, new_starting_hash_key: str) -> None:
        """Split a shard in two; the second one begins at `new_starting_hash_key` (a decimal number).

        The stream is UPDATING for 30 seconds, then the shard is closed and its children are open. Raises AwsError
        ResourceNotFoundException, InvalidArgumentException, ResourceInUseException (while UPDATING),
        ValidationException for an on-demand stream (AWS's text is not known).
        """
        hash_key = str(new_starting_hash_key)
        refuse(hash_key_findings(hash_key, "newStartingHashKey") + name_findings(shard_to_split, "shardToSplit"))
        self._check_reshard()
        shard = self._known(shard_to_split)
        at = split_point(shard, hash_key, self.resource, self._world.account.id)
        self._reshard(partial(self._shards.split, shard, at))

    asplit_shard = twin(split_shard)

    @operation
    def merge_shards(self, shard_to_merge: str, adjacent_shard_to_merge: str) -> None:
        """Merge a shard with the one whose hash keys follow. Time and errors are those of `split_shard`."""
        refuse(
            name_findings(shard_to_merge, "shardToMerge")
            + name_findings(adjacent_shard_to_merge, "adjacentShardToMerge")
        )
        self._check_reshard()
        pair = self._known(shard_to_merge), self._known(adjacent_shard_to_merge)
        pair_to_merge(*pair, self.resource, self._world.account.id)
        self._reshard(partial(self._shards.merge, *pair))

    amerge_shards = twin(merge_shards)

    @operation
    def update_shard_count(self, target_shard_count: int, scaling_type: str = "UNIFORM_SCALING") -> dict[str, Any]:
        """Have another number of open shards: at most double, at least half, 10 times in 24 hours.

        Time as for `split_shard`. Raises AwsError LimitExceededException, ResourceInUseException,
        ValidationException.
        """
        if scaling_type != "UNIFORM_SCALING":
            refuse([constraint(scaling_type, "scalingType", "satisfy enum value set: [UNIFORM_SCALING]")])
        self._check_reshard()
        count = len(self._shards.open)
        check_scaling(count, target_shard_count)
        check_rate(self._scalings, self._timeline.now)
        self._reshard(partial(self._shards.scale, target_shard_count))
        return {
            "StreamName": self.resource,
            "CurrentShardCount": count,
            "TargetShardCount": target_shard_count,
            "StreamARN": self.arn,
        }

    aupdate_shard_count = twin(update_shard_count)

    def _known(self, shard_id: str) -> Shard:
        shard = self._shards.find(shard_id)
        if shard is None:
            name = full_name(shard_id) or shard_id
            text = f"Could not find shard {name} in stream {self.resource} under account {self._world.account.id}."
            raise AwsError("ResourceNotFoundException", text)
        return shard

    def _check_reshard(self) -> None:
        if self.stream_mode == "ON_DEMAND":
            where = f"Stream {self.resource} under account {self._world.account.id}"
            raise AwsError("ValidationException", f"{where} is in on-demand mode, which counts its shards itself.")
        self._check_active()

    def _check_active(self) -> None:
        if self.status != "ACTIVE":
            where = f"Stream {self.resource} under account {self._world.account.id}"
            raise AwsError("ResourceInUseException", f"{where} not ACTIVE, instead in state {self.status}")

    def _reshard(self, change: Callable[[], None]) -> None:
        self.status = "UPDATING"
        self._timeline.after(RESHARDING, self._resharded, change)

    def _resharded(self, change: Callable[[], None]) -> None:
        self.status = "ACTIVE"
        change()
        if self._trimming is None:  # closed shards expire, too
            self._trim(None)

    def _grow(self, demand: Demand, size: int) -> None:
        """Count a record of an on-demand stream, and have more shards where its traffic has grown."""
        wanted = demand.note(self._timeline.now, size)
        if wanted > len(self._shards.open) and self.status == "ACTIVE":
            self._reshard(partial(self._shards.scale, wanted))


def _shard_of_token(token: str) -> str:
    """The shard after which a NextToken goes on. Raises AwsError InvalidArgumentException."""
    try:
        return b64decode(token, validate=True).decode()
    except ValueError as error:
        raise invalid("NextToken is invalid.") from error
