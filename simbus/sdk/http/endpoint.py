"""One HTTP request to S3: whose it is, which operation it asks for, and the response."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from simbus.aws import answer
from simbus.errors import AwsError
from simbus.sdk import wire
from simbus.sdk.http.document import write_document
from simbus.sdk.http.form import post
from simbus.sdk.http.message import Request, Response, decoded
from simbus.sdk.http.routing import parameters, route
from simbus.sdk.http.signatures import denied, is_anonymous
from simbus.sdk.integrity import check_document
from simbus.world import uuid

if TYPE_CHECKING:
    from simbus.resources import Resources

_HOST: Final = re.compile(
    r"(?:(?P<bucket>[a-z0-9][a-z0-9.-]*)\.)?s3(?:\.dualstack|-accelerate)?(?:[.-](?!website)[a-z]{2}(?:-[a-z]+)+-\d)?"
    r"\.amazonaws\.com"
)
_READS: Final = ("GetObject", "HeadObject")


def is_s3(host: str) -> bool:
    """Whether a host is one of S3's: `s3.amazonaws.com`, `bucket.s3.eu-west-1.amazonaws.com` ..."""
    return _HOST.fullmatch(host.lower()) is not None


def respond(account: Resources, request: Request) -> Response:
    """What S3 answers. Inside a handler it takes the latency of a call. Raises UsageError for what is not built."""
    actor = account.world.timeline.actor
    arrived = account.world.datetime()
    request_id = uuid(account.world.timeline.rng("aws/request-id"))
    if actor is not None:
        actor.pause(actor.latency("s3"))
        actor.answering += 1
    try:
        return _respond(account, request, arrived, request_id)
    except AwsError as error:
        failed = wire.s3_failure(f"https://{request.host}{request.path}", request.method, error, request_id)
        return _with_date(account, Response(failed.status_code, dict(failed.headers), failed.content))
    finally:
        if actor is not None:
            actor.answering -= 1


def _respond(account: Resources, request: Request, arrived: Any, request_id: str) -> Response:
    in_host = _HOST.fullmatch(request.host.lower())
    bucket = (in_host and in_host["bucket"]) or ""
    named, key = bucket, decoded(request.path.removeprefix("/"))
    if not bucket:
        named, _, key = key.partition("/")
    if "transfer-encoding" in request.headers:
        raise AwsError(
            "NotImplemented",
            "A header you provided implies functionality that is not implemented",
            501,
            Header="Transfer-Encoding",
        )
    if request.method == "POST" and request.headers.get("content-type", "").startswith("multipart/form-data"):
        return _with_date(account, post(account, request, named, arrived))
    anonymous = is_anonymous(request, bucket, arrived)
    model = route(request, named, key)
    if anonymous and not _is_public(account, model.name, named, key):
        raise denied()
    check_document(model, request.headers, request.body)
    response = answer(account, "s3", model.name, parameters(model, request, named, key))
    document = b"" if model.has_streaming_output else write_document(model, response)
    found = wire.success(f"https://{request.host}{request.path}", model, response, request_id)
    body = found.content or document
    headers = dict(found.headers)
    if document:
        headers["Content-Type"] = "application/xml"
    return _with_date(account, Response(found.status_code, headers, body))


def _is_public(account: Resources, operation: str, bucket: str, key: str) -> bool:
    """Nobody else may do anything here but read what is public."""
    found = account.find("s3", bucket)
    return found is not None and operation in _READS and found.is_public(key)


def _with_date(account: Resources, response: Response) -> Response:
    date = f"{account.world.datetime():%a, %d %b %Y %H:%M:%S GMT}"
    return response._replace(headers={**response.headers, "Date": date, "Server": "AmazonS3"})
