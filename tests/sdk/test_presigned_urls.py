"""Presigned URLs, opened with what people open them with: they reach S3's operations in process, in virtual time.

Sources: S3 API reference, "Authenticating Requests: Using Query Parameters", "POST Object", "Error responses".
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest

from simbus import Simulation

boto3 = pytest.importorskip("boto3", reason="needs the extra boto3")
requests = pytest.importorskip("requests")
import urllib3  # noqa: E402
from botocore.config import Config  # noqa: E402

STYLES = {
    "version 2": Config(),
    "version 4": Config(signature_version="s3v4"),
    "path": Config(s3={"addressing_style": "path"}),
    "path, version 4": Config(signature_version="s3v4", s3={"addressing_style": "path"}),
}


@pytest.fixture
def sim() -> Iterator[Simulation]:
    with Simulation() as sim:
        sim.bucket("box").put_object("a b/ü.txt", "hello", metadata={"kind": "x"}, content_type="text/plain")
        yield sim


@pytest.fixture(params=STYLES.values(), ids=STYLES)
def s3(sim: Simulation, request: pytest.FixtureRequest) -> Any:
    return boto3.client("s3", config=request.param)


def code(response: Any) -> str:
    found = ElementTree.fromstring(response.content).findtext("Code")
    assert found is not None
    return found


def test_get_with_every_library(s3: Any) -> None:
    """The object with its headers; response-content-type takes the place of its own."""
    named = {"Bucket": "box", "Key": "a b/ü.txt"}
    url = s3.generate_presigned_url("get_object", Params={**named, "ResponseContentType": "text/csv"})
    with urllib.request.urlopen(url) as response:
        assert (response.status, response.read(), response.headers["x-amz-meta-kind"]) == (200, b"hello", "x")
        assert response.headers["Content-Type"] == "text/csv"
    got = requests.get(url, headers={"Range": "bytes=1-2"}, timeout=5)
    assert (got.status_code, got.content, got.headers["Content-Range"]) == (206, b"el", "bytes 1-2/5")
    assert urllib3.PoolManager().request("GET", url).data == b"hello"
    parts = urlsplit(url)
    connection = http.client.HTTPSConnection(parts.netloc)
    connection.request("GET", f"{parts.path}?{parts.query}")
    assert connection.getresponse().read() == b"hello"
    head = requests.head(s3.generate_presigned_url("head_object", Params=named), timeout=5)
    assert (head.status_code, head.headers["Content-Length"], head.content) == (200, "5", b"")


def test_put_delete_and_lists(sim: Simulation, s3: Any) -> None:
    """What is put has its event, content type and metadata; a list is S3's document."""
    queue = sim.queue("news")
    sim["s3:box"].put_bucket_notification_configuration(
        {"QueueConfigurations": [{"QueueArn": queue.arn, "Events": ["s3:ObjectCreated:*"]}]}
    )
    params = {"Bucket": "box", "Key": "new", "ContentType": "text/x", "Metadata": {"a": "b"}}
    url = s3.generate_presigned_url("put_object", Params=params)
    headers = {"Content-Type": "text/x", "x-amz-meta-a": "b"}
    put = requests.put(url, data=b"data", headers=headers, timeout=5)
    assert (put.status_code, put.headers["ETag"]) == (200, '"8d777f385d3dfec8815d20f7496026dc"')
    got = s3.get_object(Bucket="box", Key="new")
    assert (got["Body"].read(), got["ContentType"], got["Metadata"]) == (b"data", "text/x", {"a": "b"})
    sim.run()
    assert '"eventName":"ObjectCreated:Put"' in queue.messages[-1].body
    listed = requests.get(s3.generate_presigned_url("list_objects_v2", Params={"Bucket": "box"}), timeout=5)
    document = ElementTree.fromstring(listed.content)
    space = {"s3": "http://s3.amazonaws.com/doc/2006-03-01/"}
    assert [each.text for each in document.findall("s3:Contents/s3:Size", space)] == ["5", "4"]
    gone = requests.delete(
        s3.generate_presigned_url("delete_object", Params={"Bucket": "box", "Key": "new"}), timeout=5
    )
    assert (gone.status_code, gone.content) == (204, b"")
    assert sim["s3:box"].list_objects()["KeyCount"] == 1


