"""Lambda's functions, versions and aliases through boto3: made of a zip, changed, shown, deleted."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simbus import Simulation
from simbus.errors import UsageError

boto3 = pytest.importorskip("boto3", reason="needs the extra boto3")
from botocore.exceptions import ClientError  # noqa: E402

ROLE = "arn:aws:iam::000000000000:role/service-role/worker"
CODE = 'def handler(event, context):\n    return {"answer": ANSWER, "version": context.function_version}\n'


def packed(answer: Any = 1, **files: str) -> bytes:
    """A deployment package: app.py with a handler, and other files; its bytes have no time in them."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr(zipfile.ZipInfo("app.py"), CODE.replace("ANSWER", repr(answer)))
        for name, text in files.items():
            zipped.writestr(zipfile.ZipInfo(name), text)
    return archive.getvalue()


@pytest.fixture
def sim() -> Iterator[Simulation]:
    with Simulation(seed=1) as sim:
        yield sim


@pytest.fixture
def client(sim: Simulation) -> Any:
    return sim.client("lambda")


def made(client: Any, name: str = "f", **settings: Any) -> Any:
    """The answer of CreateFunction; the function is Active."""
    given = {"Runtime": "python3.13", "Handler": "app.handler", "Role": ROLE, "Code": {"ZipFile": packed()}}
    answer = client.create_function(FunctionName=name, **{**given, **settings})
    client.get_waiter("function_active_v2").wait(FunctionName=name)
    return answer


def other_code(client: Any, answer: Any, **settings: Any) -> Any:
    """The answer of UpdateFunctionCode; the update is done."""
    found = client.update_function_code(FunctionName="f", ZipFile=packed(answer), **settings)
    client.get_waiter("function_updated_v2").wait(FunctionName="f")
    return found


def configured(client: Any, **settings: Any) -> Any:
    """The answer of UpdateFunctionConfiguration; the update is done."""
    found = client.update_function_configuration(FunctionName="f", **settings)
    client.get_waiter("function_updated_v2").wait(FunctionName="f")
    return found


def answered(client: Any, name: str = "f") -> Any:
    return json.load(client.invoke(FunctionName=name)["Payload"])


# --- create and show -------------------------------------------------------------------------------------------------


def test_a_function_is_made_of_a_zip_and_runs(client: Any) -> None:
    """201 and Pending, then Active (recorded: test_function_state); CodeSha256 is that of the bytes of the zip."""
    package = packed(42)
    answer = made(client, Code={"ZipFile": package}, Environment={"Variables": {"AB": "b"}}, Tags={"team": "x"})
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert (answer["State"], answer["StateReasonCode"]) == ("Pending", "Creating")
    assert answer["CodeSha256"] == b64encode(hashlib.sha256(package).digest()).decode()
    assert answer["CodeSize"] == len(package)
    assert answer["LastModified"] == "2026-01-01T00:00:00.000+0000"
    assert answered(client) == {"answer": 42, "version": "$LATEST"}
    shown = client.get_function(FunctionName="f")
    assert shown["Tags"] == {"team": "x"}
    configuration = shown["Configuration"]
    assert (configuration["State"], configuration["LastUpdateStatus"]) == ("Active", "Successful")
    assert configuration["Environment"] == {"Variables": {"AB": "b"}}
    assert configuration["Role"] == ROLE
    assert configuration["RevisionId"] != answer["RevisionId"]
    assert shown["Code"]["RepositoryType"] == "S3"
    assert client.get_function_configuration(FunctionName="f").items() >= configuration.items()


def test_code_from_a_bucket(sim: Simulation, client: Any) -> None:
    """Code is in an object; what S3 refuses is an invalid parameter here."""
    sim.bucket("code").put_object("f.zip", packed("from s3"))
    made(client, Code={"S3Bucket": "code", "S3Key": "f.zip"})
    assert answered(client)["answer"] == "from s3"
    refused = client.exceptions.InvalidParameterValueException
    for bucket, code in (("code", "NoSuchKey"), ("absent", "NoSuchBucket")):
        with pytest.raises(refused, match=f"Error occurred while GetObject. S3 Error Code: {code}. S3 Error Message"):
            made(client, "g", Code={"S3Bucket": bucket, "S3Key": "absent.zip"})


