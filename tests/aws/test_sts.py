"""STS through boto3: who calls, and credentials for a while."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from simbus import Simulation

boto3 = pytest.importorskip("boto3", reason="needs the extra boto3")
botocore = pytest.importorskip("botocore")

ROLE = "arn:aws:iam::111122223333:role/service-role/reader"


def test_a_handler_is_the_session_of_its_role() -> None:
    """arn:aws:sts::ACCOUNT:assumed-role/ROLE/FUNCTION inside a handler, a user outside (API_GetCallerIdentity)."""

    def handler(event: Any, context: Any) -> Any:
        found = boto3.client("sts").get_caller_identity()
        return [found["Account"], found["Arn"]]

    with Simulation(account={"id": "111122223333"}) as sim:
        arn = "arn:aws:sts::111122223333:assumed-role/f-role/f"
        assert sim.function("f", handler=handler).invoke({}).json() == ["111122223333", arn]
        outside = boto3.client("sts").get_caller_identity()
        assert outside["Arn"].startswith("arn:aws:iam::111122223333:user/")


def test_credentials_expire_in_virtual_time() -> None:
    """3,600 s by default; the session's ARN has neither the role's path nor `role/` (API_AssumeRole)."""
    with Simulation(seed=1) as sim:
        sim.run(for_="1d")
        client = boto3.client("sts")
        found = client.assume_role(RoleArn=ROLE, RoleSessionName="job-1")
        credentials = found["Credentials"]
        assert credentials["Expiration"] == datetime(2026, 1, 2, 1, tzinfo=UTC)
        assert credentials["AccessKeyId"].startswith("ASIA")
        assert len(credentials["AccessKeyId"]) == 20
        assert len(credentials["SecretAccessKey"]) == 40
        assert found["AssumedRoleUser"]["Arn"] == "arn:aws:sts::111122223333:assumed-role/reader/job-1"
        assert found["AssumedRoleUser"]["AssumedRoleId"].endswith(":job-1")
        again = client.assume_role(RoleArn=ROLE, RoleSessionName="job-1", DurationSeconds=900)
        assert again["AssumedRoleUser"] == found["AssumedRoleUser"]
        assert again["Credentials"]["AccessKeyId"] != credentials["AccessKeyId"]
        session = boto3.Session(
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
        )
        sim.queue("jobs")
        assert session.client("sqs").get_queue_url(QueueName="jobs")
        assert client.get_session_token()["Credentials"]["Expiration"] == datetime(2026, 1, 2, 12, tzinfo=UTC)


def test_a_role_that_is_none_and_a_time_that_is_too_long() -> None:
    """ValidationError, 400."""
    with Simulation() as sim:
        client = sim.client("sts")
        with pytest.raises(client.exceptions.ClientError, match=r"ValidationError.*less than or equal to 43200"):
            client.assume_role(RoleArn=ROLE, RoleSessionName="s1", DurationSeconds=43_201)
        with pytest.raises(client.exceptions.ClientError, match=r"ValidationError.*is invalid"):
            client.assume_role(RoleArn="arn:aws:iam::111122223333:user/reader", RoleSessionName="s1")
        with pytest.raises(client.exceptions.ClientError, match="roleSessionName"):
            client.assume_role(RoleArn=ROLE, RoleSessionName="a b")
