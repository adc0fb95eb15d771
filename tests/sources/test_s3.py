"""S3 objects: S3 API reference and user guide, reference section 7.1."""

from __future__ import annotations

import json
from hashlib import md5
from typing import Any

import pytest
from worlds import Worldlet

from simbus.errors import AwsError, UsageError
from simbus.kernel import HOUR, MINUTE, SECOND
from simbus.sources.s3.bucket import Bucket

MIB = 1024**2


def code(call: Any, *args: Any, **kwargs: Any) -> tuple[str, int]:
    with pytest.raises(AwsError) as caught:
        call(*args, **kwargs)
    return caught.value.code, caught.value.status


def events(w: Worldlet) -> list[tuple[str, str]]:
    return [(row[3], row[4]) for row in w.rows.events]


def objects(w: Worldlet) -> list[dict[str, Any]]:
    return [json.loads(row[6])["s3"]["object"] for row in w.rows.events]


def test_put_get_head_delete():
    """PutObject, GetObject, HeadObject, DeleteObject; the ETag of a put is the MD5 of the body."""
    w = Worldlet()
    bucket = w.bucket("uploads")
    etag = f'"{md5(b"hello").hexdigest()}"'
    assert bucket.put_object("a b.txt", "hello", metadata={"k": "v"}, content_type="text/plain") == {
        "ETag": etag,
        "ServerSideEncryption": "AES256",
    }
    got = bucket.get_object("a b.txt")
    assert (got["Body"], got["ETag"], got["ContentType"], got["Metadata"]) == (b"hello", etag, "text/plain", {"k": "v"})
    assert bucket.head_object("a b.txt") == {key: value for key, value in got.items() if key != "Body"}
    assert bucket.delete_object("a b.txt") == {}
    assert code(bucket.get_object, "a b.txt") == ("NoSuchKey", 404)
    assert code(bucket.head_object, "a b.txt") == ("404", 404)
    assert events(w) == [("ObjectCreated:Put", "a b.txt"), ("ObjectRemoved:Delete", "a b.txt")]
    assert [each["key"] for each in objects(w)] == ["a+b.txt", "a+b.txt"]


@pytest.mark.parametrize(
    ("key", "encoded"),
    [("img/a.jpg", "img/a.jpg"), ("a@b", "a%40b"), ("red flower.jpg", "red+flower.jpg"), ("ü/\"x'", "%C3%BC/%22x%27")],
)
def test_keys_are_url_encoded_in_records(key, encoded):
    """test_key_encoding and S3 user guide: form style, slashes kept."""
    w = Worldlet()
    w.bucket("uploads").put_object(key)
    assert objects(w)[0]["key"] == encoded
    assert w.rows.events[0][4] == key


def test_a_modelled_object_has_a_size_only():
    """`put_object: {size: 100KB}` of a workload: no megabytes are hashed or kept."""
    w = Worldlet()
    bucket = w.bucket("uploads")
    answer = bucket.put_object("big", size=4 * 1024**3)
    assert bucket.put_object("big", size=4 * 1024**3) == answer
    assert bucket.put_object("big", size=1)["ETag"] != answer["ETag"]
    assert objects(w)[0]["size"] == 4 * 1024**3
    assert bucket.get_object("big")["Body"] == b"\0"
    with pytest.raises(UsageError, match="size"):
        bucket.put_object("big", b"x", size=1)
    assert code(bucket.put_object, "big", size=5 * 1024**3 + 1) == ("EntityTooLarge", 400)


def test_names_and_keys_are_checked():
    """S3 user guide: bucket naming rules; keys have 1 to 1,024 bytes of UTF-8."""
    w = Worldlet()
    for name in ("ab", "Upper", "a..b", "1.2.3.4", "-a-", "a_b", "xn--a", "a-s3alias", "x" * 64):
        assert code(w.bucket, name) == ("InvalidBucketName", 400)
    bucket = w.bucket("a.b-3")
    bucket.put_object("é" * 512)
    assert code(bucket.put_object, "é" * 512 + "x") == ("KeyTooLongError", 400)
    assert code(bucket.put_object, "") == ("InvalidArgument", 400)
    assert code(bucket.put_object, "k", storage_class="WARM") == ("InvalidStorageClass", 400)


