"""How objects are encrypted at rest: what a request and a bucket's default say, checked, with the key's full ARN.

Sources: S3 API reference, PutObject and PutBucketEncryption; S3 user guide, "Using server-side encryption with AWS KMS
keys". Keys themselves are not looked for: any id stands for a key of the account.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from simbus.arn import Account
from simbus.errors import AwsError
from simbus.sources.s3.errors import argument, malformed
from simbus.sources.s3.objects import Encryption

_HEADER: Final = "x-amz-server-side-encryption"
_KMS: Final = ("aws:kms", "aws:kms:dsse")
_MANAGED: Final = "alias/aws/s3"


def requested(settings: Mapping[str, Any], default: Encryption | None, account: Account) -> Encryption | None:
    """The encryption of a new object; None: AES256, S3's own. Raises AwsError InvalidArgument."""
    algorithm, key_id = settings.get("server_side_encryption"), settings.get("ssekms_key_id")
    if key_id is not None and algorithm not in _KMS:
        raise argument(
            f"Server Side Encryption with AWS KMS managed key requires HTTP header {_HEADER} : aws:kms",
            _HEADER,
            algorithm or "null",
        )
    if algorithm is None:
        return default
    if algorithm not in ("AES256", *_KMS):
        raise argument("The encryption method specified is not supported", _HEADER, algorithm)
    return _encryption(algorithm, key_id, settings.get("bucket_key_enabled"), account)


def of_bucket(configuration: Mapping[str, Any], account: Account) -> Encryption | None:
    """The default that PutBucketEncryption sets. Raises AwsError MalformedXML, InvalidArgument."""
    rules = configuration.get("Rules") or []
    if len(rules) != 1:
        raise malformed()
    default = rules[0].get("ApplyServerSideEncryptionByDefault") or {}
    algorithm, key_id = default.get("SSEAlgorithm", "AES256"), default.get("KMSMasterKeyID")
    if algorithm not in ("AES256", *_KMS):
        raise malformed()
    if algorithm == "AES256":
        if key_id is not None:
            raise AwsError(
                "InvalidArgument",
                "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse",
                ArgumentName="ApplyServerSideEncryptionByDefault",
            )
        return None
    return _encryption(algorithm, key_id, rules[0].get("BucketKeyEnabled"), account)


def _encryption(algorithm: str, key_id: str | None, bucket_key: bool | None, account: Account) -> Encryption:
    if algorithm == "AES256":
        return Encryption(algorithm)
    return Encryption(algorithm, _key_arn(key_id or _MANAGED, account), bucket_key)


def _key_arn(key: str, account: Account) -> str:
    """The ARN of the key that an id, an alias or an ARN of either names; an alias has always the same key."""
    start = f"arn:aws:kms:{account.region}:{account.id}:"
    alias = key.removeprefix(start)
    if alias.startswith("alias/"):
        digest = sha256(f"{start}{alias}".encode()).hexdigest()
        return f"{start}key/{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}"
    return key if key.startswith("arn:") else f"{start}key/{key}"