def test_what_create_refuses_in_the_words_of_aws(client: Any) -> None:
    """Recorded: test_create_lambda_exceptions, TestLambdaSizeLimits."""
    made(client)
    with pytest.raises(client.exceptions.ResourceConflictException, match="Function already exist: f"):
        made(client)
    refused = client.exceptions.InvalidParameterValueException
    with pytest.raises(refused, match="Could not unzip uploaded file"):
        made(client, "g", Code={"ZipFile": b"no zip"})
    with pytest.raises(refused, match=r"Value python1\.0 at 'runtime' failed to satisfy constraint"):
        made(client, "g", Runtime="python1.0")
    with pytest.raises(refused, match="Please provide a source for function code"):
        made(client, "g", Code={})
    with pytest.raises(client.exceptions.ClientError, match=r"ValidationException.*'901' at 'timeout'"):
        made(client, "g", Timeout=901)
    with pytest.raises(client.exceptions.ClientError, match=r"ValidationException.*at 'role'"):
        made(client, "g", Role="worker")
    with pytest.raises(client.exceptions.ClientError, match=r"RequestEntityTooLarge.*smaller than 52428800 bytes"):
        made(client, "g", Code={"ZipFile": bytes(52_428_801)})


@pytest.mark.parametrize(
    "settings",
    [
        {"Runtime": "nodejs22.x"},
        {"Layers": ["arn:aws:lambda:us-east-1:000000000000:layer:l:1"]},
        {"VpcConfig": {"SubnetIds": ["s"], "SecurityGroupIds": ["g"]}},
        {"PackageType": "Image", "Code": {"ImageUri": "x"}},
        {"TracingConfig": {"Mode": "Active"}},
        {"KMSKeyArn": "arn:aws:kms:us-east-1:000000000000:key/k"},
    ],
)
def test_what_is_not_played_is_refused(client: Any, settings: dict[str, Any]) -> None:
    """What would change how the function runs, and is not built, is an error that names it."""
    with pytest.raises(UsageError, match=f"lambda CreateFunction with {next(iter(settings))}"):
        made(client, **settings)


def test_functions_of_the_simulation_are_shown_as_well(sim: Simulation, client: Any, tmp_path: Path) -> None:
    """Those that were made in Python: with a role that is named after them, and a hash of their code."""
    (tmp_path / "app.py").write_text(CODE.replace("ANSWER", "1"))
    sim.function("coded", handler="app.handler", code=tmp_path, description="mine")
    sim.function("modelled", simulate={"response": 1})
    coded, modelled = client.list_functions()["Functions"]
    assert (coded["FunctionName"], coded["Handler"], coded["Description"]) == ("coded", "app.handler", "mine")
    assert coded["Role"] == "arn:aws:iam::000000000000:role/coded-role"
    assert not {"State", "LastUpdateStatus", "RuntimeVersionConfig", "Environment"} & coded.keys()
    before = coded["CodeSha256"]
    (tmp_path / "app.py").write_text(CODE.replace("ANSWER", "2"))
    sim.function("changed", handler="app.handler", code=tmp_path)
    assert client.get_function_configuration(FunctionName="changed")["CodeSha256"] != before
    assert len({coded["CodeSha256"], modelled["CodeSha256"]}) == 2


def test_the_role_of_a_function_is_who_it_is(client: Any, sim: Simulation) -> None:
    """STS: the session of the role, without the role's path."""
    code = "import boto3\ndef handler(event, context):\n    return boto3.client('sts').get_caller_identity()['Arn']\n"
    made(client, Code={"ZipFile": packed(**{"who.py": code})}, Handler="who.handler", Timeout=9)
    assert answered(client) == "arn:aws:sts::000000000000:assumed-role/worker/f"


