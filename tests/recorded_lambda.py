"""Lambda functions that do what `setup.function[].params.Code.behaviour` of a recorded case says, and AWS's answers.

The handlers are written as real files, so that they are found, imported and traced as those of a user. A line marked
`#@ n` is laid out as line n of its file: recorded stack traces name it.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aws_recorded import ACCOUNT, REGION, fill

from simbus import Account, AwsError, Simulation
from simbus.functions.config import FunctionConfig
from simbus.scheduler.invoke import InvokeResponse
from simbus.scheduler.lambda_function import LambdaFunction
from simbus.sources.sqs.message import ReceivedMessage
from simbus.sources.sqs.queue import Queue

ECHO = """\
import json
def handler(event, context):
    print(json.dumps(event))
    return event
"""
INTEGRATION = """\
import logging
logger = logging.getLogger()
logger.setLevel(logging.INFO)
NAMES = ("invoked_function_arn", "function_version", "function_name", "memory_limit_in_mb", "aws_request_id",
         "log_group_name", "log_stream_name", "client_context")
def handler(event, context):
    print("Lambda log message - print function")
    logger.info("Lambda log message - logging module")
    body = (event.get("Records") or [{}])[0].get("body") or ""
    if event.get("raise_error") or "raise_error" in body:
        raise Exception("Test exception (this is intentional)")  #@ 55
    return {"event": event, "context": {name: getattr(context, name) for name in NAMES}}
"""
FAILING = """\
import json
def handler(event, context):
    print(json.dumps({"event": event, "aws_request_id": context.aws_request_id}))
    raise Exception("intentional failure")  #@ 7
"""
VERSIONED = """\
def handler(event, context):
    found = {"version_id": "VERSION", "invoked_arn": context.invoked_function_arn,
             "version_from_ctx": context.function_version}
    print(found)
    return found
"""
REUSE = """\
import tempfile, time
from pathlib import Path
number = 0
file = Path(tempfile.gettempdir()) / "reuse.txt"
def handler(event, context):
    global number
    if "write-file" in event:
        file.write_text(event["write-file"])
    elif "read-file" in event:
        print(file.read_text())
        return {"content": file.read_text()}
    elif "set-number" in event:
        number = event["set-number"]
    elif "read-number" in event:
        print(number)
        return {"number": number}
    elif "sleep" in event:
        time.sleep(event["sleep"])
"""
FACTS = """\
import os, platform, time
def handler(event, context):
    time.sleep(event.get("wait", 0))
    modes = {path: oct(os.stat(path).st_mode) for path in ("/tmp", "/var/task")}
    return {"user": os.getuid(), "platform": platform.machine(), "modes": modes, "event": event}
"""
INITIALIZATION = """\
import os, time
def handler(event, context):
    time.sleep(event.get("wait", 0))
    found = os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]
    print(f"init_type={found!r}")
    return found
"""
REQUEST_ID = """\
import logging
logger = logging.getLogger()
logger.setLevel(logging.INFO)
def handler(event, context):
    logger.info("RequestId log message")
    return context.aws_request_id
"""
LARGE = """\
def handler(event, context):
    print("generating bytes...")
    return "a" * event["bytenum"]
"""
FAILING_PROVISIONED = """\
import os, time
KIND = os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]
if KIND == "provisioned-concurrency":
    raise Exception("Intentional failure upon provisioned concurrency initialization")
def handler(event, context):
    time.sleep(event.get("wait", 0))
    print(KIND)
    return KIND
"""
INTROSPECTION = """\
import os
NAMES = ("aws_request_id", "function_name", "function_version", "invoked_function_arn", "log_group_name",
         "log_stream_name", "memory_limit_in_mb")
def handler(event, context):
    print(event)
    told = {name: getattr(context, name) for name in NAMES}
    told["remaining_time_in_millis"] = context.get_remaining_time_in_millis()
    return {"environment": dict(os.environ), "ctx": told, "packages": []}
"""
FAILED = """\
def handler(event, context):
    print(event)
    raise Exception(f"Failed: {event['error_msg']}")
