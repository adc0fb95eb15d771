"""What is attached to a table: time to live, tags, continuous backups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from simbus.kernel import HOUR, MINUTE
from simbus.sources.base import operation, twin
from simbus.sources.dynamodb.errors import invalid
from simbus.sources.dynamodb.manage import ManagedTable

RECOVERY_DAYS: Final = 35
BEHIND: Final = 5 * MINUTE  # "typically five minutes before the current time" (API reference)


class KeptTable(ManagedTable):
    """A table with time to live, tags and continuous backups; of a backup nothing but its settings is played."""

    @operation
    def update_time_to_live(
        self, time_to_live_specification: Mapping[str, Any], *, at_once: bool = True
    ) -> dict[str, Any]:
        """Enable or disable (`{"Enabled": ..., "AttributeName": ...}`).

        `at_once=False`, as AWS: a table with items is ENABLING or DISABLING for the account's `table_transition_delay`
        (AWS: up to an hour, but at once where it is empty), and can't be changed again within an hour. The hour is that
        of the API reference; ack-api-quirks (DDB-TABLE-143, 145, 147) measured 31 minutes in October 2026.
        """
        given = dict(time_to_live_specification)
        enabled, name, info = given["Enabled"], given["AttributeName"], self.info
        if enabled and info.time_to_live == name:
            raise invalid("TimeToLive is already enabled")
        if not enabled and info.time_to_live is None:
            raise invalid("TimeToLive is already disabled")
        if info.time_to_live not in (None, name):
            raise invalid(
                f"TimeToLive is active on a different AttributeName: current AttributeName is {info.time_to_live}"
            )
        now, last = self._timeline.now, info.time_to_live_changed
        if not at_once and last is not None and now < last + HOUR:
            raise invalid("Time to live has been modified multiple times within a fixed interval")
        info.time_to_live = name if enabled else None
        if at_once or not self.stored:
            self._time_to_live_changed(info.time_to_live)
        else:
            info.time_to_live_status = "ENABLING" if enabled else "DISABLING"
            self._later(self._time_to_live_changed, info.time_to_live)
        if not at_once:
            info.time_to_live_changed = now
        return {"TimeToLiveSpecification": given}

    aupdate_time_to_live = twin(update_time_to_live)

    def _time_to_live_changed(self, attribute: str | None) -> None:
        """From now on items expire, or stay."""
        if not self.deleted and attribute == self.info.time_to_live:
            self.info.time_to_live_status = "DISABLED" if attribute is None else "ENABLED"
            self.watch_expiry(attribute)

    @operation
    def describe_time_to_live(self) -> dict[str, Any]:
        """`{"TimeToLiveDescription": ...}`."""
        if self.status == "DELETING":
            raise invalid(
                "Cannot describe time to live while table is in DELETING state: Current table state is DELETING"
            )
        found = {"TimeToLiveStatus": self.info.time_to_live_status}
        attribute = self.info.time_to_live or self.ttl_attribute
        return {"TimeToLiveDescription": found if attribute is None else found | {"AttributeName": attribute}}

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
