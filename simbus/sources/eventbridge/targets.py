"""A target of a rule: checked as PutTargets checks it, kept as ListTargetsByRule gives it back.

Sources: EventBridge API reference, PutTargets and Target; recordings test_put_target_id_validation,
test_put_targets_with_invalid_arn, TestInputPath::*, TestInputTransformer::*; user guide, "Amazon EventBridge quotas".
That a target exists is not checked: AWS does not do so either; what can't be delivered goes to the dead-letter queue.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from simbus.arn import short_name
from simbus.errors import UsageError
from simbus.sources.eventbridge.errors import (
    check_length,
    check_name,
    check_range,
    constraint,
    snake_keys,
    validation,
)
from simbus.sources.eventbridge.input import (
    JsonPath,
    Shaper,
    check_template,
    check_variables,
    constant,
    part,
    transformer,
)
from simbus.sources.eventbridge.logs import log_group
from simbus.world import World

SERVICES: Final = ("lambda", "sqs", "sns", "kinesis", "events", "logs")
_KEYS: Final = (
    "id",
    "arn",
    "role_arn",
    "input",
    "input_path",
    "input_transformer",
    "sqs_parameters",
    "kinesis_parameters",
    "dead_letter_config",
    "retry_policy",
)
_NOT_BUILT: Final = (
    "run_command_parameters",
    "ecs_parameters",
    "batch_parameters",
    "http_parameters",
    "redshift_data_parameters",
    "sage_maker_pipeline_parameters",
    "app_sync_parameters",
)
MAX_RETRY_ATTEMPTS: Final = 185
MAX_EVENT_AGE: Final = 86_400


@dataclass(frozen=True)
class Target:
    """Where the events of a rule go, and how. `shown` is AWS's JSON of it, ages are in seconds."""

    id: str
    arn: str
    name: str
    service: str
    shaper: Shaper | None
    message_group_id: str | None
    partition_key: JsonPath | None
    dead_letter_arn: str | None
    max_retry_attempts: int
    max_event_age: int
    shown: dict[str, Any]


def read_target(world: World, given: Any, position: int) -> Target:
    """A target of PutTargets: AWS's JSON, the same in snake_case, or an object with an `arn`; `position` from 1.

    Raises AwsError ValidationException; UsageError for targets and parameters that are not built.
    """
    if not isinstance(given, Mapping):
        given = {"arn": given}
    for key in snake_keys(given, _KEYS + _NOT_BUILT, "a target"):
        if key in _NOT_BUILT:
            raise UsageError(f"a target has {key}, which simbus does not build; targets are {', '.join(SERVICES)}.")
    found = snake_keys(given, _KEYS, "a target")
    target_id = str(found.get("id") or f"target-{position}")
    check_name(target_id, f"targets.{position}.member.id", 64)
    service, name, arn = target_arn(world, found.get("arn"))
    if service == "logs":
        log_group(world, name, arn)
    message_group_id = _message_group(found, target_id, arn)
    attempts, age = _retry_policy(found, position)
    dead_letter_arn = _dead_letter(world, found)
    shown: dict[str, Any] = {"Id": target_id, "Arn": arn}
    if found.get("role_arn") is not None:
        shown["RoleArn"] = str(found["role_arn"])
    shaper = _shaper(found, target_id, position, shown)
    if service == "events" and shaper is not None:
        raise UsageError(
            f"target {target_id} is an event bus and has {', '.join(list(shown)[2:])}; simbus sends whole events from "
            "bus to bus. Shape them in the rules of the other bus."
        )
    partition_key = _partition_key(found, position, shown)
    if message_group_id is not None:
        shown["SqsParameters"] = {"MessageGroupId": message_group_id}
    if dead_letter_arn is not None:
        shown["DeadLetterConfig"] = {"Arn": dead_letter_arn}
    if found.get("retry_policy") is not None:
        shown["RetryPolicy"] = {"MaximumRetryAttempts": attempts, "MaximumEventAgeInSeconds": age}
    return Target(
        target_id, arn, f"{service}:{name}", service, shaper, message_group_id, partition_key, dead_letter_arn,
        attempts, age, shown,
    )  # fmt: skip


def target_arn(world: World, target: Any) -> tuple[str, str, str]:
    """Service, bare name and full ARN of an ARN, a `service:name` or an object with an `arn`."""
    reference = target if isinstance(target, str) else str(getattr(target, "arn", ""))
    group = _log_group(reference)
    if group is not None:
        return "logs", group, f"arn:aws:logs:{world.account.region}:{world.account.id}:log-group:{group}"
    try:
        service, name, qualifier = short_name(reference)
    except UsageError:
        if reference.startswith("arn:") and reference.count(":") >= 5:
            raise _no_target(reference) from None
        raise validation(
            f"Parameter {reference} is not valid. Reason: Provided Arn is not in correct format."
        ) from None
    if service not in SERVICES:
        raise _no_target(reference)
    if reference.startswith("arn:"):
        return service, name, reference
    return service, name, world.arn(service, name) + (f":{qualifier}" if qualifier else "")


