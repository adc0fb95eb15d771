"""What UpdateTable does to a table's capacity and to its global indexes: all of it is found to be fine, then it begins.

What is told meanwhile was measured on AWS in October 2026 by the public notes ack-api-quirks (DDB-TABLE-055, 064, 148,
149, 151, 157, 159, 165, 375): units are the old ones until the change is done, those of a change of the billing mode
the new ones at once; an index that is added has Backfilling false, then (the table is ACTIVE) true, then none; one that
is deleted is DELETING, and gone with its AttributeDefinitions afterwards; one whose units change is UPDATING. Queries
of an index that is being deleted are answered as if it were gone, which is a choice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from simbus.errors import AwsError, UsageError
from simbus.sources.dynamodb import definition
from simbus.sources.dynamodb.describe import ON_DEMAND, PROVISIONED, Info, description
from simbus.sources.dynamodb.errors import bad_parameter, invalid
from simbus.sources.dynamodb.index import Index
from simbus.sources.dynamodb.life import IN_USE, LivingTable
from simbus.sources.dynamodb.provisioned import Provision, Units
from simbus.sources.dynamodb.throughput import Throughput

_DOING = {"CREATING": "created", "UPDATING": "updated", "DELETING": "deleted"}
_ONE_ONLY = "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table"


class Alteration:
    """What one UpdateTable has found to do; nothing of it has begun. `units`: None on demand."""

    def __init__(self) -> None:
        self.mode: str | None = None  # the billing mode, where it changes
        self.units: dict[str | None, Units | None] = {}  # None: of the table itself
        self.created: Index | None = None
        self.deleted: Index | None = None

    @property
    def is_of_capacity(self) -> bool:
        """Whether the table's own units change, or how they are paid for."""
        return self.mode is not None or None in self.units

    @property
    def is_of_indexes_units(self) -> bool:
        """Whether the table itself stays ACTIVE."""
        return bool(self.units) and not (self.is_of_capacity or self.created or self.deleted)


