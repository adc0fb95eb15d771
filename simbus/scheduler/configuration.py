"""How AWS shows the configuration of a function (botocore's FunctionConfiguration).

Recorded: test_function_state, test_lambda_versions_with_code_changes.
"""

from __future__ import annotations

from typing import Any, Final

from simbus.functions.config import FunctionConfig, LoggingConfig
from simbus.functions.identity import role_of
from simbus.functions.package import Package
from simbus.functions.variables import handler_name
from simbus.logs.platform import runtime_version
from simbus.scheduler.revisions import Revision
from simbus.world import World

_REASON: Final = "The function is being created."
STATE: Final = ("State", "StateReason", "StateReasonCode", "RuntimeVersionConfig")
UPDATE: Final = ("LastUpdateStatus", "LastUpdateStatusReason", "LastUpdateStatusReasonCode")


def shown(
    world: World, config: FunctionConfig, version: str, arn: str, revision: Revision, package: Package
) -> dict[str, Any]:
    """The configuration of one version under the names of AWS; `arn` has the qualifier that was asked for."""
    found: dict[str, Any] = {
        "FunctionName": config.name,
        "FunctionArn": arn,
        "Runtime": config.runtime,
        "Role": role_of(world, config),
        "Handler": handler_name(config),
        "CodeSize": package.code_size,
        "Description": config.description,
        "Timeout": config.timeout,
        "MemorySize": config.memory_size,
        "LastModified": f"{world.iso(revision.at)[:-1]}+0000",
        "CodeSha256": package.code_sha256,
        "Version": version,
        "TracingConfig": {"Mode": "PassThrough"},
        "RevisionId": revision.id,
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "PackageType": "Zip",
        "Architectures": [config.architecture],
        "EphemeralStorage": {"Size": config.ephemeral_storage},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "RuntimeVersionConfig": {"RuntimeVersionArn": runtime_version(config.runtime, world.account.region)[1]},
        "LoggingConfig": _logging(config),
    }
    if config.environment is not None:
        found["Environment"] = {"Variables": dict(config.environment)}
    if config.dead_letter_arn is not None:
        found["DeadLetterConfig"] = {"TargetArn": config.dead_letter_arn}
    return found


def pending(found: dict[str, Any]) -> dict[str, Any]:
    """The same as CreateFunction answers it."""
    return _without(found, UPDATE) | {"State": "Pending", "StateReason": _REASON, "StateReasonCode": "Creating"}


def updating(found: dict[str, Any]) -> dict[str, Any]:
    """The same as the update operations answer it."""
    return found | dict(zip(UPDATE, ("InProgress", _REASON, "Creating"), strict=True))


def listed(found: dict[str, Any]) -> dict[str, Any]:
    """The same in a list, which has no state."""
    return _without(found, (*STATE, *UPDATE))


def merged(before: LoggingConfig, given: dict[str, Any]) -> dict[str, Any]:
    """LoggingConfig after an update: what is not given stays, but Text has no levels (recorded: TestLoggingConfig)."""
    kept = {
        "log_format": before.log_format,
        "application_log_level": before.application_log_level,
        "system_log_level": before.system_log_level,
        "log_group": before.log_group,
    }
    if given.get("log_format", before.log_format) == "Text":
        del kept["application_log_level"], kept["system_log_level"]
    return {name: value for name, value in {**kept, **given}.items() if value is not None}


def _logging(config: FunctionConfig) -> dict[str, Any]:
    found = {"LogFormat": config.logging.log_format, "LogGroup": config.log_group}
    if config.logging.log_format == "JSON":
        found["ApplicationLogLevel"] = config.logging.application_log_level or "INFO"
        found["SystemLogLevel"] = config.logging.system_log_level or "INFO"
    return found


def _without(found: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name not in names}
