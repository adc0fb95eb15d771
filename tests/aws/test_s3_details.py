"""Tags, ACLs, archive of objects, and what a bucket is configured with. Source: S3 API reference."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simbus import Simulation
from simbus.scenario.build import build
from simbus.scenario.loader import load_data

boto3 = pytest.importorskip("boto3", reason="needs the extra boto3")
from botocore.exceptions import ClientError  # noqa: E402


@pytest.fixture
def sim() -> Iterator[Simulation]:
    with Simulation() as sim:
        sim.bucket("box").put_object("k", "x")
        yield sim


@pytest.fixture
def s3(sim: Simulation) -> Any:
    return sim.client("s3")


def refused(call: Any, **params: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as caught:
        call(**params)
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_tags(s3: Any) -> None:
    """Up to 10; a key twice is InvalidTag."""
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}]
    s3.put_object_tagging(Bucket="box", Key="k", Tagging={"TagSet": tags})
    assert s3.get_object_tagging(Bucket="box", Key="k")["TagSet"] == tags
    assert refused(s3.put_object_tagging, Bucket="box", Key="k", Tagging={"TagSet": tags[:1] * 2}) == (
        "InvalidTag",
        400,
    )
    assert s3.delete_object_tagging(Bucket="box", Key="k")["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert s3.get_object_tagging(Bucket="box", Key="k")["TagSet"] == []
    assert refused(s3.get_object_tagging, Bucket="box", Key="no") == ("NoSuchKey", 404)


def let_acls_in(s3: Any) -> None:
    """What a bucket needs since April 2023 before anything in it can be public."""
    s3.put_bucket_ownership_controls(Bucket="box", OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
    s3.delete_public_access_block(Bucket="box")


def test_acls(s3: Any) -> None:
    """The owner's FULL_CONTROL first; a canned ACL is shown as its grants. BucketOwnerEnforced switches ACLs off."""
    let_acls_in(s3)
    shown = s3.get_object_acl(Bucket="box", Key="k")
    owner = shown["Owner"]
    full = {"Grantee": {**owner, "Type": "CanonicalUser"}, "Permission": "FULL_CONTROL"}
    assert shown["Grants"] == [full]
    s3.put_object(Bucket="box", Key="k", ACL="public-read")
    everybody = {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"}
    assert s3.get_object_acl(Bucket="box", Key="k")["Grants"] == [full, {"Grantee": everybody, "Permission": "READ"}]
    s3.put_object_acl(Bucket="box", Key="k", GrantRead=f'uri="{everybody["URI"]}"')
    assert s3.get_object_acl(Bucket="box", Key="k")["Grants"] == [{"Grantee": everybody, "Permission": "READ"}]
    controls = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    s3.put_bucket_ownership_controls(Bucket="box", OwnershipControls=controls)
    assert s3.get_object_acl(Bucket="box", Key="k")["Grants"] == [full]


def test_a_new_bucket_allows_no_acls(s3: Any) -> None:
    """Since April 2023: BucketOwnerEnforced, and AccessControlListNotSupported but for the owner's full control."""
    rules = s3.get_bucket_ownership_controls(Bucket="box")["OwnershipControls"]["Rules"]
    assert rules == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    for acl in ("public-read", "private"):
        with pytest.raises(ClientError, match="The bucket does not allow ACLs") as caught:
            s3.put_object(Bucket="box", Key="k", ACL=acl)
        assert caught.value.response["Error"]["Code"] == "AccessControlListNotSupported"
        assert refused(s3.put_object_acl, Bucket="box", Key="k", ACL=acl) == ("AccessControlListNotSupported", 400)
        assert refused(s3.put_bucket_acl, Bucket="box", ACL=acl) == ("AccessControlListNotSupported", 400)
    s3.put_object(Bucket="box", Key="k", ACL="bucket-owner-full-control")
    shown = s3.get_bucket_acl(Bucket="box")
    s3.put_bucket_acl(Bucket="box", AccessControlPolicy={name: shown[name] for name in ("Owner", "Grants")})


def test_a_new_bucket_blocks_public_access(s3: Any) -> None:
    """Since April 2023, all four; the refusals' texts are those of the user guide, "Blocking public access"."""
    block = s3.get_public_access_block(Bucket="box")["PublicAccessBlockConfiguration"]
    assert block == dict.fromkeys(block, True)
    assert len(block) == 4
    with pytest.raises(ClientError) as caught:
        s3.put_bucket_policy(Bucket="box", Policy=POLICY)
    assert caught.value.response["Error"] == {
        "Code": "AccessDenied",
        "Message": "User: arn:aws:iam::000000000000:user/simbus is not authorized to perform: s3:PutBucketPolicy on "
        'resource: "arn:aws:s3:::box" because public policies are prevented by the BlockPublicPolicy setting in S3 '
        "Block Public Access.",
    }
    assert refused(s3.get_bucket_policy_status, Bucket="box") == ("NoSuchBucketPolicy", 404)
    s3.put_bucket_policy(Bucket="box", Policy=POLICY.replace('"*"', '{"AWS": "arn:aws:iam::000000000000:root"}'))
    assert s3.get_bucket_policy_status(Bucket="box")["PolicyStatus"] == {"IsPublic": False}
    s3.delete_bucket_ownership_controls(Bucket="box")
    with pytest.raises(ClientError, match='"arn:aws:s3:::box/k" because public ACLs are prevented by the BlockPubl'):
        s3.put_object_acl(Bucket="box", Key="k", ACL="authenticated-read")
    assert refused(s3.put_bucket_acl, Bucket="box", ACL="public-read") == ("AccessDenied", 403)
    s3.put_object(Bucket="box", Key="k", ACL="private")


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"ACL": "public-read"}, "InvalidBucketAclWithObjectOwnership"),
        ({"ACL": "public-read", "ObjectOwnership": "ObjectWriter"}, "InvalidBucketAclWithBlockPublicAccessError"),
        ({"ObjectOwnership": "Mine"}, "InvalidArgument"),
    ],
)
def test_create_bucket_with_what_is_not_allowed(s3: Any, settings: Any, code: str) -> None:
    """User guide, "Default settings for new S3 buckets FAQ"; nothing is made."""
    assert refused(s3.create_bucket, Bucket="another", **settings) == (code, 400)
    assert refused(s3.get_bucket_acl, Bucket="another") == ("NoSuchBucket", 404)


