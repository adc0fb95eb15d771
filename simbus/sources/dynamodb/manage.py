"""What is said of a table as a whole: DescribeTable, and UpdateTable as far as its stream goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simbus.errors import UsageError
from simbus.sources.base import operation, twin
from simbus.sources.dynamodb.errors import bad_parameter, invalid
from simbus.sources.dynamodb.store import TableStore


class ManagedTable(TableStore):
    """A table that can be described and whose stream can be enabled and disabled."""

    @operation
    def describe_table(self) -> dict[str, Any]:
        """`{"Table": ...}`. ItemCount and TableSizeBytes are those of this moment (AWS: about every six hours)."""
        return {"Table": self._description()}

    adescribe_table = twin(describe_table)

    @operation
    def update_table(self, *, stream_specification: Mapping[str, Any]) -> dict[str, Any]:
        """Enable (`{"StreamEnabled": True, "StreamViewType": ...}`) or disable (`{"StreamEnabled": False}`) the stream.

        An enabled stream cannot be changed: disable it first. Each one has an ARN of its own; a disabled one can be
        read for 24 hours more. It is done at once (AWS: about 5 seconds of UPDATING). Raises AwsError
        ValidationException (what AWS answers; its API reference says ResourceInUseException).
        """
        given = dict(stream_specification)
        enabled, view_type = given.pop("StreamEnabled", None), given.pop("StreamViewType", None)
        if given or not isinstance(enabled, bool):
            raise UsageError(
                f"stream_specification of table {self.resource} is {dict(stream_specification)!r}; it has "
                "StreamEnabled, true or false, and where it is true StreamViewType. Write it like that."
            )
        if enabled:
            self._enable(view_type)
        else:
            self._disable(view_type)
        return {"TableDescription": self._description()}

    aupdate_table = twin(update_table)

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

    def outage(self, duration: int) -> None:
        """Answer every operation of the table and of its stream with 503 for `duration` nanoseconds from now."""
        super().outage(duration)
        if self.latest_stream is not None:
            self.latest_stream.outage(duration)

    def _description(self) -> dict[str, Any]:
        definitions = [
            {"AttributeName": name, "AttributeType": self.schema.kind(name)} for name in sorted(self.schema.names)
        ]
        found: dict[str, Any] = {
            "AttributeDefinitions": definitions,
            "TableName": self.resource,
            "KeySchema": self.schema.shown(),
            "TableStatus": "ACTIVE",
            "CreationDateTime": self._world.datetime(self._created),
            "TableSizeBytes": sum(size for _, size in self.stored.values()),
            "ItemCount": len(self.stored),
            "TableArn": self.arn,
            "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
        }
        if self.stream is not None:
            found["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": self.stream.view_type}
        if self.latest_stream is not None:
            found["LatestStreamLabel"] = self.latest_stream.label
            found["LatestStreamArn"] = self.latest_stream.arn
        return found