"""
EXITS = "import sys\ndef handler(event, context):\n    sys.exit(0)\n"

# Behaviour (a part of it) -> the code that does it.
CODE: Mapping[str, str] = {
    'returns {"event": event, "context": {the LambdaContext attributes}}': INTEGRATION,
    'raises Exception("intentional failure")': FAILING,
    "as one line of JSON, returns the event": ECHO,
    "as one line of JSON, returns nothing": ECHO.replace("    return event\n", ""),
    'prints and returns {"version_id"': VERSIONED,
    "write-file writes the text": REUSE,
    "facts about user, platform": FACTS,
    "prints init_type=": INITIALIZATION,
    'logs "RequestId log message"': REQUEST_ID,
    "generating bytes...": LARGE,
    "Intentional failure upon provisioned concurrency": FAILING_PROVISIONED,
    'returns {"environment": all variables': INTROSPECTION,
    'raises Exception("Failed: ': FAILED,
    "calls sys.exit(0) while the module is imported": "import sys\nsys.exit(0)\n",
    "calls sys.exit(0) inside the handler": EXITS,
    'raises Exception("Handler fails")': 'def handler(event, context):\n    raise Exception("Handler fails")\n',
}
_MARK = re.compile(r"\s*#@ (\d+)$")
_DATE = re.compile(r"\bdate(?=[\t ])")
_VERSION = re.compile(r'"version_id": "(\w+)"')


def code_of(behaviour: str) -> str:
    """The source of a handler with that behaviour."""
    found = [code for part, code in CODE.items() if part in behaviour]
    assert len(found) == 1, f"{len(found)} codes for the behaviour {behaviour!r}"
    version = _VERSION.search(behaviour)
    return laid_out(found[0].replace("VERSION", version[1] if version else "VERSION"))


def laid_out(source: str) -> str:
    """The source with each line that is marked `#@ n` as its n-th line."""
    lines: list[str] = []
    for line in source.splitlines():
        mark = _MARK.search(line)
        if mark:
            lines += [""] * (int(mark[1]) - 1 - len(lines))
        lines.append(_MARK.sub("", line))
    return "\n".join(lines) + "\n"


def write_code(folder: Path, behaviours: Mapping[str, str]) -> Path:
    """The files of `Code.behaviour` in `folder`."""
    folder.mkdir()
    for file, behaviour in behaviours.items():
        (folder / file).write_text(code_of(behaviour))
    return folder


class Stage:
    """The simulation in which one recorded case is played. `folder` takes the code of its functions."""

    def __init__(self, case: Mapping[str, Any], folder: Path) -> None:
        self.case = case
        self.sim = Simulation(seed=1, account=Account(id=ACCOUNT, region=REGION))
        self._folder = folder
        self._codes = 0
        self.setup: dict[str, list[dict[str, Any]]] = fill(case["setup"])
        self.inputs: list[dict[str, Any]] = [
            each["params"]
            for each in fill(case["inputs"])
            if each["op"] == "lambda:Invoke"
            for _ in range(each.get("times", 1))
        ]

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        self.sim.close()

    def queue(self) -> Queue:
        """The queue of the case."""
        return self.sim.queue("queue-1")

    def code(self, behaviours: Mapping[str, str]) -> Path:
        self._codes += 1
        return write_code(self._folder / f"code-{self._codes}", behaviours)

    def function(self, *, handler: Callable[..., Any] | None = None, **settings: Any) -> LambdaFunction:
        """The function of the case, as its CreateFunction says; `handler` instead of the code, `settings` besides."""
        params = self.setup["function"][0]["params"]
        behaviours = params["Code"].get("behaviour")
        if behaviours is None and handler is None:
            behaviours = {"handler.py": next(iter(CODE))}  # the archive in the bucket holds this one
        dead_letter = params.get("DeadLetterConfig", {}).get("TargetArn")
        function = self.sim.function(
            params["FunctionName"],
            handler=handler or params["Handler"],
            code=None if handler else self.code(behaviours),
            runtime=params["Runtime"],
            timeout=params.get("Timeout", 3),
            memory_size=params.get("MemorySize", 128),
            environment=params.get("Environment", {}).get("Variables", {}),
            dead_letter_config=dead_letter,
            **settings,
        )
        if params.get("Publish"):
            function.publish_version()
        return function

    def event_invoke_config(self, number: int = 0) -> dict[str, Any]:
        """The arguments of a recorded PutFunctionEventInvokeConfig or its update, with what the one before it set."""
        config: dict[str, Any] = {}
        for each in self.setup["async_config"][: number + 1]:
            params = each["params"]
            destinations = params.get("DestinationConfig", {})
            given = {
                "maximum_retry_attempts": params.get("MaximumRetryAttempts"),
                "maximum_event_age_in_seconds": params.get("MaximumEventAgeInSeconds"),
                "on_success": destinations.get("OnSuccess", {}).get("Destination"),
                "on_failure": destinations.get("OnFailure", {}).get("Destination"),
            }
            config |= {key: value for key, value in given.items() if value is not None}
        return config

    def updated(self, function: LambdaFunction, behaviour: str) -> FunctionConfig:
        """The function's configuration with other code (UpdateFunctionCode)."""
        return msgspec.structs.replace(function.config, code=self.code({"handler.py": behaviour}))


