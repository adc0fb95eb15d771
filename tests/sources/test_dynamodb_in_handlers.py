"""A table that handlers use, through `sim.table`."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from simbus import Simulation, UsageError
from simbus.kernel import HOUR, MILLISECOND, SECOND


def test_a_table_needs_neither_boto3_nor_moto() -> None:
    """Expressions are read by simbus itself."""
    program = (
        "import sys; from simbus import Simulation\n"
        "with Simulation() as sim:\n"
        "    table = sim.table('items', hash_key='id'); table.put_item({'id': {'S': '1'}}); "
        "table.scan(filter_expression='attribute_exists(id)'); sim.run()\n"
        "assert not {'moto', 'boto3', 'botocore', 'requests'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_settings_of_a_table(sim: Simulation) -> None:
    """`sim.table` takes durations; the stream is in the account's directory under its ARN, the table under its name."""
    table = sim.table(
        "orders",
        hash_key="id",
        range_key="at",
        attribute_types={"id": "S", "at": "N"},
        stream_view_type="KEYS_ONLY",
        stream_shard_lifetime="1h",
        ttl_attribute="expires",
        ttl_delay="250ms",
    )
    assert table.stream is not None
    assert sim["dynamodb:orders"] is table
    assert sim.world.find("dynamodb:orders") is table
    assert sim.world.find(table.arn) is table
    assert sim.world.find(table.stream.arn) is table.stream
    assert sim.world.find(f"{table.arn}/stream/2020-01-01T00:00:00.000") is None
    assert (table.ttl_delay, table.stream._lifetime) == (250 * MILLISECOND, HOUR)
    with pytest.raises(UsageError, match=r"dynamodb:orders exists already"):
        sim.table("orders", hash_key="id")
    with pytest.raises(UsageError, match=r"ttl_delay of table items is 'soon'; a duration is a number"):
        sim.table("items", hash_key="id", ttl_delay="soon")


def test_calls_take_the_functions_latency(sim: Simulation) -> None:
    """Each call of a handler takes `aws_latency`; its change event names the invocation as its cause."""
    table = sim.table("items", hash_key="id")

    def handler(event: Any, context: Any) -> Any:
        table.put_item({"id": {"S": context.aws_request_id}})
        return table.get_item({"id": {"S": context.aws_request_id}})["Item"]["id"]["S"]

    function = sim.function("f", handler=handler, simulate={"aws_latency": "1s"})
    answer = function.invoke({})
    assert sim.now >= 2 * SECOND
    with sim.reader() as rows:
        (event,) = rows.query("select subject, parent from events where source = 'dynamodb:items'")
    assert tuple(event) == (event[1], event[1])
    assert answer.payload == f'"{event[1]}"'