def _no_target(reference: str) -> UsageError:
    return UsageError(
        f"{reference} can't be a target here; targets are {', '.join(SERVICES)}. Let a function stand for it."
    )


def _log_group(reference: str) -> str | None:
    """The name of a log group, of `logs:/x` or of its ARN."""
    if reference.startswith("logs:"):
        return reference.removeprefix("logs:")
    parts = reference.split(":")
    if len(parts) >= 7 and parts[2] == "logs" and parts[5] == "log-group":
        return parts[6]
    return None


def _message_group(found: Mapping[str, Any], target_id: str, arn: str) -> str | None:
    parameters = found.get("sqs_parameters")
    fifo = arn.endswith(".fifo") and ":sqs:" in arn
    if parameters is None:
        if fifo:
            raise validation(f"Parameter(s) SqsParameters must be specified for target: {target_id}.")
        return None
    group = snake_keys(parameters, ("message_group_id",), "sqs_parameters").get("message_group_id")
    check_length(group, "targets.1.member.sqsParameters.messageGroupId", 100)
    if ":sqs:" not in arn:
        raise validation(f"Parameter(s) SqsParameters not valid for target: {target_id}.")
    return group


def _partition_key(found: Mapping[str, Any], position: int, shown: dict[str, Any]) -> JsonPath | None:
    parameters = found.get("kinesis_parameters")
    if parameters is None:
        return None
    path = snake_keys(parameters, ("partition_key_path",), "kinesis_parameters").get("partition_key_path")
    if not path:
        raise constraint("null", f"targets.{position}.member.kinesisParameters.partitionKeyPath", "not be null")
    check_length(path, f"targets.{position}.member.kinesisParameters.partitionKeyPath", 256)
    shown["KinesisParameters"] = {"PartitionKeyPath": path}
    return JsonPath(path)


def _retry_policy(found: Mapping[str, Any], position: int) -> tuple[int, int]:
    keys = ("maximum_retry_attempts", "maximum_event_age_in_seconds")
    policy = snake_keys(found.get("retry_policy") or {}, keys, "retry_policy")
    field = f"targets.{position}.member.retryPolicy."
    attempts = policy.get("maximum_retry_attempts")
    age = policy.get("maximum_event_age_in_seconds")
    attempts = MAX_RETRY_ATTEMPTS if attempts is None else attempts
    age = MAX_EVENT_AGE if age is None else age
    check_range(attempts, field + "maximumRetryAttempts", 0, MAX_RETRY_ATTEMPTS)
    check_range(age, field + "maximumEventAgeInSeconds", 60, MAX_EVENT_AGE)
    return attempts, age


def _dead_letter(world: World, found: Mapping[str, Any]) -> str | None:
    config = found.get("dead_letter_config")
    if config is None:
        return None
    arn = snake_keys(config, ("arn",), "dead_letter_config").get("arn") if isinstance(config, Mapping) else config
    if arn is None:
        return None
    service, name, full = target_arn(world, arn)
    if service != "sqs" or name.endswith(".fifo"):
        raise validation(
            f"Parameter {full} is not valid. Reason: A dead-letter queue must be an Amazon SQS standard queue."
        )
    return full


def _shaper(found: Mapping[str, Any], target_id: str, position: int, shown: dict[str, Any]) -> Shaper | None:
    given = [key for key in ("input", "input_path", "input_transformer") if found.get(key) not in (None, "")]
    if len(given) > 1:
        raise validation(f"Only one of Input, InputPath, or InputTransformer must be provided for target {target_id}.")
    if not given:
        return None
    if given[0] == "input":
        text = found["input"] if isinstance(found["input"], str) else msgspec.json.encode(found["input"]).decode()
        check_length(text, f"targets.{position}.member.input", 8192)
        _check_json(text, target_id)
        shown["Input"] = text
        return constant(text)
    if given[0] == "input_path":
        check_length(found["input_path"], f"targets.{position}.member.inputPath", 256)
        shown["InputPath"] = found["input_path"]
        return None if found["input_path"] == "$" else part(JsonPath(found["input_path"]))
    given_transformer = snake_keys(
        found["input_transformer"], ("input_paths_map", "input_template"), "input_transformer"
    )
    template, paths = given_transformer.get("input_template"), given_transformer.get("input_paths_map") or {}
    if not template:
        raise constraint("null", f"targets.{position}.member.inputTransformer.inputTemplate", "not be null")
    check_length(template, f"targets.{position}.member.inputTransformer.inputTemplate", 8192)
    check_variables(paths, f"targets.{position}.member.inputTransformer.inputPathsMap")
    check_template(target_id, template, paths)
    shown["InputTransformer"] = {**({"InputPathsMap": dict(paths)} if paths else {}), "InputTemplate": template}
    return transformer(template, paths)


def _check_json(text: str, target_id: str) -> None:
    try:
        msgspec.json.decode(text)
    except msgspec.DecodeError:
        raise validation(f"JSON syntax error in input for target {target_id}.") from None