def test_pages_of_functions(client: Any) -> None:
    """MaxItems and Marker; FunctionVersion ALL lists every version (API_ListFunctions)."""
    for n in range(5):
        made(client, f"f{n}", Publish=True)

    def listed(**options: Any) -> list[str]:
        pages = client.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2}, **options)
        return [each["FunctionArn"].partition(":function:")[2] for page in pages for each in page["Functions"]]

    assert listed() == ["f0", "f1", "f2", "f3", "f4"]
    assert listed(FunctionVersion="ALL")[:4] == ["f0:$LATEST", "f0:1", "f1:$LATEST", "f1:1"]
    assert client.list_functions(MaxItems=1).keys() >= {"NextMarker"}
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="marker"):
        client.list_functions(Marker="x")


def test_account_settings(client: Any) -> None:
    """The limits are those of Lambda's quotas; what is reserved is not unreserved."""
    made(client)
    client.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=100)
    found = client.get_account_settings()
    assert found["AccountLimit"]["ConcurrentExecutions"] == 1_000
    assert found["AccountLimit"]["UnreservedConcurrentExecutions"] == 900
    assert found["AccountUsage"] == {"TotalCodeSize": len(packed()), "FunctionCount": 1}


# --- change and delete -----------------------------------------------------------------------------------------------


def test_an_update_of_the_configuration(client: Any, sim: Simulation) -> None:
    """What is not given stays; InProgress, then Successful (recorded: test_dead_letter_queue, `delete_dlq`)."""
    sim.queue("dead")
    dead = sim["sqs:dead"].arn
    made(client, Description="first", Environment={"Variables": {"AB": "b"}}, DeadLetterConfig={"TargetArn": dead})
    sim.run(for_="1m")
    answer = client.update_function_configuration(FunctionName="f", Timeout=30, MemorySize=512, DeadLetterConfig={})
    assert (answer["LastUpdateStatus"], answer["LastUpdateStatusReasonCode"]) == ("InProgress", "Creating")
    assert (answer["Timeout"], answer["MemorySize"], answer["Description"]) == (30, 512, "first")
    assert answer["DeadLetterConfig"] == {"TargetArn": dead}  # an empty structure takes nothing away
    assert answer["LastModified"] == "2026-01-01T00:01:01.000+0000"
    client.get_waiter("function_updated_v2").wait(FunctionName="f")
    after = client.update_function_configuration(
        FunctionName="f", Environment={}, DeadLetterConfig={"TargetArn": ""}, Description=""
    )
    assert not {"Environment", "DeadLetterConfig"} & after.keys()
    assert after["Description"] == ""


