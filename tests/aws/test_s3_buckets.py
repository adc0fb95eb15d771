"""Buckets of S3 through boto3. Source: S3 API reference."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from simbus import Simulation

boto3 = pytest.importorskip("boto3", reason="needs the extra boto3")
from botocore.exceptions import ClientError  # noqa: E402


@pytest.fixture
def s3() -> Iterator[Any]:
    with Simulation() as sim:
        yield sim.client("s3")


def refused(call: Any, **params: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as caught:
        call(**params)
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_make_find_and_delete(s3: Any) -> None:
    """CreateBucket, HeadBucket, ListBuckets, GetBucketLocation, DeleteBucket."""
    made = s3.create_bucket(Bucket="second")
    assert (made["Location"], made["ResponseMetadata"]["HTTPStatusCode"]) == ("/second", 200)
    s3.create_bucket(Bucket="first", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    head = s3.head_bucket(Bucket="first")
    assert (head["BucketRegion"], head["AccessPointAlias"]) == ("eu-west-1", False)
    listed = s3.list_buckets()
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert listed["Buckets"] == [{"Name": name, "CreationDate": start} for name in ("first", "second")]
    assert len(listed["Owner"]["ID"]) == 64
    assert s3.get_bucket_location(Bucket="first")["LocationConstraint"] == "eu-west-1"
    assert s3.get_bucket_location(Bucket="second")["LocationConstraint"] is None
    assert s3.delete_bucket(Bucket="first")["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert refused(s3.head_bucket, Bucket="first") == ("404", 404)
    assert refused(s3.delete_bucket, Bucket="first") == ("NoSuchBucket", 404)


def test_list_buckets_in_pages(s3: Any) -> None:
    """MaxBuckets, Prefix and ContinuationToken, as the paginator uses them."""
    for name in ("ab1", "ab2", "ab3", "other"):
        s3.create_bucket(Bucket=name)
    pages = list(s3.get_paginator("list_buckets").paginate(Prefix="ab", PaginationConfig={"PageSize": 2}))
    assert [[each["Name"] for each in page["Buckets"]] for page in pages] == [["ab1", "ab2"], ["ab3"]]
    assert pages[0]["Buckets"][0]["BucketRegion"] == "us-east-1"


def test_names_and_places(s3: Any) -> None:
    """In us-east-1 making one's own bucket again is no error, elsewhere it is; a Region wants its own constraint."""
    assert refused(s3.create_bucket, Bucket="Upper_case") == ("InvalidBucketName", 400)
    s3.create_bucket(Bucket="mine")
    assert s3.create_bucket(Bucket="mine")["Location"] == "/mine"
    here = {"LocationConstraint": "us-east-1"}
    assert refused(s3.create_bucket, Bucket="x23", CreateBucketConfiguration=here) == ("InvalidLocationConstraint", 400)
    with Simulation(account={"region": "eu-west-1"}) as sim:
        other = sim.client("s3")
        there = {"LocationConstraint": "eu-west-1"}
        assert refused(other.create_bucket, Bucket="mine") == ("IllegalLocationConstraintException", 400)
        made = other.create_bucket(Bucket="mine", CreateBucketConfiguration=there)
        assert made["Location"] == "http://mine.s3.amazonaws.com/"
        again = refused(other.create_bucket, Bucket="mine", CreateBucketConfiguration=there)
        assert again == ("BucketAlreadyOwnedByYou", 409)
        with pytest.raises(other.exceptions.BucketAlreadyOwnedByYou):
            other.create_bucket(Bucket="mine", CreateBucketConfiguration=there)


def test_only_an_empty_bucket_is_deleted(s3: Any) -> None:
    """BucketNotEmpty (409), also where only versions or delete markers are left."""
    s3.create_bucket(Bucket="box")
    s3.put_bucket_versioning(Bucket="box", VersioningConfiguration={"Status": "Enabled"})
    assert s3.get_bucket_versioning(Bucket="box")["Status"] == "Enabled"
    s3.put_object(Bucket="box", Key="k")
    s3.delete_object(Bucket="box", Key="k")
    with pytest.raises(ClientError, match="You must delete all versions in the bucket"):
        s3.delete_bucket(Bucket="box")
    assert refused(s3.delete_bucket, Bucket="box") == ("BucketNotEmpty", 409)
    boto3.resource("s3").Bucket("box").object_versions.delete()
    s3.delete_bucket(Bucket="box")


def test_tags_of_a_bucket(s3: Any) -> None:
    """Absent: NoSuchTagSet (404)."""
    s3.create_bucket(Bucket="box")
    assert refused(s3.get_bucket_tagging, Bucket="box") == ("NoSuchTagSet", 404)
    tags = [{"Key": "team", "Value": "a"}]
    assert s3.put_bucket_tagging(Bucket="box", Tagging={"TagSet": tags})["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert s3.get_bucket_tagging(Bucket="box")["TagSet"] == tags
    s3.delete_bucket_tagging(Bucket="box")
    assert refused(s3.get_bucket_tagging, Bucket="box") == ("NoSuchTagSet", 404)


def test_notifications(s3: Any) -> None:
    """What is put through boto3 takes effect; a destination that is not there is refused as S3 does."""
    with Simulation() as sim:
        client = sim.client("s3")
        client.create_bucket(Bucket="box")
        queue = sim.queue("news")
        entry = {"QueueArn": queue.arn, "Events": ["s3:ObjectCreated:*"]}
        client.put_bucket_notification_configuration(
            Bucket="box", NotificationConfiguration={"QueueConfigurations": [entry]}
        )
        client.put_object(Bucket="box", Key="k", Body=b"1")
        sim.run()
        assert ['"s3:TestEvent"' in each.body for each in queue.messages] == [True, False]
        shown = client.get_bucket_notification_configuration(Bucket="box")["QueueConfigurations"][0]
        assert shown.pop("Id")
        assert shown == entry
        absent = {"QueueArn": queue.arn + "x", "Events": ["s3:ObjectCreated:*"]}
        with pytest.raises(ClientError, match="Unable to validate the following destination configurations") as caught:
            client.put_bucket_notification_configuration(
                Bucket="box", NotificationConfiguration={"QueueConfigurations": [absent]}
            )
        assert caught.value.response["Error"]["ArgumentValue1"] == "The destination queue does not exist"
