"""Invoke, and InvokeAsync of old. The answer of a function is a payload; that it failed is said beside it."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

from simbus.aws.lambda_.checks import one_of
from simbus.aws.lambda_.names import api, invoked
from simbus.aws.table import Response

if TYPE_CHECKING:
    from simbus.resources import Resources


@api.operation
def invoke(
    account: Resources,
    *,
    FunctionName: str,
    InvocationType: Any = "RequestResponse",
    LogType: Any = "None",
    ClientContext: str | None = None,
    Payload: bytes | None = None,
    Qualifier: str | None = None,
) -> Response:
    """A handler that invokes synchronously is parked until the other function has answered; a test plays on.

    The request id of the answer is that of the invocation. https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
    """
    one_of("logType", LogType, ("None", "Tail"))
    function, qualifier = invoked(account, FunctionName, Qualifier)
    answer = function.invoke(
        Payload, invocation_type=InvocationType, qualifier=qualifier, client_context=ClientContext, log_type=LogType
    )
    found: Response = {
        "StatusCode": answer.status_code,
        "Payload": answer.payload.encode(),
        "ResponseMetadata": {"HTTPHeaders": {"x-amzn-requestid": answer.request_id}},
    }
    if answer.executed_version is not None:
        found["ExecutedVersion"] = answer.executed_version
    if answer.function_error is not None:
        found["FunctionError"] = answer.function_error
    if answer.log_result is not None:
        found["LogResult"] = b64encode(answer.log_result.encode()).decode()
    return found


@api.operation
def invoke_async(account: Resources, *, FunctionName: str, InvokeArgs: bytes) -> Response:
    """Deprecated by AWS: Invoke of type Event. https://docs.aws.amazon.com/lambda/latest/api/API_InvokeAsync.html"""
    function, qualifier = invoked(account, FunctionName, None)
    return {"Status": function.invoke(InvokeArgs, invocation_type="Event", qualifier=qualifier).status_code}
