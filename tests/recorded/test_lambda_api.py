"""What Lambda's operations answer through boto3, compared with what AWS answered: `recorded_api` of six recordings.

Each case is set up through boto3 alone, functions from real archives. `NOT_PLAYED` says of which recorded answers this
file does not speak, and why.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import pytest
from aws_recorded import ACCOUNT, REGION, equal, fill, load_case, load_cases
from recorded_lambda import CODE, code_of
from recorded_streams import unlabelled

from simbus import Account, Simulation

pytest.importorskip("boto3", reason="needs the extra boto3")
xform_name = pytest.importorskip("botocore").xform_name
ClientError = pytest.importorskip("botocore.exceptions").ClientError

FILES = ("invoke_errors_logs", "runtimes", "async_destinations", "kinesis_esm", "dynamodb_esm", "sqs_esm")
NOT_PLAYED = {
    "create_lambda_url_config": "function URLs are refused",
    "add_permission": "of function URLs, which are refused",
    "get_fn_result": "of function URLs, which are refused",
    "send_message_batch": "an operation of SQS",
    "send-message-batch-result-10": "an operation of SQS",
    "send-message-batch-result-5": "an operation of SQS",
}
Answer = dict[str, Any]


def archive(behaviours: Mapping[str, str]) -> bytes:
    """A deployment package with the files of `Code.behaviour`; where no code is known for one, it answers its event."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as zipped:
        for name, behaviour in behaviours.items():
            known = any(part in behaviour for part in CODE)
            code = code_of(behaviour) if known else "def handler(event, context):\n    return event\n"
            zipped.writestr(zipfile.ZipInfo(name), code)
    return packed.getvalue()


class Api:
    """One case: its resources and functions made through boto3. `do` plays a request of the set-up."""

    def __init__(self, case: Mapping[str, Any]) -> None:
        self.sim = Simulation(seed=1, account=Account(id=ACCOUNT, region=REGION))
        text = json.dumps(case["setup"])
        names = {f"queue-{n}": f"queue-{n}.fifo" for n in (1, 2, 3)} if '"FifoQueue": "true"' in text else {}
        if "test_report_batch_item_failures" in case["name"]:
            names.pop("queue-1", None)
        self.setup: dict[str, list[dict[str, Any]]] = fill(case["setup"], {**names, "alias-1": "alias1"})
        self.recorded: dict[str, Any] = {k: v for k, v in case["recorded_api"].items() if k not in NOT_PLAYED}
        self._clients: dict[str, Any] = {}
        self._uuid = ""
        for entry in self.setup.get("resource", []):
            if entry["op"] not in ("sns:Subscribe", "sqs:SetQueueAttributes"):
                self._call(entry["op"], entry["params"])
        self.sim.run(for_="1m")

    def __enter__(self) -> Api:
        return self

    def __exit__(self, *_: object) -> None:
        self.sim.close()

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self.sim.client(service)
        return self._clients[service]

    def do(self, group: str, number: int = 0, **changes: Any) -> Answer:
        """The answer of a request of the set-up, or the error."""
        entry = self.setup[group][number]
        return self.call(entry["op"].partition(":")[2], **{**entry["params"], **changes})

    def call(self, operation: str, **params: Any) -> Answer:
        """The answer of an operation of Lambda, as it was recorded: without headers, times as texts."""
        if "Code" in params:
            code = params["Code"]
            params["Code"] = {"ZipFile": archive(code.get("behaviour", {"handler.py": "echo"}))}
        if "ZipFile" in params:
            params["ZipFile"] = archive({k: v[len("behaviour: ") :] for k, v in params["ZipFile"]["$zip"].items()})
        if params.get("UUID") == "mapping-1":
            params["UUID"] = self._uuid
        arn = params.get("EventSourceArn", "")
        if "/stream/{label}" in arn:
            table = self.client("dynamodb").describe_table(TableName=arn.split("/")[1])["Table"]
            params["EventSourceArn"] = table["LatestStreamArn"]
        try:
            answer: Answer = getattr(self.client("lambda"), xform_name(operation))(**params)
        except ClientError as error:
            answer = error.response
        self._uuid = self._uuid or answer.get("UUID", "")
        if answer.get("State") == "Pending" or answer.get("LastUpdateStatus") == "InProgress":
            self.sim.run(for_="1s")  # the recorded tests waited until it was Active
        return normal(answer)

    def _call(self, op: str, params: dict[str, Any]) -> None:
        service, _, operation = op.partition(":")
        getattr(self.client(service), xform_name(operation))(**params)
        if operation == "CreateTable":
            self.client(service).get_waiter("table_exists").wait(TableName=params["TableName"])


