"""Multipart uploads of S3 through boto3. Sources: S3 API reference; S3 user guide, "Checking object integrity"."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from hashlib import md5, sha256
from typing import Any

import pytest

from simbus import Simulation

boto3 = pytest.importorskip("boto3", reason="needs the extra boto3")
from botocore.exceptions import ClientError  # noqa: E402

MIB = 1024**2
PART = bytes(5 * MIB)


@pytest.fixture
def s3() -> Iterator[Any]:
    with Simulation() as sim:
        sim.bucket("box")
        yield sim.client("s3")


def refused(call: Any, **params: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as caught:
        call(**params)
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def begin(s3: Any, key: str = "k", **settings: Any) -> dict[str, str]:
    return {
        "Bucket": "box",
        "Key": key,
        "UploadId": s3.create_multipart_upload(Bucket="box", Key=key, **settings)["UploadId"],
    }


def test_two_parts(s3: Any) -> None:
    """The ETag is the MD5 of the parts' MD5s, a dash and their number; each part can be read by its number."""
    named = begin(s3, Metadata={"a": "b"}, ContentType="text/x", Tagging="t=1")
    etags = [s3.upload_part(**named, PartNumber=n, Body=body)["ETag"] for n, body in ((2, b"end"), (1, PART))]
    listed = s3.list_parts(**named)
    assert [(each["PartNumber"], each["Size"]) for each in listed["Parts"]] == [(1, 5 * MIB), (2, 3)]
    assert (listed["NextPartNumberMarker"], listed["IsTruncated"], listed["StorageClass"]) == (2, False, "STANDARD")
    parts = [{"PartNumber": n, "ETag": etag} for n, etag in ((1, etags[1]), (2, etags[0]))]
    done = s3.complete_multipart_upload(**named, MultipartUpload={"Parts": parts})
    digest = md5(md5(PART).digest() + md5(b"end").digest()).hexdigest()
    assert (done["ETag"], done["Location"]) == (f'"{digest}-2"', "https://box.s3.us-east-1.amazonaws.com/k")
    got = s3.get_object(Bucket="box", Key="k", PartNumber=2)
    assert (got["Body"].read(), got["ContentRange"], got["PartsCount"]) == (
        b"end",
        f"bytes {5 * MIB}-{5 * MIB + 2}/{5 * MIB + 3}",
        2,
    )
    assert (got["Metadata"], got["ContentType"], got["TagCount"]) == ({"a": "b"}, "text/x", 1)
    assert refused(s3.get_object, Bucket="box", Key="k", PartNumber=3) == ("InvalidPartNumber", 416)
    assert refused(s3.complete_multipart_upload, **named, MultipartUpload={"Parts": parts}) == ("NoSuchUpload", 404)


def test_refusals(s3: Any) -> None:
    """InvalidPart, InvalidPartOrder, EntityTooSmall, MalformedXML, NoSuchUpload."""
    named = begin(s3)
    etag = s3.upload_part(**named, PartNumber=1, Body=b"x")["ETag"]
    s3.upload_part(**named, PartNumber=2, Body=b"x")

    def complete(*parts: tuple[int, str]) -> tuple[str, int]:
        chosen = [{"PartNumber": number, "ETag": tag} for number, tag in parts]
        return refused(s3.complete_multipart_upload, **named, MultipartUpload={"Parts": chosen})

    assert complete((1, '"no"')) == ("InvalidPart", 400)
    assert complete((3, etag)) == ("InvalidPart", 400)
    assert complete((2, etag), (1, etag)) == ("InvalidPartOrder", 400)
    assert complete((1, etag), (2, etag)) == ("EntityTooSmall", 400)
    assert complete() == ("MalformedXML", 400)
    assert refused(s3.upload_part, Bucket="box", Key="k", UploadId="no", PartNumber=1) == ("NoSuchUpload", 404)
    assert refused(s3.upload_part, **named, PartNumber=10_001) == ("InvalidArgument", 400)
    s3.put_object(Bucket="box", Key="k")
    parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    assert refused(s3.complete_multipart_upload, **named, MultipartUpload=parts, IfNoneMatch="*") == (
        "PreconditionFailed",
        412,
    )


def test_abort_and_list(s3: Any) -> None:
    """ListMultipartUploads in pages; an upload that is given up has no parts any more."""
    uploads = [begin(s3, key)["UploadId"] for key in ("a", "a", "b")]
    pages = list(s3.get_paginator("list_multipart_uploads").paginate(Bucket="box", PaginationConfig={"PageSize": 1}))
    assert [each["Key"] for page in pages for each in page["Uploads"]] == ["a", "a", "b"]
    assert len(pages) == 3
    gone = s3.abort_multipart_upload(Bucket="box", Key="a", UploadId=uploads[0])
    assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert refused(s3.list_parts, Bucket="box", Key="a", UploadId=uploads[0]) == ("NoSuchUpload", 404)
    left = s3.list_multipart_uploads(Bucket="box")["Uploads"]
    assert {each["UploadId"] for each in left} == set(uploads[1:])


