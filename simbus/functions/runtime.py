"""What AWS's Python runtime does around a handler: decode the event, call, encode the response, report errors.

Matches awslambdaric 4.0.1 (bootstrap.py, lambda_runtime_marshaller.py) in results and texts. Recordings:
test_lambda_handler_error (stackTrace, requestId), test_uncaught_exception_invoke (python3.8 has no requestId),
test_introspection_invoke (environment variables).
"""

from __future__ import annotations

import json
import logging
import math
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import simplejson
from simplejson.raw_json import RawJSON

from simbus.functions.config import OLD_PYTHON_RUNTIMES, FunctionConfig
from simbus.functions.context import CognitoIdentity, LambdaContext
from simbus.functions.handler import Fault, resolve
from simbus.functions.runtime_logging import line_filter, show_paths
from simbus.functions.stack import Frames
from simbus.functions.variables import runtime_environ as runtime_environ
from simbus.kernel import SECOND
from simbus.model import Invocation, Outcome

_ASCII_RUNTIMES = (*OLD_PYTHON_RUNTIMES, *(f"python3.{minor}" for minor in range(8, 12)))
_NO_BREAK_SPACE = "\u00a0"
_WARNING = (
    "LAMBDA_WARNING: Unhandled exception. The most likely cause is an issue in the function code. However, in rare "
    "cases, a Lambda runtime update can cause unexpected function behavior. For functions using managed runtimes, "
    "runtime updates can be triggered by a function change, or can be applied automatically. To determine if the "
    "runtime has been updated, check the runtime version in the INIT_START log entry. If this error correlates with "
    "a change in the runtime version, you may be able to mitigate this error by temporarily rolling back to the "
    "previous runtime version. For more information, see "
    "https://docs.aws.amazon.com/lambda/latest/dg/runtimes-update.html\r"
)
_decode_fast = msgspec.json.Decoder().decode
_OK_NULL = Outcome("ok", "null")


class Encoder(simplejson.JSONEncoder):
    """JSON as the runtime writes it: a Decimal is a bare number; from python3.12 on letters are not escaped."""

    def __init__(self, runtime: str) -> None:
        super().__init__(use_decimal=False, ensure_ascii=runtime in _ASCII_RUNTIMES, allow_nan=True)

    def default(self, o: Any) -> Any:
        if isinstance(o, Decimal):
            return math.nan if o.is_nan() else RawJSON(str(o))
        return super().default(o)


def decode(payload: str) -> Any:
    """The event. Raises Fault (Runtime.UnmarshalError) where the payload is not JSON.

    msgspec gives what simplejson gives, or fails; then simplejson has the last word (NaN, lone surrogates, 1e400).
    """
    try:
        return _decode_fast(payload)
    except (msgspec.DecodeError, UnicodeEncodeError):
        pass
    try:
        return simplejson.loads(payload)
    except Exception as error:
        raise Fault("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}") from None


