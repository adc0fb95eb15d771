"""Functions: created, shown, changed, deleted; and the account's settings.

What is named here without being honoured: `Role` and `Tags` are only shown, `TracingConfig` and `SnapStart` may say
what is the default. Layers, VPC, file systems and images are refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from simbus.aws.lambda_.checks import (
    HANDLER,
    TARGET,
    check_architectures,
    check_logging,
    check_tags,
    check_variables,
    matches,
    one_of,
)
from simbus.aws.lambda_.names import api, located, parsed
from simbus.aws.paging import given, page
from simbus.aws.table import Response, not_built
from simbus.errors import AwsError
from simbus.functions.function import LATEST
from simbus.scheduler.configuration import listed
from simbus.scheduler.lambda_function import LambdaFunction
from simbus.scheduler.mappings.request import snake
from simbus.scheduler.validation import in_range, invalid, violated

if TYPE_CHECKING:
    from simbus.resources import Resources

Json = Mapping[str, Any]
_UNZIPPED: Final = 262_144_000
_STORAGE: Final = 80_530_636_800  # bytes of code in an account: Lambda quotas, 75 GB


@api.operation
def create_function(
    account: Resources,
    *,
    FunctionName: str,
    Role: str,
    Code: Json,
    Runtime: str | None = None,
    Handler: str | None = None,
    Description: str = "",
    Timeout: int = 3,
    MemorySize: int = 128,
    Publish: bool = False,
    PackageType: str = "Zip",
    DeadLetterConfig: Json | None = None,
    Environment: Json | None = None,
    TracingConfig: Json | None = None,
    Tags: Mapping[str, str] | None = None,
    Architectures: Sequence[str] = ("x86_64",),
    EphemeralStorage: Json | None = None,
    SnapStart: Json | None = None,
    LoggingConfig: Json | None = None,
    Layers: Sequence[str] = (),
    VpcConfig: Json | None = None,
    FileSystemConfigs: Sequence[Json] = (),
) -> Response:
    """It is Pending for the account's `function_activation`, then Active.

    https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
    """
    operation = "CreateFunction"
    _check_default(operation, TracingConfig, SnapStart)
    _check_empty(operation, Layers=Layers, VpcConfig=VpcConfig, FileSystemConfigs=FileSystemConfigs)
    _check(Handler, Environment, Architectures, DeadLetterConfig)
    check_logging(LoggingConfig)
    check_tags(Tags)
    one_of("packageType", PackageType, ("Zip", "Image"))
    if PackageType != "Zip":
        raise not_built(f"lambda {operation} with PackageType {PackageType}")
    if not Runtime or not Handler:
        raise invalid("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
    _check_runtime(operation, Runtime)
    name = parsed(account, FunctionName).resource
    if account.find("lambda", name) is not None:
        raise AwsError("ResourceConflictException", f"Function already exist: {name}", 409, Type="User")
    settings = _settings(
        runtime=Runtime, timeout=Timeout, memory_size=MemorySize, environment=Environment, description=Description,
        architectures=Architectures, ephemeral_storage=EphemeralStorage, logging_config=LoggingConfig, role=Role,
    )  # fmt: skip
    dead_letter = (DeadLetterConfig or {}).get("TargetArn") or None
    code = _code(account, operation, **Code)
    function = account.function(name, handler=Handler, code=code, dead_letter_config=dead_letter, **settings)
    if Tags:
        function.tag_resource(Tags)
    activation = account.world.account.function_activation
    function.state.begin(LATEST, activation)
    answer = function.get_function_configuration()
    if Publish:
        number = function.publish_version()
        function.state.begin(number, activation)
        version = function.get_function_configuration(number)
        answer = {**version, "FunctionArn": function.arn}  # recorded: without the number here
    return answer


@api.operation
def get_function(account: Resources, *, FunctionName: str, Qualifier: str | None = None) -> Response:
    """`Code.Location` leads nowhere: there is nothing to download."""
    function, qualifier = located(account, FunctionName, Qualifier)
    here = account.world.account
    bucket = f"awslambda-{here.region}-tasks.s3.{here.region}.amazonaws.com"
    configuration = function.get_function_configuration(qualifier)
    location = f"https://{bucket}/snapshots/{here.id}/{function.resource}-{configuration['RevisionId']}"
    reserved = function.core.concurrency.reserved
    return given(
        Configuration=configuration,
        Code={"RepositoryType": "S3", "Location": location},
        Tags=dict(function.tags) or None,
        Concurrency=None if reserved is None else {"ReservedConcurrentExecutions": reserved},
    )


@api.operation
def get_function_configuration(account: Resources, *, FunctionName: str, Qualifier: str | None = None) -> Response:
    function, qualifier = located(account, FunctionName, Qualifier)
    return function.get_function_configuration(qualifier)


@api.operation
def list_functions(
    account: Resources, *, FunctionVersion: str | None = None, Marker: str | None = None, MaxItems: int = 50
) -> Response:
    """By name; with FunctionVersion ALL every version. https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html"""
    if FunctionVersion not in (None, "ALL"):
        raise violated(f"Value '{FunctionVersion}' at 'functionVersion'", "Member must satisfy enum value set: [ALL]")
    functions: list[LambdaFunction] = account.resources("lambda")
    found = [
        function.get_function_configuration(number)
        for function in functions
        for number in (function.core.versions if FunctionVersion else (None,))
    ]
    return paged("Functions", found, Marker, MaxItems)


def paged(name: str, configurations: Sequence[dict[str, Any]], marker: str | None, most: int) -> Response:
    """A page of configurations as lists show them, by function and version. AWS gives 50 at most."""
    in_range("maxItems", most, 1, 10_000)

    def key(configuration: dict[str, Any]) -> str:
        version = configuration["Version"]
        return f"{configuration['FunctionName']}/{version.zfill(10) if version.isdigit() else version}"

    found, following = page(sorted(configurations, key=key), key, min(most, 50), marker, bad_marker)
    return given(**{name: [listed(each) for each in found], "NextMarker": following})


def bad_marker() -> AwsError:
    """A marker that was never given; the words are simbus's own."""
    return invalid("The marker is not one that a list operation has answered with.")


