"""The checksums of S3 objects: computed, verified against what a caller says, and kept with the object.

Source: S3 user guide, "Checking object integrity".
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from zlib import crc32

import msgspec

from simbus.errors import AwsError, UsageError

FULL_OBJECT: Final = "FULL_OBJECT"
COMPOSITE: Final = "COMPOSITE"
DEFAULT: Final = "CRC64NVME"
"""What S3 computes of an upload that names no algorithm."""
MOST_BYTES_OF_DEFAULT: Final = 16 * 1024**2
"""A larger body has none: in Python it is computed with some 10 MB/s."""


def _reflected(polynomial: int) -> Callable[[bytes], int]:
    """A CRC with reflected bits, all ones at the beginning and the end, by a table of bytes."""
    table: list[int] = []

    def crc(data: bytes) -> int:
        for value in range(256 if not table else 0):
            for _ in range(8):
                value = value >> 1 ^ (polynomial if value & 1 else 0)
            table.append(value)
        found = ones
        for byte in data:
            found = table[(found ^ byte) & 0xFF] ^ found >> 8
        return found ^ ones

    ones = (1 << polynomial.bit_length()) - 1
    return crc


_crc32c = _reflected(0x82F63B78)
_crc64nvme = _reflected(0x9A6C9329AC4BC9B5)

_DIGESTS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "CRC32": lambda body: crc32(body).to_bytes(4, "big"),
    "CRC32C": lambda body: _crc32c(body).to_bytes(4, "big"),
    "CRC64NVME": lambda body: _crc64nvme(body).to_bytes(8, "big"),
    "MD5": lambda body: hashlib.md5(body, usedforsecurity=False).digest(),
    "SHA1": lambda body: hashlib.sha1(body, usedforsecurity=False).digest(),
    "SHA256": lambda body: hashlib.sha256(body).digest(),
    "SHA512": lambda body: hashlib.sha512(body).digest(),
}


class Checksum(msgspec.Struct, frozen=True):
    """`value` is base64; that of a COMPOSITE one ends with `-` and the number of parts."""

    algorithm: str
    value: str
    type: str = FULL_OBJECT

    def shown(self) -> dict[str, str]:
        """The members of an answer."""
        return {f"Checksum{self.algorithm}": self.value, "ChecksumType": self.type}


def checksum_of(algorithm: str, body: bytes) -> Checksum:
    """Raises UsageError for an algorithm that is not computed here (XXHASH64, XXHASH3, XXHASH128)."""
    return Checksum(algorithm, b64encode(_digest(algorithm)(body)).decode())


def composite(algorithm: str, parts: Iterable[Checksum]) -> Checksum:
    """The checksum of the checksums of the parts."""
    digests = [b64decode(part.value) for part in parts]
    value = b64encode(_digest(algorithm)(b"".join(digests))).decode()
    return Checksum(algorithm, f"{value}-{len(digests)}", COMPOSITE)


def verified(algorithm: str | None, given: Mapping[str, str] | None, body: bytes) -> Checksum | None:
    """The checksum to keep: the one that was given (it must be right), or that of the algorithm that was named.

    `given` is `{"SHA256": base64}`. Raises AwsError InvalidRequest (two of them, one that has not its form), BadDigest.
    """
    if not given:
        return None if algorithm is None else checksum_of(algorithm.upper(), body)
    if len(given) > 1:
        message = "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        raise AwsError("InvalidRequest", message)
    ((name, value),) = given.items()
    found = checksum_of(name, body)
    if found.value != value:
        if len(found.value) != len(value):
            raise AwsError("InvalidRequest", f"Value for x-amz-checksum-{name.lower()} header is invalid.")
        raise AwsError("BadDigest", f"The {name} you specified did not match the calculated checksum.")
    return found


def check_md5(given: str, etag: str) -> None:
    """The Content-MD5 of a body whose MD5 is `etag` (hex). Raises AwsError InvalidDigest, BadDigest."""
    try:
        digest = b64decode(given, validate=True)
    except ValueError:
        digest = b""
    if len(digest) != 16:
        raise AwsError("InvalidDigest", "The Content-MD5 you specified was invalid.", 400, **{"Content-MD5": given})
    if digest.hex() != etag:
        raise AwsError(
            "BadDigest",
            "The Content-MD5 you specified did not match what we received.",
            ExpectedDigest=digest.hex(),  # hex here, base64 below: as S3 answers
            CalculatedDigest=b64encode(bytes.fromhex(etag)).decode(),
        )


def _digest(algorithm: str) -> Callable[[bytes], Any]:
    digest = _DIGESTS.get(algorithm)
    if digest is None:
        raise UsageError(f"the checksum algorithm is {algorithm}; simbus computes {', '.join(_DIGESTS)}. Name another.")
    return digest