def normal(answer: Any) -> Any:
    """An answer of boto3 as the recordings have it."""
    if isinstance(answer, datetime):
        return answer.isoformat()
    if isinstance(answer, list):
        return [normal(each) for each in answer]
    if not isinstance(answer, dict):
        return answer
    found = {key: normal(value) for key, value in answer.items()}
    if "HTTPStatusCode" in found:
        return {"HTTPHeaders": {}, "HTTPStatusCode": found["HTTPStatusCode"]}
    return found


# --- functions, versions, aliases, concurrency -----------------------------------------------------------------------


def function_state(api: Api) -> Answer:
    created = api.do("function")
    return {"create-fn-response": created, "get-fn-response": api.call("GetFunction", FunctionName="function-1")}


def only_created(key: str) -> Callable[[Api], Answer]:
    return lambda api: {key: api.do("function")}


def wrapped(*keys: str) -> Callable[[Api], Answer]:
    """The helper of these tests answers with the function and a mapping, which it did not make."""

    def play(api: Api) -> Answer:
        found = {}
        for key in keys:
            found[key] = {"CreateEventSourceMappingResponse": None, "CreateFunctionResponse": api.do("function")}
            api.call("DeleteFunction", FunctionName="function-1")
        return found

    return play


def concurrency_block(api: Api) -> Answer:
    api.do("function")
    api.do("version")
    return {
        "reserved_concurrency_result": api.do("concurrency", 0),
        "provisioned_concurrency_result": api.do("concurrency", 1),
    }


def code_changes(api: Api) -> Answer:
    return {
        "create_response": api.do("function"),
        "first_publish_response": api.do("version", 0),
        "update_lambda_response": api.do("function_update", 0),
        "second_publish_response": api.do("version", 1),
        "update_lambda_response_with_publish": api.do("function_update", 1),
    }


def alias_moving(api: Api) -> Answer:
    created = api.do("function")
    api.do("version", 0)
    return {
        "create_response": created,
        "create_alias_response": api.do("alias", 0),
        "update_lambda_response": api.do("function_update"),
        "second_publish_response": api.do("version", 1),
        "update_alias_response": api.do("alias", 1),
    }


def alias_routing(api: Api) -> Answer:
    api.do("function")
    api.call("PublishVersion", FunctionName="function-1")
    api.do("function_update")
    api.do("version")
    return {"create_alias_response": api.do("alias")}


def latest(api: Api) -> Answer:
    """The function, made and looked at."""
    api.do("function")
    return api.call("GetFunctionConfiguration", FunctionName="function-1", Qualifier="$LATEST")


def reserved(api: Api) -> Answer:
    return {
        "fn": latest(api),
        "put_reserved": api.do("concurrency"),
        "exc_no_cap_requestresponse": api.call("Invoke", FunctionName="function-1"),
        "put_event_invoke_conf": api.do("async_config"),
    }


def reserved_queue(api: Api) -> Answer:
    found = {"fn": latest(api), "put_fn_concurrency": api.do("concurrency")}
    slow = json.dumps({"wait": 10})
    api.call("Invoke", FunctionName="function-1", InvocationType="Event", Payload=slow)
    api.sim.run(for_="1s")
    api.call("PutFunctionConcurrency", FunctionName="function-1", ReservedConcurrentExecutions=0)
    return found | {"too_many_requests_exc": api.call("Invoke", FunctionName="function-1")}