@api.operation
def update_function_configuration(
    account: Resources,
    *,
    FunctionName: str,
    Role: str | None = None,
    Handler: str | None = None,
    Description: str | None = None,
    Timeout: int | None = None,
    MemorySize: int | None = None,
    Environment: Json | None = None,
    Runtime: str | None = None,
    DeadLetterConfig: Json | None = None,
    TracingConfig: Json | None = None,
    RevisionId: str | None = None,
    EphemeralStorage: Json | None = None,
    SnapStart: Json | None = None,
    LoggingConfig: Json | None = None,
    Layers: Sequence[str] = (),
    VpcConfig: Json | None = None,
    FileSystemConfigs: Sequence[Json] = (),
) -> Response:
    """What is not given stays. The update is in progress for the account's `function_activation`.

    https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html
    """
    operation = "UpdateFunctionConfiguration"
    _check_default(operation, TracingConfig, SnapStart)
    _check_empty(operation, Layers=Layers, VpcConfig=VpcConfig, FileSystemConfigs=FileSystemConfigs)
    _check(Handler, Environment, None, DeadLetterConfig)
    if Runtime is not None:
        _check_runtime(operation, Runtime)
    function, _ = located(account, FunctionName)
    check_logging(LoggingConfig, function.config.logging.log_format)
    function.revisions.check(LATEST, RevisionId)
    settings = _settings(
        runtime=Runtime, timeout=Timeout, memory_size=MemorySize, environment=Environment, description=Description,
        ephemeral_storage=EphemeralStorage, logging_config=LoggingConfig, role=Role,
    )  # fmt: skip
    dead_letter = (DeadLetterConfig or {}).get("TargetArn")  # {} changes nothing (recorded: test_dead_letter_queue)
    if dead_letter:
        dead_letter = account.dead_letter(dead_letter)
    delay = account.world.account.function_activation
    function.update_function_configuration(handler=Handler, dead_letter_arn=dead_letter, delay=delay, **settings)
    return function.get_function_configuration()


@api.operation
def update_function_code(
    account: Resources,
    *,
    FunctionName: str,
    ZipFile: bytes | None = None,
    S3Bucket: str | None = None,
    S3Key: str | None = None,
    S3ObjectVersion: str | None = None,
    Architectures: Sequence[str] | None = None,
    Publish: bool = False,
    RevisionId: str | None = None,
) -> Response:
    """The update is in progress for the account's `function_activation`; with Publish the new version is Pending.

    https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html
    """
    check_architectures(Architectures)
    function, _ = located(account, FunctionName)
    function.revisions.check(LATEST, RevisionId)
    places = given(ZipFile=ZipFile, S3Bucket=S3Bucket, S3Key=S3Key, S3ObjectVersion=S3ObjectVersion)
    code = _code(account, "UpdateFunctionCode", **places)
    architectures = None if Architectures is None else list(Architectures)
    delay = account.world.account.function_activation
    number = function.update_function_code(code, architectures, delay=delay, publish=Publish)
    return function.get_function_configuration(number)