class AlterableTable(LivingTable):
    """A table whose capacity and global indexes can be changed."""

    info: Info
    _under_way: Alteration | None = None  # why it is UPDATING

    # --- what begins at once, and what is done some time later --------------------------------------------------------

    def _alter(self, change: Alteration, at_once: bool) -> dict[str, Any]:
        """Do it, at once or as slowly as AWS: the description that is answered."""
        self._begin_alteration(change)
        if at_once:
            self._finish_alteration(change)
            if change.created is not None:
                self._finish_backfill(change.created)
            return description(self, self.info, self._world.datetime())
        answer = description(self, self.info, self._world.datetime())
        if change.is_of_indexes_units:
            self._later(self._finish_alteration, change)
            return answer
        self._under_way = change
        self._turn("UPDATING", partial(self._updated, change))
        return answer | {"TableStatus": "UPDATING"}

    def _updated(self, change: Alteration, _: None) -> None:
        self._active()
        self._under_way = None
        self._finish_alteration(change)
        if change.created is not None:
            self._later(self._finish_backfill, change.created)

    def _begin_alteration(self, change: Alteration) -> None:
        info, now = self.info, self._world.datetime()
        if change.mode is not None:
            info.billing_mode, info.summary = change.mode, True
        if change.created is not None:
            change.created.status, change.created.backfilling = "CREATING", False
            self.indexes[change.created.name] = change.created
        if change.deleted is not None:
            change.deleted.status, change.deleted.backfilling = "DELETING", None
        for name, units in change.units.items():
            if change.mode is not None or (change.created is not None and name == change.created.name):
                self._provision(name).units = units
                continue
            self._provision(name).begin(units, now)
            if name is not None:
                self.indexes[name].status = "UPDATING"

    def _finish_alteration(self, change: Alteration) -> None:
        info, now = self.info, self._world.datetime()
        for name, units in change.units.items():
            self._provision(name).finish(units, now)
            if name is not None and self.indexes[name].status == "UPDATING":
                self.indexes[name].status = "ACTIVE"
        if change.mode == ON_DEMAND:
            info.on_demand_since = now
        if change.created is not None:
            change.created.backfilling = True
        if change.deleted is not None:
            name = change.deleted.name
            del self.indexes[name]
            info.index_capacity.pop(name, None)
            if self.throughput is not None:
                self.throughput.forget(name)
        if change.units:
            self._provide(full=False)

    def _finish_backfill(self, index: Index) -> None:
        if index.status == "CREATING":
            index.status, index.backfilling = "ACTIVE", None

    def _provision(self, index: str | None) -> Provision:
        return self.info.capacity if index is None else self.info.index_capacity.setdefault(index, Provision())

    def _provide(self, *, full: bool) -> None:
        """Let the units that are described be those that count."""
        info = self.info
        if info.billing_mode == ON_DEMAND or info.capacity.units is None:
            self.throughput = None
            return
        if self.throughput is None:
            self.throughput = Throughput(self._timeline, self._world.metrics.table(self.resource), self.arn)
        self.throughput.provide(None, info.capacity.units, full=full)
        for name, capacity in info.index_capacity.items():
            if capacity.units is not None:
                self.throughput.provide(name, capacity.units, full=full)

    def _check_under_way(self, units: bool, updates: Sequence[Mapping[str, Any]], others: bool) -> None:
        """Raise AwsError for what can't be asked for while the table is UPDATING: all but deletion protection.

        The texts are of ack-api-quirks (DDB-TABLE-149, 159, 175, 370, 375, 376); the last one is in older issues.
        """
        doing = self._under_way or Alteration()
        online = [next(iter(update.values()))["IndexName"] for update in updates if "Update" not in update]
        where = f"Table: {self.resource}"
        what = f"Table is being updated: {self.resource}"
        if doing.is_of_capacity and units:
            what = f"Table IOPS are currently being updated. {where}"
        elif doing.is_of_capacity and online:
            what = f"Can't create or delete indexes while table IOPS are being updated. {where}"
        elif doing.deleted is not None and units:
            what = f"Can't change table IOPS when an index is being deleted. {where} Indexes: [{doing.deleted.name}]"
        elif doing.created is not None and any({"IndexName": doing.created.name} in each.values() for each in updates):
            what = (
                "Index creation is in resource allocation phase. Retry deletion during backfilling phase or when the "
                f"index is active. {where} Index: {doing.created.name}"
            )
        elif online and (doing.created or doing.deleted):
            raise AwsError("LimitExceededException", _ONE_ONLY)
        elif not (units or updates or others):
            return
        raise AwsError("ResourceInUseException", IN_USE + what)

    # --- throughput ---------------------------------------------------------------------------------------------------

    def _check_provisioned(self) -> None:
        """Raise UsageError where billing mode and units don't fit each other."""
        info = self.info
        if info.billing_mode not in (ON_DEMAND, PROVISIONED):
            raise UsageError(
                f"billing_mode of table {self.resource} is {info.billing_mode!r}; it is {ON_DEMAND} or PROVISIONED."
            )
        on_demand = info.billing_mode == ON_DEMAND
        given = {name for name, capacity in info.index_capacity.items() if capacity.units is not None}
        everywhere = [each.name for each in self.indexes.values() if each.is_global]
        odd = [name for name in info.index_capacity if name not in everywhere]
        lacking = [name for name in everywhere if name not in given]
        if on_demand and (info.capacity.units is not None or given):
            raise UsageError(
                f"table {self.resource} is {ON_DEMAND} and has provisioned_throughput; only a table of billing_mode "
                "PROVISIONED and its global indexes have one. Remove the one or the other."
            )
        if not on_demand and (info.capacity.units is None or lacking):
            what = "the table" if info.capacity.units is None else f"index {lacking[0]}"
            raise UsageError(
                f"table {self.resource} is PROVISIONED; {what} has no provisioned_throughput, which the table and each "
                "of its global indexes need. Add it."
            )
        if odd:
            raise UsageError(
                f"table {self.resource} has throughput for {odd[0]!r}, which is no global index of it. Remove it."
            )

    def _alter_throughput(
        self, change: Alteration, billing_mode: str | None, units: Units | None, updated: Sequence[str]
    ) -> None:
        info = self.info
        if billing_mode == PROVISIONED and units is None:
            raise bad_parameter("ProvisionedThroughput must be specified when BillingMode is PROVISIONED")
        mode = billing_mode or info.billing_mode
        definition.check_throughput(mode, units if mode == ON_DEMAND or units is not None else info.capacity.units)
        if units is not None and units == info.capacity.units:
            raise invalid(_unchanged(units))
        everywhere = [each.name for each in self.indexes.values() if each.is_global]
        if mode == info.billing_mode:
            if units is not None:
                info.capacity.check(units, self._world.datetime())
                change.units[None] = dict(units)
            return
        if mode != ON_DEMAND and (left := [name for name in everywhere if name not in updated]):
            raise bad_parameter(f"ProvisionedThroughput must be specified for index: {','.join(left)}")
        change.mode = mode
        change.units = {None: None if units is None else dict(units)}
        if mode == ON_DEMAND:
            change.units |= dict.fromkeys(everywhere)

    # --- indexes ------------------------------------------------------------------------------------------------------

    def _alter_indexes(
        self,
        change: Alteration,
        definitions: Sequence[Mapping[str, str]],
        updates: Sequence[Mapping[str, Any]],
    ) -> None:
        names = []
        for update in updates:
            if not any(update.get(kind) for kind in ("Update", "Create", "Delete")):
                raise bad_parameter(
                    "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, "
                    "GlobalSecondaryIndexUpdate.Delete must not be null"
                )
            name = next(iter(update.values()))["IndexName"]
            if name in names:
                raise bad_parameter(
                    f"Only one global secondary index update per index is allowed simultaneously. Index: {name}"
                )
            names.append(name)
        online = [update for update in updates if "Update" not in update]
        busy = [each.name for each in self.indexes.values() if each.status in ("CREATING", "DELETING")]
        if len(online) > 1 or (online and any(name != names[updates.index(online[0])] for name in busy)):
            raise AwsError("LimitExceededException", _ONE_ONLY)
        mode = change.mode or self.info.billing_mode
        for number, update in enumerate(updates, 1):
            if "Create" in update:
                change.created = self._new_index(definitions, update["Create"], number, mode)
                change.units[change.created.name] = update["Create"].get("ProvisionedThroughput")
            elif "Delete" in update:
                index = change.deleted = self._global_index(update["Delete"]["IndexName"])
                if index.status == "UPDATING":
                    raise self._index_in_use(index)
            else:
                self._alter_index(change, update["Update"], mode)

    def _alter_index(self, change: Alteration, given: Mapping[str, Any], mode: str) -> None:
        index, units = self._global_index(given["IndexName"]), given.get("ProvisionedThroughput")
        definition.check_index_throughput(index.name, mode, units)
        if index.status != "ACTIVE":
            raise self._index_in_use(index)
        before = self._provision(index.name)
        if change.mode is None:
            if units is not None and units == before.units:
                raise invalid(_unchanged(units, index.name))
            before.check(units, self._world.datetime())
        change.units[index.name] = units

    def _new_index(
        self, definitions: Sequence[Mapping[str, str]], given: Mapping[str, Any], number: int, mode: str
    ) -> Index:
        if given["IndexName"] in self.indexes:
            raise invalid("Attempting to create an index which already exists")
        own = {name: self.schema.kind(name) for name in self.schema.names}
        types = own | definition.attribute_types(definitions)
        where = f"globalSecondaryIndexUpdates.{number}.member.create"
        settings = definition.index_settings(given, types, where)
        definition.check_index_throughput(settings.index_name, mode, given.get("ProvisionedThroughput"))
        if sum(index.is_global for index in self.indexes.values()) >= definition.GLOBAL_LIMIT:
            raise bad_parameter(f"GlobalSecondaryIndex count exceeds the per-table limit of {definition.GLOBAL_LIMIT}")
        return Index(self.schema, types, settings, is_global=True)

    def _global_index(self, name: str) -> Index:
        index = self.indexes.get(name)
        if index is None or not index.is_global:
            what = f"Requested resource not found: Index {name} for table {self.resource}"
            raise AwsError("ResourceNotFoundException", what)
        return index

    def _index_in_use(self, index: Index) -> AwsError:
        where = f"Table: {self.resource} Index: {index.name}"
        return AwsError("ResourceInUseException", f"{IN_USE}Index is being {_DOING[index.status]}. {where}")


def _unchanged(units: Units, index: str | None = None) -> str:
    what, of = ("the table", "the table") if index is None else (f"the index {index}", f"index {index}")
    read, write = units["ReadCapacityUnits"], units["WriteCapacityUnits"]
    return (
        f"The provisioned throughput for {what} will not change. The requested value equals the current value. "
        f"Current ReadCapacityUnits provisioned for {of}: {read}. Requested ReadCapacityUnits: {read}. "
        f"Current WriteCapacityUnits provisioned for {of}: {write}. Requested WriteCapacityUnits: {write}. "
        "Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits."
    )