def test_the_sequencer_grows_for_each_key():
    """S3 user guide: hex, compared per key after padding on the left."""
    w = Worldlet()
    bucket = w.bucket("uploads")
    for n in range(5):
        bucket.put_object("k", str(n))
        if n % 2:
            w.timeline.run(until=w.timeline.now + SECOND)
    bucket.delete_object("k")
    sequencers = [each["sequencer"] for each in objects(w)]
    assert sequencers == sorted(sequencers)
    assert len(set(sequencers)) == 6
    assert all(len(each) == 18 for each in sequencers)


def test_the_parent_of_an_event_is_the_acting_invocation():
    """Contract: `parent` is the request id that caused it; what S3 then sends on is caused by its event."""
    w = Worldlet()
    bucket, function = w.bucket("uploads"), w.stub("lambda:f")
    notify(bucket, "lambda:f")
    w.actor("request-1", {"f": 2})
    bucket.put_object("a")
    w.timeline.actor = None
    assert w.rows.events[0][5] == "request-1"
    assert (function.deliveries[0].parent, function.deliveries[0].lineage) == (w.rows.events[0][0], {"f": 2})


def notify(bucket: Bucket, target: str, events: tuple[str, ...] = ("s3:ObjectCreated:*",)) -> None:
    group, key = {"l": ("LambdaFunction", "LambdaFunctionArn"), "s": ("Queue", "QueueArn")}[target[0]]
    bucket.put_bucket_notification_configuration({f"{group}Configurations": [{key: target, "Events": list(events)}]})


# --- versions -------------------------------------------------------------------------------------------------------


def test_versions_and_delete_markers():
    """test_object_created_put_versioned: a delete puts a marker on top; deleting a version is for good."""
    w = Worldlet()
    bucket = w.bucket("uploads", versioning=True)
    one = bucket.put_object("k", "1")["VersionId"]
    two = bucket.put_object("k", "22")["VersionId"]
    assert len(one) == 32
    marker = bucket.delete_object("k")
    assert marker["DeleteMarker"] is True
    assert code(bucket.get_object, "k") == ("NoSuchKey", 404)
    assert code(bucket.get_object, "k", marker["VersionId"]) == ("MethodNotAllowed", 405)
    assert bucket.get_object("k", one)["Body"] == b"1"
    assert code(bucket.get_object, "k", "absent") == ("InvalidArgument", 400)  # not even the form of one
    assert code(bucket.get_object, "k", "a" * 32) == ("NoSuchVersion", 404)
    listed = bucket.list_object_versions()
    assert [(each["VersionId"], each["IsLatest"]) for each in listed["Versions"]] == [(two, False), (one, False)]
    assert [(each["VersionId"], each["IsLatest"]) for each in listed["DeleteMarkers"]] == [(marker["VersionId"], True)]
    assert "Contents" not in bucket.list_objects()
    assert bucket.delete_object("k", marker["VersionId"]) == marker
    assert bucket.get_object("k")["Body"] == b"22"
    bucket.delete_object("k", two)
    assert bucket.get_object("k")["Body"] == b"1"
    bucket.delete_object("k", one)
    assert "Versions" not in bucket.list_object_versions()
    before = len(w.rows.events)
    assert bucket.delete_object("k", one) == {"VersionId": one}
    assert len(w.rows.events) == before


def test_suspended_versioning_has_one_null_version():
    """S3 user guide, "Suspending versioning": a put replaces the null version and keeps the others."""
    w = Worldlet()
    bucket = w.bucket("uploads")
    bucket.put_object("k", "before")
    bucket.put_bucket_versioning("Enabled")
    kept = bucket.put_object("k", "kept")["VersionId"]
    bucket.put_bucket_versioning("Suspended")
    assert bucket.get_bucket_versioning() == {"Status": "Suspended"}
    assert "VersionId" not in bucket.put_object("k", "null")
    bucket.put_object("k", "null again")
    assert [each["VersionId"] for each in bucket.list_object_versions()["Versions"]] == ["null", kept]
    assert bucket.delete_object("k") == {"DeleteMarker": True, "VersionId": "null"}
    assert [each["VersionId"] for each in bucket.list_object_versions()["Versions"]] == [kept]
    assert code(bucket.put_bucket_versioning, "Off") == ("MalformedXML", 400)


