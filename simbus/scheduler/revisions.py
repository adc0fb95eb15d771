"""When each part of a function was changed last, and its revision: AWS's guard against two who change it at once."""

from __future__ import annotations

from typing import NamedTuple

from simbus.errors import AwsError
from simbus.world import World, uuid


class Revision(NamedTuple):
    """`id` is another one after every change; `at` is when that was, in nanoseconds of virtual time."""

    id: str
    at: int


class Revisions:
    """By qualifier: `$LATEST`, a version, an alias."""

    def __init__(self, world: World, name: str) -> None:
        self._timeline = world.timeline
        self._rng = world.timeline.rng(f"{name}/revisions")
        self._created = world.timeline.now
        self._known: dict[str, Revision] = {}

    def __getitem__(self, qualifier: str) -> Revision:
        if qualifier not in self._known:
            self._known[qualifier] = Revision(uuid(self._rng), self._created)
        return self._known[qualifier]

    def touch(self, qualifier: str) -> None:
        """It was changed now."""
        self._known[qualifier] = Revision(uuid(self._rng), self._timeline.now)

    def renew(self, qualifier: str) -> None:
        """Another id, although nothing was changed: its state is another one."""
        self._known[qualifier] = Revision(uuid(self._rng), self[qualifier].at)

    def forget(self, qualifier: str) -> None:
        """It was deleted."""
        self._known.pop(qualifier, None)

    def check(self, qualifier: str, given: str | None, of: str = "GetFunction/GetAlias") -> None:
        """Raises PreconditionFailedException, 412, where somebody knows another revision than the last one."""
        if given is not None and given != self[qualifier].id:
            raise AwsError(
                "PreconditionFailedException",
                "The Revision Id provided does not match the latest Revision Id. Call the "
                f"{of} API to retrieve the latest Revision Id",
                412,
                Type="User",
            )
