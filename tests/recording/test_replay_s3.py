"""What boto3 does to a bucket from outside is recorded, and gives the same run again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from recording.runs import operations, recorded, replayed

from simbus import Simulation

pytest.importorskip("boto3", reason="needs the extra boto3")


def build(sim: Simulation) -> None:
    sim.function("f")
    sim.bucket("box", notifications=[{"function": "f", "events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]}])


def act(sim: Simulation) -> None:
    """Conditions, checksums, dates, a copy, an upload of a copied part, an encryption that draws its ETags."""
    s3: Any = sim.client("s3")
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    s3.put_object(Bucket="box", Key="a", Body=b"\xff", Metadata={"m": "1"}, Expires=sim.calendar, IfNoneMatch="*")
    with pytest.raises(s3.exceptions.ClientError):
        s3.put_object(Bucket="box", Key="a", IfNoneMatch="*")
    sim.run()  # a setting is recorded once the run has begun
    s3.put_bucket_encryption(Bucket="box", ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.copy_object(Bucket="box", Key="b", CopySource="box/a", CopySourceIfModifiedSince=sim.calendar.replace(year=2020))
    upload = {"Bucket": "box", "Key": "c"}
    upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
    part = s3.upload_part_copy(**upload, PartNumber=1, CopySource="box/a")["CopyPartResult"]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    s3.delete_objects(Bucket="box", Delete={"Objects": [{"Key": "a"}]})
    sim.run()


def test_the_same_run(tmp_path: Path) -> None:
    """Design, section 7: the causing operations with their full data."""
    path = tmp_path / "run.jsonl"
    digest = recorded(path, build, act)
    assert [line["type"] for line in operations(path)] == [
        "s3.put_object",
        "s3.put_object",
        "s3.put_bucket_configuration",
        "s3.copy_object",
        "s3.create_multipart_upload",
        "s3.upload_part_copy",
        "s3.complete_multipart_upload",
        "s3.delete_objects",
    ]
    assert replayed(path, build) == digest
