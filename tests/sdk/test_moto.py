"""What simbus does not play itself, moto answers: in virtual time, seeded, one world per simulation."""

from __future__ import annotations

import sys
import time
from typing import Any

import pytest

from simbus import Simulation, UsageError

boto3 = pytest.importorskip("boto3", reason="needs the extra boto3")
pytest.importorskip("moto", reason="needs the extra moto")
from botocore.config import Config  # noqa: E402
from botocore.exceptions import ReadTimeoutError  # noqa: E402


def test_a_secret_made_by_a_test_is_read_by_a_handler() -> None:
    """CreatedDate is virtual time, in the test as in the handler, however late it is."""

    def handler(event: Any, context: Any) -> list[str]:
        client = boto3.client("secretsmanager")
        client.create_secret(Name="mine", SecretString="x")
        dates = [client.describe_secret(SecretId=name)["CreatedDate"] for name in ("theirs", "mine")]
        return [client.get_secret_value(SecretId="theirs")["SecretString"], *(f"{date:%Y-%m-%d %H}" for date in dates)]

    with Simulation(start="2026-01-01T00:00:00Z") as sim:
        sim.client("secretsmanager").create_secret(Name="theirs", SecretString="s3cret")
        function = sim.function("f", handler=handler, timeout=60)
        sim.run(for_="6h")
        assert function.invoke({}).json() == ["s3cret", "2026-01-01 00", "2026-01-01 06"]


def test_the_same_seed_gives_the_same_identifiers() -> None:
    """KMS key ids and version ids are random; here they come from the seed."""

    def made(seed: int) -> list[str]:
        with Simulation(seed=seed) as sim:
            key = sim.client("kms").create_key()["KeyMetadata"]
            return [
                key["KeyId"],
                key["Arn"],
                sim.client("ssm").put_parameter(Name="p", Value="v", Type="String")["Tier"],
            ]

    assert made(1) == made(1)
    assert made(1)[0] != made(2)[0]
    assert ":000000000000:key/" in made(1)[1]


def test_simulations_do_not_see_each_other_nor_the_process() -> None:
    """moto's globals are exchanged; a user's own mock_aws around them keeps what it has."""
    from moto import mock_aws

    with mock_aws():
        boto3.client("ssm", region_name="us-east-1").put_parameter(Name="outer", Value="0", Type="String")
        with Simulation(seed=1) as one, Simulation(seed=2) as two:
            for sim, value in ((one, "1"), (two, "2")):
                sim.client("ssm").put_parameter(Name="p", Value=value, Type="String")
            found = [sim.client("ssm").get_parameter(Name="p")["Parameter"]["Value"] for sim in (one, two)]
            assert found == ["1", "2"]
            client = two.client("ssm")
            with pytest.raises(client.exceptions.ParameterNotFound):
                client.get_parameter(Name="outer")
        assert boto3.client("ssm", region_name="us-east-1").get_parameter(Name="outer")["Parameter"]["Value"] == "0"


def test_a_call_takes_its_latency() -> None:
    """`simulate.aws_latency` counts for these services, too: 20 ms where nothing is said."""

    def handler(event: Any, context: Any) -> float:
        import time

        before = time.time()
        boto3.client("ssm").put_parameter(Name="p", Value="v", Type="String", Overwrite=True)
        return round(time.time() - before, 3)

    with Simulation() as sim:
        assert sim.function("f", handler=handler).invoke({}).json() == 0.02
        assert sim.function("g", handler=handler, simulate={"aws_latency": {"ssm": "1s"}}).invoke({}).json() == 1


def test_without_moto_the_error_names_operation_and_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """One clear error, no traceback of an import."""
    with Simulation() as sim:
        client = sim.client("ssm")
        monkeypatch.setitem(sys.modules, "moto.core.botocore_stubber", None)
        with pytest.raises(UsageError, match=r"ssm GetParameter: .*pip install 'simbus\[moto\]'"):
            client.get_parameter(Name="p")


def test_a_request_arrives_although_its_caller_has_hung_up() -> None:
    """A read timeout of 1 s and a way of 3 s: moto gets the request all the same."""

    def handler(event: Any, context: Any) -> float:
        client = boto3.client("secretsmanager", config=Config(read_timeout=1, retries={"max_attempts": 0}))
        before = time.time()
        with pytest.raises(ReadTimeoutError):
            client.create_secret(Name="s", SecretString="x")
        return time.time() - before

    with Simulation() as sim:
        function = sim.function("f", handler=handler, timeout=9, simulate={"aws_latency": "3s"})
        client = sim.client("secretsmanager")
        assert function.invoke({}).json() == 1
        assert client.list_secrets()["SecretList"] == []
        sim.run()
        assert len(client.list_secrets()["SecretList"]) == 1