def provisioned(put: str, *, prewait: bool = True) -> Callable[[Api], Answer]:
    """Put, look at once, look when the environments are there (or could not start)."""

    def play(api: Api) -> Answer:
        api.do("function")
        if "version" in api.setup:
            api.do("version")
        which = {"FunctionName": "function-1", "Qualifier": "1"}
        found = {put: api.do("concurrency")}
        found["get_provisioned_prewait"] = api.call("GetProvisionedConcurrencyConfig", **which)
        api.sim.run()
        found["get_provisioned_postwait"] = api.call("GetProvisionedConcurrencyConfig", **which)
        return {key: value for key, value in found.items() if key in api.recorded}

    return play


def overlap(api: Api) -> Answer:
    which = {"FunctionName": "function-1", "Qualifier": "1"}
    api.do("function")
    api.do("version", 0)
    found = {"put_provisioned_5": api.do("concurrency", 0)}
    found["get_provisioned_prewait"] = api.call("GetProvisionedConcurrencyConfig", **which)
    api.sim.run()
    found["get_provisioned_postwait"] = api.call("GetProvisionedConcurrencyConfig", **which)
    found["reserved_lower_than_provisioned_exc"] = api.do("concurrency", 1)
    api.do("concurrency", 2)
    found["get_concurrency"] = api.call("GetFunctionConcurrency", FunctionName="function-1")
    found["reserved_equals_provisioned_latest_invoke_exc"] = api.call("Invoke", FunctionName="function-1")
    found["update_func_config"] = api.do("function_update")
    api.do("version", 1)
    found["reserved_equals_provisioned_another_provisioned_exc"] = api.do("concurrency", 3)
    found["reserved_equals_provisioned_increase_provisioned_exc"] = api.do("concurrency", 4)
    return found


def concurrency_update(api: Api) -> Answer:
    name = {"FunctionName": "function-1"}
    api.do("function")
    found = {
        "put_function_concurrency": api.do("concurrency"),
        "get_function_concurrency_updated": api.call("GetFunctionConcurrency", **name),
        "get_function_concurrency_info": api.call("GetFunction", **name),
    }
    api.call("DeleteFunctionConcurrency", **name)
    return found | {"get_function_concurrency_deleted": api.call("GetFunctionConcurrency", **name)}


def event_invoke_config(api: Api) -> Answer:
    api.do("function")
    return {"put_function_event_invoke_config": api.do("async_config")}


def dead_letter_queue(api: Api) -> Answer:
    created = {"CreateEventSourceMappingResponse": None, "CreateFunctionResponse": api.do("function")}
    return {"create_lambda_with_dlq": created, "delete_dlq": api.do("function_update")}


def dead_letter_config(api: Api) -> Answer:
    return {"lambda-response-dlq-config": api.do("function")["DeadLetterConfig"]}


# --- event source mappings -------------------------------------------------------------------------------------------


def mappings(*keys: str) -> Callable[[Api], Answer]:
    """The mappings of the set-up, one after the other, and what each was answered with."""

    def play(api: Api) -> Answer:
        for number in range(len(api.setup["function"])):
            api.do("function", number)
        found = {}
        for number, key in enumerate(keys):
            if key.startswith("put_concurrency"):
                found[key] = api.do("concurrency")
            else:
                found[key] = api.do("mapping", number - sum(each.startswith("put_") for each in keys[:number]))
        return found

    return play


def enabled(api: Api) -> Answer:
    api.do("function")
    created = api.do("mapping")
    api.sim.run(for_="10s")
    return {"event_source_mapping": api.call("GetEventSourceMapping", UUID=created["UUID"])}


def default_batch_size(api: Api) -> Answer:
    api.do("function")
    return {
        "create-event-source-mapping": api.do("mapping", 0),
        "invalid-update-event-source-mapping": api.do("mapping_update"),
        "invalid-create-event-source-mapping": api.do("mapping", 1),
    }