def test_logging_is_updated_in_part(client: Any) -> None:
    """JSON has levels, Text has none; the group stays (recorded: TestLoggingConfig)."""
    made(client, LoggingConfig={"LogGroup": "/shared"})
    levels = {"ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO"}
    answer = configured(client, LoggingConfig={"LogFormat": "JSON"})
    assert answer["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": "/shared", **levels}
    answer = configured(client, LoggingConfig={"SystemLogLevel": "WARN"})
    assert answer["LoggingConfig"]["SystemLogLevel"] == "WARN"
    answer = configured(client, LoggingConfig={"LogFormat": "Text"})
    assert answer["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "/shared"}


def test_other_code_is_another_package(client: Any) -> None:
    """The next invocation runs it, in a new environment; with Publish the answer is the version's."""
    made(client)
    assert answered(client)["answer"] == 1
    updated = other_code(client, 2)
    assert updated["CodeSha256"] == b64encode(hashlib.sha256(packed(2)).digest()).decode()
    assert answered(client)["answer"] == 2
    published = other_code(client, 3, Publish=True)
    assert (published["Version"], published["State"]) == ("1", "Pending")
    assert published["FunctionArn"].endswith(":function:f:1")
    client.get_waiter("published_version_active").wait(FunctionName="f", Qualifier="1")
    assert answered(client, "f:1") == {"answer": 3, "version": "1"}


def test_a_stale_revision_is_refused(client: Any) -> None:
    """412 PreconditionFailedException: somebody else was faster (API reference, RevisionId)."""
    stale = made(client)["RevisionId"]
    fresh = client.get_function_configuration(FunctionName="f")["RevisionId"]
    for call in (client.update_function_configuration, client.publish_version):
        with pytest.raises(client.exceptions.PreconditionFailedException, match="does not match the latest Revision"):
            call(FunctionName="f", RevisionId=stale)
    assert client.update_function_configuration(FunctionName="f", Timeout=4, RevisionId=fresh)["Timeout"] == 4


def test_a_deleted_function_is_gone_and_its_name_is_free(client: Any, sim: Simulation) -> None:
    """204; its mapping stays, and serves the next function of that name (recorded: test_recreate_function)."""
    queue = sim.queue("jobs")
    made(client)
    client.create_event_source_mapping(FunctionName="f", EventSourceArn=queue.arn)
    assert client.delete_function(FunctionName="f")["ResponseMetadata"]["HTTPStatusCode"] == 204
    with pytest.raises(client.exceptions.ResourceNotFoundException, match=r"Function not found: arn\S+:function:f$"):
        client.get_function(FunctionName="f")
    assert len(client.list_event_source_mappings()["EventSourceMappings"]) == 1
    made(client, Code={"ZipFile": packed(2)})
    queue.send_message("x")
    sim.run()
    assert queue.messages == []
    assert [row.response for row in sim["lambda:f"].invocations] == ['{"answer": 2, "version": "$LATEST"}']


def test_what_waits_for_a_deleted_function_is_dropped(client: Any, sim: Simulation) -> None:
    """An event that was accepted is not lost from the rows when its function goes and another one comes."""
    made(client, Code={"ZipFile": packed(**{"bad.py": "def handler(e, c):\n    1 / 0\n"})}, Handler="bad.handler")
    client.invoke(FunctionName="f", InvocationType="Event")
    sim.run(for_="30s")
    client.delete_function(FunctionName="f")
    made(client)
    sim.run()
    sim.finish()
    with sim.reader() as reader:
        assert [row["outcome"] for row in reader.query("SELECT outcome FROM deliveries")] == ["dropped"]


# --- versions and aliases --------------------------------------------------------------------------------------------


def test_versions_keep_code_and_description(client: Any) -> None:
    """Published without a change: the same version; CodeSha256 guards (recorded: test_publish_version_on_create)."""
    first = made(client, Publish=True, Description="one")
    assert (first["Version"], first["State"]) == ("1", "Pending")
    assert first["FunctionArn"].endswith(":function:f")  # recorded: without the number
    assert client.publish_version(FunctionName="f", Description="ignored")["Description"] == "one"
    other_code(client, 2)
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="is different from current CodeSHA256"):
        client.publish_version(FunctionName="f", CodeSha256=first["CodeSha256"])
    second = client.publish_version(FunctionName="f", Description="two")
    assert (second["Version"], second["Description"], second["State"]) == ("2", "two", "Active")
    assert second["FunctionArn"].endswith(":function:f:2")
    pages = client.get_paginator("list_versions_by_function").paginate(
        FunctionName="f", PaginationConfig={"PageSize": 2}
    )
    listed = [each for page in pages for each in page["Versions"]]
    assert [each["Version"] for each in listed] == ["$LATEST", "1", "2"]
    assert [each["CodeSha256"] == first["CodeSha256"] for each in listed] == [False, True, False]
    assert [answered(client, f"f:{number}")["answer"] for number in (1, 2)] == [1, 2]


def test_a_version_that_an_alias_names_can_not_be_deleted(client: Any) -> None:
    """409; afterwards the number is not used again."""
    made(client, Publish=True)
    client.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    with pytest.raises(client.exceptions.ResourceConflictException, match=r"aliases reference it: \[live\]"):
        client.delete_function(FunctionName="f", Qualifier="1")
    client.delete_alias(FunctionName="f", Name="live")
    client.delete_function(FunctionName="f", Qualifier="1")
    with pytest.raises(client.exceptions.ResourceNotFoundException, match=r"Function not found: arn\S+:f:1$"):
        client.get_function(FunctionName="f", Qualifier="1")
    other_code(client, 2)
    assert client.publish_version(FunctionName="f")["Version"] == "2"
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="without deleting the function"):
        client.delete_function(FunctionName="f", Qualifier="$LATEST")


