"""A function without its invocations: configuration, code, versions, aliases, concurrency, policy, tags.

Sources: recordings TestLambdaVersions, TestLambdaAliases, test_function_state, test_dead_letter_queue,
test_reserved_provisioned_overlap; botocore's model of the operations of these names.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from simbus.bus import Bus
from simbus.errors import AwsError
from simbus.functions.config import FunctionConfig
from simbus.functions.function import LATEST, Alias, Function
from simbus.functions.package import Package, package_of
from simbus.functions.settings import changed, check_handler
from simbus.scheduler.asynchronous import AsynchronousQueue
from simbus.scheduler.configuration import merged, shown
from simbus.scheduler.event_invoke import EventInvokeConfigs
from simbus.scheduler.permissions import Permissions
from simbus.scheduler.provisioned import ProvisionedConfigs, no_alias
from simbus.scheduler.revisions import Revisions
from simbus.scheduler.routing import check_alias_name, routed
from simbus.scheduler.state import FunctionState
from simbus.scheduler.validation import in_range, invalid
from simbus.sources.base import Source, operation
from simbus.world import Delivery

MOST_TAGS = 50


class ManagedFunction(Source, ABC):
    """What of a function is not invoking it. A qualifier is a version number, an alias, `$LATEST`, or None."""

    service = "lambda"

    def __init__(self, function: Function, queue: AsynchronousQueue, bus: Bus) -> None:
        super().__init__(function.world, bus, function.resource)
        self._function = function
        self._queue = queue
        self._provisioned = ProvisionedConfigs(function)
        self._packages: dict[str, Package] = {}
        self.revisions = Revisions(function.world, function.name)
        self.state = FunctionState(function, self.revisions)
        self.permissions = Permissions(self.arn)
        self.event_invoke_configs = EventInvokeConfigs(function, queue)
        self.tags: dict[str, str] = {}

    @property
    def core(self) -> Function:
        """The function itself, for who places invocations: AWS's operations are those of this class."""
        return self._function

    @property
    def event_queue(self) -> AsynchronousQueue:
        """Its queue of asynchronous events."""
        return self._queue

    @property
    def config(self) -> FunctionConfig:
        """The configuration of $LATEST; while an update is in progress the one that it brings."""
        return self.state.coming or self._function.config

    def _config(self, number: str) -> FunctionConfig:
        return self.config if number == LATEST else self._function.versions[number].config

    # --- configuration and code ------------------------------------------------------------------------------------

    @operation
    def get_function_configuration(self, qualifier: str | None = None) -> dict[str, Any]:
        """AWS's answer: of the version that a qualifier stands for, under the ARN with that qualifier."""
        if qualifier is not None and not self._function.has(qualifier):
            raise self._function.not_found(qualifier)
        number = self._function.primary(qualifier)
        arn = self.arn if qualifier is None else f"{self.arn}:{qualifier}"
        found = shown(self._world, self._config(number), number, arn, self.revisions[number], self.package(number))
        return self.state.shown(found, number)

    def package(self, number: str = LATEST) -> Package:
        """The deployment package of a version."""
        if number not in self._packages:
            self._packages[number] = package_of(self._config(number))
        return self._packages[number]

    @operation
    def update_function(self, config: FunctionConfig, *, delay: int = 0) -> None:
        """Replace code and configuration of $LATEST. What runs goes on; queued events run on the new code.

        For `delay` nanoseconds LastUpdateStatus is InProgress, and invocations use what was before.
        Raises AwsError ResourceConflictException (409) where it is Pending, or another update is in progress.
        """
        self.state.check_settled()
        self.state.update(config, delay)
        self._packages.pop(LATEST, None)
        self.revisions.touch(LATEST)

    @operation
    def update_function_configuration(
        self,
        /,
        *,
        handler: str | None = None,
        dead_letter_arn: str | None = None,
        logging_config: Mapping[str, Any] | None = None,
        delay: int = 0,
        **settings: Any,
    ) -> None:
        """Change what is given of $LATEST, under the names of `simbus.functions.settings.function_config`.

        `delay` as of `update_function`. `dead_letter_arn` "" takes the dead-letter queue away. Of `logging_config` too,
        what is not given stays.
        """
        config = self.config
        if logging_config is not None:
            settings["logging_config"] = merged(config.logging, dict(logging_config))
        config = changed(config, settings)
        if handler is not None:
            check_handler(config.name, handler, config.code)
            config = msgspec.structs.replace(config, handler=handler)
        if dead_letter_arn is not None:
            config = msgspec.structs.replace(config, dead_letter_arn=dead_letter_arn or None)
        self.update_function(config, delay=delay)

    @operation
    def update_function_code(
        self, code: Path, architectures: list[str] | None = None, *, delay: int = 0, publish: bool = False
    ) -> str | None:
        """Other code for $LATEST: a .zip, a directory or a .py file. `delay` as of `update_function`.

        With `publish` a version of it is made, whose number is returned; a new one is Pending for `delay`.
        """
        check_handler(self.resource, self.config.handler, code)
        settings = {} if architectures is None else {"architectures": architectures}
        config = msgspec.structs.replace(changed(self.config, settings), code=code)
        self.update_function(config, delay=delay)
        if not publish:
            return None
        coming = self.state.coming
        before = len(self._function.versions)
        number = self.publish_version(None if coming in (None, self._function.config) else coming)
        if len(self._function.versions) > before:
            self.state.begin(number, delay)
        return number

    @operation
    def put_function_recursion_config(self, recursive_loop: str) -> None:
        """Allow or Terminate, for every version; its environments stay."""
        config = changed(self.config, {"recursive_loop": recursive_loop})
        for version in self._function.versions.values():
            version.config = msgspec.structs.replace(version.config, recursive_loop=config.recursive_loop)
        if self.state.coming is not None:
            self.state.coming = config

    @operation
    def delete_function(self) -> None:
        """Delete it. What runs is finished; what others send from now on is refused."""
        self._function.delete()
        for arn in [a for a in self._world.targets if a == self.arn or a.startswith(f"{self.arn}:")]:
            self._world.forget(arn)

    # --- versions --------------------------------------------------------------------------------------------------

    @operation
    def publish_version(self, config: FunctionConfig | None = None, *, description: str | None = None) -> str:
        """Freeze $LATEST (or `config`) as a version; its number, that of the last one where nothing changed."""
        number = self._function.publish(config, description)
        if f"{self.arn}:{number}" not in self._world.targets:
            self._register(number)
            self.revisions.touch(number)
        return number

    @operation
    def delete_version(self, number: str) -> None:
        """DeleteFunction with a qualifier. Raises AWS's errors, as for one that an alias names."""
        function = self._function
        if number == LATEST:
            raise invalid("$LATEST version cannot be deleted without deleting the function.")
        if number not in function.versions:
            raise function.not_found(number)
        aliases = [name for name, alias in function.aliases.items() if number in alias[:2]]
        if aliases:
            raise AwsError(
                "ResourceConflictException",
                f"Unable to delete version because the following aliases reference it: [{', '.join(aliases)}]",
                409,
                Type="User",
            )
        function.delete_version(number)
        self._packages.pop(number, None)
        self._forget(number)

    def _register(self, qualifier: str) -> None:
        """A qualified function can be named as a target, and is then invoked with that qualifier."""
        target = _Qualified(self, qualifier)
        if target.arn not in self._world.targets:
            self._world.register(target)

    def _forget(self, qualifier: str) -> None:
        """What belonged to a version or an alias goes with it."""
        self._world.forget(f"{self.arn}:{qualifier}")
        self.revisions.forget(qualifier)
        self.permissions.forget(qualifier)
        self.event_invoke_configs.forget(qualifier)
        self._provisioned.forget(qualifier)

    @abstractmethod
    def accept(self, delivery: Delivery, qualifier: str | None = None) -> None:
        """Take a payload of another service over: what a qualified target does."""

    # --- aliases ---------------------------------------------------------------------------------------------------

    @operation
    def create_alias(
        self,
        name: str,
        function_version: str,
        additional_version_weights: Mapping[str, float] | None = None,
        description: str = "",
    ) -> dict[str, Any]:
        """CreateAlias. Raises AWS's errors for a bad name or routing configuration."""
        check_alias_name(name)
        if name in self._function.aliases:
            message = f"Alias already exists: {self.arn}:{name}"
            raise AwsError("ResourceConflictException", message, 409, Type="User")
        self._set_alias(name, function_version, additional_version_weights, description)
        self._register(name)
        return self.describe_alias(name)

    @operation
    def update_alias(
        self,
        name: str,
        function_version: str | None = None,
        additional_version_weights: Mapping[str, float] | None = None,
        description: str | None = None,
    ) -> dict[str, Any]:
        """UpdateAlias: move it to another version, or change its routing ({}: none any more); the rest stays."""
        before = self.alias(name)
        weights = additional_version_weights
        if weights is None and before.other_version is not None:
            weights = {before.other_version: before.weight}
        description = before.description if description is None else description
        self._set_alias(name, function_version or before.function_version, weights, description)
        self._provisioned.alias_moved(name)
        return self.describe_alias(name)

    @operation
    def delete_alias(self, name: str) -> None:
        """DeleteAlias; one that is not there is no error."""
        if self._function.aliases.pop(name, None) is not None:
            self._forget(name)

    def alias(self, name: str) -> Alias:
        """The alias. Raises ResourceNotFoundException."""
        if name not in self._function.aliases:
            raise no_alias(self._function, name)
        return self._function.aliases[name]

    def describe_alias(self, name: str) -> dict[str, Any]:
        """AWS's AliasConfiguration. Raises ResourceNotFoundException."""
        alias = self.alias(name)
        found: dict[str, Any] = {
            "AliasArn": f"{self.arn}:{name}",
            "Name": name,
            "FunctionVersion": alias.function_version,
            "Description": alias.description,
            "RevisionId": self.revisions[name].id,
        }
        if alias.other_version is not None:
            found["RoutingConfig"] = {"AdditionalVersionWeights": {alias.other_version: alias.weight}}
        return found

    def _set_alias(self, name: str, version: str, weights: Mapping[str, float] | None, description: str) -> None:
        alias = routed(self.arn, self._function.versions, version, weights)
        self._function.aliases[name] = alias._replace(description=description)
        self.revisions.touch(name)

    # --- concurrency -----------------------------------------------------------------------------------------------

    @operation
    def put_function_concurrency(self, reserved_concurrent_executions: int) -> None:
        """Reserve concurrency: a guarantee and a cap; 0 switches the function off. Raises AWS's errors."""
        in_range("reservedConcurrentExecutions", reserved_concurrent_executions, 0, 1 << 31)
        self._function.reserve(reserved_concurrent_executions)

    @operation
    def delete_function_concurrency(self) -> None:
        """Give the reservation back."""
        self._function.reserve(None)

    @operation
    def put_provisioned_concurrency_config(self, qualifier: str, provisioned_concurrent_executions: int) -> None:
        """Provisioned concurrency of a version or an alias: the environments start their init now."""
        self._provisioned.put(qualifier, provisioned_concurrent_executions)

    @operation
    def get_provisioned_concurrency_config(self, qualifier: str) -> dict[str, Any]:
        """How far it is: AWS's answer, with `Status` IN_PROGRESS, READY or FAILED."""
        return self._provisioned.get(qualifier)

    @operation
    def list_provisioned_concurrency_configs(self) -> list[dict[str, Any]]:
        """That of every qualifier, with its `FunctionArn`."""
        return self._provisioned.every()

    @operation
    def delete_provisioned_concurrency_config(self, qualifier: str) -> None:
        """Its environments end, busy ones after their invocation."""
        self._provisioned.delete(qualifier)

    def provision(self, qualifier: str, amount: int) -> None:
        """Like `put_provisioned_concurrency_config`, which AWS does not allow on $LATEST; a scenario does."""
        self._function.versions[self._function.primary(qualifier)].provision(amount)

    def preload(self, amount: int) -> None:
        """Let `amount` environments of $LATEST be warm at once, as those that were used before the run began."""
        if self._world.recorder is not None:
            self._world.recorder.write(self.name, "preload", {"amount": amount})
        for _ in range(amount):
            self._function.latest.create().preload()

    # --- asynchronous events, tags ---------------------------------------------------------------------------------

    @operation
    def put_function_event_invoke_config(
        self,
        *,
        qualifier: str = LATEST,
        maximum_retry_attempts: int | None = None,
        maximum_event_age_in_seconds: int | None = None,
        on_success: str | Source | None = None,
        on_failure: str | Source | None = None,
    ) -> dict[str, Any]:
        """PutFunctionEventInvokeConfig of one qualifier; it replaces the one before. Raises AWS's errors.

        What is left out has its default again (2 retries, 21,600 s, no destination), but not all of it can be.
        """
        given = {
            "maximum_retry_attempts": maximum_retry_attempts,
            "maximum_event_age_in_seconds": maximum_event_age_in_seconds,
            "on_success": on_success,
            "on_failure": on_failure,
        }
        return self.event_invoke_configs.put(qualifier, given)

    @operation
    def tag_resource(self, tags: Mapping[str, str]) -> None:
        """Add tags, or change their values. Raises InvalidParameterValueException for more than 50."""
        if len(self.tags | dict(tags)) > MOST_TAGS:
            raise invalid("Number of tags exceeds resource tag limit.")
        self.tags.update(tags)

    @operation
    def untag_resource(self, keys: list[str]) -> None:
        """Remove tags."""
        for key in keys:
            self.tags.pop(key, None)


class _Qualified:
    """A function under a qualifier, as a target."""

    def __init__(self, function: ManagedFunction, qualifier: str) -> None:
        self._function = function
        self._qualifier = qualifier
        self.name = function.name
        self.arn = f"{function.arn}:{qualifier}"

    def accept(self, delivery: Delivery) -> None:
        self._function.accept(delivery, self._qualifier)
