"""What AWS says to wrong, missing and too long parameters, where botocore's own check is off or knows no pattern.

Sources: the patterns, sets and lengths of botocore's service models in the words of AWS's validation; API references.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from simbus import Simulation

boto3 = pytest.importorskip("boto3", reason="needs the extra boto3")
from botocore.config import Config  # noqa: E402
from botocore.exceptions import ClientError  # noqa: E402

UNCHECKED = Config(parameter_validation=False)
FUNCTION = {
    "FunctionName": "g",
    "Role": "arn:aws:iam::000000000000:role/r",
    "Runtime": "python3.13",
    "Handler": "app.handler",
    "Code": {"ZipFile": b"never looked at"},
}


@pytest.fixture
def sim() -> Iterator[Simulation]:
    with Simulation() as sim:
        sim.function("f")
        sim.queue("jobs")
        sim.topic("news")
        yield sim


def refused(sim: Simulation, service: str, operation: str, **params: Any) -> tuple[str, int, str]:
    """Code, HTTP status and message."""
    with pytest.raises(ClientError) as caught:
        getattr(sim.client(service, config=UNCHECKED), operation)(**params)
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Message"]


def detected(where: str, rule: str) -> str:
    return f"1 validation error detected: {where} failed to satisfy constraint: {rule}"


PATTERN = "Member must satisfy regular expression pattern: "
QUEUE = "https://sqs.us-east-1.amazonaws.com/000000000000/jobs"


@pytest.mark.parametrize(
    ("service", "operation", "params", "code", "message"),
    [
        ("sqs", "send_message", {"QueueUrl": QUEUE}, "MissingParameter",
         "The request must contain the parameter MessageBody."),
        ("sns", "subscribe", {"TopicArn": "arn:aws:sns:us-east-1:000000000000:news"}, "InvalidParameter",
         "Invalid parameter: Protocol Reason: no value for required parameter"),
        ("sts", "assume_role", {"RoleSessionName": "me"}, "ValidationError",
         detected("Value null at 'roleArn'", "Member must not be null")),
        ("events", "put_targets", {"Rule": "r"}, "ValidationException",
         detected("Value null at 'targets'", "Member must not be null")),
        ("events", "put_targets", {"Rule": "r", "Targets": [{"Id": "1"}]}, "ValidationException",
         detected("Value null at 'targets.1.member.arn'", "Member must not be null")),
        ("logs", "put_log_events", {"logGroupName": "g", "logStreamName": "s", "logEvents": [{"timestamp": 1}]},
         "InvalidParameterException",
         detected("Value null at 'logEvents.1.member.message'", "Member must not be null")),
        ("sqs", "delete_message_batch", {"QueueUrl": QUEUE, "Entries": [{"Id": "1"}]}, "MissingParameter",
         "The request must contain the parameter DeleteMessageBatchRequestEntry.1.ReceiptHandle."),
        ("logs", "create_log_group", {}, "InvalidParameterException",
         detected("Value null at 'logGroupName'", "Member must not be null")),
    ],
)  # fmt: skip
def test_a_parameter_that_is_missing(
    sim: Simulation, service: str, operation: str, params: Any, code: str, message: str
) -> None:
    """botocore refuses it before it is sent, unless `parameter_validation` is off."""
    assert refused(sim, service, operation, **params) == (code, 400, message)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Handler": "a b"}, detected("Value 'a b' at 'handler'", PATTERN + r"[^\s]+")),
        ({"Handler": "h" * 129}, detected(f"Value '{'h' * 129}' at 'handler'",
                                          "Member must have length less than or equal to 128")),
        ({"Architectures": ["foo"]}, detected(
            "Value '[foo]' at 'architectures'", "Member must satisfy constraint: [Member must satisfy enum value set: "
            "[x86_64, arm64], Member must not be null]")),
        ({"Architectures": ["arm64", "x86_64"]}, detected(
            "Value '[arm64, x86_64]' at 'architectures'", "Member must have length less than or equal to 1")),
        ({"Environment": {"Variables": {"1a": "x"}}}, detected(
            "Value '{1a=x}' at 'environment.variables'",
            f"Map keys must satisfy constraint: [{PATTERN}[a-zA-Z]([a-zA-Z0-9_])+]")),
        ({"DeadLetterConfig": {"TargetArn": "dead"}}, detected(
            "Value 'dead' at 'deadLetterConfig.targetArn'", PATTERN + "(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()")),
        ({"LoggingConfig": {"LogFormat": "XML"}}, detected(
            "Value 'XML' at 'loggingConfig.logFormat'", "Member must satisfy enum value set: [JSON, Text]")),
        ({"LoggingConfig": {"LogGroup": "a b"}}, detected(
            "Value 'a b' at 'loggingConfig.logGroup'", PATTERN + r"[\.\-_/#A-Za-z0-9]+")),
        ({"TracingConfig": {"Mode": "On"}}, detected(
            "Value 'On' at 'tracingConfig.mode'", "Member must satisfy enum value set: [Active, PassThrough]")),
        ({"Tags": {"k": "v" * 257}}, detected(
            f"Value '{{k={'v' * 257}}}' at 'tags'",
            "Map values must satisfy constraint: [Member must have length less than or equal to 256]")),
        ({"PackageType": "Tar"}, detected("Value 'Tar' at 'packageType'",
                                          "Member must satisfy enum value set: [Zip, Image]")),
    ],
)  # fmt: skip
def test_a_function_that_can_not_be(sim: Simulation, changes: Any, message: str) -> None:
    """ValidationException of CreateFunction; nothing is made."""
    assert refused(sim, "lambda", "create_function", **{**FUNCTION, **changes}) == ("ValidationException", 400, message)
    assert sim.client("lambda").list_functions()["Functions"][0]["FunctionName"] == "f"


@pytest.mark.parametrize(
    ("operation", "params", "where"),
    [
        ("invoke", {"FunctionName": "f", "LogType": "All"}, "Value 'All' at 'logType'"),
        ("invoke", {"FunctionName": "f", "Qualifier": "a b"}, "Value 'a b' at 'qualifier'"),
        ("put_function_recursion_config", {"FunctionName": "f", "RecursiveLoop": "No"},
         "Value 'No' at 'recursiveLoop'"),
        ("create_event_source_mapping", {"FunctionName": "f", "EventSourceArn": "q"}, "Value 'q' at 'eventSourceArn'"),
        ("put_function_event_invoke_config",
         {"FunctionName": "f", "DestinationConfig": {"OnFailure": {"Destination": "q"}}},
         "Value 'q' at 'destinationConfig.onFailure.destination'"),
        ("add_permission",
         {"FunctionName": "f", "StatementId": "a b", "Action": "lambda:Invoke", "Principal": "s3.amazonaws.com"},
         "Value 'a b' at 'statementId'"),
        ("list_tags", {"Resource": "f"}, "Value 'f' at 'resource'"),
    ],
)  # fmt: skip
def test_lambda_refuses_what_its_model_does_not_know(sim: Simulation, operation: str, params: Any, where: str) -> None:
    """ValidationException, 400."""
    code, status, message = refused(sim, "lambda", operation, **params)
    assert (code, status, message.partition(" failed to")[0]) == (
        "ValidationException",
        400,
        f"1 validation error detected: {where}",
    )


def test_a_function_that_is_refused_is_not_made(sim: Simulation) -> None:
    """51 tags, and levels of a log in Text: InvalidParameterValueException."""
    for changes in (
        {"Tags": {f"k{n}": "" for n in range(51)}},
        {"LoggingConfig": {"ApplicationLogLevel": "INFO"}},
    ):
        found = refused(sim, "lambda", "create_function", **{**FUNCTION, **changes})
        assert found[:2] == ("InvalidParameterValueException", 400)
    levels = {"LoggingConfig": {"SystemLogLevel": "WARN"}}
    assert refused(sim, "lambda", "update_function_configuration", FunctionName="f", **levels)[1] == 400
    assert len(sim.client("lambda").list_functions()["Functions"]) == 1


def test_an_entry_without_visibility_timeout(sim: Simulation) -> None:
    """botocore's model does not require it: the entry fails, not the request."""
    sqs = sim.client("sqs")
    sqs.send_message(QueueUrl=QUEUE, MessageBody="x")
    handle = sqs.receive_message(QueueUrl=QUEUE)["Messages"][0]["ReceiptHandle"]
    answer = sqs.change_message_visibility_batch(QueueUrl=QUEUE, Entries=[{"Id": "1", "ReceiptHandle": handle}])
    assert [each["Code"] for each in answer["Failed"]] == ["MissingParameter"]