@api.operation
def delete_function(account: Resources, *, FunctionName: str, Qualifier: str | None = None) -> Response:
    """The function, or with a qualifier one version. What runs is finished; event source mappings stay."""
    function, qualifier = located(account, FunctionName, Qualifier)
    if qualifier is None:
        function.delete_function()
    else:
        function.delete_version(qualifier)
    return {"StatusCode": 204}


@api.operation
def get_account_settings(account: Resources) -> Response:
    functions: list[LambdaFunction] = account.resources("lambda")
    pool = account.pool
    size = sum(function.package(number).code_size for function in functions for number in function.core.versions)
    return {
        "AccountLimit": {
            "TotalCodeSize": _STORAGE,
            "CodeSizeUnzipped": _UNZIPPED,
            "CodeSizeZipped": 52_428_800,
            "ConcurrentExecutions": pool.limit,
            "UnreservedConcurrentExecutions": pool.unreserved,
        },
        "AccountUsage": {"TotalCodeSize": size, "FunctionCount": len(functions)},
    }


# --- parameters ------------------------------------------------------------------------------------------------------


def _check(
    handler: str | None, environment: Json | None, architectures: Sequence[str] | None, dead_letter: Json | None
) -> None:
    """What has a form of its own. Raises ValidationException."""
    matches("handler", handler, HANDLER, 128)
    check_variables((environment or {}).get("Variables"))
    check_architectures(architectures)
    matches("deadLetterConfig.targetArn", (dead_letter or {}).get("TargetArn"), TARGET)


def _settings(**values: Any) -> dict[str, Any]:
    """The settings that are given, as `simbus.functions.settings` takes them. Raises AWS's errors."""
    found = {name: value for name, value in values.items() if value is not None}
    if "timeout" in found:
        in_range("timeout", found["timeout"], 1, 900)
    if "memory_size" in found:
        in_range("memorySize", found["memory_size"], 128, 10_240)
    if "description" in found and len(found["description"]) > 256:
        rule = "Member must have length less than or equal to 256"
        raise violated(f"Value '{found['description']}' at 'description'", rule)
    if "environment" in found:
        found["environment"] = found["environment"].get("Variables")
    if "ephemeral_storage" in found:
        found["ephemeral_storage"] = found["ephemeral_storage"]["Size"]
        in_range("ephemeralStorage.size", found["ephemeral_storage"], 512, 10_240)
    if "architectures" in found:
        found["architectures"] = list(found["architectures"])
    if "logging_config" in found:
        found["logging_config"] = {snake(name): value for name, value in found["logging_config"].items()}
    return found


def _code(
    account: Resources,
    operation: str,
    ZipFile: bytes | None = None,
    S3Bucket: str | None = None,
    S3Key: str | None = None,
    S3ObjectVersion: str | None = None,
    **others: Any,
) -> Path:
    """Where the code is now that a request brings, or names. Raises AWS's errors."""
    if others:
        raise not_built(f"lambda {operation} with {min(others)}")
    if ZipFile is not None:
        return account.packages.keep(ZipFile)
    if S3Bucket is None or S3Key is None:
        raise invalid("Please provide a source for function code.")
    bucket = account.find("s3", S3Bucket)
    try:
        if bucket is None:
            raise AwsError("NoSuchBucket", "The specified bucket does not exist", 404)
        data = bucket.get_object(S3Key, **given(version_id=S3ObjectVersion))["Body"]
    except AwsError as error:
        raise invalid(
            f"Error occurred while GetObject. S3 Error Code: {error.code}. S3 Error Message: {error.message}"
        ) from None
    return account.packages.keep(data)


def _check_runtime(operation: str, runtime: str) -> None:
    """Code in another language can't run here; `sim.function(runtime=...)` without code is a model of it."""
    if not runtime.startswith("python") and runtime.startswith(("nodejs", "java", "dotnet", "ruby", "provided", "go")):
        raise not_built(f"lambda {operation} with Runtime {runtime}")


def _check_default(operation: str, tracing: Json | None, snap_start: Json | None) -> None:
    one_of("tracingConfig.mode", (tracing or {}).get("Mode"), ("Active", "PassThrough"))
    one_of("snapStart.applyOn", (snap_start or {}).get("ApplyOn"), ("PublishedVersions", "None"))
    if tracing and tracing.get("Mode", "PassThrough") != "PassThrough":
        raise not_built(f"lambda {operation} with TracingConfig Active")
    if snap_start and snap_start.get("ApplyOn", "None") != "None":
        raise not_built(f"lambda {operation} with SnapStart")


def _check_empty(operation: str, **values: Any) -> None:
    for name, value in values.items():
        if isinstance(value, Mapping) and not any(value.values()):
            continue
        if value:
            raise not_built(f"lambda {operation} with {name}")
