"""What botocore's parser is handed: the smallest answer of its protocol, or AWS's error document.

The members of a response do not travel as text: `hooks.before_parse` puts them beside what the parser makes of the
empty body. Errors do, so that botocore finds code, message and modelled members as it finds them on AWS.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha512
from io import BytesIO
from typing import Any, Final
from xml.sax.saxutils import escape

import msgspec
from botocore.awsrequest import AWSResponse

from simbus.errors import AwsError

_JSON: Final = "application/x-amz-json-1.1"
_XML: Final = "text/xml"
_SQS: Final = "AWS.SimpleQueueService."
# What SQS calls an error in JSON, where that is another name than its code of old
_SQS_SHAPES: Final = {
    "InvalidParameterValue": "InvalidParameterValueException",
    "MissingParameter": "MissingRequiredParameterException",
    "NonExistentQueue": "QueueDoesNotExist",
    "QueueAlreadyExists": "QueueNameExists",
}


class Raw(BytesIO):
    """The body of an HTTP response, as urllib3 would give it."""

    def read(self, amt: int | None = None, **_: Any) -> bytes:
        return super().read(-1 if amt is None else amt)

    def stream(self, amt: int = 65_536, **_: Any) -> Iterator[bytes]:
        """The rest of it in parts."""
        while part := self.read(amt):
            yield part

    def release_conn(self) -> None:
        """There is no connection."""


def success(url: str, model: Any, response: dict[str, Any], request_id: str) -> AWSResponse:
    """The HTTP response of a call that succeeded. Takes a streaming body and `ResponseMetadata` out of `response`.

    An operation whose HTTP status or headers are no members of its response says them in `ResponseMetadata`.
    """
    protocol = model.service_model.resolved_protocol
    metadata = response.pop("ResponseMetadata", {})
    headers = _headers(protocol, request_id) | _members_in_headers(model, response) | metadata.get("HTTPHeaders", {})
    status = metadata.get("HTTPStatusCode") or _status(model, response)
    body = _empty(protocol, model.name, request_id)
    if model.name == "GetBucketLocation":  # not in the model: botocore reads the document itself
        body = f"<LocationConstraint>{response['LocationConstraint'] or ''}</LocationConstraint>".encode()
    if model.has_streaming_output:
        body = response.pop(model.output_shape.serialization["payload"], b"")
        headers["content-length"] = str(len(body))
    return AWSResponse(url, status, headers, Raw(body))


def failure(url: str, model: Any, error: AwsError, request_id: str) -> AWSResponse:
    """The HTTP response of a call that AWS refuses."""
    protocol = model.service_model.resolved_protocol
    if protocol == "rest-xml":
        return s3_failure(url, model.http["method"], error, request_id)
    headers = _headers(protocol, request_id)
    if protocol == "query":
        body = _query_error(error, request_id)
    else:
        body = msgspec.json.encode(_json_error(model, error))
        headers["x-amzn-errortype"] = error.code
        if model.service_model.metadata.get("awsQueryCompatible") is not None:
            headers["x-amzn-query-error"] = f"{error.code};{'Sender' if error.status < 500 else 'Receiver'}"
    return AWSResponse(url, error.status, headers, Raw(body))


def s3_failure(url: str, method: str, error: AwsError, request_id: str) -> AWSResponse:
    """The HTTP response of a request that S3 refuses; to a HEAD, and of 304, there is no document."""
    headers = _headers("rest-xml", request_id)
    body = b""
    if method != "HEAD" and error.status != 304:
        headers["content-type"] = "application/xml"
        body = _s3_error(error, headers)
    return AWSResponse(url, error.status, headers, Raw(body))


def whole(url: str, answer: tuple[int, dict[str, str], bytes]) -> AWSResponse:
    """The HTTP response that somebody else has made: status, headers and body."""
    status, headers, body = answer
    return AWSResponse(url, status, headers, Raw(body))


def _headers(protocol: str, request_id: str) -> dict[str, str]:
    if protocol == "rest-xml":
        host_id = b64encode(sha512(request_id.encode()).digest()[:56]).decode()
        return {"x-amz-request-id": request_id.replace("-", "")[:16].upper(), "x-amz-id-2": host_id}
    return {"x-amzn-requestid": request_id, "content-type": _XML if protocol == "query" else _JSON}


def _members_in_headers(model: Any, response: Mapping[str, Any]) -> dict[str, str]:
    shape = model.output_shape
    if shape is None or not model.service_model.resolved_protocol.startswith("rest"):
        return {}
    found = {}
    for name, value in response.items():
        member = shape.members.get(name)
        location = None if member is None else member.serialization.get("location")
        if location == "header":
            found[member.serialization.get("name", name)] = _header(value)
        elif location == "headers":
            prefix = member.serialization.get("name", "")
            found |= {prefix + each: text for each, text in value.items()}
    return found


def _header(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.strftime("%a, %d %b %Y %H:%M:%S GMT") if hasattr(value, "strftime") else str(value)


def _status(model: Any, response: Mapping[str, Any]) -> int:
    shape = model.output_shape
    for name, value in response.items() if shape is not None and "StatusCode" in response else ():
        if name in shape.members and shape.members[name].serialization.get("location") == "statusCode":
            return int(value)
    return int(model.http.get("responseCode", 200))


def _empty(protocol: str, operation: str, request_id: str) -> bytes:
    if protocol == "query":
        return (
            f"<{operation}Response><{operation}Result/><ResponseMetadata><RequestId>{request_id}</RequestId>"
            f"</ResponseMetadata></{operation}Response>"
        ).encode()
    return b"" if protocol == "rest-xml" else b"{}"


def _query_error(error: AwsError, request_id: str) -> bytes:
    kind = "Sender" if error.status < 500 else "Receiver"
    return (
        f"<ErrorResponse><Error><Type>{kind}</Type><Code>{escape(error.code)}</Code><Message>{escape(error.message)}"
        f"</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    ).encode()


def _s3_error(error: AwsError, headers: Mapping[str, str]) -> bytes:
    more = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in error.extra.items())
    return (
        f"<Error><Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>{more}"
        f"<RequestId>{headers['x-amz-request-id']}</RequestId><HostId>{headers['x-amz-id-2']}</HostId></Error>"
    ).encode()


def _json_error(model: Any, error: AwsError) -> dict[str, Any]:
    """The message under the name that the model of this error gives it, and the members that the error itself has."""
    code = error.code.removeprefix(_SQS)
    if model.service_model.service_name == "sqs":
        code = _SQS_SHAPES.get(code, code)
    shape = model.service_model.shape_for_error_code(code)
    members = {} if shape is None else shape.members
    found: dict[str, Any] = {"__type": code, "Message" if "Message" in members else "message": error.message}
    return found | dict(error.extra)