def test_a_marker_that_nobody_gave(sim: Simulation) -> None:
    """InvalidParameterValueException of every list; the words are simbus's own."""
    for operation in ("list_functions", "list_event_source_mappings"):
        assert refused(sim, "lambda", operation, Marker="nobody's")[:2] == ("InvalidParameterValueException", 400)


ROLE = "arn:aws:iam::000000000000:role/r"


@pytest.mark.parametrize(
    ("params", "code", "message"),
    [
        ({"RoleArn": "r"}, "ValidationError",
         detected("Value 'r' at 'roleArn'", "Member must have length greater than or equal to 20")),
        ({"RoleSessionName": "a"}, "ValidationError",
         detected("Value 'a' at 'roleSessionName'", "Member must have length greater than or equal to 2")),
        ({"RoleSessionName": "a" * 65}, "ValidationError",
         detected(f"Value '{'a' * 65}' at 'roleSessionName'", "Member must have length less than or equal to 64")),
        ({"Policy": "{"}, "MalformedPolicyDocument", "This policy contains invalid Json"),
    ],
)  # fmt: skip
def test_assume_role(sim: Simulation, params: Any, code: str, message: str) -> None:
    """API_AssumeRole, and the lengths of its model."""
    given = {"RoleArn": ROLE, "RoleSessionName": "me", **params}
    assert refused(sim, "sts", "assume_role", **given) == (code, 400, message)


