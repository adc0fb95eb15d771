"""Presigned URLs and signed requests: who asks, is the signature right, has it expired.

Sources: S3 API reference, "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)" and "Signing and
Authenticating REST Requests" (version 2). A signature by other credentials than simbus's own fakes can't be checked, as
their secret is not known: it is taken as right. Expiry is always checked, against virtual time.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from botocore.auth import HmacV1QueryAuth, S3SigV4Auth, S3SigV4PostAuth
from botocore.awsrequest import AWSRequest, HeadersDict
from botocore.credentials import Credentials

from simbus.errors import AwsError
from simbus.functions.variables import ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN
from simbus.sdk.http.message import Request

MAXIMUM_EXPIRES: Final = 604_800
"""Seconds: seven days."""
_CLOCK_SKEW: Final = timedelta(minutes=15)
_VERSION_4: Final = (
    "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Expires"
)  # fmt: skip
_CREDENTIALS: Final = Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN)


def is_anonymous(request: Request, bucket: str, now: datetime) -> bool:
    """Whether the request has no signature at all. Raises AwsError for one that is wrong or has expired (403).

    `bucket` is "" where the path names it, too.
    """
    arguments = request.arguments
    if "Signature" in arguments:
        _check_version_2(request, arguments, bucket, now)
    elif "X-Amz-Signature" in arguments or "X-Amz-Algorithm" in arguments:
        _check_query(request, arguments, now)
    elif "authorization" in request.headers:
        _check_header(request, now)
    else:
        return True
    return False


def check_policy(fields: dict[str, str], policy: str) -> None:
    """The signature of a form's policy, by either version. Raises AwsError (403)."""
    if "x-amz-signature" in fields:
        key, region = _scope(fields.get("x-amz-credential", ""))
        request = AWSRequest()
        request.context["timestamp"] = fields.get("x-amz-date", "")
        expected = S3SigV4PostAuth(_CREDENTIALS, "s3", region).signature(policy, request)
        _compare(key, expected, fields["x-amz-signature"], policy)
    else:
        expected = HmacV1QueryAuth(_CREDENTIALS).sign_string(policy)
        _compare(fields.get("awsaccesskeyid", ""), expected, fields.get("signature", ""), policy)


def denied(message: str = "Access Denied", **extra: str) -> AwsError:
    return AwsError("AccessDenied", message, 403, **extra)


def _check_query(request: Request, arguments: dict[str, str], now: datetime) -> None:
    if not all(name in arguments for name in _VERSION_4):
        raise _parameters(f"Query-string authentication version 4 requires the {_listed(_VERSION_4)} parameters.")
    seconds = _seconds(arguments["X-Amz-Expires"])
    if seconds > MAXIMUM_EXPIRES:
        raise _parameters(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than "
            f"{MAXIMUM_EXPIRES} seconds"
        )
    signed_at = _timestamp(arguments["X-Amz-Date"])
    if now < signed_at - _CLOCK_SKEW:
        raise denied("Request is not yet valid", **{"X-Amz-Date": arguments["X-Amz-Date"]}, ServerTime=_iso(now))
    expiry = signed_at + timedelta(seconds=seconds)
    if now > expiry:
        raise denied(
            "Request has expired",
            **{"X-Amz-Expires": arguments["X-Amz-Expires"]},
            Expires=_iso(expiry),
            ServerTime=_iso(now),
        )
    query = "&".join(each for each in request.query.split("&") if not each.startswith("X-Amz-Signature="))
    key, region = _scope(arguments["X-Amz-Credential"])
    _check_version_4(
        request, query, arguments["X-Amz-SignedHeaders"], arguments["X-Amz-Date"], key, region,
        arguments["X-Amz-Signature"], "UNSIGNED-PAYLOAD",
    )  # fmt: skip


