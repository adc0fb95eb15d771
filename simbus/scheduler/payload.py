"""What Invoke checks of a payload before anything runs.

Sources: Lambda quotas (6 MB synchronous, 1 MB asynchronous since late 2025); the recorded error texts of
test_lambda_invoke_payload_encoding_error (AWS parses with Jackson) and of Invoke's RequestEntityTooLargeException.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Sequence
from typing import Any

import msgspec

from simbus.errors import AwsError
from simbus.scheduler.jackson import MAXIMUM_DEPTH, location, problem

SYNCHRONOUS_LIMIT = 6_291_456
ASYNCHRONOUS_LIMIT = 1_048_576


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
        if payload.count(b"[") + payload.count(b"{") > MAXIMUM_DEPTH:
            raise RecursionError  # how deep msgspec goes depends on Python's version
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError):
        found = problem(payload)
        if found is not None:
            raise AwsError(
                "InvalidRequestContentException",
                "Could not parse request body into json: Could not parse payload into json: "
                f"{found.message}\n at {location(payload, found.position)}",
                Type="User",
            ) from None
        text = payload.decode("utf-8", "replace")  # Jackson takes more than msgspec: a lone surrogate
    return text


def records_event(records: Sequence[str]) -> str:
    """`{"Records":[...]}` of the JSON texts of records."""
    if not records:
        return '{"Records":[]}'
    # What stands around them goes to the first and the last one, so that the whole, up to 6 MB, is copied only once.
    texts = list(records)
    texts[0] = f'{{"Records":[{texts[0]}'
    texts[-1] += "]}"
    return ",".join(texts)


def check_payload(text: str, invocation_type: str) -> None:
    """Raises RequestEntityTooLargeException (413) for a payload over the limit of its invocation type.

    So AWS names it in its answer, which is what boto3's users see; the model of its API says RequestTooLargeException.
    """
    limit = ASYNCHRONOUS_LIMIT if invocation_type == "Event" else SYNCHRONOUS_LIMIT
    if len(text) * 4 > limit and len(text.encode()) > limit:
        raise AwsError(
            "RequestEntityTooLargeException",
            f"Request must be smaller than {limit} bytes for the InvokeFunction operation",
            413,
            Type="User",
        )


def client_context_text(given: str | None) -> str | None:
    """The JSON of a client context, which Invoke takes as base64 (botocore InvocationRequest); JSON itself will do."""
    if given is None or given.lstrip().startswith("{"):
        return given
    try:
        return b64decode(given, validate=True).decode()
    except ValueError:
        return given  # the runtime says what is wrong with it