def test_delete_objects():
    """test_delete_objects: one event for each key, also for those that are not there; 1 to 1,000 keys."""
    w = Worldlet()
    bucket = w.bucket("uploads")
    bucket.put_object("a")
    assert bucket.delete_objects(["a", {"Key": "b"}]) == {"Deleted": [{"Key": "a"}, {"Key": "b"}]}
    assert events(w)[1:] == [("ObjectRemoved:Delete", "a"), ("ObjectRemoved:Delete", "b")]
    assert code(bucket.delete_objects, []) == ("MalformedXML", 400)
    assert code(bucket.delete_objects, [str(n) for n in range(1001)]) == ("MalformedXML", 400)


# --- copy, multipart ------------------------------------------------------------------------------------------------


def test_copy():
    """CopyObject: headers are copied or replaced; onto itself only with a change."""
    w = Worldlet()
    source, bucket = w.bucket("source"), w.bucket("uploads")
    source.put_object("a b", "x", metadata={"k": "v"}, tagging="t=1")
    answer = bucket.copy_object("c", "source/a%20b")
    assert answer["CopyObjectResult"]["ETag"] == f'"{md5(b"x").hexdigest()}"'
    assert bucket.get_object("c")["Metadata"] == {"k": "v"}
    assert bucket.get_object_tagging("c") == {"TagSet": [{"Key": "t", "Value": "1"}]}
    bucket.copy_object("c", {"Bucket": "uploads", "Key": "c"}, metadata_directive="REPLACE", metadata={"n": "w"})
    assert bucket.get_object("c")["Metadata"] == {"n": "w"}
    assert code(bucket.copy_object, "c", "uploads/c") == ("InvalidRequest", 400)
    assert code(bucket.copy_object, "c", "uploads/absent") == ("NoSuchKey", 404)
    assert code(bucket.copy_object, "c", "absent/c") == ("NoSuchBucket", 404)
    assert code(bucket.copy_object, "c", "source/a%20b", metadata_directive="MERGE") == ("InvalidArgument", 400)
    assert events(w)[1] == ("ObjectCreated:Copy", "c")


def test_multipart():
    """Parts but the last have 5 MiB at least; the ETag is the MD5 of the parts' MD5s and their number."""
    w = Worldlet()
    bucket = w.bucket("uploads")
    upload = bucket.create_multipart_upload("big")["UploadId"]
    parts = [b"a" * 5 * MIB, b"b"]
    etags = [bucket.upload_part("big", upload, n, part)["ETag"] for n, part in enumerate(parts, 1)]
    named = [{"PartNumber": n, "ETag": etag} for n, etag in enumerate(etags, 1)]
    complete = bucket.complete_multipart_upload
    assert code(complete, "big", upload, named[::-1]) == ("InvalidPartOrder", 400)
    assert code(complete, "big", upload, [{"PartNumber": 3, "ETag": "x"}]) == ("InvalidPart", 400)
    assert code(complete, "big", "absent", named) == ("NoSuchUpload", 404)
    assert code(complete, "big", upload, []) == ("MalformedXML", 400)
    assert w.rows.events == []
    digest = md5(b"".join(md5(part).digest() for part in parts)).hexdigest()
    assert complete("big", upload, named)["ETag"] == f'"{digest}-2"'
    assert bucket.get_object("big")["Body"] == b"".join(parts)
    assert events(w) == [("ObjectCreated:CompleteMultipartUpload", "big")]
    assert code(complete, "big", upload, named) == ("NoSuchUpload", 404)
    assert bucket.copy_object("copy", "uploads/big")["CopyObjectResult"]["ETag"] == (
        f'"{md5(b"".join(parts)).hexdigest()}"'
    )


