"""What is attached to a table: time to live, tags, continuous backups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from simbus.kernel import MINUTE
from simbus.sources.base import operation, twin
from simbus.sources.dynamodb.errors import invalid
from simbus.sources.dynamodb.manage import ManagedTable

RECOVERY_DAYS: Final = 35
BEHIND: Final = 5 * MINUTE  # "typically five minutes before the current time" (API reference)


class KeptTable(ManagedTable):
    """A table with time to live, tags and continuous backups; of a backup nothing but its settings is played."""

    @operation
    def update_time_to_live(self, time_to_live_specification: Mapping[str, Any]) -> dict[str, Any]:
        """Enable or disable (`{"Enabled": ..., "AttributeName": ...}`); at once (AWS: within an hour)."""
        given = dict(time_to_live_specification)
        enabled, name = given["Enabled"], given["AttributeName"]
        if enabled and self.ttl_attribute == name:
            raise invalid("TimeToLive is already enabled")
        if not enabled and self.ttl_attribute is None:
            raise invalid("TimeToLive is already disabled")
        if self.ttl_attribute not in (None, name):
            raise invalid(
                "TimeToLive is active on a different AttributeName: current value of AttributeName is "
                f"{self.ttl_attribute}"
            )
        self.watch_expiry(name if enabled else None)
        return {"TimeToLiveSpecification": given}

    aupdate_time_to_live = twin(update_time_to_live)

    @operation
    def describe_time_to_live(self) -> dict[str, Any]:
        """`{"TimeToLiveDescription": ...}`."""
        if self.ttl_attribute is None:
            return {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}}
        return {"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": self.ttl_attribute}}

    adescribe_time_to_live = twin(describe_time_to_live)

    @operation
    def tag_resource(self, tags: Sequence[Mapping[str, str]]) -> None:
        """Add tags, or change them."""
        if not tags:
            raise invalid("Atleast one Tag needs to be provided as Input.")
        self.info.tags.update({tag["Key"]: tag["Value"] for tag in tags})

    atag_resource = twin(tag_resource)

    @operation
    def untag_resource(self, tag_keys: Sequence[str]) -> None:
        """Take tags away."""
        if not tag_keys:
            raise invalid("Atleast one Tag Key needs to be provided as Input.")
        for key in tag_keys:
            self.info.tags.pop(key, None)

    auntag_resource = twin(untag_resource)

    @operation
    def describe_continuous_backups(self) -> dict[str, Any]:
        """`{"ContinuousBackupsDescription": ...}`."""
        days = self.info.recovery_days
        recovery: dict[str, Any] = {"PointInTimeRecoveryStatus": "DISABLED"}
        if days is not None:
            now = self._timeline.now
            recovery = {
                "PointInTimeRecoveryStatus": "ENABLED",
                "RecoveryPeriodInDays": days,
                "EarliestRestorableDateTime": self.info.created,
                "LatestRestorableDateTime": max(self.info.created, self._world.datetime(now - BEHIND)),
            }
        status = {"ContinuousBackupsStatus": "ENABLED", "PointInTimeRecoveryDescription": recovery}
        return {"ContinuousBackupsDescription": status}

    adescribe_continuous_backups = twin(describe_continuous_backups)

    @operation
    def update_continuous_backups(self, point_in_time_recovery_specification: Mapping[str, Any]) -> dict[str, Any]:
        """Switch point-in-time recovery on or off: it is described; a restore is not played."""
        given = point_in_time_recovery_specification
        enabled = given["PointInTimeRecoveryEnabled"]
        self.info.recovery_days = given.get("RecoveryPeriodInDays", RECOVERY_DAYS) if enabled else None
        return self.describe_continuous_backups()

    aupdate_continuous_backups = twin(update_continuous_backups)
