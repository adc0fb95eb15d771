"""DynamoDB tables in a scenario: `tables`, and the verbs put_item, update_item and delete_item."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simbus.errors import ScenarioError
from simbus.kernel import HOUR, SECOND
from simbus.logs.reader import open_run
from simbus.scenario.build import build, check, run_scenario
from simbus.scenario.loader import Scenario, load
from simbus.sources.dynamodb.table import Table


def scenario(folder: Path, text: str) -> Scenario:
    (folder / "orders.yaml").write_text(text)
    return load(folder / "orders.yaml")


def played(folder: Path, text: str) -> Table:
    """The table `orders` after a run."""
    simulation, plan = build(scenario(folder, text))
    with simulation:
        simulation.play(plan.until, idle=False)
        table: Table = simulation["dynamodb:orders"]
        return table


def query(folder: Path, text: str, sql: str) -> list[tuple[Any, ...]]:
    run_scenario(scenario(folder, text), db=folder / "run.db")
    with open_run(folder / "run.db") as run:
        return [tuple(row) for row in run.query(sql)]


def refusal(folder: Path, text: str) -> str:
    """What `simbus check` says of a scenario of this text."""
    with pytest.raises(ScenarioError) as caught:
        check(scenario(folder, text))
    return str(caught.value).replace(f"{folder}/", "")


TABLE = "tables: {orders: {hash_key: id}}\n"


def test_the_contract_s_line(tmp_path: Path) -> None:
    """design.md, section 7: the table `orders` as it is written there, and AWS's own form of the same."""
    short = """
tables: {orders: {hash_key: id, range_key: at, attribute_types: {id: S, at: N}, stream_view_type: NEW_AND_OLD_IMAGES,
                  ttl_attribute: expires}}
"""
    nested = """
tables:
  orders:
    key_schema: [{attribute_name: at, key_type: RANGE}, {attribute_name: id, key_type: HASH}]
    attribute_definitions: [{attribute_name: id, attribute_type: S}, {attribute_name: at, attribute_type: N}]
    stream_specification: {stream_enabled: true, stream_view_type: NEW_AND_OLD_IMAGES}
    time_to_live_specification: {enabled: true, attribute_name: expires}
"""
    for text in (short, nested):
        table = played(tmp_path, text)
        assert table.schema == ("id", "S", "at", "N")
        assert table.stream is not None
        assert (table.stream.view_type, table.stream._lifetime) == ("NEW_AND_OLD_IMAGES", 4 * HOUR)
        assert (table.ttl_attribute, table.ttl_delay) == ("expires", 0)


def test_secondary_indexes(tmp_path: Path) -> None:
    """LocalSecondaryIndexes and GlobalSecondaryIndexes, in the short form and in AWS's own."""
    short = """
tables:
  orders:
    hash_key: customer
    range_key: id
    attribute_types: {at: N}
    local_secondary_indexes: [{index_name: by_at, hash_key: customer, range_key: at, projection_type: KEYS_ONLY}]
    global_secondary_indexes: [{index_name: of_state, hash_key: state, range_key: at, projection_type: INCLUDE,
                                non_key_attributes: [total]}]
"""
    nested = """
tables:
  orders:
    key_schema: [{attribute_name: customer, key_type: HASH}, {attribute_name: id, key_type: RANGE}]
    attribute_definitions:
      - {attribute_name: customer, attribute_type: S}
      - {attribute_name: id, attribute_type: S}
      - {attribute_name: at, attribute_type: N}
    local_secondary_indexes:
      - index_name: by_at
        key_schema: [{attribute_name: customer, key_type: HASH}, {attribute_name: at, key_type: RANGE}]
        projection: {projection_type: KEYS_ONLY}
    global_secondary_indexes:
      - index_name: of_state
        key_schema: [{attribute_name: state, key_type: HASH}, {attribute_name: at, key_type: RANGE}]
        projection: {projection_type: INCLUDE, non_key_attributes: [total]}
"""
    tables = [played(tmp_path, text) for text in (short, nested)]
    described = [table.describe_table()["Table"] | {"TableId": ""} for table in tables]
    assert described[0] == described[1]
    assert list(tables[0].indexes) == ["by_at", "of_state"]
    assert described[0]["GlobalSecondaryIndexes"][0]["Projection"]["NonKeyAttributes"] == ["total"]


def test_settings_of_simbus(tmp_path: Path) -> None:
    """What AWS does not let one choose are simbus's own settings, in simbus's durations."""
    table = played(
        tmp_path,
        """
tables:
  orders: {hash_key: id, stream_view_type: KEYS_ONLY, stream_shard_count: 3, stream_shard_lifetime: 1h,
           ttl_attribute: end, ttl_delay: 90s}
""",
    )
    assert table.stream is not None
    assert (len(table.stream.shards), table.stream._lifetime, table.ttl_delay) == (3, HOUR, 90 * SECOND)