def _check_header(request: Request, now: datetime) -> None:
    """A whole request that is signed: its time may differ from S3's by a quarter of an hour."""
    scheme, _, rest = request.headers["authorization"].partition(" ")
    if scheme != "AWS4-HMAC-SHA256":
        raise AwsError(
            "InvalidRequest",
            "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
        )
    fields = dict(each.strip().partition("=")[::2] for each in rest.split(","))
    date = request.headers.get("x-amz-date", "")
    if abs(now - _timestamp(date)) > _CLOCK_SKEW:
        raise AwsError(
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
            403,
            RequestTime=date,
            ServerTime=_iso(now),
            MaxAllowedSkewMilliseconds="900000",
        )
    key, region = _scope(fields.get("Credential", ""))
    content = request.headers.get("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
    _check_version_4(
        request, request.query, fields.get("SignedHeaders", ""), date, key, region, fields.get("Signature", ""), content
    )


def _check_version_4(
    request: Request, query: str, signed_headers: str, date: str, key: str, region: str, given: str, content: str
) -> None:
    url = f"https://{request.host}{request.path}?{query}" if query else f"https://{request.host}{request.path}"
    signed = AWSRequest(method=request.method, url=url)
    for name in signed_headers.split(";"):
        if name != "host" and name in request.headers:
            signed.headers[name] = request.headers[name]
    signed.context["timestamp"] = date
    signer = _Version4(_CREDENTIALS, "s3", region)
    signer.content = content
    text = signer.string_to_sign(signed, signer.canonical_request(signed))
    _compare(key, signer.signature(text, signed), given, text)


class _Version4(S3SigV4Auth):  # type: ignore[misc]
    content = ""

    def payload(self, request: Any) -> str:
        return self.content


def _check_version_2(request: Request, arguments: dict[str, str], bucket: str, now: datetime) -> None:
    if "Expires" not in arguments or "AWSAccessKeyId" not in arguments:
        raise denied("Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters")
    expiry = datetime.fromtimestamp(_seconds(arguments["Expires"]), UTC)
    if now > expiry:
        raise denied("Request has expired", Expires=_iso(expiry), ServerTime=_iso(now))
    headers = HeadersDict()
    named = {name.lower(): value for name, value in arguments.items()} | request.headers
    for name, value in named.items():
        if name.startswith("x-amz-") or name == "content-md5":
            headers[name] = value
    if "content-type" in request.headers:
        headers["content-type"] = request.headers["content-type"]
    signer = _Version2(_CREDENTIALS, arguments["Expires"])
    path = f"/{bucket}{request.path}" if bucket else request.path
    if path.count("/") == 1 and len(path) > 1:
        path += "/"  # of a bucket itself
    split = urlsplit(f"https://{request.host}{request.path}?{request.query}")
    text = signer.canonical_string(request.method, split, _Listed(headers), auth_path=path)
    _compare(arguments["AWSAccessKeyId"], signer.sign_string(text), arguments["Signature"], text)


class _Version2(HmacV1QueryAuth):  # type: ignore[misc]
    def _get_date(self) -> str:
        return str(self._expires)


class _Listed(HeadersDict):  # type: ignore[misc]
    """Headers as the older signer reads them."""

    def get_all(self, name: str) -> list[str]:
        return [self[name]]


def _compare(key: str, expected: str, given: str, text: str) -> None:
    """Only what was signed with simbus's own credentials can be checked."""
    if key == ACCESS_KEY_ID and expected != given:
        raise AwsError(
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your key and "
            "signing method.",
            403,
            AWSAccessKeyId=key,
            StringToSign=text,
            SignatureProvided=given,
        )


def _scope(credential: str) -> tuple[str, str]:
    """Access key and Region of `KEY/20260101/us-east-1/s3/aws4_request`."""
    parts = credential.split("/")
    if len(parts) != 5:
        raise _parameters(
            "Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting "
            '"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".'
        )
    return parts[0], parts[2]


def _seconds(text: str) -> int:
    if not text.isdigit():
        raise _parameters("X-Amz-Expires should be a number")
    return int(text)


def _timestamp(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise _parameters("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"") from None


def _parameters(message: str) -> AwsError:
    return AwsError("AuthorizationQueryParametersError", message)


def _listed(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])}, and {names[-1]}"


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
