"""What Invoke checks of a payload before anything runs.

Sources: Lambda quotas (6 MB synchronous, 1 MB asynchronous since late 2025); the recorded error texts of
test_lambda_invoke_payload_encoding_error (AWS parses with Jackson) and of Invoke's RequestTooLargeException.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from simbus.errors import AwsError

SYNCHRONOUS_LIMIT = 6_291_456
ASYNCHRONOUS_LIMIT = 1_048_576
_VALUE = "expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
_SOURCE = "\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: {}, column: {}]"


def json_text(payload: Any) -> str:
    """JSON text of a payload: `bytes` are text already, anything else is encoded.

    Raises InvalidRequestContentException in AWS's words for bytes that are no JSON.
    """
    if not isinstance(payload, bytes):
        return json.dumps(payload)
    if not payload:
        return "{}"
    try:
        text = payload.decode()
        msgspec.json.decode(text)
    except (UnicodeDecodeError, msgspec.DecodeError):
        pass
    else:
        return text
    text = payload.decode("latin-1")
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        raise _unparsable(text, error.pos, error.msg) from None
    position = next((i for i, byte in enumerate(payload) if byte > 127), 0)
    raise _unparsable(text, position, "Invalid UTF-8")


def _unparsable(text: str, position: int, problem: str) -> AwsError:
    line = text.count("\n", 0, position) + 1
    column = position - (text.rfind("\n", 0, position) + 1) + 1
    if position >= len(text):
        what = "Unexpected end-of-input"
    else:
        code = ord(text[position])
        shown = f"(CTRL-CHAR, code {code})" if code < 32 or 127 <= code < 160 else f"'{text[position]}' (code {code})"
        what = f"Unexpected character ({shown}): {_VALUE if problem == 'Expecting value' else problem}"
    return AwsError(
        "InvalidRequestContentException",
        "Could not parse request body into json: Could not parse payload into json: "
        + what
        + _SOURCE.format(line, column),
        Type="User",
    )


def check_payload(text: str, invocation_type: str) -> None:
    """Raises RequestTooLargeException (413) for a payload over the limit of its invocation type."""
    limit = ASYNCHRONOUS_LIMIT if invocation_type == "Event" else SYNCHRONOUS_LIMIT
    if len(text) * 4 > limit and len(text.encode()) > limit:
        raise AwsError(
            "RequestTooLargeException",
            f"Request must be smaller than {limit} bytes for the InvokeFunction operation",
            413,
            Type="User",
        )
