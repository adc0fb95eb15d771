"""Listing a bucket of S3 through boto3. Source: S3 API reference, ListObjectsV2, ListObjects, ListObjectVersions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from simbus import Simulation

boto3 = pytest.importorskip("boto3", reason="needs the extra boto3")

KEYS = ["a b/1", "a b/2", "c+d", "z", "ü/x/1", "ü/x/2"]


@pytest.fixture
def s3() -> Iterator[Any]:
    with Simulation() as sim:
        bucket = sim.bucket("box")
        for key in KEYS:
            bucket.put_object(key, key)
        yield sim.client("s3")


def keys(page: dict[str, Any], group: str = "Contents") -> list[str]:
    return [each["Key"] for each in page.get(group, ())]


def prefixes(page: dict[str, Any]) -> list[str]:
    return [each["Prefix"] for each in page.get("CommonPrefixes", ())]


def test_list_objects_v2(s3: Any) -> None:
    """botocore asks for URL-encoded keys and decodes them again; the answer says so (EncodingType)."""
    page = s3.list_objects_v2(Bucket="box")
    assert keys(page) == KEYS
    first = page["Contents"][0]
    assert (first["Size"], first["StorageClass"], "Owner" in first) == (5, "STANDARD", False)
    assert {k: v for k, v in page.items() if k not in ("Contents", "ResponseMetadata")} == {
        "EncodingType": "url",
        "IsTruncated": False,
        "KeyCount": 6,
        "MaxKeys": 1000,
        "Name": "box",
        "Prefix": "",
    }
    raw = s3.list_objects_v2(Bucket="box", EncodingType="url", Prefix="ü", FetchOwner=True)
    assert keys(raw)[0] == "%C3%BC/x/1"
    assert len(raw["Contents"][0]["Owner"]["ID"]) == 64


def test_prefix_delimiter_and_start(s3: Any) -> None:
    """Keys up to the delimiter come as common prefixes; StartAfter begins behind a key."""
    page = s3.list_objects_v2(Bucket="box", Delimiter="/")
    assert (keys(page), prefixes(page), page["KeyCount"]) == (["c+d", "z"], ["a b/", "ü/"], 4)
    assert prefixes(s3.list_objects_v2(Bucket="box", Delimiter="/", Prefix="ü/")) == ["ü/x/"]
    assert keys(s3.list_objects_v2(Bucket="box", StartAfter="c+d")) == KEYS[3:]
    assert "Contents" not in s3.list_objects_v2(Bucket="box", Prefix="nothing")


@pytest.mark.parametrize("operation", ["list_objects_v2", "list_objects"])
@pytest.mark.parametrize("size", [1, 2, 5])
def test_pages(s3: Any, operation: str, size: int) -> None:
    """The paginator finds every key and prefix once, whatever the page size."""
    for more, expected in (({}, (KEYS, [])), ({"Delimiter": "/"}, (["c+d", "z"], ["a b/", "ü/"]))):
        pages = list(s3.get_paginator(operation).paginate(Bucket="box", PaginationConfig={"PageSize": size}, **more))
        found = ([key for page in pages for key in keys(page)], [each for page in pages for each in prefixes(page)])
        assert found == expected
        assert len(pages) > 1 or size == 5


def test_the_older_form(s3: Any) -> None:
    """ListObjects: Marker, an owner in each entry, NextMarker only where there is a delimiter."""
    page = s3.list_objects(Bucket="box", MaxKeys=2)
    assert (keys(page), page["IsTruncated"], page["Marker"]) == (KEYS[:2], True, "")
    assert ("NextMarker" in page, "Owner" in page["Contents"][0], "KeyCount" in page) == (False, True, False)
    page = s3.list_objects(Bucket="box", MaxKeys=1, Delimiter="/")
    assert (prefixes(page), page["NextMarker"]) == (["a b/"], "a b/")
    assert keys(s3.list_objects(Bucket="box", Marker="c+d")) == KEYS[3:]


def test_versions_in_pages() -> None:
    """MaxKeys counts versions and markers; the next page begins behind both markers."""
    with Simulation() as sim:
        bucket = sim.bucket("box", versioning=True)
        for key in ("ü", "b"):
            bucket.put_object(key, "1")
            bucket.put_object(key, "2")
            bucket.delete_object(key)
        s3 = sim.client("s3")
        whole = s3.list_object_versions(Bucket="box")
        assert keys(whole, "Versions") == ["b", "b", "ü", "ü"]
        assert [each["IsLatest"] for each in whole["DeleteMarkers"]] == [True, True]
        for size in (1, 2, 4):
            paginator = s3.get_paginator("list_object_versions")
            pages = list(paginator.paginate(Bucket="box", PaginationConfig={"PageSize": size}))
            found = [each["VersionId"] for page in pages for each in page.get("Versions", [])]
            assert found == [each["VersionId"] for each in whole["Versions"]]


def test_the_resource(s3: Any) -> None:
    """Bucket.objects: all, filter, limit, delete."""
    bucket = boto3.resource("s3").Bucket("box")
    assert [each.key for each in bucket.objects.all()] == KEYS
    assert [each.key for each in bucket.objects.filter(Prefix="a b/")] == KEYS[:2]
    assert [each.key for each in bucket.objects.limit(1)] == KEYS[:1]
    assert bucket.Object("z").get()["Body"].read() == b"z"
    assert bucket.Object("z").content_length == 1
    bucket.objects.filter(Prefix="ü/").delete()
    assert [each.key for each in bucket.objects.all()] == KEYS[:4]