def made_disabled(api: Api) -> Answer:
    api.do("function")
    found = {"create_esm_disabled": api.do("mapping"), "update_esm_enabling": api.do("mapping_update")}
    api.sim.run(for_="10s")
    return found | {"get_esm_enabled": api.call("GetEventSourceMapping", UUID="mapping-1")}


PLAYS: dict[str, Callable[[Api], Answer]] = {
    "test_function_state": function_state,
    "test_invocation_with_qualifier": only_created("creation-response"),
    "test_upload_lambda_from_s3": only_created("creation-response"),
    "test_lambda_concurrency_block": concurrency_block,
    "test_lambda_versions_with_code_changes": code_changes,
    "test_lambda_alias_moving": alias_moving,
    "test_alias_routingconfig": alias_routing,
    "test_lambda_invoke_timed_out_environment_reuse": wrapped("create-result"),
    "test_reserved_concurrency": reserved,
    "test_reserved_concurrency_async_queue": reserved_queue,
    "test_provisioned_concurrency": provisioned("put_provisioned_5"),
    "test_reserved_provisioned_overlap": overlap,
    "test_lambda_provisioned_concurrency_scheduling": provisioned("put"),
    "test_recreate_function": wrapped("create_function_response_one", "create_function_response_two"),
    "test_lambda_concurrency_update": concurrency_update,
    "test_provisioned_concurrency_init_failure": provisioned("put_provisioned"),
    "test_introspection_invoke": only_created("create_function_result"),
    "test_uncaught_exception_invoke": only_created("create_function_result"),
    "test_assess_lambda_destination_invocation": event_invoke_config,
    "test_dead_letter_queue": dead_letter_queue,
    "test_create_kinesis_event_source_mapping_multiple_lambdas_single_kinesis_event_stream": mappings(
        "create_event_source_mapping_response-a", "create_event_source_mapping_response-b"
    ),
    "test_esm_with_not_existing_kinesis_stream": mappings("error"),
    "test_dynamodb_invalid_event_filter": mappings("exception_event_source_creation"),
    "test_duplicate_event_source_mappings": mappings("create", "error"),
    "test_failing_lambda_retries_after_visibility_timeout": enabled,
    "test_sqs_queue_as_lambda_dead_letter_queue": dead_letter_config,
    "test_report_batch_item_failures": mappings("create_event_source_mapping"),
    "test_event_source_mapping_default_batch_size": default_batch_size,
    "test_sqs_invalid_event_filter": mappings("create_event_source_mapping_exception"),
    "test_fifo_message_group_parallelism": made_disabled,
    "test_sqs_event_source_mapping_batch_size": mappings("create-event-source-mapping-response"),
    "test_sqs_event_source_mapping_batching_reserved_concurrency": mappings(
        "put_concurrency_resp", "create-event-source-mapping-response"
    ),
}
KNOWN = {
    "test_alias_routingconfig": {
        "$.create_alias_response.AliasArn": "one placeholder stands for the function's name and the alias's"
    }
}
ONE_MAPPING = mappings("create_event_source_mapping_response")  # all the other cases

CASES = [
    (file, case["name"])
    for file in FILES
    for case in load_cases(file)
    if set(case["recorded_api"] or ()) - NOT_PLAYED.keys()
]


@pytest.mark.parametrize(("file", "name"), CASES, ids=[f"{file}-{name}" for file, name in CASES])
def test_recorded_answers(file: str, name: str) -> None:
    """Field for field what AWS answered, its errors included."""
    test = name.partition("[")[0].rpartition("::")[2]
    with Api(load_case(file, name)) as api:
        answers = PLAYS.get(test, ONE_MAPPING)(api)
        recorded = api.recorded
        for answer in recorded.values():
            if answer.get("MaximumBatchingWindowInSeconds") == "maximum-batching-window-in-seconds":
                answer["MaximumBatchingWindowInSeconds"] = 2  # masked; it is what the set-up says
        equal(unlabelled(recorded), unlabelled(answers), known=KNOWN.get(test))
