"""Whether a request's document has arrived whole: its Content-MD5 and x-amz-checksum headers, as S3 checks them.

Uploads are not looked at here: S3 keeps their checksums, so the source checks them itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import md5
from typing import Any, Final

from simbus.sources.s3.checksums import check_md5, verified

_PREFIX: Final = "x-amz-checksum-"


def check_document(model: Any, headers: Mapping[str, Any], body: Any) -> None:
    """Raises AwsError InvalidDigest, BadDigest, InvalidRequest."""
    if not body or model.has_streaming_input or not isinstance(body, (bytes, str)):
        return
    content = body.encode() if isinstance(body, str) else body
    found = {name.lower(): _text(value) for name, value in headers.items()}
    if "content-md5" in found:
        check_md5(found["content-md5"], md5(content, usedforsecurity=False).hexdigest())
    given = {
        name.removeprefix(_PREFIX).upper(): value
        for name, value in found.items()
        if name.startswith(_PREFIX) and name not in _NO_DIGESTS
    }
    if given and model.name != "CompleteMultipartUpload":  # that of the object which it makes
        verified(None, given, content)


_NO_DIGESTS: Final = (f"{_PREFIX}type", f"{_PREFIX}mode", f"{_PREFIX}algorithm")


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