def test_a_stream_that_is_not_enabled_and_ttl_that_is_off(tmp_path: Path) -> None:
    """AWS's `false` of both means none (API reference, StreamSpecification, TimeToLiveSpecification)."""
    table = played(
        tmp_path,
        """
tables:
  orders: {hash_key: id, stream_specification: {stream_enabled: false},
           time_to_live_specification: {enabled: false, attribute_name: end}}
""",
    )
    assert (table.stream, table.ttl_attribute) == (None, None)


def test_plain_and_typed_values(tmp_path: Path) -> None:
    """A plain scalar is what YAML says it is, in a key attribute what the key is; a template keeps its type."""
    table = played(
        tmp_path,
        """
tables: {orders: {hash_key: id, range_key: at, attribute_types: {at: N}}}
workload:
  - put_item:
      table_name: orders
      item:
        id: "{n}"
        at: "7"
        text: "order {n}"
        number: "{n * 2}"
        half: 0.5
        yes: true
        nothing: null
        typed: {S: "{n}"}
        count: {N: 3}
        list: {L: [1, a, {M: {deep: "{n}", NULL: {NULL: true}}}]}
        set: {SS: [a, "{n}"]}
        numbers: {NS: [1, "{n + 2}"]}
        bytes: {B: aGk=}
    at: 1s
    count: 2
""",
    )
    assert table.items[1] == {
        "id": {"S": "1"},
        "at": {"N": "7"},
        "text": {"S": "order 1"},
        "number": {"N": "2"},
        "half": {"N": "0.5"},
        "yes": {"BOOL": True},
        "nothing": {"NULL": True},
        "typed": {"S": "1"},
        "count": {"N": "3"},
        "list": {"L": [{"N": "1"}, {"S": "a"}, {"M": {"deep": {"N": "1"}, "NULL": {"NULL": True}}}]},
        "set": {"SS": ["1", "a"]},
        "numbers": {"NS": ["1", "3"]},
        "bytes": {"B": b"hi"},
    }


def test_verbs(tmp_path: Path) -> None:
    """Each write is one change event by what it did; a condition that fails is the client's error, not retried."""
    text = """
tables: {orders: {hash_key: id, stream_view_type: KEYS_ONLY}}
workload:
  - {put_item: {table: orders, item: {id: a, n: 1}}, at: 1s, count: 2}
  - {update_item: {table: "dynamodb:orders", key: {id: a}, update_expression: "SET #n = #n + :by",
                   expression_attribute_names: {"#n": n}, expression_attribute_values: {":by": "{n + 5}"}}, at: 2s}
  - {delete_item: {table: orders, key: {id: a}, condition_expression: "n = :n",
                   expression_attribute_values: {":n": {N: 7}}}, at: 3s}
  - {delete_item: {table: orders, key: {id: {S: a}}}, at: 4s}
"""
    assert query(tmp_path, text, "select type, time - 1767225600000 from events") == [
        ("INSERT", 1000),
        ("MODIFY", 2000),
        ("REMOVE", 4000),
    ]
    assert query(tmp_path, text, "select kind, place, detail from hops") == [
        (
            "client_error",
            "dynamodb:orders",
            "delete_item, attempt 1: ConditionalCheckFailedException: The conditional request failed",
        )
    ]