def test_an_alias_from_its_creation_to_its_end(client: Any) -> None:
    """Recorded: test_lambda_alias_moving, test_alias_routingconfig, test_notfound_and_invalid_routingconfigs."""
    made(client, Publish=True)
    other_code(client, 2, Publish=True)
    weights = {"AdditionalVersionWeights": {"2": 0.5}}
    answer = client.create_alias(
        FunctionName="f", Name="live", FunctionVersion="1", Description="d", RoutingConfig=weights
    )
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert answer["RoutingConfig"] == weights
    drawn = {answered(client, "f:live")["answer"] for _ in range(20)}
    assert drawn == {1, 2}
    moved = client.update_alias(FunctionName="f", Name="live", Description="e", RevisionId=answer["RevisionId"])
    assert (moved["Description"], moved["RoutingConfig"]) == ("e", weights)
    with pytest.raises(client.exceptions.PreconditionFailedException):
        client.update_alias(FunctionName="f", Name="live", RevisionId=answer["RevisionId"])
    moved = client.update_alias(
        FunctionName="f", Name="live", FunctionVersion="2", RoutingConfig={"AdditionalVersionWeights": {}}
    )
    assert "RoutingConfig" not in moved
    assert answered(client, "f:live") == {"answer": 2, "version": "2"}
    shown = client.get_function_configuration(FunctionName="f", Qualifier="live")
    assert (shown["Version"], shown["FunctionArn"][-7:]) == ("2", ":f:live")
    client.create_alias(FunctionName="f", Name="beta", FunctionVersion="1")
    assert [each["Name"] for each in client.list_aliases(FunctionName="f")["Aliases"]] == ["beta", "live"]
    only = client.list_aliases(FunctionName="f", FunctionVersion="2")["Aliases"]
    assert [each["Name"] for each in only] == ["live"]
    with pytest.raises(client.exceptions.ResourceConflictException, match=r"Alias already exists: arn\S+:f:live"):
        client.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    assert client.delete_alias(FunctionName="f", Name="live")["ResponseMetadata"]["HTTPStatusCode"] == 204
    for call in (client.get_alias, client.update_alias):
        with pytest.raises(client.exceptions.ResourceNotFoundException, match=r"Cannot find alias arn: arn\S+:f:live"):
            call(FunctionName="f", Name="live")


# --- determinism -----------------------------------------------------------------------------------------------------


def test_a_handler_deploys_a_function_and_every_run_is_the_same(tmp_path: Path) -> None:
    """Code that a handler uploads runs; two runs of one seed have one digest, wherever the archive is kept."""

    def deployer(event: Any, context: Any) -> Any:
        inner = boto3.client("lambda")
        made(inner, Timeout=9)
        other_code(inner, 7, Publish=True)
        inner.put_provisioned_concurrency_config(FunctionName="f", Qualifier="1", ProvisionedConcurrentExecutions=1)
        return [answered(inner), inner.get_function(FunctionName="f")["Configuration"]["RevisionId"]]

    def run() -> tuple[Any, str]:
        with Simulation(seed=5) as sim:
            answer = sim.function("deployer", handler=deployer, timeout=60).invoke({}).json()
            sim.finish()
            return answer, sim.digest()

    first = run()
    assert first[0][0] == {"answer": 7, "version": "$LATEST"}
    assert re.fullmatch(r"[0-9a-f-]{36}", first[0][1])
    assert run() == first


# --- states ----------------------------------------------------------------------------------------------------------