def test_small_and_abandoned_parts():
    """EntityTooSmall; an aborted upload leaves nothing behind."""
    w = Worldlet()
    bucket = w.bucket("uploads")
    upload = bucket.create_multipart_upload("k")["UploadId"]
    named = [
        {"PartNumber": n, "ETag": bucket.upload_part("k", upload, n, size=size)["ETag"]}
        for n, size in ((1, 5 * MIB - 1), (2, 1))
    ]
    assert code(bucket.complete_multipart_upload, "k", upload, named) == ("EntityTooSmall", 400)
    assert code(bucket.upload_part, "k", upload, 10_001, "x") == ("InvalidArgument", 400)
    bucket.upload_part("k", upload, 1, size=5 * MIB)
    named[0]["ETag"] = bucket.upload_part("k", upload, 1, size=6 * MIB)["ETag"]
    bucket.complete_multipart_upload("k", upload, named)
    assert bucket.head_object("k")["ContentLength"] == 6 * MIB + 1
    other = bucket.create_multipart_upload("k")["UploadId"]
    bucket.abort_multipart_upload("k", other)
    assert code(bucket.upload_part, "k", other, 1, "x") == ("NoSuchUpload", 404)


# --- listing --------------------------------------------------------------------------------------------------------


def test_listing():
    """ListObjectsV2: UTF-8 order, prefix, delimiter, pages."""
    bucket = Worldlet().bucket("uploads")
    for key in ("b/2", "a", "b/1", "c/x/1", "é", "b/10"):
        bucket.put_object(key, "x")

    def listed(**more: Any) -> list[str]:
        found = bucket.list_objects(**more)
        keys = [each["Key"] for each in found.get("Contents", [])]
        assert found["KeyCount"] == len(keys) + len(found.get("CommonPrefixes", []))
        return keys + [each["Prefix"] for each in found.get("CommonPrefixes", [])]

    assert listed() == ["a", "b/1", "b/10", "b/2", "c/x/1", "é"]
    assert listed(prefix="b/") == ["b/1", "b/10", "b/2"]
    assert listed(prefix="b/", start_after="b/1") == ["b/10", "b/2"]
    assert listed(delimiter="/") == ["a", "é", "b/", "c/"]
    assert listed(prefix="c/", delimiter="/") == ["c/x/"]
    assert listed(max_keys=0) == []
    bucket.delete_object("a")
    assert listed() == ["b/1", "b/10", "b/2", "c/x/1", "é"]
    assert code(bucket.list_objects, max_keys=-1) == ("InvalidArgument", 400)
    assert code(bucket.list_objects, continuation_token="?") == ("InvalidArgument", 400)


@pytest.mark.parametrize("delimiter", ["", "/"])
@pytest.mark.parametrize("most", [1, 2, 3, 7])
def test_pages_together_are_the_whole_listing(delimiter, most):
    """NextContinuationToken goes on exactly where the page ended, also behind a common prefix."""
    bucket = Worldlet().bucket("uploads")
    for n in range(12):
        bucket.put_object(f"{n % 4}/{n}")
        bucket.put_object(f"{n}")
    whole = bucket.list_objects(delimiter=delimiter)
    token, pages = None, []
    while True:
        page = bucket.list_objects(delimiter=delimiter, max_keys=most, continuation_token=token)
        assert page["KeyCount"] <= most
        pages.append(page)
        if not page["IsTruncated"]:
            break
        token = page["NextContinuationToken"]
    for group in ("Contents", "CommonPrefixes"):
        assert [each for page in pages for each in page.get(group, [])] == whole.get(group, [])
    assert len(pages) > 1


def test_pages_of_versions():
    """ListObjectVersions: NextKeyMarker."""
    bucket = Worldlet().bucket("uploads", versioning=True)
    for key in "abc":
        bucket.put_object(key)
        bucket.put_object(key)
    first = bucket.list_object_versions(max_keys=3)
    assert ([each["Key"] for each in first["Versions"]], first["NextKeyMarker"]) == (["a", "a", "b"], "b")
    assert [each["Key"] for each in bucket.list_object_versions(key_marker="b")["Versions"]] == ["c", "c"]


# --- tags, ACL, archive ---------------------------------------------------------------------------------------------