def test_expiry_is_virtual(sim: Simulation, s3: Any) -> None:
    """403 AccessDenied, "Request has expired": one second after its end, by the calendar of the simulation."""
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "box", "Key": "a b/ü.txt"}, ExpiresIn=60)
    sim.run(for_="60s")
    assert requests.get(url, timeout=5).status_code == 200
    sim.run(for_="1s")
    late = requests.get(url, timeout=5)
    document = ElementTree.fromstring(late.content)
    assert (late.status_code, code(late), document.findtext("Message")) == (403, "AccessDenied", "Request has expired")
    assert (document.findtext("Expires"), document.findtext("ServerTime")) == (
        "2026-01-01T00:01:00Z",
        "2026-01-01T00:01:01Z",
    )
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(url)


def test_a_signature_is_for_one_request(s3: Any) -> None:
    """Another method or key: SignatureDoesNotMatch. No signature: AccessDenied. No such key: NoSuchKey."""
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "box", "Key": "k"})
    assert code(requests.get(url, timeout=5)) == "NoSuchKey"
    assert code(requests.put(url, data=b"x", timeout=5)) == "SignatureDoesNotMatch"
    assert code(requests.get(url.replace("/k?", "/l?"), timeout=5)) == "SignatureDoesNotMatch"
    assert code(requests.get(url.partition("?")[0], timeout=5)) == "AccessDenied"
    nowhere = s3.generate_presigned_url("get_object", Params={"Bucket": "nobox", "Key": "k"})
    assert code(requests.get(nowhere, timeout=5)) == "NoSuchBucket"


def test_a_week_at_most(sim: Simulation) -> None:
    """AuthorizationQueryParametersError of version 4."""
    s3 = boto3.client("s3", config=STYLES["version 4"])
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "box", "Key": "k"}, ExpiresIn=604_801)
    assert code(requests.get(url, timeout=5)) == "AuthorizationQueryParametersError"


def test_what_everybody_may_read(sim: Simulation) -> None:
    """By an ACL public-read, or by a policy that allows s3:GetObject to `*`."""
    s3 = boto3.client("s3")
    let_acls_in(s3)
    s3.put_object(Bucket="box", Key="open", Body=b"1", ACL="public-read")
    assert requests.get("https://box.s3.us-east-1.amazonaws.com/open", timeout=5).content == b"1"
    s3.put_object(Bucket="box", Key="site/a", Body=b"2")
    assert code(requests.get("https://box.s3.amazonaws.com/site/a", timeout=5)) == "AccessDenied"
    s3.put_bucket_policy(
        Bucket="box",
        Policy='{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",'
        ' "Resource": "arn:aws:s3:::box/site/*"}]}',
    )
    assert requests.get("https://box.s3.amazonaws.com/site/a", timeout=5).content == b"2"
    assert code(requests.put("https://box.s3.amazonaws.com/site/a", data=b"3", timeout=5)) == "AccessDenied"
    block = {"IgnorePublicAcls": True, "RestrictPublicBuckets": True}
    s3.put_public_access_block(Bucket="box", PublicAccessBlockConfiguration=block)
    for key in ("open", "site/a"):
        assert code(requests.get(f"https://box.s3.amazonaws.com/{key}", timeout=5)) == "AccessDenied"


def let_acls_in(s3: Any) -> None:
    """What a bucket needs since April 2023 before anything in it can be public."""
    s3.put_bucket_ownership_controls(
        Bucket="box", OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
    )
    s3.delete_public_access_block(Bucket="box")