def test_create_bucket_with_acls(s3: Any) -> None:
    """ObjectOwnership of CreateBucket; a bucket whose ACL lets others in can't go back to BucketOwnerEnforced."""
    s3.create_bucket(Bucket="another", ACL="private")
    s3.create_bucket(Bucket="open-one", ObjectOwnership="BucketOwnerPreferred")
    s3.delete_public_access_block(Bucket="open-one")
    s3.put_bucket_policy(Bucket="open-one", Policy=POLICY.replace("box", "open-one"))
    assert s3.get_bucket_policy_status(Bucket="open-one")["PolicyStatus"] == {"IsPublic": True}
    s3.put_bucket_acl(Bucket="open-one", ACL="public-read")
    controls = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert refused(s3.put_bucket_ownership_controls, Bucket="open-one", OwnershipControls=controls) == (
        "InvalidBucketAclWithObjectOwnership",
        400,
    )


def test_restore(sim: Simulation, s3: Any) -> None:
    """An archived object can't be read before it is restored: 202, hours later it can."""
    s3.put_object(Bucket="box", Key="cold", Body=b"x", StorageClass="GLACIER")
    assert refused(s3.get_object, Bucket="box", Key="cold") == ("InvalidObjectState", 403)
    request = {"Days": 1, "GlacierJobParameters": {"Tier": "Expedited"}}
    begun = s3.restore_object(Bucket="box", Key="cold", RestoreRequest=request)
    assert begun["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert s3.head_object(Bucket="box", Key="cold")["Restore"] == 'ongoing-request="true"'
    assert refused(s3.restore_object, Bucket="box", Key="cold", RestoreRequest=request)[1] == 409
    sim.run()
    assert s3.get_object(Bucket="box", Key="cold")["Body"].read() == b"x"
    again = s3.restore_object(Bucket="box", Key="cold", RestoreRequest=request)
    assert again["ResponseMetadata"]["HTTPStatusCode"] == 200


CORS = {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]}
WEBSITE = {"IndexDocument": {"Suffix": "index.html"}}
BLOCK = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": False}
OWNERSHIP = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
POLICY = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject",'
    '"Resource":"arn:aws:s3:::box/*"}]}'
)