class Runtime:
    """The runtime of one process. `host` is its sandbox."""

    def __init__(self, host: Any, environ: Mapping[str, str], function_arn: str) -> None:
        config: FunctionConfig = host.config
        get = environ.get
        self._host = host
        self._config = config
        self._handler: Callable[..., Any] | None = None
        self._encode = Encoder(config.runtime).encode
        self._frames = Frames(config, host.code, host.outside)
        self._arn = function_arn
        self._epoch_ns = host.epoch_ns
        self._await = config.simulate.await_handler or not isinstance(config.handler, str)
        self.line_level = line_filter(config)
        self._function = (
            get("AWS_LAMBDA_LOG_GROUP_NAME"),
            get("AWS_LAMBDA_LOG_STREAM_NAME"),
            get("AWS_LAMBDA_FUNCTION_NAME"),
            get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
            get("AWS_LAMBDA_FUNCTION_VERSION"),
        )
        self._clock = host.calendar_ns
        self._identity = CognitoIdentity()

    # --- init ------------------------------------------------------------------------------------------------------

    def load(self) -> Outcome | None:
        """Find the handler. The outcome of a failed init (its payload has an empty request id), or None."""
        handler = self._config.handler
        if not isinstance(handler, str):
            self._handler = handler
            return None
        try:
            self._handler = resolve(handler)
            return None
        except Fault as fault:
            error_type, message, trace = fault.error_type, fault.message, fault.trace
        except Exception as error:
            frames = self._frames.shown(error.__traceback__)
            error_type, message, trace = type(error).__name__, str(error), traceback.format_list(frames)
        logging.warning(_WARNING)
        return self._failure(error_type, message, trace, "")

    # --- invoke ----------------------------------------------------------------------------------------------------

    def handle(self, invocation: Invocation, deadline: int) -> Outcome:
        """Call the handler once. Nothing but BaseExceptions that are no Exceptions come out of here."""
        request_id = invocation.request_id
        assert self._handler is not None
        try:
            context = self._context(invocation, deadline)
            response = self._handler(decode(invocation.payload), context)
            if response is None:
                return _OK_NULL
            return Outcome("ok", self._marshal(response))
        except Fault as fault:
            return self._failure(fault.error_type, fault.message, fault.trace, request_id)
        except Exception as error:
            frames = self._frames.of_handler(error.__traceback__, skip_loop=self._await)
            trace = frames if self._config.runtime in OLD_PYTHON_RUNTIMES else traceback.format_list(frames)
            return self._failure(type(error).__name__, str(error), trace, request_id)

    def _context(self, invocation: Invocation, deadline: int) -> LambdaContext:
        client = None
        if invocation.client_context:
            client = _parse_header(invocation.client_context, "Client Context")
        qualifier = invocation.qualifier
        arn = self._arn if qualifier is None else f"{self._arn}:{qualifier}"
        deadline_ms = (self._epoch_ns + deadline) // 1_000_000
        return LambdaContext(
            invocation.request_id, self._function, arn, deadline_ms, self._clock, client, self._identity
        )

    def _marshal(self, response: Any) -> str:
        if self._await and hasattr(response, "__await__"):
            response = self._host.run_coroutine(response)
        if isinstance(response, bytes):
            return response.decode("utf-8", "replace")
        try:
            text: str = self._encode(response)
        except Exception as error:
            if hasattr(response, "__await__") and hasattr(response, "close"):
                response.close()  # else Python warns that it was never awaited
            raise Fault("Runtime.MarshalError", f"Unable to marshal response: {error}") from None
        return text

    # --- errors ----------------------------------------------------------------------------------------------------

    def _failure(self, error_type: str, message: str, trace: Sequence[Any], request_id: str) -> Outcome:
        """Log an error as the runtime does, and answer with its payload."""
        result: dict[str, Any] = {"errorMessage": message, "errorType": error_type}
        runtime = self._config.runtime
        if runtime in OLD_PYTHON_RUNTIMES:
            result = {"stackTrace": trace, "errorType": error_type, "errorMessage": message}
        else:
            if runtime != "python3.8":
                result["requestId"] = request_id
            result["stackTrace"] = trace
        self._log_error(result)
        return Outcome("error", self._encode(result), error_type, message)

    def _log_error(self, result: dict[str, Any]) -> None:
        if self._config.logging.log_format == "JSON":
            now = time.gmtime(self._clock() // SECOND)
            stamp = {"timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", now), "log_level": "ERROR"}
            text = self._encode(stamp | result)
        else:
            text = "\n".join(_error_lines(result))
        text.encode()  # what is not UTF-8 ends the runtime
        self._host.log.emit(text, "ERROR", self._host.request_id or None)

    def last_words(self, error: BaseException) -> int | str | None:
        """What Python's interpreter does with an exception that nobody catches: the exit status or signal."""
        if isinstance(error, SystemExit):
            code = error.code
            if code is None or isinstance(code, int):
                return (code or 0) & 0xFF
            print(code, file=sys.stderr)
            return 1
        told = traceback.TracebackException.from_exception(error)
        show_paths(told, self._frames.shown_frames)
        print("".join(told.format()), end="", file=sys.stderr)
        return "interrupt" if isinstance(error, KeyboardInterrupt) else 1

    def shown_frames(self, stack: Iterable[traceback.FrameSummary]) -> list[traceback.FrameSummary]:
        """Frames as they are shown in logs."""
        return self._frames.shown_frames(stack)


def _error_lines(result: dict[str, Any]) -> list[str]:
    """The dump of an error in a text log; leading spaces become U+00A0, so that log viewers keep them."""
    error_type, message = result["errorType"], result["errorMessage"]
    head = "[ERROR]"
    if error_type:
        head += f" {error_type}"
    if message:
        head += f": {message}" if error_type else f" {message}"
    lines = [head, "Traceback (most recent call last):"]
    for element in result["stackTrace"]:
        text = element if isinstance(element, str) else traceback.format_list([element])[0]
        for line in text.splitlines() if text else [""]:
            body = line.lstrip(" ")
            lines.append(_NO_BREAK_SPACE * (len(line) - len(body)) + body)
    return lines


def _parse_header(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except Exception as error:
        message = f"Unable to parse {name} JSON: {error}"
        raise Fault("Runtime.LambdaContextUnmarshalError", message) from None