PENDING = "The operation cannot be performed at this time. The function is currently in the following state: Pending"
IN_PROGRESS = (
    "The operation cannot be performed at this time. An update is in progress for resource: "
    "arn:aws:lambda:us-east-1:000000000000:function:f"
)
BARE = {"Runtime": "python3.13", "Handler": "app.handler", "Role": ROLE, "Code": {"ZipFile": packed()}}


def conflict(call: Any, **params: Any) -> str:
    """The message of a ResourceConflictException, 409."""
    with pytest.raises(ClientError, match="ResourceConflictException") as caught:
        call(FunctionName="f", **params)
    response = caught.value.response
    assert (response["ResponseMetadata"]["HTTPStatusCode"], response["Type"]) == (409, "User")
    return str(response["Error"]["Message"])


def test_a_pending_function_can_not_be_used(client: Any, sim: Simulation) -> None:
    """Lambda function states: while Pending, invocations, updates and PublishVersion fail with 409."""
    client.create_function(FunctionName="f", **BARE)
    shown = client.get_function(FunctionName="f")["Configuration"]
    assert (shown["State"], shown["StateReason"]) == ("Pending", "The function is being created.")
    for kind in ("RequestResponse", "Event", "DryRun"):
        assert conflict(client.invoke, InvocationType=kind) == PENDING
    assert conflict(client.update_function_code, ZipFile=packed(2)) == PENDING
    assert conflict(client.update_function_configuration, Timeout=4) == PENDING
    assert conflict(client.publish_version) == PENDING
    began = sim.now
    client.get_waiter("function_active_v2").wait(FunctionName="f")
    assert sim.now - began == 1_000_000_000
    active = client.get_function_configuration(FunctionName="f")
    assert (active["State"], active["LastModified"]) == ("Active", shown["LastModified"])
    assert active["RevisionId"] != shown["RevisionId"]
    assert answered(client)["answer"] == 1


def test_an_update_in_progress(client: Any) -> None:
    """Invocations use the code before it, a second update gets 409; GetFunction shows the new code."""
    made(client)
    updated = client.update_function_code(FunctionName="f", ZipFile=packed(2))
    shown = client.get_function_configuration(FunctionName="f")
    assert (shown["State"], shown["LastUpdateStatus"], shown["CodeSha256"]) == (
        "Active",
        "InProgress",
        updated["CodeSha256"],
    )
    assert conflict(client.update_function_code, ZipFile=packed(3)) == IN_PROGRESS
    assert conflict(client.update_function_configuration, Timeout=4) == IN_PROGRESS
    assert conflict(client.publish_version) == IN_PROGRESS
    assert client.invoke(FunctionName="f", InvocationType="DryRun")["StatusCode"] == 204
    assert answered(client)["answer"] == 1
    client.get_waiter("function_updated_v2").wait(FunctionName="f")
    assert answered(client)["answer"] == 2
    configured(client, Timeout=9)
    assert client.publish_version(FunctionName="f")["Timeout"] == 9


