"""What is said of a table as a whole and changed about it: all that is at once ACTIVE here, and takes AWS seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simbus.bus import Bus
from simbus.errors import AwsError, UsageError
from simbus.metrics import Datapoint
from simbus.sources.base import operation, twin
from simbus.sources.dynamodb import definition
from simbus.sources.dynamodb.describe import ON_DEMAND, PROVISIONED, Units, description, key_arn, new_info
from simbus.sources.dynamodb.errors import bad_parameter, constraint, invalid
from simbus.sources.dynamodb.index import Index
from simbus.sources.dynamodb.life import LivingTable
from simbus.sources.dynamodb.throughput import Throughput, units_of
from simbus.world import World

_CLASSES = ("STANDARD", "STANDARD_INFREQUENT_ACCESS")


class ManagedTable(LivingTable):
    """A table that can be described, changed and deleted.

    `billing_mode` is PAY_PER_REQUEST, which nothing limits, or PROVISIONED (the default where there is a
    `provisioned_throughput`): such a table, and each of its global indexes, takes as many units a second as that says,
    after bursts (see throughput.py). It was idle before, so that the bursts' five minutes are there; one that
    CreateTable makes has none yet. `index_throughput` is that of global indexes by name, where it is no setting of
    theirs. `tags`, `table_class`, `sse_specification` are described, and change nothing else. A table of
    `deletion_protection_enabled` can't be deleted. The others are `TableStore`'s.
    """

    def __init__(
        self,
        world: World,
        bus: Bus,
        name: str,
        *,
        hash_key: str,
        billing_mode: str | None = None,
        provisioned_throughput: Units | None = None,
        index_throughput: Mapping[str, Units | None] | None = None,
        tags: Mapping[str, str] | None = None,
        table_class: str | None = None,
        sse_specification: Mapping[str, Any] | None = None,
        deletion_protection_enabled: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__(world, bus, name, hash_key=hash_key, **settings)
        mode = billing_mode or (ON_DEMAND if provisioned_throughput is None else PROVISIONED)
        given = None if provisioned_throughput is None else units_of(provisioned_throughput, f"table {name}")
        of_indexes = {each.name: each.given.provisioned_throughput for each in self.indexes.values()}
        self.info = new_info(world, name, mode, given)
        for index, units in (of_indexes | dict(index_throughput or {})).items():
            if units is not None:
                self.info.index_throughput[index] = units_of(units, f"index {index} of table {name}")
        self._check_provisioned()
        self._provide(full=True)
        self.info.tags.update(tags or {})
        self.info.table_class = table_class
        self.info.key_arn = key_arn(world, sse_specification)
        self.info.protected = deletion_protection_enabled

    def metric(self, name: str) -> list[Datapoint]:
        """The data points of a CloudWatch metric (`WriteThrottleEvents`) so far: see `simbus.metrics`.

        Raises UsageError for a metric that tables do not have, and for a table of on-demand capacity.
        """
        if self.throughput is None:
            raise UsageError(
                f"table {self.resource} is of on-demand capacity; simbus has metrics of provisioned tables only. "
                "Give it a provisioned_throughput, or count its events."
            )
        return self._world.metrics.datapoints(name, f"TableName={self.resource}")

    @operation
    def describe_table(self) -> dict[str, Any]:
        """`{"Table": ...}`."""
        return {"Table": description(self, self.info)}

    adescribe_table = twin(describe_table)

    @operation
    def update_table(
        self,
        *,
        attribute_definitions: Sequence[Mapping[str, str]] = (),
        billing_mode: str | None = None,
        provisioned_throughput: Units | None = None,
        global_secondary_index_updates: Sequence[Mapping[str, Any]] = (),
        stream_specification: Mapping[str, Any] | None = None,
        table_class: str | None = None,
        sse_specification: Mapping[str, Any] | None = None,
        deletion_protection_enabled: bool | None = None,
    ) -> dict[str, Any]:
        """Change what is given, with AWS's own parameters: `{"TableDescription": ...}`.

        `stream_specification` enables (`{"StreamEnabled": True, "StreamViewType": ...}`) or disables
        (`{"StreamEnabled": False}`) the stream. An enabled one cannot be changed: disable it first. Each one has an ARN
        of its own; a disabled one can be read for 24 hours more. `global_secondary_index_updates` creates an index,
        deletes one or changes its throughput. All is done at once. Raises AwsError ValidationException (also where
        AWS's API reference says ResourceInUseException), LimitExceededException, ResourceNotFoundException.
        """
        others = (table_class, sse_specification, deletion_protection_enabled)
        if not global_secondary_index_updates and all(
            each is None for each in (billing_mode, provisioned_throughput, stream_specification, *others)
        ):
            raise invalid(
                "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates "
                "or SSESpecification or ReplicaUpdates is required"
            )
        if table_class is not None:
            check_class(table_class)
        if billing_mode is not None or provisioned_throughput is not None:
            updated = [each["Update"]["IndexName"] for each in global_secondary_index_updates if "Update" in each]
            self._update_throughput(billing_mode, provisioned_throughput, updated)
        if global_secondary_index_updates:
            self._update_indexes(attribute_definitions, global_secondary_index_updates)
        if billing_mode or provisioned_throughput or global_secondary_index_updates:
            self._provide(full=False)
        if stream_specification is not None:
            self._update_stream(stream_specification)
        if table_class is not None:
            self.info.table_class = table_class
        if sse_specification is not None:
            self.info.key_arn = key_arn(self._world, sse_specification)
        if deletion_protection_enabled is not None:
            self.info.protected = deletion_protection_enabled
        return {"TableDescription": description(self, self.info)}

    aupdate_table = twin(update_table)

    @operation
    def delete_table(self) -> dict[str, Any]:
        """Delete it with its items: `{"TableDescription": ...}`. Its stream can be read for 24 hours more."""
        if self.info.protected:
            raise invalid(
                "Resource cannot be deleted as it is currently protected against deletion. Disable deletion "
                "protection first."
            )
        answer = description(self, self.info)
        for member in ("AttributeDefinitions", "KeySchema", "CreationDateTime", "GlobalSecondaryIndexes"):
            answer.pop(member, None)
        self.end()
        return {"TableDescription": answer | {"TableStatus": "DELETING"}}

    adelete_table = twin(delete_table)

    # --- throughput --------------------------------------------------------------------------------------------------

    def _check_provisioned(self) -> None:
        """Raise UsageError where billing mode and units don't fit each other."""
        info = self.info
        if info.billing_mode not in (ON_DEMAND, PROVISIONED):
            raise UsageError(
                f"billing_mode of table {self.resource} is {info.billing_mode!r}; it is {ON_DEMAND} or PROVISIONED."
            )
        on_demand = info.billing_mode == ON_DEMAND
        everywhere = [each.name for each in self.indexes.values() if each.is_global]
        odd = [name for name in info.index_throughput if name not in everywhere]
        lacking = [name for name in everywhere if name not in info.index_throughput]
        if on_demand and (info.throughput is not None or info.index_throughput):
            raise UsageError(
                f"table {self.resource} is {ON_DEMAND} and has provisioned_throughput; only a table of billing_mode "
                "PROVISIONED and its global indexes have one. Remove the one or the other."
            )
        if not on_demand and (info.throughput is None or lacking):
            what = "the table" if info.throughput is None else f"index {lacking[0]}"
            raise UsageError(
                f"table {self.resource} is PROVISIONED; {what} has no provisioned_throughput, which the table and each "
                "of its global indexes need. Add it."
            )
        if odd:
            raise UsageError(
                f"table {self.resource} has throughput for {odd[0]!r}, which is no global index of it. Remove it."
            )

    def _provide(self, *, full: bool) -> None:
        """Let the units that are described be those that count."""
        info = self.info
        if info.billing_mode == ON_DEMAND or info.throughput is None:
            self.throughput = None
            return
        if self.throughput is None:
            self.throughput = Throughput(self._timeline, self._world.metrics.table(self.resource), self.arn)
        self.throughput.provide(None, info.throughput, full=full)
        for name, units in info.index_throughput.items():
            if units is not None:
                self.throughput.provide(name, units, full=full)

    def _update_throughput(self, billing_mode: str | None, throughput: Units | None, updated: Sequence[str]) -> None:
        info = self.info
        if billing_mode == "PROVISIONED" and throughput is None:
            raise bad_parameter("ProvisionedThroughput must be specified when BillingMode is PROVISIONED")
        mode = billing_mode or info.billing_mode
        given = throughput if mode == ON_DEMAND or throughput is not None else info.throughput
        definition.check_throughput(mode, given)
        if throughput is not None and throughput == info.throughput:
            raise invalid(_unchanged(throughput))
        if mode != ON_DEMAND and mode != info.billing_mode:
            left = [each.name for each in self.indexes.values() if each.is_global and each.name not in updated]
            if left:
                raise bad_parameter(f"ProvisionedThroughput must be specified for index: {','.join(left)}")
        if mode == ON_DEMAND and mode != info.billing_mode:
            info.on_demand_since = self._world.datetime()
            info.index_throughput.clear()
        info.summary = info.summary or billing_mode is not None
        info.billing_mode = mode
        info.throughput = given if given is None else dict(given)

    # --- indexes -----------------------------------------------------------------------------------------------------

    def _update_indexes(self, definitions: Sequence[Mapping[str, str]], updates: Sequence[Mapping[str, Any]]) -> None:
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
        if sum("Update" not in update for update in updates) > 1:
            raise AwsError(
                "LimitExceededException",
                "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
            )
        for number, update in enumerate(updates, 1):
            if "Create" in update:
                self._create_index(definitions, update["Create"], number)
            elif "Delete" in update:
                name = self._global_index(update["Delete"]["IndexName"])
                del self.indexes[name]
                self.info.index_throughput.pop(name, None)
                if self.throughput is not None:
                    self.throughput.forget(name)
            else:
                name = self._global_index(update["Update"]["IndexName"])
                throughput = update["Update"].get("ProvisionedThroughput")
                definition.check_index_throughput(name, self.info.billing_mode, throughput)
                self.info.index_throughput[name] = throughput

    def _create_index(self, definitions: Sequence[Mapping[str, str]], given: Mapping[str, Any], number: int) -> None:
        if given["IndexName"] in self.indexes:
            raise invalid("Attempting to create an index which already exists")
        own = {name: self.schema.kind(name) for name in self.schema.names}
        types = own | definition.attribute_types(definitions)
        where = f"globalSecondaryIndexUpdates.{number}.member.create"
        settings = definition.index_settings(given, types, where)
        definition.check_index_throughput(
            settings.index_name, self.info.billing_mode, given.get("ProvisionedThroughput")
        )
        if sum(index.is_global for index in self.indexes.values()) >= definition.GLOBAL_LIMIT:
            raise bad_parameter(f"GlobalSecondaryIndex count exceeds the per-table limit of {definition.GLOBAL_LIMIT}")
        index = Index(self.schema, types, settings, is_global=True)
        self.indexes[index.name] = index
        self.info.index_throughput[index.name] = given.get("ProvisionedThroughput")

    def _global_index(self, name: str) -> str:
        index = self.indexes.get(name)
        if index is None or not index.is_global:
            raise AwsError("ResourceNotFoundException", "Requested resource not found")
        return name

    # --- the stream --------------------------------------------------------------------------------------------------

    def _update_stream(self, specification: Mapping[str, Any]) -> None:
        given = dict(specification)
        enabled, view_type = given.pop("StreamEnabled", None), given.pop("StreamViewType", None)
        if given or not isinstance(enabled, bool):
            raise UsageError(
                f"stream_specification of table {self.resource} is {dict(specification)!r}; it has "
                "StreamEnabled, true or false, and where it is true StreamViewType. Write it like that."
            )
        if enabled:
            self._enable(view_type)
        else:
            self._disable(view_type)

    def _enable(self, view_type: str | None) -> None:
        if view_type is None:
            raise bad_parameter("If stream is being enabled then UpdateViewType is required")
        if self.stream is not None:
            raise invalid(f"Table already has an enabled stream: TableName: {self.resource}")
        self.stream = self.latest_stream = self._new_stream(view_type)

    def _disable(self, view_type: str | None) -> None:
        if view_type is not None:
            raise bad_parameter("If stream is being disabled, then UpdateViewType must not be specified")
        if self.stream is None:
            raise invalid(f"Table has no stream to disable: TableName: {self.resource}")
        self.stream.disable()
        self.stream = None


def check_class(table_class: str) -> None:
    """Raise AwsError for a TableClass that AWS has not."""
    if table_class not in _CLASSES:
        rule = f"Member must satisfy enum value set: [{', '.join(_CLASSES)}]"
        raise constraint(table_class, "tableClass", rule)


def _unchanged(units: Units) -> str:
    read, write = units["ReadCapacityUnits"], units["WriteCapacityUnits"]
    return (
        "The provisioned throughput for the table will not change. The requested value equals the current value. "
        f"Current ReadCapacityUnits provisioned for the table: {read}. Requested ReadCapacityUnits: {read}. "
        f"Current WriteCapacityUnits provisioned for the table: {write}. Requested WriteCapacityUnits: {write}. "
        "Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits."
    )