def test_a_form(sim: Simulation, s3: Any) -> None:
    """POST Object: 204, the event ObjectCreated:Post; `${filename}`; the policy's conditions and its end."""
    let_acls_in(s3)
    post = s3.generate_presigned_post(
        "box",
        "up/${filename}",
        Fields={"acl": "private", "x-amz-meta-a": "b"},
        Conditions=[{"acl": "private"}, ["starts-with", "$x-amz-meta-a", ""], ["content-length-range", 1, 10]],
        ExpiresIn=60,
    )

    def send(body: bytes = b"posted", **more: str) -> Any:
        files = {"file": ("f.txt", body, "text/plain")}
        return requests.post(post["url"], data={**post["fields"], **more}, files=files, timeout=5)

    done = send()
    assert (done.status_code, done.content, done.headers["Location"].endswith("up/f.txt")) == (204, b"", True)
    got = sim["s3:box"].get_object("up/f.txt")
    assert (got["Body"], got["Metadata"]) == (b"posted", {"a": "b"})
    assert (code(send(b"")), code(send(b"x" * 11))) == ("EntityTooSmall", "EntityTooLarge")
    assert "Extra input fields: x-amz-meta-c" in send(**{"x-amz-meta-c": "d"}).text
    assert 'Policy Condition failed: ["eq", "$acl", "private"]' in send(acl="public-read").text
    assert code(send(policy="e30=")) == "SignatureDoesNotMatch"
    sim.run(for_="61s")
    late = send()
    assert (late.status_code, "Policy expired." in late.text) == (403, True)


def test_what_a_form_is_answered_with(sim: Simulation) -> None:
    """success_action_status 201: a document; success_action_redirect: 303 with bucket, key and etag."""
    s3 = boto3.client("s3")
    fields = {"success_action_status": "201"}
    post = s3.generate_presigned_post("box", "k", Fields=fields, Conditions=[fields])
    done = requests.post(post["url"], data=post["fields"], files={"file": b"x"}, timeout=5)
    assert (done.status_code, ElementTree.fromstring(done.content).findtext("Key")) == (201, "k")
    fields = {"success_action_redirect": "https://shop.example/done?a=1"}
    post = s3.generate_presigned_post("box", "k", Fields=fields, Conditions=[fields])
    done = requests.post(post["url"], data=post["fields"], files={"file": b"x"}, timeout=5, allow_redirects=False)
    assert done.status_code == 303
    assert done.headers["Location"].startswith("https://shop.example/done?a=1&bucket=box&key=k&etag=%22")


def test_a_handler_makes_and_opens_one(sim: Simulation) -> None:
    """Inside a handler each request takes S3's latency; the URL expires while the handler sleeps."""

    def handler(event: Any, context: Any) -> list[Any]:
        import time

        client = boto3.client("s3")
        url = client.generate_presigned_url("get_object", Params={"Bucket": "box", "Key": "a b/ü.txt"}, ExpiresIn=5)
        before = time.time()
        with urllib.request.urlopen(url) as response:
            found = [response.read().decode(), requests.get(url, timeout=5).text]
        took = round(time.time() - before, 3)
        time.sleep(6)
        return [*found, took, requests.get(url, timeout=5).status_code]

    assert sim.function("f", handler=handler, timeout=30).invoke({}).json() == ["hello", "hello", 0.1, 403]


def test_other_hosts_are_refused_in_a_handler(sim: Simulation) -> None:
    """No socket in virtual time: by name, with the line."""

    def handler(event: Any, context: Any) -> None:
        urllib.request.urlopen(event["url"])

    function = sim.function("f", handler=handler)
    for url in ("https://example.com/", "https://box.s3-website-us-east-1.amazonaws.com/"):
        failed = function.invoke({"url": url}).json()
        assert urlsplit(url).netloc in failed["errorMessage"]
        assert "in virtual time nothing may wait for the real world" in failed["errorMessage"]


def test_nothing_is_left_afterwards() -> None:
    """The libraries connect as before, and what is signed has the real time again."""
    import botocore.auth
    from urllib3.connection import HTTPSConnection

    def parts() -> tuple[Any, ...]:
        return (
            http.client.HTTPConnection.connect,
            http.client.HTTPSConnection.connect,
            HTTPSConnection.connect,
            botocore.auth.get_current_datetime,
        )

    before = parts()
    with Simulation():
        assert all(now is not then for now, then in zip(parts(), before, strict=True))
    assert parts() == before


def test_two_simulations_in_one_process(sim: Simulation) -> None:
    """A URL is opened in the simulation that was entered last."""
    s3 = boto3.client("s3")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "box", "Key": "a b/ü.txt"})
    with Simulation():
        assert code(requests.get(url, timeout=5)) == "NoSuchBucket"
    assert requests.get(url, timeout=5).text == "hello"
