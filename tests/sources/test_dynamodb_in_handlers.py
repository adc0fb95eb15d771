"""A table that handlers use: through `sim.table`, and expressions whose parser is imported in the middle of a run."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from simbus import Simulation, UsageError
from simbus.kernel import HOUR, MILLISECOND, SECOND

PROGRAM = """
import random, sys, types
from pathlib import Path
from simbus import Simulation

folder = Path(sys.argv[1])
(folder / "requests.py").write_text("MINE = True")
(folder / "app.py").write_text('''
import random, requests, shop
def handler(event, context):
    before = random.random()
    shop.table.update_item({"id": {"S": "1"}}, "ADD n :one", expression_attribute_values={":one": {"N": "1"}})
    import requests as again
    return [before, random.random(), requests.MINE and again is requests]
''')
if sys.argv[2] == "before":
    import moto.dynamodb
shop = sys.modules["shop"] = types.ModuleType("shop")
with Simulation(seed=1) as sim:
    shop.table = sim.table("items", hash_key="id", stream_view_type="NEW_IMAGE")
    assert sys.argv[2] == "before" or "moto" not in sys.modules
    function = sim.function("f", handler="app.handler", code=folder)
    answers = [function.invoke({}).payload for _ in range(2)]
    sim.run()
    print(answers, sim.digest(), shop.table.items)
import requests
assert "moto.dynamodb" in sys.modules and not hasattr(requests, "MINE")
"""


def test_the_parser_may_be_imported_inside_a_handler(tmp_path: Any) -> None:
    """The first expression of a process imports moto: the handler's random numbers, its modules and moto's are as if it
    had been there before."""
    pytest.importorskip("moto.dynamodb", reason="expressions need the extra dynamodb (moto)")
    answers = []
    for when in ("before", "in the handler"):
        folder = tmp_path / when
        folder.mkdir()
        run = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(folder), when], capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stderr
        answers.append(run.stdout)
    assert answers[0] == answers[1]
    assert "{'N': '2'}" in answers[0]
    assert "true]" in answers[0]


def test_a_simulation_without_expressions_never_imports_the_parser() -> None:
    """Half a second that only who writes expressions pays."""
    program = (
        "import sys; from simbus import Simulation\n"
        "with Simulation() as sim:\n"
        "    table = sim.table('items', hash_key='id'); table.put_item({'id': {'S': '1'}}); table.scan(); sim.run()\n"
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