def shaped(recorded: Any) -> Any:
    """A recording with the bare word `date` inside of a text (a log line) as the ISO time that stands there."""
    if isinstance(recorded, dict):
        return {key: shaped(value) for key, value in recorded.items()}
    if isinstance(recorded, list):
        return [shaped(value) for value in recorded]
    if isinstance(recorded, str) and recorded != "date":
        return _DATE.sub("<timestamp:2022-07-13T13:48:01.000Z>", recorded)
    return recorded


def invoke(function: LambdaFunction, params: Mapping[str, Any]) -> InvokeResponse:
    """Invoke with the parameters of a recorded Invoke."""
    payload = params.get("Payload")
    if isinstance(payload, Mapping):
        payload = b64decode(payload["$base64"])
    elif payload is not None:
        payload = payload.encode()
    named = params["FunctionName"].split(":")
    qualifier = named[7] if len(named) > 7 else params.get("Qualifier")
    return function.invoke(
        payload,
        invocation_type=params.get("InvocationType", "RequestResponse"),
        qualifier=qualifier,
        log_type=params.get("LogType", "None"),
    )


def answer(response: InvokeResponse) -> dict[str, Any]:
    """What boto3 would show of it."""
    found = {
        "ExecutedVersion": response.executed_version,
        "FunctionError": response.function_error,
        "LogResult": response.log_result,
    }
    return {
        **{key: value for key, value in found.items() if value is not None},
        "Payload": response.payload,
        **metadata(response.status_code),
    } | {"StatusCode": response.status_code}


def metadata(status: int) -> dict[str, Any]:
    return {"ResponseMetadata": {"HTTPHeaders": {}, "HTTPStatusCode": status}}


def refusal(recorded: Mapping[str, Any], call: Callable[[], object]) -> dict[str, Any]:
    """The error that `call` raises as boto3 would show it; the message is repeated in the member that was recorded."""
    with pytest.raises(AwsError) as caught:
        call()
    error = caught.value
    repeated = {key: error.message for key in ("message", "Message") if key in recorded}
    return {
        "Error": {"Code": error.code, "Message": error.message},
        **error.extra,
        **repeated,
        **metadata(error.status),
    }


def message(received: ReceivedMessage, *, attributes: bool = False) -> dict[str, Any]:
    """A message as ReceiveMessage shows it, its system attributes only where they were asked for."""
    found: dict[str, Any] = {
        "Body": received.body,
        "MD5OfBody": received.md5_of_body,
        "MessageId": received.message_id,
        "ReceiptHandle": received.receipt_handle,
    }
    if attributes:
        found["Attributes"] = received.attributes
    if received.message_attributes:
        found["MessageAttributes"] = received.message_attributes
        found["MD5OfMessageAttributes"] = received.md5_of_message_attributes
    return found


def lines(sim: Simulation, function: LambdaFunction) -> list[str]:
    """The log of a function, one text an event, without the newline at its end."""
    with sim.reader() as reader:
        return [row.message.rstrip("\n") for row in reader.log_events(function.resource)]
