"""The error payloads that Lambda itself makes, in the key order and the words that AWS was recorded with.

Sources: recordings test_lambda_invoke_with_timeout (2025-11-25), test_lambda_handler_exit,
test_lambda_runtime_wrapper_not_found, test_lambda_too_large_response; OOM from logs of real functions.
"""

from __future__ import annotations

from simbus.functions.config import OLD_PYTHON_RUNTIMES
from simbus.kernel import SECOND
from simbus.model import Outcome, Status


def _platform_error(status: Status, error_type: str, request_id: str, text: str) -> Outcome:
    message = f"RequestId: {request_id} Error: {text}"
    return Outcome(status, f'{{"errorType":"{error_type}","errorMessage":"{message}"}}', error_type, message)


def timed_out(request_id: str, timeout: int) -> Outcome:
    """The attempt was still running when its timeout (nanoseconds) had passed."""
    text = f"Task timed out after {timeout / SECOND:.2f} seconds"
    return _platform_error("timeout", "Sandbox.Timedout", request_id, text)


def exited(request_id: str, status: int | str | None) -> Outcome:
    """The process ended: by `sys.exit()` (0 or None: without a reason), with an exit status, or by a signal's name."""
    if status is None or status == 0:
        text = "Runtime exited without providing a reason"
    elif isinstance(status, int):
        text = f"Runtime exited with error: exit status {status}"
    else:
        text = f"Runtime exited with error: signal: {status}"
    return _platform_error("exit", "Runtime.ExitError", request_id, text)


def in_invocation(failure: Outcome, request_id: str) -> Outcome:
    """A failed init as the answer of the invocation in which it ran again.

    An exit then names the request (recorded: test_lambda_runtime_exit); an exception while importing has an empty
    request id (recorded: test_lambda_runtime_error).
    """
    if failure.status != "exit" or failure.error_message is None:
        return failure
    message = failure.error_message.replace("RequestId:  ", f"RequestId: {request_id} ", 1)
    payload = failure.payload.replace(failure.error_message, message, 1)
    return failure._replace(payload=payload, error_message=message)


def out_of_memory(request_id: str) -> Outcome:
    """The process was killed because it used more than MemorySize."""
    return exited(request_id, "killed")._replace(status="oom")


def too_large(outcome: Outcome, limit: int) -> Outcome:
    """The error in place of a response of more than `limit` bytes, or the outcome as it is."""
    if len(outcome.payload.encode()) <= limit:
        return outcome
    error_type = "Function.ResponseSizeTooLarge"
    message = f"Response payload size exceeded maximum allowed payload size ({limit} bytes)."
    return Outcome("error", f'{{"errorMessage":"{message}","errorType":"{error_type}"}}', error_type, message)


def modelled_error(request_id: str, runtime: str, cause: str) -> Outcome:
    """An exception of the function that `cause` is to blame for (`simulate.error_rate`), without a trace."""
    message, error_type = f"simulated failure ({cause})", "SimulatedError"
    known = runtime.startswith("python") and runtime in (*OLD_PYTHON_RUNTIMES, "python3.8")
    request = "" if known else f', "requestId": "{request_id}"'
    payload = f'{{"errorMessage": "{message}", "errorType": "{error_type}"{request}, "stackTrace": []}}'
    return Outcome("error", payload, error_type, message)
