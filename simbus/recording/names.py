"""Which resource of the simulation is meant by what a file names.

The rule: `NAME=RESOURCE` among the targets decides for that name; else a target without a name decides for all; else
the resource of the same service and name, in whatever account and Region the file has it. Where a file names none, it
is the only resource of that service. Whatever is not clear is an error that names the candidates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from simbus.arn import short_name
from simbus.errors import UsageError
from simbus.resources import Resources
from simbus.services import SERVICES


class Names:
    """Finds resources of a simulation. `targets` are `RESOURCE` or `NAME=RESOURCE`; NAME is bare, or `service:name`.

    `only` is a resource or a service: what is not of it is not wanted, and need not be there.
    """

    def __init__(self, simulation: Resources, targets: Iterable[str] = (), only: str | None = None) -> None:
        self.simulation = simulation
        self._only = only
        self._default: str | None = None
        self._named: dict[str, str] = {}
        self._found: dict[tuple[str, str], str] = {}
        for target in targets:
            name, equals, resource = target.rpartition("=")
            found = self._there(resource, f"--target {target}")
            if not equals and self._default is not None:
                raise UsageError(
                    f"--target {target}: {self._default} is a target too; one of them is for everything. "
                    "Write NAME=RESOURCE for the others."
                )
            if equals:
                self._named[name] = found
            else:
                self._default = found

    def within(self, simulation: Resources) -> Names:
        """The same, for another simulation."""
        twin = Names(simulation, (), self._only)
        twin._default, twin._named = self._default, self._named
        return twin

    @property
    def default(self) -> str | None:
        """The target that is for everything, if there is one."""
        return self._default

    def _there(self, reference: str, where: str) -> str:
        try:
            service, name, _ = short_name(reference)
        except UsageError as error:
            raise UsageError(f"{where}: {error}") from None
        if not self._has(f"{service}:{name}"):
            raise UsageError(f"{where}: the scenario has no {service}:{name}; {self._candidates(service)}.")
        return f"{service}:{name}"

    def _has(self, name: str) -> bool:
        service = name.partition(":")[0]
        return any(each.name == name for each in self.simulation.resources(service))

    def resource(self, name: str) -> Any:
        """The resource of that short name, which `find` or `only` returned."""
        return self.simulation[name]

    def find(self, service: str, name: str) -> str:
        """The short name of the resource that the file calls `name`. Raises ValueError, which names the candidates."""
        found = self._found.get((service, name))
        if found is None:
            found = self._found[service, name] = self._find(service, name)
        return found

    def _find(self, service: str, name: str) -> str:
        short = f"{service}:{name}"
        named = self._named.get(short) or self._named.get(name) or self._default
        if named is not None:
            return named
        if not self._has(short) and self.wants(short):
            raise ValueError(
                f"{short} is not in the scenario; {self._candidates(service)}. Say which one is meant: "
                f"--target {name}=RESOURCE"
            )
        return short

    def wants(self, name: str) -> bool:
        """Whether what is done to that resource is wanted."""
        return self._only is None or self._only in (name, name.partition(":")[0])

    def find_arn(self, arn: str) -> str:
        """The same for what an ARN names. Raises ValueError for one of a service that simbus does not play."""
        try:
            service, name, _ = short_name(arn)
        except UsageError:
            if self._default is not None:
                return self._default
            raise ValueError(
                f"{arn!r} names no resource of {', '.join(SERVICES)}. Say which one is meant: --target RESOURCE"
            ) from None
        return self.find(service, name)

    def only(self, service: str, what: str, wanted: Callable[[Any], bool] = lambda _: True) -> str:
        """The one resource of a service that is wanted, where the file names none. Raises ValueError.

        `what` begins the message: what is it that names no resource.
        """
        if self._default is not None:
            return self._default
        there = self.simulation.resources(service)
        found = [each.name for each in there if wanted(each)] or [each.name for each in there]
        if len(found) != 1:
            raise ValueError(f"{what}; {self._candidates(service, found)}. Say which one is meant: --target RESOURCE")
        return str(found[0])

    def _candidates(self, service: str, found: list[str] | None = None) -> str:
        names = [each.name for each in self.simulation.resources(service)] if found is None else found
        words = SERVICES[service].words
        return f"candidates are {', '.join(names)}" if names else f"it has no such {words}"
