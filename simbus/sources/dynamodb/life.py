"""What a table is doing after an API operation that AWS answers before it is done: CREATING, UPDATING, DELETING.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html. The texts are AWS's, from
public issues (terraform's, for a table that is being created or deleted; dynamic-dynamodb's, for one being updated).
How long it takes is the account's `table_transition_delay`. Tables of a scenario and of `sim.table` are ACTIVE at once,
and what Python's methods change is changed at once, unless they say otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from simbus.errors import AwsError
from simbus.sources.base import Source
from simbus.sources.dynamodb.store import FAR, Status, TableStore

T = TypeVar("T")
IN_USE: Final = "Attempt to change a resource which is still in use: "
_DOING: Final = {"CREATING": "created", "UPDATING": "updated", "DELETING": "deleted"}
_DESCRIBING: Final = frozenset(("describe_table", "describe_time_to_live", "describe_continuous_backups"))
_CHANGING: Final = frozenset(
    (
        "update_table",
        "delete_table",
        "update_time_to_live",
        "update_continuous_backups",
        "tag_resource",
        "untag_resource",
    )
)
# Tags can be changed meanwhile; the first two look for themselves at what is under way.
_WHILE_UPDATING: Final = frozenset(("update_table", "delete_table", "tag_resource", "untag_resource"))


class LivingTable(TableStore):
    """A table with a status."""

    def begin(self) -> None:
        """CreateTable has been answered: the table is CREATING for a while, and nobody reads or writes it."""
        for index in self.indexes.values():
            index.status = "CREATING" if index.is_global else "ACTIVE"
        self._turn("CREATING", self._created)
        if self.throughput is not None:
            self.throughput.begin()

    def begin_deletion(self, gone: Callable[[], object]) -> None:
        """DeleteTable has been answered: after a while `gone()` is called."""
        self._turn("DELETING", lambda _: gone())

    def _turn(self, status: Status, then: Callable[[None], object]) -> None:
        if self._world.account.table_transition_delay:
            self.status = status
            self._out_until = FAR
        self._later(then, None)

    def _later(self, then: Callable[[T], object], what: T) -> None:
        """Call `then(what)` when what AWS does in the background is done."""
        delay = self._world.account.table_transition_delay
        if delay:
            self._timeline.background(self._timeline.now + delay, then, what)
        else:
            then(what)

    def _created(self, _: None) -> None:
        for index in self.indexes.values():
            index.status = "ACTIVE"
        self._active()

    def _active(self) -> None:
        if self.status != "DELETING":
            self.status = "ACTIVE"
            self._out_until = self._outage_until

    def _check_operation(self, name: str) -> None:
        """Raise AwsError in an outage, and where the table's status does not allow the operation."""
        if name in _DESCRIBING and self.status != "ACTIVE":
            Source._check_available(self)
            return
        if name in _CHANGING and not (self.status == "UPDATING" and name in _WHILE_UPDATING):
            self.check_idle(name)
        self._check_available()

    def check_describable(self) -> None:
        """Raise AwsError in an outage, or where it is gone."""
        if self._out_until:
            self._check_operation("describe_table")

    def check_idle(self, name: str) -> None:
        """Raise AwsError for a change of a table that is being created, changed or deleted already."""
        if name == "update_continuous_backups" and self.status == "CREATING":
            what = f"Backups are being enabled for the table: {self.resource}. Please retry later"
            raise AwsError("ContinuousBackupsUnavailableException", what)
        if self.status != "ACTIVE":
            raise AwsError(
                "ResourceInUseException",
                f"{IN_USE}Table is being {_DOING[self.status]}: {self.resource}",
            )