@pytest.mark.parametrize(
    ("name", "put", "shown", "absent"),
    [
        ("bucket_cors", {"CORSConfiguration": CORS}, CORS, "NoSuchCORSConfiguration"),
        ("bucket_website", {"WebsiteConfiguration": WEBSITE}, WEBSITE, "NoSuchWebsiteConfiguration"),
        ("bucket_policy", {"Policy": POLICY}, {"Policy": POLICY}, "NoSuchBucketPolicy"),
        (
            "public_access_block",
            {"PublicAccessBlockConfiguration": BLOCK},
            {"PublicAccessBlockConfiguration": BLOCK},
            "NoSuchPublicAccessBlockConfiguration",
        ),
        (
            "bucket_ownership_controls",
            {"OwnershipControls": OWNERSHIP},
            {"OwnershipControls": OWNERSHIP},
            "OwnershipControlsNotFoundError",
        ),
    ],
)
def test_configurations(s3: Any, name: str, put: Any, shown: Any, absent: str) -> None:
    """What is put is given back; without it S3 has an error of its own (404)."""
    s3.delete_bucket_ownership_controls(Bucket="box")
    s3.delete_public_access_block(Bucket="box")
    assert refused(getattr(s3, f"get_{name}"), Bucket="box") == (absent, 404)
    getattr(s3, f"put_{name}")(Bucket="box", **put)
    found = getattr(s3, f"get_{name}")(Bucket="box")
    found.pop("ResponseMetadata")
    assert found == shown
    assert getattr(s3, f"delete_{name}")(Bucket="box")["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert refused(getattr(s3, f"get_{name}"), Bucket="box") == (absent, 404)


def test_default_encryption(s3: Any) -> None:
    """Every bucket has AES256; with aws:kms new objects say so, and their ETag is no MD5 of the content."""
    default = s3.get_bucket_encryption(Bucket="box")["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert default["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "key"}}
    s3.put_bucket_encryption(Bucket="box", ServerSideEncryptionConfiguration={"Rules": [rule]})
    puts = [s3.put_object(Bucket="box", Key="k", Body=b"x") for _ in range(2)]
    arn = "arn:aws:kms:us-east-1:000000000000:key/key"
    assert (puts[0]["ServerSideEncryption"], puts[0]["SSEKMSKeyId"]) == ("aws:kms", arn)
    assert puts[0]["ETag"] != puts[1]["ETag"]
    assert s3.get_object(Bucket="box", Key="k")["ServerSideEncryption"] == "aws:kms"
    assert s3.put_object(Bucket="box", Key="k", ServerSideEncryption="AES256")["ServerSideEncryption"] == "AES256"


def test_what_no_bucket_has(s3: Any) -> None:
    """Lifecycle rules, replication, object lock: absent as on AWS; to put them is refused, they would do nothing."""
    assert refused(s3.get_bucket_lifecycle_configuration, Bucket="box") == ("NoSuchLifecycleConfiguration", 404)
    assert refused(s3.get_bucket_replication, Bucket="box") == ("ReplicationConfigurationNotFoundError", 404)
    assert refused(s3.get_object_lock_configuration, Bucket="box") == ("ObjectLockConfigurationNotFoundError", 404)
    assert s3.get_bucket_request_payment(Bucket="box")["Payer"] == "BucketOwner"
    rule = {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}
    with pytest.raises(Exception, match="PutBucketLifecycleConfiguration: simbus does not play this"):
        s3.put_bucket_lifecycle_configuration(Bucket="box", LifecycleConfiguration={"Rules": [rule]})


def test_a_bucket_of_old_in_a_scenario() -> None:
    """`object_ownership`, `public_access_block_configuration`: of the latter, what is not named is off."""
    block = "public_access_block_configuration: {block_public_policy: true}"
    text = f"buckets: {{box: {{object_ownership: ObjectWriter, {block}}}}}"
    simulation, _ = build(load_data(text.encode(), "a test", Path.cwd()))
    with simulation:
        s3 = simulation.client("s3")
        s3.put_object(Bucket="box", Key="k", ACL="public-read")
        assert refused(s3.put_bucket_policy, Bucket="box", Policy=POLICY) == ("AccessDenied", 403)


