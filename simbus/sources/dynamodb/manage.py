"""What is said of a table as a whole and changed about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from simbus.bus import Bus
from simbus.errors import AwsError, UsageError
from simbus.metrics import Datapoint
from simbus.sources.base import operation, twin
from simbus.sources.dynamodb.alter import AlterableTable, Alteration
from simbus.sources.dynamodb.describe import ON_DEMAND, PROVISIONED, description, key_arn, new_info
from simbus.sources.dynamodb.errors import bad_parameter, constraint, invalid
from simbus.sources.dynamodb.life import IN_USE
from simbus.sources.dynamodb.provisioned import Provision, Units
from simbus.sources.dynamodb.throughput import units_of
from simbus.world import World

_CLASSES = ("STANDARD", "STANDARD_INFREQUENT_ACCESS")


class ManagedTable(AlterableTable):
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
        self.info = new_info(world, name, mode, given)
        of_indexes = {
            each.name: each.given.provisioned_throughput
            for each in self.indexes.values()
            if each.is_global or each.given.provisioned_throughput is not None
        }
        for index, units in (of_indexes | dict(index_throughput or {})).items():
            found = None if units is None else units_of(units, f"index {index} of table {name}")
            self.info.index_capacity[index] = Provision(found)
        self._check_provisioned()
        self._provide(full=True)
        self.info.time_to_live = self.ttl_attribute
        self.info.time_to_live_status = "DISABLED" if self.ttl_attribute is None else "ENABLED"
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
        return {"Table": self._description() if self.info.final is None else deepcopy(self.info.final)}

    adescribe_table = twin(describe_table)

    def _description(self) -> dict[str, Any]:
        return description(self, self.info, self._world.datetime())

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
        at_once: bool = True,
    ) -> dict[str, Any]:
        """Change what is given, with AWS's own parameters: `{"TableDescription": ...}`.

        `stream_specification` enables (`{"StreamEnabled": True, "StreamViewType": ...}`) or disables
        (`{"StreamEnabled": False}`) the stream. An enabled one cannot be changed: disable it first. Each one has an ARN
        of its own; a disabled one can be read for 24 hours more. `global_secondary_index_updates` creates an index,
        deletes one or changes its throughput. `at_once=False`: throughput and indexes take the account's
        `table_transition_delay` (an index that is created twice as long), the table is UPDATING, as on AWS.
        Raises AwsError ValidationException (also where AWS's API reference says ResourceInUseException),
        LimitExceededException, ResourceNotFoundException, ResourceInUseException.
        """
        others = (table_class, sse_specification, deletion_protection_enabled)
        if not global_secondary_index_updates and all(
            each is None for each in (billing_mode, provisioned_throughput, stream_specification, *others)
        ):
            raise invalid(
                "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates "
                "or SSESpecification or ReplicaUpdates is required"
            )
        units = billing_mode is not None or provisioned_throughput is not None
        settings = any(each is not None for each in (stream_specification, table_class, sse_specification))
        if self.status == "UPDATING":
            self._check_under_way(units, global_secondary_index_updates, settings)
        if table_class is not None:
            check_class(table_class)
        change = Alteration()
        if units:
            updated = [each["Update"]["IndexName"] for each in global_secondary_index_updates if "Update" in each]
            self._alter_throughput(change, billing_mode, provisioned_throughput, updated)
        if global_secondary_index_updates:
            self._alter_indexes(change, attribute_definitions, global_secondary_index_updates)
        if stream_specification is not None:
            self._update_stream(stream_specification)
        if table_class is not None:
            self.info.table_class = table_class
        if sse_specification is not None:
            self.info.key_arn = key_arn(self._world, sse_specification)
        if deletion_protection_enabled is not None:
            self.info.protected = deletion_protection_enabled
        only_protection = not (units or settings or global_secondary_index_updates)
        return {"TableDescription": self._alter(change, at_once or only_protection)}

    aupdate_table = twin(update_table)

    @operation
    def delete_table(self) -> dict[str, Any]:
        """Delete it with its items: `{"TableDescription": ...}`. Its stream can be read for 24 hours more."""
        if self.info.protected:
            raise invalid(
                "Resource cannot be deleted as it is currently protected against deletion. Disable deletion "
                "protection first."
            )
        if any(index.status != "ACTIVE" for index in self.indexes.values()):
            what = "Cannot delete table while indexes are being created, updated, or deleted."
            raise AwsError("ResourceInUseException", f"{IN_USE}{what}")
        if self.status == "UPDATING":
            what = f"Table: {self.resource} is in the process of being updated."
            raise AwsError("ResourceInUseException", f"{IN_USE}{what}")
        answer = self._description() | {"TableStatus": "DELETING"}
        self.info.final = dict(answer)
        for member in ("AttributeDefinitions", "KeySchema", "CreationDateTime", "GlobalSecondaryIndexes"):
            answer.pop(member, None)
        self.end()
        return {"TableDescription": deepcopy(answer)}

    adelete_table = twin(delete_table)

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