def test_tags():
    """ObjectTagging events have version 2.3 and neither size nor sequencer; at most 10 tags."""
    w = Worldlet()
    bucket = w.bucket("uploads")
    bucket.put_object("k", "x")
    bucket.put_object_tagging("k", {"a": "1"})
    bucket.put_object_tagging("k", [{"Key": "b", "Value": "2"}])
    assert bucket.get_object_tagging("k") == {"TagSet": [{"Key": "b", "Value": "2"}]}
    bucket.delete_object_tagging("k")
    assert bucket.get_object_tagging("k") == {"TagSet": []}
    record = json.loads(w.rows.events[-1][6])
    assert (record["eventVersion"], list(record["s3"]["object"])) == ("2.3", ["key", "eTag"])
    assert code(bucket.put_object_tagging, "k", {str(n): "" for n in range(11)}) == ("BadRequest", 400)
    assert code(bucket.put_object_tagging, "k", {"x" * 129: ""}) == ("InvalidTag", 400)
    assert code(bucket.put_object_tagging, "k", "a=1&a=2") == ("InvalidTag", 400)
    assert code(bucket.put_object_tagging, "absent", {}) == ("NoSuchKey", 404)


def test_acl_events():
    """TestS3NotificationsToEventBridge::test_object_put_acl: three events for four calls; `private` was set already."""
    w = Worldlet()
    bucket = w.bucket("uploads", object_ownership="ObjectWriter")
    bucket.delete_bucket_configuration("public_access_block")
    bucket.put_object("k", "x")
    for acl in ("private", "public-read", {"GrantRead": "uri=x"}, {"Grants": []}):
        bucket.put_object_acl("k", acl)
    assert events(w)[1:] == [("ObjectAcl:Put", "k")] * 3
    assert code(bucket.put_object_acl, "k", "everybody") == ("InvalidArgument", 400)


def test_restore():
    """S3 user guide, archive retrieval options: Expedited takes up to 5 minutes; the copy expires at midnight UTC."""
    w = Worldlet()
    bucket = w.bucket("uploads")
    bucket.put_object("k", "x", storage_class="GLACIER")
    assert code(bucket.get_object, "k") == ("InvalidObjectState", 403)
    bucket.restore_object("k", 1, tier="Expedited")
    assert code(bucket.restore_object, "k", 1) == ("RestoreAlreadyInProgress", 409)
    assert bucket.head_object("k")["Restore"] == 'ongoing-request="true"'
    w.timeline.run()
    assert w.timeline.now == 5 * MINUTE
    assert bucket.get_object("k")["Body"] == b"x"
    assert bucket.head_object("k")["Restore"] == (
        'ongoing-request="false", expiry-date="Sat, 03 Jan 2026 00:00:00 GMT"'
    )
    done = json.loads(w.rows.events[-1][6])
    assert list(done)[-1] == "glacierEventData"
    assert done["glacierEventData"]["restoreEventData"]["lifecycleRestorationExpiryTime"] == "2026-01-03T00:00:00.000Z"
    w.timeline.run(until=48 * HOUR)
    assert events(w)[1:] == [
        ("ObjectRestore:Post", "k"),
        ("ObjectRestore:Completed", "k"),
        ("ObjectRestore:Delete", "k"),
    ]
    assert code(bucket.get_object, "k") == ("InvalidObjectState", 403)


def test_restores_that_are_refused_or_overtaken():
    """InvalidObjectState for what is no archive; a restore of an object that is gone has no end."""
    w = Worldlet()
    bucket = w.bucket("uploads")
    bucket.put_object("warm", "x")
    bucket.put_object("cold", "x", storage_class="DEEP_ARCHIVE")
    assert code(bucket.restore_object, "warm") == ("InvalidObjectState", 403)
    assert code(bucket.restore_object, "cold", tier="Expedited") == ("MalformedXML", 400)
    bucket.restore_object("cold", tier="Bulk")
    bucket.put_object("cold", "new")
    w.timeline.run()
    assert "ObjectRestore:Completed" not in dict(events(w))


def test_outage():
    """503 for every operation while a bucket is out of service."""
    w = Worldlet()
    bucket = w.bucket("uploads")
    bucket.outage(MINUTE)
    assert code(bucket.put_object, "k") == ("ServiceUnavailable", 503)
    w.timeline.run(until=MINUTE)
    bucket.put_object("k")
