"""Provisioned concurrency as it is configured: on published versions, and on aliases, with which it moves.

Sources: recordings test_reserved_provisioned_overlap, test_provisioned_concurrency_init_failure,
test_lambda_provisioned_concurrency_moves_with_alias; LocalStack's recorded error texts of
PutProvisionedConcurrencyConfig.
"""

from __future__ import annotations

from typing import Any

from simbus.errors import AwsError
from simbus.functions.function import LATEST, Function
from simbus.functions.version import FunctionVersion


def no_alias(function: Function, qualifier: str) -> AwsError:
    """ResourceNotFoundException, 404."""
    message = f"Cannot find alias arn: {function.arn}:{qualifier}"
    return AwsError("ResourceNotFoundException", message, 404, Type="User")


class ProvisionedConfigs:
    """The provisioned concurrency configurations of one function, by qualifier."""

    def __init__(self, function: Function) -> None:
        self._function = function
        self._configs: dict[str, tuple[str, int]] = {}  # qualifier: (version, amount)
        self._modified: dict[str, int] = {}

    def put(self, qualifier: str, amount: int) -> None:
        """Keep `amount` environments initialised. Raises AWS's errors."""
        if amount < 1:
            raise AwsError(
                "ValidationException",
                f"1 validation error detected: Value '{amount}' at 'provisionedConcurrentExecutions' failed to satisfy "
                "constraint: Member must have value greater than or equal to 1",
            )
        if qualifier == LATEST:
            raise AwsError(
                "InvalidParameterValueException",
                "Provisioned Concurrency Configs cannot be applied to unpublished function versions.",
                Type="User",
            )
        if not self._function.has(qualifier):
            raise self._function.not_found(qualifier) if qualifier.isdigit() else no_alias(self._function, qualifier)
        number = self._function.primary(qualifier)
        self._check_conflict(qualifier, number)
        self._function.versions[number].provision(amount)
        self._configs[qualifier] = (number, amount)
        self._modified[qualifier] = self._function.world.timeline.now

    def _check_conflict(self, qualifier: str, number: str) -> None:
        """A version and an alias that points at it can't both be provisioned."""
        for other, (version, _) in self._configs.items():
            if other != qualifier and version == number:
                raise AwsError(
                    "ResourceConflictException",
                    "Version is pointed by a Provisioned Concurrency alias"
                    if qualifier == number
                    else "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned "
                    "version",
                    409,
                    Type="User",
                )

    def get(self, qualifier: str) -> dict[str, Any]:
        """The answer of GetProvisionedConcurrencyConfig. Raises AwsError where there is none."""
        version, amount = self._find(qualifier)
        ready = version.provisioned_ready
        modified = self._function.world.iso(self._modified[qualifier], "seconds")
        answer: dict[str, Any] = {
            "RequestedProvisionedConcurrentExecutions": amount,
            "AvailableProvisionedConcurrentExecutions": ready,
            "AllocatedProvisionedConcurrentExecutions": ready,
            "Status": "READY" if ready >= amount else "IN_PROGRESS",
            "LastModified": f"{modified[:-1]}+0000",
        }
        if version.provisioned_failed:
            answer["Status"] = "FAILED"
            answer["StatusReason"] = "FUNCTION_ERROR_INIT_FAILURE"
        return answer

    def every(self) -> list[dict[str, Any]]:
        """The configuration of each qualifier, with its ARN."""
        arn = self._function.arn
        return [{"FunctionArn": f"{arn}:{qualifier}", **self.get(qualifier)} for qualifier in self._configs]

    def delete(self, qualifier: str) -> None:
        """DeleteProvisionedConcurrencyConfig. Raises AwsError where there is none."""
        self._find(qualifier)
        self.forget(qualifier)

    def forget(self, qualifier: str) -> None:
        """A version or an alias is gone; of an alias the environments are given up."""
        found = self._configs.pop(qualifier, None)
        if found is not None and found[0] in self._function.versions:
            self._function.versions[found[0]].provision(0)

    def alias_moved(self, alias: str) -> None:
        """An alias points at another version: its provisioned concurrency goes with it."""
        found = self._configs.get(alias)
        number = self._function.primary(alias)
        if found is None or found[0] == number:
            return
        before, amount = found
        self._function.versions[before].provision(0)
        self._function.versions[number].provision(amount)
        self._configs[alias] = (number, amount)

    def _find(self, qualifier: str) -> tuple[FunctionVersion, int]:
        found = self._configs.get(qualifier)
        if found is None:
            raise AwsError(
                "ProvisionedConcurrencyConfigNotFoundException",
                "No Provisioned Concurrency Config found for this function",
                404,
                Type="User",
            )
        return self._function.versions[found[0]], found[1]
