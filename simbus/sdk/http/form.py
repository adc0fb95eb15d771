"""A browser's form: a POST to a bucket with a policy that says what it may upload.

Sources: S3 API reference, "POST Object" and "POST Policy".
"""

from __future__ import annotations

from base64 import b64decode
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit
from xml.sax.saxutils import escape

import msgspec

from simbus.aws import answer
from simbus.errors import AwsError
from simbus.sdk.http.message import Request, Response, read_headers
from simbus.sdk.http.signatures import check_policy, denied

if TYPE_CHECKING:
    from simbus.resources import Resources

_SETTINGS: Final = {
    "acl": "ACL",
    "cache-control": "CacheControl",
    "content-disposition": "ContentDisposition",
    "content-encoding": "ContentEncoding",
    "content-type": "ContentType",
    "tagging": "Tagging",
    "x-amz-server-side-encryption": "ServerSideEncryption",
    "x-amz-server-side-encryption-aws-kms-key-id": "SSEKMSKeyId",
    "x-amz-storage-class": "StorageClass",
    "x-amz-website-redirect-location": "WebsiteRedirectLocation",
}
_NEED_NO_CONDITION: Final = ("x-amz-signature", "signature", "awsaccesskeyid", "policy", "file")
_META: Final = "x-amz-meta-"


class Form(NamedTuple):
    """The fields before the file, by names in lower case, and the file."""

    fields: dict[str, str]
    filename: str
    body: bytes


def post(account: Resources, request: Request, bucket: str, now: datetime) -> Response:
    """Check the form, store its file, and answer as the form asks. Raises AwsError."""
    form = _read(request)
    fields = form.fields
    if not fields.get("key"):
        raise AwsError(
            "InvalidArgument",
            "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.",
            ArgumentName="key",
            ArgumentValue="",
        )
    if "policy" not in fields:
        raise denied()
    check_policy(fields, fields["policy"])
    key = fields["key"].replace("${filename}", form.filename)
    _check(fields["policy"], {**fields, "key": key, "bucket": bucket}, len(form.body), now)
    params: dict[str, Any] = {_SETTINGS[name]: fields[name] for name in _SETTINGS.keys() & fields.keys()}
    metadata = {name[len(_META) :]: value for name, value in fields.items() if name.startswith(_META)}
    if metadata:
        params["Metadata"] = metadata
    found = answer(account, "s3", "PostObject", {"Bucket": bucket, "Key": key, "Body": form.body, **params})
    return _response(fields, _location(request, quote(key)), bucket, key, found)


def _read(request: Request) -> Form:
    """The form of a multipart/form-data body. Raises AwsError where it has no file, or no form at all."""
    boundary = request.headers["content-type"].partition("boundary=")[2].strip('"').encode()
    fields: dict[str, str] = {}
    for part in request.body.split(b"--" + boundary)[1:]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        named = _named(read_headers(head).get("content-disposition", ""))
        content = content.removesuffix(b"\r\n")
        if named.get("name", "").lower() == "file":
            return Form(fields, named.get("filename", ""), content)
        if "name" in named:
            fields[named["name"].lower()] = content.decode()
    raise AwsError(
        "InvalidArgument",
        "POST requires exactly one file upload per request.",
        ArgumentName="file",
        ArgumentValue="0",
    )


def _named(disposition: str) -> dict[str, str]:
    """`form-data; name="key"; filename="a.txt"` as a dict."""
    pairs = (each.strip().partition("=") for each in disposition.split(";")[1:])
    return {name.lower(): value.strip('"') for name, _, value in pairs}


def _check(encoded: str, fields: dict[str, str], size: int, now: datetime) -> None:
    """Every condition holds, and every field has one. Raises AwsError AccessDenied, EntityTooLarge, EntityTooSmall."""
    try:
        policy = msgspec.json.decode(b64decode(encoded))
        expiry = datetime.fromisoformat(policy["expiration"]).astimezone(UTC)
    except (ValueError, KeyError, TypeError, msgspec.DecodeError):
        raise AwsError("InvalidPolicyDocument", "Invalid Policy: Invalid JSON.") from None
    if now > expiry:
        raise denied("Invalid according to Policy: Policy expired.")
    covered = set()
    for condition in policy.get("conditions", ()):
        if isinstance(condition, dict):
            condition = ["eq", *(part for name, value in condition.items() for part in (f"${name}", value))]
        if condition[0].lower() == "content-length-range":
            _check_size(size, int(condition[1]), int(condition[2]))
        else:
            covered.add(_check_field(condition, fields))
    extra = [
        name
        for name in fields
        if name not in covered and name not in (*_NEED_NO_CONDITION, "bucket") and not name.startswith("x-ignore-")
    ]
    if extra:
        raise denied(f"Invalid according to Policy: Extra input fields: {', '.join(extra)}")


def _check_field(condition: list[Any], fields: dict[str, str]) -> str:
    kind, name, wanted = str(condition[0]).lower(), str(condition[1]).removeprefix("$").lower(), str(condition[2])
    value = fields.get(name, "")
    if kind == "eq":
        holds = value == wanted
    elif name == "content-type":  # a list of types
        holds = all(each.strip().startswith(wanted) for each in value.split(","))
    else:
        holds = kind == "starts-with" and value.startswith(wanted)
    if not holds:
        shown = msgspec.json.encode([condition[0], condition[1], condition[2]]).decode().replace('","', '", "')
        raise denied(f"Invalid according to Policy: Policy Condition failed: {shown}")
    return name


def _check_size(size: int, least: int, most: int) -> None:
    if size > most:
        raise AwsError(
            "EntityTooLarge",
            "Your proposed upload exceeds the maximum allowed size",
            ProposedSize=str(size),
            MaxSizeAllowed=str(most),
        )
    if size < least:
        raise AwsError(
            "EntityTooSmall",
            "Your proposed upload is smaller than the minimum allowed size",
            ProposedSize=str(size),
            MinSizeAllowed=str(least),
        )


def _location(request: Request, key: str) -> str:
    """Where the object is, in the form in which the request named the bucket."""
    return f"https://{request.host}{request.path.rstrip('/')}/{key}"


def _response(fields: dict[str, str], location: str, bucket: str, key: str, found: dict[str, Any]) -> Response:
    """204; or what success_action_redirect or success_action_status (200, 201) ask for."""
    headers = {"ETag": found["ETag"], "Location": location}
    if "VersionId" in found:
        headers["x-amz-version-id"] = found["VersionId"]
    redirect = fields.get("success_action_redirect") or fields.get("redirect")
    if redirect:
        parts = urlsplit(redirect)
        query = [*parse_qsl(parts.query), ("bucket", bucket), ("key", key), ("etag", found["ETag"])]
        return Response(303, {**headers, "Location": urlunsplit(parts._replace(query=urlencode(query)))}, b"")
    status = fields.get("success_action_status")
    if status == "201":
        document = (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse><Location>{escape(location)}</Location>'
            f"<Bucket>{bucket}</Bucket><Key>{escape(key)}</Key><ETag>{escape(found['ETag'])}</ETag></PostResponse>"
        )
        return Response(201, {**headers, "Content-Type": "application/xml"}, document.encode())
    return Response(200 if status == "200" else 204, headers, b"")
