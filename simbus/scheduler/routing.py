"""What CreateAlias and UpdateAlias check, in AWS's words.

Recorded: test_notfound_and_invalid_routingconfigs; patterns and ranges are those of botocore's model.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final

from simbus.errors import AwsError
from simbus.functions.function import LATEST, Alias
from simbus.scheduler.validation import invalid, violated

_NAME: Final = re.compile(r"(?!^[0-9]+$)([a-zA-Z0-9-_]+)")
_VALUES: Final = (
    "Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value "
    "greater than or equal to 0.0, Member must not be null]"
)
_KEYS: Final = (
    "Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length "
    "greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+, Member must not be null]"
)


def check_alias_name(name: str) -> None:
    """Raises AwsError ValidationException for a name that no alias can have, as that of a version."""
    if not _NAME.fullmatch(name) or len(name) > 128:
        rule = (
            "Member must have length less than or equal to 128"
            if _NAME.fullmatch(name)
            else f"Member must satisfy regular expression pattern: {_NAME.pattern}"
        )
        raise violated(f"Value '{name}' at 'name'", rule)


def routed(arn: str, versions: Collection[str], version: str, weights: Mapping[str, float] | None) -> Alias:
    """The alias of a version, and of another one with its weight. Raises AWS's errors."""
    if version not in versions:
        raise _no_version(arn, version)
    if not weights:
        return Alias(version)
    _check_weights(weights)
    if len(weights) > 1:
        raise invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
    [(other, weight)] = weights.items()
    if other == version:
        raise invalid(
            f"Invalid function version {other}. Function version {other} is already included in routing configuration."
        )
    if version == LATEST:
        raise invalid("$LATEST is not supported for an alias pointing to more than 1 version")
    if other not in versions:
        raise _no_version(arn, other)
    return Alias(version, other, weight)


def _check_weights(weights: Mapping[str, float]) -> None:
    """What botocore's model says of keys (AdditionalVersion) and values (Weight)."""
    where = (
        f"Value '{{{', '.join(f'{k}={v}' for k, v in weights.items())}}}' at 'routingConfig.additionalVersionWeights'"
    )
    if not all(0.0 <= weight <= 1.0 for weight in weights.values()):
        raise violated(where, _VALUES)
    if not all(re.fullmatch("[0-9]+", other) for other in weights):
        raise violated(where, _KEYS)


def _no_version(arn: str, version: str) -> AwsError:
    return AwsError("ResourceNotFoundException", f"Function not found: {arn}:{version}", 404, Type="User")