def test_what_comes_to_a_pending_function_waits_until_it_is_active(client: Any, sim: Simulation) -> None:
    """Lambda function states: no invocation while it is Pending. Events of other services are accepted and tried again
    (after 1 s, 2 s, ... as throttled ones: documented choice), and an event source mapping does not poll before.
    """
    arn = client.create_function(FunctionName="f", **BARE)["FunctionArn"]
    for service in ("s3", "sns", "events"):
        client.add_permission(
            FunctionName="f", StatementId=service, Action="lambda:InvokeFunction", Principal=f"{service}.amazonaws.com"
        )
    topic, queue, bucket = sim.topic("t"), sim.queue("q"), sim.bucket("photos")
    sim.client("sns").subscribe(TopicArn=topic.arn, Protocol="lambda", Endpoint=arn)
    sim.event_source_mapping(queue, "lambda:f")
    sim.client("s3").put_bucket_notification_configuration(
        Bucket="photos",
        NotificationConfiguration={
            "LambdaFunctionConfigurations": [{"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}]
        },
    )
    topic.publish("m")
    queue.send_message("m")
    bucket.put_object("k", b"")
    sim.run(for_="999ms")
    assert sim["lambda:f"].invocations == []
    sim.run()
    rows = sim["lambda:f"].invocations
    assert [row.attempt for row in rows] == [1, 1, 1]
    assert min(row.started_at for row in rows) - sim.world.epoch_ms(0) >= 1_000
    assert all(row.ended_at - sim.world.epoch_ms(0) < 3_000 for row in rows)
    assert all(point.value == 0 for point in sim["lambda:f"].metric("Throttles"))
    with sim.reader() as reader:
        details = [row["detail"] for row in reader.query("SELECT detail FROM hops WHERE kind = 'refused'")]
    assert details == ["ResourceConflictException"] * 2
    client.create_function(FunctionName="g", **BARE)
    mapping = sim.event_source_mapping(sim.queue("other"), "lambda:g")
    assert mapping.state == "Creating"
    sim.run()
    assert mapping.state == "Enabled"


def test_a_version_that_an_update_publishes_is_pending(client: Any, sim: Simulation) -> None:
    """$LATEST keeps the code before while LastUpdateStatus is InProgress; the version gives 409 until it is Active.

    Recorded: test_lambda_versions_with_code_changes (State Pending); Lambda function states, for the rest.
    """
    made(client)
    published = client.update_function_code(FunctionName="f", ZipFile=packed(2), Publish=True)
    assert (published["Version"], published["State"], "LastUpdateStatus" in published) == ("1", "Pending", False)
    assert client.get_function_configuration(FunctionName="f")["LastUpdateStatus"] == "InProgress"
    client.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    assert answered(client) == {"answer": 1, "version": "$LATEST"}
    for name in ("1", "live"):
        assert conflict(client.invoke, Qualifier=name) == PENDING
    client.update_alias(
        FunctionName="f", Name="live", FunctionVersion="1", RoutingConfig={"AdditionalVersionWeights": {}}
    )
    client.get_waiter("published_version_active").wait(FunctionName="f", Qualifier="1")
    client.get_waiter("function_updated_v2").wait(FunctionName="f")
    assert answered(client) == {"answer": 2, "version": "$LATEST"}
    assert answered(client, "f:live") == {"answer": 2, "version": "1"}
    assert client.publish_version(FunctionName="f")["Version"] == "1"  # nothing has changed since
    again = other_code(client, 2, Publish=True)
    assert (again["Version"], again["State"]) == ("1", "Active")
    configured(client, Timeout=9)
    assert client.publish_version(FunctionName="f")["Version"] == "2"


def test_an_alias_that_leads_to_a_pending_version(client: Any, sim: Simulation) -> None:
    """The share of a weighted alias that goes to the Pending version is 409, too."""
    made(client)
    client.publish_version(FunctionName="f")
    client.update_function_code(FunctionName="f", ZipFile=packed(2), Publish=True)
    weights = {"AdditionalVersionWeights": {"2": 1.0}}
    client.create_alias(FunctionName="f", Name="live", FunctionVersion="1", RoutingConfig=weights)
    assert conflict(client.invoke, Qualifier="live") == PENDING
    sim.run()
    assert answered(client, "f:live") == {"answer": 2, "version": "2"}


def test_how_long_it_takes_is_a_setting_of_the_account() -> None:
    """AWS does not say how long; `function_activation` 0 is at once. `sim.run()` waits for it."""
    with Simulation(account={"function_activation": "5s"}) as sim:
        client = sim.client("lambda")
        client.create_function(FunctionName="f", **BARE)
        sim.run()
        assert sim.now == 5_000_000_000
        assert answered(client)["answer"] == 1
    with Simulation(account={"function_activation": "0s"}) as sim:
        client = sim.client("lambda")
        client.create_function(FunctionName="f", **BARE)
        assert client.get_waiter("function_active_v2").wait(FunctionName="f") is None
        assert answered(client)["answer"] == 1
    with Simulation() as sim:
        sim.function("own")
        assert sim.client("lambda").invoke(FunctionName="own")["StatusCode"] == 200