def test_a_table_in_an_outage_is_tried_again_as_an_sdk_does(tmp_path: Path) -> None:
    """503 is retried in the standard mode: three attempts in all (botocore, docs, "Retries")."""
    simulation, _ = build(scenario(tmp_path, TABLE + "workload: [{put_item: {table: orders, item: {id: a}}, at: 1s}]"))
    with simulation:
        table: Table = simulation["dynamodb:orders"]
        simulation.at("500ms", lambda: table.outage(SECOND // 2 + 1))
        simulation.run()
        assert len(table) == 1
        assert simulation.now > SECOND


def test_same_seed_same_rows(tmp_path: Path) -> None:
    """A run with a table and its stream is repeated to the byte by its seed."""
    text = scenario(
        tmp_path,
        """
tables: {orders: {hash_key: id, stream_view_type: NEW_IMAGE, ttl_attribute: end}}
duration: 2h
workload:
  - {put_item: {table: orders, item: {id: "{n % 7}", v: "{rand}", end: {N: "1767229200"}}}, rate: 1/s, for: 1h}
""",
    )
    assert run_scenario(text, seed=1).digest == run_scenario(text, seed=1).digest != run_scenario(text, seed=2).digest


REFUSED = [
    ("tables: {a: {hash_key: id}}", "orders.yaml:1: $.tables.a is 'a'; a table's name has 3 to 255"),
    ("tables:\n  orders: {}", "orders.yaml:2: $.tables.orders has no hash_key"),
    ("tables:\n  orders: {range_key: at}", "orders.yaml:2: $.tables.orders has no hash_key"),
    ("tables:\n  orders: {hash_key: ''}", "orders.yaml:2: $.tables.orders.hash_key is a name of 0 bytes; DynamoDB"),
    ("tables:\n  orders: {hash_key: id, range_key: id}", "orders.yaml:2: $.tables.orders has 'id' as both keys"),
    (
        "tables:\n  orders:\n    hash_key: id\n    attribute_types: {id: X}",
        "orders.yaml:4: $.tables.orders.attribute_types.id is 'X'; the types of a key attribute are S, N, B.",
    ),
    (
        "tables:\n  orders: {hash_key: id, attribute_types: {price: N}}",
        "orders.yaml:2: $.tables.orders gives 'price' a type, which is no key attribute",
    ),
    (
        "tables:\n  orders: {hash_key: id, local_secondary_indexes: [{index_name: one, hash_key: id, range_key: at}]}",
        "orders.yaml:2: $.tables.orders has the local index 'one' with the key id, at; it has the hash key of its",
    ),
    (
        "tables:\n  orders: {hash_key: id, global_secondary_indexes: [{index_name: one}]}",
        "orders.yaml:2: $.tables.orders.global_secondary_indexes[0] has no hash_key; an index has one",
    ),
    (
        "tables:\n  orders: {hash_key: id, global_secondary_indexes: [{index_name: one, hash_key: a, "
        "non_key_attributes: [b]}]}",
        "orders.yaml:2: $.tables.orders.global_secondary_indexes[0] has non_key_attributes without projection_type",
    ),
    (
        "tables:\n  orders: {hash_key: id, key_schema: [{attribute_name: id, key_type: HASH}]}",
        "orders.yaml:2: $.tables.orders gives hash_key and key_schema, which are the same in two forms",
    ),
    (
        "tables:\n  orders: {key_schema: [{attribute_name: id, key_type: RANGE}]}",
        "orders.yaml:2: $.tables.orders has a key_schema other than one HASH and at most one RANGE element",
    ),
    (
        "tables:\n  orders: {key_schema: [{attribute_name: id, key_type: HASH}]}",
        "orders.yaml:2: $.tables.orders has no attribute_definitions for the key 'id'",
    ),
    (
        "tables:\n  orders:\n    hash_key: id\n    stream_view_type: BOTH",
        "orders.yaml:4: $.tables.orders.stream_view_type is 'BOTH'; the view types are KEYS_ONLY",
    ),
    (
        "tables:\n  orders: {hash_key: id, stream_specification: {stream_enabled: true}}",
        "orders.yaml:2: $.tables.orders.stream_specification has no stream_view_type",
    ),
    (
        "tables:\n  orders: {hash_key: id, stream_shard_lifetime: 1h}",
        "orders.yaml:2: $.tables.orders has stream_shard_lifetime, but no stream_view_type",
    ),
    (
        "tables:\n  orders: {hash_key: id, stream_view_type: KEYS_ONLY, stream_shard_lifetime: 5}",
        "orders.yaml:2: $.tables.orders.stream_shard_lifetime is 5; a duration is a number with a unit",
    ),
    (
        "tables:\n  orders: {hash_key: id, stream_view_type: KEYS_ONLY, stream_shard_lifetime: 0s}",
        "orders.yaml:2: $.tables.orders has a stream_shard_lifetime of 0",
    ),
    (
        "tables:\n  orders: {hash_key: id, ttl_delay: 1h}",
        "orders.yaml:2: $.tables.orders has ttl_delay, but no ttl_attribute",
    ),
    ("tables:\n  orders: {hash_kye: id}", "orders.yaml:2: $.tables.orders.hash_kye is no key of a scenario here; did"),
]


@pytest.mark.parametrize(("text", "begins"), REFUSED)
def test_a_wrong_table_is_refused(tmp_path: Path, text: str, begins: str) -> None:
    """File, line, path, finding and rule (design.md, section 5); ranges: botocore's model of DynamoDB."""
    assert refusal(tmp_path, text).startswith(begins)


ITEMS = [
    ("put_item: {table: stock, item: {id: a}}", ".put_item.table is 'dynamodb:stock'; there is no stock in tables"),
    ("put_item: {table: 'sqs:q', item: {id: a}}", ".put_item.table is 'sqs:q'; a table is named by its name"),
    ("put_item: {table: orders}", ".put_item.item is missing"),
    ("put_item: {table: orders, item: {id: a, l: [1]}}", ".put_item.item.l is a plain list, which could be a list or"),
    (
        "put_item: {table: orders, item: {id: a, m: {x: 1}}}",
        ".put_item.item.m is a mapping of 1 that is no typed value",
    ),
    ("put_item: {table: orders, item: {id: a, l: {L: [[1]]}}}", ".put_item.item.l is a plain list"),
    ("put_item: {table: orders, item: {id: a, v: '{m}'}}", ".put_item.item has {m}; an expression has the names"),
    (
        "put_item: {table: orders, item: {v: 1}}",
        ".put_item is refused; AWS answers ValidationException: One or more parameter values were invalid: Missing the "
        "key id in the item",
    ),
    (
        "put_item: {table: orders, item: {id: {N: 1}}}",
        ".put_item is refused; AWS answers ValidationException: One or more parameter values were invalid: Type "
        "mismatch for key id expected: S actual: N",
    ),
    (
        "put_item: {table: orders, item: {id: a, s: {SS: []}}}",
        ".put_item is refused; AWS answers ValidationException: One or more parameter values were invalid: An string",
    ),
    (
        "delete_item: {table: orders, key: {id: a, more: 1}}",
        ".delete_item is refused; AWS answers ValidationException: The provided key element does not match the schema",
    ),
]


@pytest.mark.parametrize(("item", "finding"), ITEMS)
def test_a_wrong_write_is_refused_before_the_run(tmp_path: Path, item: str, finding: str) -> None:
    """What AWS refuses whatever the table holds is a mistake in the file."""
    text = f"{TABLE}workload: [{{{item}, at: 1s}}]"
    assert refusal(tmp_path, text).startswith(f"orders.yaml:2: $.workload[0]{finding}")


def test_a_plain_value_for_a_binary_key_is_refused(tmp_path: Path) -> None:
    """It could be text or base64: a key of type B is written typed."""
    table = "tables: {orders: {hash_key: id, attribute_types: {id: B}}}\n"
    message = refusal(tmp_path, table + "workload: [{put_item: {table: orders, item: {id: aGk=}}, at: 1s}]")
    assert message.startswith(
        "orders.yaml:2: $.workload[0].put_item is refused: 'aGk=' is a plain value for the binary"
    )
    assert len(played(tmp_path, table + "workload: [{put_item: {table: orders, item: {id: {B: aGk=}}}, at: 1s}]")) == 1


def test_a_wrong_expression_is_refused_before_the_run(tmp_path: Path) -> None:
    """Syntax and placeholders are checked by `simbus check`."""
    item = "update_item: {table: orders, key: {id: a}, update_expression: 'SET n = :v'}"
    assert refusal(tmp_path, f"{TABLE}workload: [{{{item}, at: 1s}}]").startswith(
        "orders.yaml:2: $.workload[0].update_item is refused; AWS answers ValidationException: Invalid "
        "UpdateExpression: An expression attribute value used in expression is not defined; attribute value: :v"
    )


def test_provisioned_capacity_throttles_the_workload(tmp_path: Path) -> None:
    """400 writes at one instant to a table of 1 WCU: 300 units are saved, the others are tried again as an SDK does."""
    units = "provisioned_throughput: {read_capacity_units: 1, write_capacity_units: 1}"
    text = (
        f"tables: {{orders: {{hash_key: id, {units}}}}}\n"
        'workload: [{put_item: {table: orders, item: {id: "{n}"}}, at: 1s, count: 400}]'
    )
    table = played(tmp_path, text)
    assert 300 < len(table) < 400
    assert table.describe_table()["Table"]["ProvisionedThroughput"]["WriteCapacityUnits"] == 1


def test_capacity_of_an_index(tmp_path: Path) -> None:
    """A global index of such a table needs units of its own (API reference, CreateTable)."""
    units = "provisioned_throughput: {read_capacity_units: 1, write_capacity_units: 1}"
    index = "{index_name: of_city, hash_key: city}"
    text = f"tables: {{orders: {{hash_key: id, {units}, global_secondary_indexes: [%s]}}}}\n"
    assert "index of_city has no provisioned_throughput" in refusal(tmp_path, text % index)
    table = played(tmp_path, text % index.replace("}", f", {units}}}"))
    assert table.describe_table()["Table"]["GlobalSecondaryIndexes"][0]["ProvisionedThroughput"] == {
        "NumberOfDecreasesToday": 0,
        "ReadCapacityUnits": 1,
        "WriteCapacityUnits": 1,
    }