def test_a_composite_checksum(s3: Any) -> None:
    """The checksum of the parts' checksums; the request to complete must have that of each part."""
    named = begin(s3, ChecksumAlgorithm="SHA256")
    part = s3.upload_part(**named, PartNumber=1, Body=b"x", ChecksumAlgorithm="SHA256")
    digest = sha256(b"x").digest()
    assert part["ChecksumSHA256"] == b64encode(digest).decode()
    assert refused(s3.upload_part, **named, PartNumber=1, Body=b"x", ChecksumAlgorithm="SHA1")[0] == "InvalidRequest"
    entry = {"PartNumber": 1, "ETag": part["ETag"]}
    assert refused(s3.complete_multipart_upload, **named, MultipartUpload={"Parts": [entry]})[0] == "InvalidRequest"
    entry["ChecksumSHA256"] = part["ChecksumSHA256"]
    done = s3.complete_multipart_upload(**named, MultipartUpload={"Parts": [entry]})
    assert (done["ChecksumSHA256"], done["ChecksumType"]) == (
        f"{b64encode(sha256(digest).digest()).decode()}-1",
        "COMPOSITE",
    )
    about = s3.get_object_attributes(
        Bucket="box", Key="k", ObjectAttributes=["ETag", "Checksum", "ObjectParts", "ObjectSize", "StorageClass"]
    )
    assert (about["ETag"], about["ObjectSize"], about["StorageClass"]) == (done["ETag"].strip('"'), 1, "STANDARD")
    assert about["Checksum"] == {"ChecksumSHA256": done["ChecksumSHA256"], "ChecksumType": "COMPOSITE"}
    assert about["ObjectParts"]["Parts"] == [{"PartNumber": 1, "Size": 1, "ChecksumSHA256": part["ChecksumSHA256"]}]


def test_copied_parts(s3: Any) -> None:
    """UploadPartCopy takes a range of an object that is there."""
    s3.put_object(Bucket="box", Key="source", Body=b"0123456789")
    named = begin(s3)
    source = {"Bucket": "box", "Key": "source"}
    copy = s3.upload_part_copy(**named, PartNumber=1, CopySource=source, CopySourceRange="bytes=2-4")["CopyPartResult"]
    assert copy["ETag"] == f'"{md5(b"234").hexdigest()}"'
    for text in ("bytes=2-", "bytes=5-10", "2-4"):
        call = {"PartNumber": 2, "CopySource": source, "CopySourceRange": text}
        assert refused(s3.upload_part_copy, **named, **call) == ("InvalidArgument", 400)
    parts = [{"PartNumber": 1, "ETag": copy["ETag"]}]
    s3.complete_multipart_upload(**named, MultipartUpload={"Parts": parts})
    assert s3.get_object(Bucket="box", Key="k")["Body"].read() == b"234"


def test_parts_of_an_upload_with_kms(s3: Any) -> None:
    """Each answer has the encryption of the upload (API_UploadPart, API_UploadPartCopy); no ETag is an MD5 then."""
    key = "1234abcd-12ab-34cd-56ef-1234567890ab"
    named = begin(s3, ServerSideEncryption="aws:kms", SSEKMSKeyId=key, BucketKeyEnabled=True)
    expected = {
        "ServerSideEncryption": "aws:kms",
        "SSEKMSKeyId": f"arn:aws:kms:us-east-1:000000000000:key/{key}",
        "BucketKeyEnabled": True,
    }
    s3.put_object(Bucket="box", Key="source", Body=b"end")
    first = s3.upload_part(**named, PartNumber=1, Body=PART)
    last = s3.upload_part_copy(**named, PartNumber=2, CopySource="box/source")
    etags = [first["ETag"], last["CopyPartResult"]["ETag"]]
    parts = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, 1)]
    done = s3.complete_multipart_upload(**named, MultipartUpload={"Parts": parts})
    for answer in (first, last, done):
        assert {name: answer[name] for name in expected} == expected
    assert f'"{md5(PART).hexdigest()}"' not in etags
    assert done["ETag"].endswith('-2"')
    other = s3.upload_part(**begin(s3), PartNumber=1, Body=b"x")
    assert (other["ServerSideEncryption"], "SSEKMSKeyId" in other) == ("AES256", False)
