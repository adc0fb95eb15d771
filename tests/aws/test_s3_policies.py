"""Bucket policies through boto3: which of them are public, and what PutBucketPolicy refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from simbus import Simulation

boto3 = pytest.importorskip("boto3", reason="needs the extra boto3")
from botocore.exceptions import ClientError  # noqa: E402

ARN = "arn:aws:s3:::box"


@pytest.fixture
def s3() -> Iterator[Any]:
    with Simulation(seed=1) as sim:
        client = sim.client("s3")
        client.create_bucket(Bucket="box")
        yield client


def policy(**changes: Any) -> str:
    """A policy of one statement; what is None is left out."""
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"{ARN}/*", **changes}
    given = {name: value for name, value in statement.items() if value is not None}
    return json.dumps({"Version": "2012-10-17", "Statement": [given]})


PUBLIC: list[Any] = [
    None,
    {"Bool": {"aws:SecureTransport": "true"}},
    {"StringLike": {"aws:Referer": "https://www.example.com"}},
    {"StringLike": {"aws:SourceVpc": "vpc-*"}},
    {"StringEquals": {"aws:SourceVpce": ["vpce-1", "vpce-?"]}},
    {"StringEquals": {"aws:userid": "${aws:username}"}},
    {"StringNotEquals": {"aws:SourceVpc": "vpc-91237329"}},
    {"StringEqualsIfExists": {"aws:SourceAccount": "111122223333"}},
    {"ForAllValues:StringEquals": {"aws:SourceAccount": "111122223333"}},
    {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:111122223333:*"}},
    {"StringLike": {"s3:DataAccessPointArn": "arn:aws:s3:us-west-2:*:accesspoint/one"}},
    {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}},
    {"IpAddress": {"aws:SourceIp": ["192.0.2.0/24", "128.0.0.0/1"]}},
    {"IpAddress": {"aws:SourceIp": "2001::/16"}},
    {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}},
]
NOT_PUBLIC: list[Any] = [
    {"StringEquals": {"aws:SourceVpc": "vpc-91237329"}},
    {"StringEquals": {"AWS:sourcevpce": ["vpce-1", "vpce-2"]}},
    {"StringEquals": {"aws:SourceAccount": "111122223333"}, "Bool": {"aws:SecureTransport": "true"}},
    {"ArnEquals": {"aws:SourceArn": "arn:aws:cloudtrail:us-east-1:111122223333:trail/one"}},
    {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}},
    {"StringEquals": {"aws:userid": "AIDAEXAMPLE"}},
    {"StringEquals": {"s3:x-amz-server-side-encryption-aws-kms-key-id": "arn:aws:kms:us-east-1:111122223333:key/k"}},
    {"StringLike": {"s3:DataAccessPointArn": "arn:aws:s3:us-west-2:123456789012:accesspoint/*"}},
    {"IpAddress": {"aws:SourceIp": ["192.0.2.1", "10.0.0.0/8", "2001:db8::/32"]}},
]


@pytest.mark.parametrize(
    ("condition", "public"), [(each, True) for each in PUBLIC] + [(each, False) for each in NOT_PUBLIC]
)
def test_what_public_means(s3: Any, condition: Any, public: bool) -> None:
    """User guide, "Blocking public access to your Amazon S3 storage": only fixed values of some keys, and networks that
    are not too broad, make a policy for everybody not public. BlockPublicPolicy refuses the others.
    """
    text = policy(Condition=condition)
    if public:
        with pytest.raises(ClientError, match="public policies are prevented by the BlockPublicPolicy setting"):
            s3.put_bucket_policy(Bucket="box", Policy=text)
        s3.delete_public_access_block(Bucket="box")
    s3.put_bucket_policy(Bucket="box", Policy=text)
    assert s3.get_bucket_policy_status(Bucket="box")["PolicyStatus"] == {"IsPublic": public}


def test_policies_for_some_are_not_public(s3: Any) -> None:
    """A fixed principal, a service's, a denial; all but somebody is everybody."""
    for changes in (
        {"Principal": {"AWS": ["111122223333", "arn:aws:iam::111122223333:role/reader"]}},
        {"Principal": {"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"}},
        {"Principal": {"Service": "cloudfront.amazonaws.com"}},
        {"Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
    ):
        s3.put_bucket_policy(Bucket="box", Policy=policy(**changes))
        assert s3.get_bucket_policy_status(Bucket="box")["PolicyStatus"] == {"IsPublic": False}
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_bucket_policy(Bucket="box", Policy=policy(Principal=None, NotPrincipal={"AWS": "111122223333"}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Resource": "arn:aws:s3:::boxes/*"}, "Policy has invalid resource"),
        ({"Resource": "*"}, "Policy has invalid resource"),
        ({"Resource": [f"{ARN}/*", "arn:aws:s3:::*"]}, "Policy has invalid resource"),
        ({"Action": "s3:GetObjects"}, "Policy has invalid action"),
        ({"Action": ["s3:GetObject", "sqs:SendMessage"]}, "Policy has invalid action"),
        ({"Action": "s3:Foo*"}, "Policy has invalid action"),
        ({"Action": "s3:ListBucket"}, "Action does not apply to any resource(s) in statement"),
        ({"Resource": ARN}, "Action does not apply to any resource(s) in statement"),
        ({"Principal": None}, "Missing required field Principal"),
        ({"Action": None}, "Missing required field Action"),
        ({"Resource": None}, "Missing required field Resource"),
        ({"Effect": None}, "Missing required field Effect"),
        ({"Effect": "hello"}, "Invalid effect: hello"),
        ({"Principal": {"AWS": "user"}}, "Invalid principal in policy"),
        ({"Principal": "somebody"}, "Invalid principal in policy"),
    ],
)
def test_what_s3_refuses_of_a_policy(s3: Any, changes: Any, message: str) -> None:
    """400 MalformedPolicy; the texts as users quote them (versity/versitygw#645 to #650, humanmade/S3-Uploads#239)."""
    with pytest.raises(ClientError) as caught:
        s3.put_bucket_policy(Bucket="box", Policy=policy(**changes))
    assert caught.value.response["Error"] == {"Code": "MalformedPolicy", "Message": message}
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_what_s3_takes_of_a_policy(s3: Any) -> None:
    """Names of actions have no case; a statement of both kinds of actions has both kinds of resources."""
    who = {"AWS": "111122223333"}
    for changes in (
        {"Action": "s3:*", "Resource": ARN},
        {"Action": "*"},
        {"Action": ["s3:getobject", "S3:Get*"]},
        {"Action": ["s3:ListBucket", "s3:PutObject"], "Resource": [ARN, f"{ARN}/*"]},
        {"Action": ["s3:ListBucket", "s3:PutObject"], "Resource": f"{ARN}*"},
        {"Action": None, "NotAction": "s3:DeleteObject"},
        {"Resource": None, "NotResource": f"{ARN}/secret"},
    ):
        s3.put_bucket_policy(Bucket="box", Policy=policy(Principal=who, **changes))