def test_a_role_has_no_session_token_and_assumes_for_an_hour() -> None:
    """STS: role chaining is limited to 1 hour; GetSessionToken is for users."""

    def handler(event: Any, context: Any) -> list[str]:
        client = boto3.client("sts")
        found = []
        for call, params in (
            (client.assume_role, {"RoleArn": ROLE, "RoleSessionName": "me", "DurationSeconds": 3_601}),
            (client.get_session_token, {}),
        ):
            try:
                call(**params)
            except ClientError as error:
                found.append(f"{error.response['Error']['Code']}: {error.response['Error']['Message']}")
        return found

    with Simulation() as sim:
        assert sim.function("f", handler=handler).invoke().json() == [
            "ValidationError: The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role "
            "chaining",
            "AccessDenied: Cannot call GetSessionToken with session credentials",
        ]


def test_logs_wants_an_event_and_a_name_that_is_not_too_long(sim: Simulation) -> None:
    """InvalidParameterException of PutLogEvents and CreateLogGroup."""
    message = detected("Value '[]' at 'logEvents'", "Member must have length greater than or equal to 1")
    given = {"logGroupName": "g", "logStreamName": "s", "logEvents": []}
    assert refused(sim, "logs", "put_log_events", **given) == ("InvalidParameterException", 400, message)
    code, status, message = refused(sim, "logs", "create_log_group", logGroupName="x" * 513)
    assert (code, status) == ("InvalidParameterException", 400)
    assert message.endswith("Member must have length less than or equal to 512")
