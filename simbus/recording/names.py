"""Which resource of the simulation is meant by what a file names.

The rule: `NAME=RESOURCE` among the targets decides for that name; else a target without a name decides for all; else
the resource of the same service and name, in whatever account and Region the file has it. Where a file names none, it
is the only resource of that service. Whatever is not clear is an error that names the candidates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any

from simbus.arn import short_name
from simbus.errors import UsageError
from simbus.resources import Resources
from simbus.services import SERVICES


class NoTarget(ValueError):
    """An entry is sound, but where it goes to is not clear, or it can't be done there: an option says where."""


class Names:
    """Finds resources of a simulation. `targets` are `RESOURCE` or `NAME=RESOURCE`; NAME is bare, or `service:name`.

    `only` is a resource or a service: what is not of it is not wanted, and need not be there. Raises UsageError for
    targets that are none, and for an `only` that is neither.
    """

    def __init__(self, simulation: Resources, targets: Iterable[str] = (), only: str | None = None) -> None:
        self.simulation = simulation
        self._only = None if only is None else self._wanted(only)
        self._default: str | None = None
        self._named: dict[str, str] = {}
        self._found: dict[tuple[str, str], str] = {}
        self._asked = False
        for target in targets:
            name, equals, resource = target.rpartition("=")
            found = self._there(resource, f"--target {target}")
            if equals and not name:
                raise UsageError(f"--target {target}: has no name before the =. Write NAME=RESOURCE, or RESOURCE.")
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
        twin = Names(simulation)
        twin._only, twin._default, twin._named = self._only, self._default, self._named
        return twin

    @property
    def default(self) -> str | None:
        """The target that is for everything, if there is one."""
        self._asked = True
        return self._default

    def check_used(self, path: object) -> None:
        """Refuse a target that nothing of the file asked for, now that all of it was read. Raises UsageError."""
        names = [f"{service}:{name}" for service, name in self._found]
        for name, resource in self._named.items():
            if name not in names and name not in (each.partition(":")[2] for each in names):
                close = get_close_matches(name, [*names, *(each.partition(":")[2] for each in names)], 1)
                hint = f"It names {', '.join(sorted(names))}." if names else "Leave it out."
                hint = f"Did you mean {close[0]}?" if close else hint
                raise UsageError(f"--target {name}={resource}: nothing that is replayed of {path} names {name}. {hint}")
        if self._default is not None and not self._asked:
            raise UsageError(
                f"--target {self._default}: everything in {path} says where it belongs without it. Leave it out."
            )

    def _wanted(self, only: str) -> str:
        """What `only` says: a service, or the short name of a resource that is there."""
        if only in SERVICES:
            return only
        if ":" not in only:
            close = get_close_matches(only, SERVICES, 1)
            hint = f"Did you mean {close[0]}?" if close else "Write for example s3:uploads, or s3."
            raise UsageError(
                f"--only {only}: is no service; it names one of {', '.join(SERVICES)}, or a resource of it. {hint}"
            )
        return self._there(only, f"--only {only}")

    def _there(self, reference: str, where: str) -> str:
        try:
            service, name, qualifier = short_name(reference)
        except UsageError as error:
            raise UsageError(f"{where}: {error}") from None
        if qualifier is not None:
            raise UsageError(f"{where}: has the qualifier {qualifier}; it names the whole. Leave :{qualifier} out.")
        if not self._has(f"{service}:{name}"):
            raise UsageError(
                f"{where}: the scenario has no {service}:{name}; {self._candidates(service)}. Correct the name."
            )
        return f"{service}:{name}"

    def _has(self, name: str) -> bool:
        service = name.partition(":")[0]
        return any(each.name == name for each in self.simulation.resources(service))

    def resource(self, name: str) -> Any:
        """The resource of that short name, which `find` or `only` returned."""
        return self.simulation[name]

    def find(self, service: str, name: str) -> str:
        """The short name of the resource that the file calls `name`. Raises NoTarget, which names the candidates."""
        found = self._found.get((service, name))
        if found is None:
            found = self._found[service, name] = self._find(service, name)
        return found

    def _find(self, service: str, name: str) -> str:
        short = f"{service}:{name}"
        named = self._named.get(short) or self._named.get(name) or self.default
        if named is not None:
            return named
        if not self._has(short) and self.wants(short):
            raise NoTarget(
                f"{short} is not in the scenario; {self._candidates(service)}. Say which one is meant: "
                f"--target {name}=RESOURCE"
            )
        return short

    def wants(self, name: str) -> bool:
        """Whether what is done to that resource is wanted."""
        return self._only is None or self._only in (name, name.partition(":")[0])

    def find_arn(self, arn: str) -> str:
        """The same for what an ARN names. Raises NoTarget for one of a service that simbus does not play."""
        try:
            service, name, _ = short_name(arn)
        except UsageError:
            if self.default is not None:
                return self.default
            raise NoTarget(
                f"{arn!r} names no resource of {', '.join(SERVICES)}. Say which one is meant: --target RESOURCE"
            ) from None
        return self.find(service, name)

    def only(self, service: str, what: str, wanted: Callable[[Any], bool] = lambda _: True) -> str:
        """The one resource of a service that is wanted, where the file names none. Raises NoTarget.

        `what` begins the message: what is it that names no resource.
        """
        if self.default is not None:
            return self.default
        there = self.simulation.resources(service)
        found = [each.name for each in there if wanted(each)] or [each.name for each in there]
        if len(found) != 1:
            raise NoTarget(f"{what}; {self._candidates(service, found)}. Say which one is meant: --target RESOURCE")
        return str(found[0])

    def _candidates(self, service: str, found: list[str] | None = None) -> str:
        names = [each.name for each in self.simulation.resources(service)] if found is None else found
        words = SERVICES[service].words
        return f"candidates are {', '.join(names)}" if names else f"it has no such {words}"
