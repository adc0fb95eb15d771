"""AWS Lambda Powertools, unmodified: parameters from SSM and Secrets Manager, which moto answers, in virtual time.

https://docs.aws.amazon.com/powertools/python/latest/utilities/parameters/
"""

from __future__ import annotations

import time
from typing import Any

import pytest

from simbus import Simulation

parameters = pytest.importorskip("aws_lambda_powertools.utilities.parameters", reason="needs AWS Lambda Powertools")
pytest.importorskip("moto", reason="needs the extra moto")


def test_a_parameter_is_cached_for_five_minutes_of_virtual_time() -> None:
    """`max_age` is 300 seconds by default; what was changed meanwhile is read afterwards; secrets have a provider."""

    def handler(event: Any, context: Any) -> list[Any]:
        ssm, secrets = parameters.SSMProvider(), parameters.SecretsProvider()
        found = [ssm.get("/shop/rate"), secrets.get("key")]
        sim.client("ssm").put_parameter(Name="/shop/rate", Value="2", Type="String", Overwrite=True)
        found.append(ssm.get("/shop/rate"))
        time.sleep(301)
        return [*found, ssm.get("/shop/rate")]

    with Simulation(seed=1) as sim:
        sim.client("ssm").put_parameter(Name="/shop/rate", Value="1", Type="String")
        sim.client("secretsmanager").create_secret(Name="key", SecretString="s3cret")
        assert sim.function("f", handler=handler, timeout=900).invoke({}).json() == ["1", "s3cret", "1", "2"]