@pytest.mark.parametrize(
    ("key", "arn"),
    [
        ("1234abcd-12ab-34cd-56ef-1234567890ab", "key/1234abcd-12ab-34cd-56ef-1234567890ab"),
        ("arn:aws:kms:us-east-1:000000000000:key/k", "key/k"),
    ],
)
def test_a_kms_key_is_answered_with_its_arn(s3: Any, key: str, arn: str) -> None:
    """Whatever the request calls it (PutObject, x-amz-server-side-encryption-aws-kms-key-id)."""
    put = s3.put_object(Bucket="box", Key="k", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    assert put["SSEKMSKeyId"] == f"arn:aws:kms:us-east-1:000000000000:{arn}"
    assert s3.head_object(Bucket="box", Key="k")["SSEKMSKeyId"] == put["SSEKMSKeyId"]


def test_kms_without_a_key_is_the_managed_one(s3: Any) -> None:
    """The AWS managed key aws/s3, one for the account and Region; the bucket's default without a key is the same."""
    put = s3.put_object(Bucket="box", Key="k", ServerSideEncryption="aws:kms")
    assert put["SSEKMSKeyId"].startswith("arn:aws:kms:us-east-1:000000000000:key/")
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}
    s3.put_bucket_encryption(Bucket="box", ServerSideEncryptionConfiguration={"Rules": [rule]})
    by_default = s3.put_object(Bucket="box", Key="k")
    assert (by_default["SSEKMSKeyId"], by_default["BucketKeyEnabled"]) == (put["SSEKMSKeyId"], True)
    named = s3.put_object(Bucket="box", Key="k", ServerSideEncryption="aws:kms", SSEKMSKeyId="alias/aws/s3")
    assert named["SSEKMSKeyId"] == put["SSEKMSKeyId"]
    upload = s3.create_multipart_upload(Bucket="box", Key="k")
    assert upload["SSEKMSKeyId"] == put["SSEKMSKeyId"]


def test_encryption_that_does_not_fit(s3: Any) -> None:
    """InvalidArgument: a key without aws:kms, another method; a key with AES256 as the bucket's default."""
    with pytest.raises(ClientError) as caught:
        s3.put_object(Bucket="box", Key="k", SSEKMSKeyId="k")
    assert caught.value.response["Error"] == {
        "Code": "InvalidArgument",
        "Message": "Server Side Encryption with AWS KMS managed key requires HTTP header "
        "x-amz-server-side-encryption : aws:kms",
        "ArgumentName": "x-amz-server-side-encryption",
        "ArgumentValue": "null",
    }
    for wrong in ({"ServerSideEncryption": "AES256", "SSEKMSKeyId": "k"}, {"ServerSideEncryption": "rot13"}):
        assert refused(s3.put_object, Bucket="box", Key="k", **wrong) == ("InvalidArgument", 400)
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256", "KMSMasterKeyID": "k"}}
    wrong = {"ServerSideEncryptionConfiguration": {"Rules": [rule]}}
    assert refused(s3.put_bucket_encryption, Bucket="box", **wrong) == ("InvalidArgument", 400)


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("put_bucket_tagging", {"Tagging": {"TagSet": []}}),
        ("put_object_tagging", {"Key": "k", "Tagging": {"TagSet": []}}),
        ("put_bucket_versioning", {"VersioningConfiguration": {"Status": "Enabled"}}),
        ("put_bucket_cors", {"CORSConfiguration": CORS}),
        ("put_bucket_website", {"WebsiteConfiguration": WEBSITE}),
        ("put_bucket_policy", {"Policy": POLICY.replace('"*"', '{"AWS": "000000000000"}')}),
        ("put_bucket_encryption", {"ServerSideEncryptionConfiguration": {"Rules": [{}]}}),
        ("put_public_access_block", {"PublicAccessBlockConfiguration": BLOCK}),
        ("put_bucket_ownership_controls", {"OwnershipControls": OWNERSHIP}),
    ],
)
def test_the_md5_of_a_document_is_checked(s3: Any, operation: str, params: Any) -> None:
    """Content-MD5 of configurations and tags: InvalidDigest for what is no MD5, BadDigest for another one."""
    call = getattr(s3, operation)
    assert refused(call, Bucket="box", ContentMD5="none", **params) == ("InvalidDigest", 400)
    assert refused(call, Bucket="box", ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg==", **params) == ("BadDigest", 400)
    for algorithm in ("CRC32", "SHA1", "SHA256"):
        call(Bucket="box", ChecksumAlgorithm=algorithm, **params)


def test_the_checksum_of_a_document_is_checked(s3: Any) -> None:
    """botocore computes them right; who sends his own header with another one is told so (DeleteObjects)."""

    def spoil(params: Any, **_: Any) -> None:
        params["headers"]["x-amz-checksum-sha256"] = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

    s3.meta.events.register("before-call.s3.DeleteObjects", spoil)
    delete = {"Objects": [{"Key": "k"}]}
    assert refused(s3.delete_objects, Bucket="box", Delete=delete, ChecksumAlgorithm="SHA256") == ("BadDigest", 400)
