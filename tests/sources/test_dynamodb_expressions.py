"""Condition, update, projection, key condition and filter expressions."""

from __future__ import annotations

from typing import Any

import pytest
from dynamodb_stubs import Stage

from simbus.errors import AwsError
from simbus.sources.dynamodb.errors import RefusedWrite
from simbus.sources.dynamodb.table import Table

KEY = {"id": {"S": "1"}}
ITEM: dict[str, Any] = {
    **KEY,
    "n": {"N": "10"},
    "word": {"S": "hello"},
    "nil": {"NULL": True},
    "tags": {"SS": ["a", "b"]},
    "bytes": {"B": b"abc"},
    "seq": {"L": [{"N": str(number)} for number in range(12)]},
    "map": {"M": {"in": {"L": [{"M": {"x": {"S": "deep"}}}]}}},
}
LIST = ITEM["seq"]["L"]
TWO = {"N": "2"}
DEEP = ITEM["map"]["M"]["in"]["L"]
VALUES: dict[str, Any] = {
    ":one": {"N": "1"},
    ":ten": {"N": "1e1"},
    ":eleven": {"N": "11"},
    ":he": {"S": "he"},
    ":a": {"S": "a"},
    ":null": {"NULL": True},
    ":ab": {"B": b"ab"},
    ":tags": {"SS": ["b", "a"]},
    ":S": {"S": "S"},
}


@pytest.fixture
def table() -> Table:
    made = Stage().table()
    made.put_item(ITEM)
    return made


def used(given: dict[str, Any], text: str) -> dict[str, Any] | None:
    words = text.replace("(", " ").replace(")", " ").replace(",", " ").split()
    return {key: value for key, value in given.items() if key in words} or None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("n = :ten", True),
        ("n <> :ten", False),
        ("n < :eleven AND n > :one", True),
        ("n < :he", False),
        ("word > :he", True),
        ("absent = :one", False),
        ("absent <> :one", True),
        ("absent < :one", False),
        ("nil = :null", True),
        ("absent = :null", False),
        ("tags = :tags", True),
        ("n between :one and :eleven", True),
        ("n BETWEEN :eleven AND :eleven", False),
        ("n IN (:one, :ten)", True),
        ("word IN (:one,:ten)", False),
        ("attribute_exists(nil)", True),
        ("attribute_not_exists(absent) and NOT attribute_not_exists(n)", True),
        ("attribute_type(word, :S)", True),
        ("attribute_type(n, :S)", False),
        ("begins_with(word, :he)", True),
        ("begins_with(bytes, :ab)", True),
        ("begins_with(n, :he)", False),
        ("contains(word, :he)", True),
        ("contains(tags, :a)", True),
        ("contains(seq, :eleven)", True),
        ("contains(seq, :a)", False),
        ("contains(bytes, :ab)", True),
        ("size(word) < :ten", True),
        ("size(seq) > :eleven", True),
        ("size(n) > :one", False),
        ("size(absent) > :one", False),
        ("seq[11] = :eleven", True),
        ("seq[12] = :eleven", False),
        ("attribute_exists(#map.#in[0].x)", True),
        ("n = :one OR n = :ten AND word = :a", False),
        ("(n = :one\n\tOR n = :ten) AND word <> :a", True),
        ("n = :ten OR n = :one AND word = :a", True),
    ],
)
def test_conditions(table: Table, text: str, expected: bool) -> None:
    """Operators and functions (developer guide, Expressions.OperatorsAndFunctions); a failure writes nothing."""
    names = {"#map": "map", "#in": "in"} if "#" in text else None
    arguments = {"expression_attribute_names": names, "expression_attribute_values": used(VALUES, text)}
    found = table.scan(filter_expression=text, **arguments)
    assert found["Count"] == expected
    if expected:
        table.delete_item(KEY, condition_expression=text, **arguments)
        assert not table.items
    else:
        with pytest.raises(AwsError, match="ConditionalCheckFailedException: The conditional request failed"):
            table.delete_item(KEY, condition_expression=text, **arguments)
        assert len(table) == 1


def test_failed_condition_shows_the_item_on_demand(table: Table) -> None:
    """ReturnValuesOnConditionCheckFailure ALL_OLD (API reference, PutItem)."""
    condition = {"condition_expression": "attribute_not_exists(id)"}
    with pytest.raises(RefusedWrite) as caught:
        table.put_item(KEY, **condition)
    assert caught.value.details == {}
    with pytest.raises(RefusedWrite) as caught:
        table.put_item(KEY, **condition, return_values_on_condition_check_failure="ALL_OLD")
    assert caught.value.details == {"Item": ITEM}


INVALID = "Invalid ConditionExpression: "


@pytest.mark.parametrize(
    ("text", "names", "values", "message"),
    [
        ("", None, None, INVALID + "The expression can not be empty;"),
        ("n = :x", None, None, INVALID + "An expression attribute value used in expression is not defined; "),
        ("#n = n", None, None, INVALID + "An expression attribute name used in the document path is not defined; "),
        (
            "size = :one",
            None,
            {":one": {"N": "1"}},
            INVALID + "Attribute name is a reserved keyword; ",
        ),
        ("n = ", None, None, INVALID + "Syntax error"),
        ("a-b = n", None, None, INVALID + "Syntax error"),
        ("name = n", None, None, INVALID + "Attribute name is a reserved keyword; reserved keyword: name"),
        ("((n = n))", None, None, INVALID + "The expression has redundant parentheses;"),
        (None, {"#n": "n"}, None, "ExpressionAttributeNames can only be specified when using expressions"),
        ("n = n", None, None, "Invalid ConditionExpression: The first operand must be distinct from the remaining"),
        ("n = m", {"#n": "n"}, None, "Value provided in ExpressionAttributeNames unused in expressions: keys: {#n}"),
        (
            "n = m",
            None,
            {":x": {"N": "1"}},
            "Value provided in ExpressionAttributeValues unused in expressions: keys: {:x}",
        ),
        ("n = m", {}, None, "ExpressionAttributeNames must not be empty"),
        ("n = m", {"n": "n"}, None, 'ExpressionAttributeNames contains invalid key: Syntax error; key: "n"'),
        (
            "n < :x",
            None,
            {":x": {"BOOL": True}},
            INVALID + "Incorrect operand type for operator or function; operator or function: <, operand type: BOOL",
        ),
        (
            "n BETWEEN :x AND :y",
            None,
            {":x": {"N": "2"}, ":y": {"N": "1"}},
            INVALID + "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; ",
        ),
        ("attribute_type(n, :x)", None, {":x": {"S": "T"}}, INVALID + "Invalid attribute type name found; type: T, "),
    ],
)
def test_refused_conditions(table: Table, text: str | None, names: Any, values: Any, message: str) -> None:
    """AWS refuses them before it looks at the item."""
    with pytest.raises(AwsError) as caught:
        table.put_item(
            KEY, condition_expression=text, expression_attribute_names=names, expression_attribute_values=values
        )
    assert caught.value.code == "ValidationException"
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize(
    ("text", "values", "changed"),
    [
        ("SET n = n + :v", {":v": {"N": "0.5"}}, {"n": {"N": "10.5"}}),
        ("SET fresh = list_append(if_not_exists(fresh, :v), :v)", {":v": {"L": [TWO]}}, {"fresh": {"L": [TWO, TWO]}}),
        ("SET n = n - :v, fresh = n", {":v": {"N": "1"}}, {"n": {"N": "9"}, "fresh": {"N": "10"}}),
        ("SET n = if_not_exists(absent, :v) + :v", {":v": {"N": "3"}}, {"n": {"N": "6"}}),
        ("SET #seq = list_append(:v, :v)", {":v": {"L": [{"S": "x"}]}}, {"seq": {"L": [{"S": "x"}, {"S": "x"}]}}),
        ("SET #map.#in[0].x = :v", {":v": {"N": "1"}}, {"map": {"M": {"in": {"L": [{"M": {"x": {"N": "1"}}}]}}}}),
        ("SET #map.#in[9] = :v", {":v": {"N": "1"}}, {"map": {"M": {"in": {"L": [*DEEP, {"N": "1"}]}}}}),
        ("REMOVE #seq[0], #seq[11], #seq[5]", None, {"seq": {"L": [LIST[n] for n in (*range(1, 5), *range(6, 11))]}}),
        ("ADD n :v, tally :v", {":v": {"N": "-1"}}, {"n": {"N": "9"}, "tally": {"N": "-1"}}),
        ("ADD tags :v", {":v": {"SS": ["c", "a"]}}, {"tags": {"SS": ["a", "b", "c"]}}),
        ("DELETE tags :v", {":v": {"SS": ["b", "z"]}}, {"tags": {"SS": ["a"]}}),
        ("DELETE tags :v", {":v": {"SS": ["b", "a"]}}, {"tags": None}),
        ("SET n = :v REMOVE tags ADD tally :v", {":v": {"N": "2"}}, {"n": TWO, "tags": None, "tally": TWO}),
        ("REMOVE absent", None, {}),
    ],
)  # fmt: skip
def test_updates(table: Table, text: str, values: Any, changed: dict[str, Any]) -> None:
    """The actions of developer guide, Expressions.UpdateExpressions; operands are those of before the update."""
    names = {name: name[1:] for name in ("#seq", "#map", "#in") if name in text} or None
    answer = table.update_item(
        KEY,
        text,
        expression_attribute_names=names,
        expression_attribute_values=values,
        return_values="ALL_NEW",
    )
    expected = {name: value for name, value in {**ITEM, **changed}.items() if value is not None}
    assert answer["Attributes"] == expected
    assert table.items == [expected]


def test_swap() -> None:
    """`SET a = b, b = a` swaps."""
    table = Stage().table()
    table.put_item({**KEY, "a": {"N": "1"}, "b": {"N": "2"}})
    answer = table.update_item(KEY, "SET a = b, b = a", return_values="UPDATED_OLD")
    assert answer == {"Attributes": {"a": {"N": "1"}, "b": {"N": "2"}}}
    assert table.items == [{**KEY, "a": {"N": "2"}, "b": {"N": "1"}}]


def test_numbers_are_exact() -> None:
    """DynamoDB calculates with 38 decimal digits (developer guide, Data types, Number)."""
    table = Stage().table()
    table.put_item({**KEY, "n": {"N": "0.1"}})
    table.update_item(KEY, "ADD n :v", expression_attribute_values={":v": {"N": "0.2"}})
    assert table.items[0]["n"] == {"N": "0.3"}
    table.update_item(KEY, "SET n = :v + :one", expression_attribute_values={":v": {"N": "9" * 38}, ":one": {"N": "1"}})
    assert table.items[0]["n"] == {"N": "1" + "0" * 38}


def test_update_makes_the_item_and_says_so() -> None:
    """UpdateItem on a missing key is an INSERT, with the same values no record (7.2 of the reference)."""
    stage = Stage()
    table = stage.stream()
    for _ in range(2):
        table.update_item(KEY, "SET n = :v", expression_attribute_values={":v": {"N": "1"}})
    table.update_item(KEY, "REMOVE n", return_values="UPDATED_NEW")
    assert stage.changes == [("INSERT", "1"), ("MODIFY", "1")]
    assert table.items == [KEY]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SET id = :v", "Cannot update attribute id. This attribute is part of the key"),
        ("SET n = absent", "The provided expression refers to an attribute that does not exist in the item"),
        ("SET a.b = :v", "The document path provided in the update expression is invalid for update"),
        ("SET n = word + :v", "An operand in the update expression has an incorrect data type"),
        ("ADD word :v", "An operand in the update expression has an incorrect data type"),
        ("DELETE n :v", "operator: DELETE, operand type: NUMBER, typeSet: ALLOWED_FOR_DELETE_OPERAND"),
        ("SET n = :v, n = :v", "Two document paths overlap with each other; must remove or rewrite one of these paths"),
        ("SET n = :v SET a = :v", 'The "SET" section can only be used once in an update expression;'),
        ("SET n = n + :v + :v", 'Invalid UpdateExpression: Syntax error; token: "+", near: ":v + :v"'),
        ("SET n = :v, REMOVE word", "Invalid UpdateExpression: Syntax error"),
        ("SET n", 'Invalid UpdateExpression: Syntax error; token: "<EOF>", near: "n"'),
    ],
)
def test_refused_updates(table: Table, text: str, message: str) -> None:
    """AWS's answers; the item stays as it was."""
    values = {":v": {"N": "1"}} if ":v" in text else None
    with pytest.raises(AwsError) as caught:
        table.update_item(KEY, text, expression_attribute_values=values)
    assert caught.value.code == "ValidationException"
    assert message in caught.value.message
    assert table.items == [ITEM]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SET n = (n + :v)", "11"),
        ("SET n = ((n)+(:v))", "11"),
        ("SET n = if_not_exists(absent, if_not_exists(nowhere, :v))", "1"),
        ("SET n = if_not_exists(n, :v) - (:v)", "9"),
    ],
)
def test_parentheses_and_nested_functions(table: Table, text: str, expected: str) -> None:
    """AWS reads them; dynalite has `set a = ((b.c.d)+(e))` and nested if_not_exists among what AWS accepts."""
    table.update_item(KEY, text, expression_attribute_values={":v": {"N": "1"}})
    assert table.items[0]["n"] == {"N": expected}


def test_projection(table: Table) -> None:
    """Nested parts come in their maps and lists (developer guide, Expressions.ProjectionExpressions)."""
    answer = table.get_item(
        KEY,
        projection_expression="word, #l[11], #l[2], #m.#i[0].x, absent",
        expression_attribute_names={"#l": "seq", "#m": "map", "#i": "in"},
    )
    assert answer["Item"] == {
        "word": {"S": "hello"},
        "seq": {"L": [{"N": "2"}, {"N": "11"}]},
        "map": {"M": {"in": {"L": [{"M": {"x": {"S": "deep"}}}]}}},
    }


# --- query ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def numbers() -> Table:
    made = Stage().table(range_key="at", attribute_types={"at": "N"})
    for name in ("a", "b"):
        for number in (10, 9, -1, 100, 2):
            made.put_item({"id": {"S": name}, "at": {"N": str(number)}, "v": {"N": str(number % 2)}})
    return made


def found(answer: dict[str, Any]) -> list[int]:
    return [int(item["at"]["N"]) for item in answer["Items"]]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("id = :id", [-1, 2, 9, 10, 100]),
        ("id = :id AND #at > :x", [10, 100]),
        ("#at <= :x and id = :id", [-1, 2, 9]),
        ("id = :id AND #at BETWEEN :low AND :x", [2, 9]),
        ("id = :id AND #at = :x", [9]),
    ],
)
def test_query(numbers: Table, condition: str, expected: list[int]) -> None:
    """Items come in the order of the range key, numbers as numbers (developer guide, Query)."""
    values = used({":id": {"S": "a"}, ":x": {"N": "9"}, ":low": {"N": "2"}}, condition)
    names = {"#at": "at"} if "#at" in condition else None
    options = {"expression_attribute_names": names, "expression_attribute_values": values}
    answer = numbers.query(condition, **options)
    assert (found(answer), answer["Count"]) == (expected, len(expected))
    assert found(numbers.query(condition, **options, scan_index_forward=False)) == expected[::-1]


@pytest.mark.parametrize("forward", [True, False])
def test_pages_of_a_query(numbers: Table, forward: bool) -> None:
    """`Limit` counts the items that are looked at; LastEvaluatedKey begins the next page, even if it is deleted."""
    seen: list[int] = []
    start = None
    for _ in range(3):
        page = numbers.query(
            "id = :id",
            filter_expression="v = :zero",
            expression_attribute_values={":id": {"S": "a"}, ":zero": {"N": "0"}},
            limit=2,
            exclusive_start_key=start,
            scan_index_forward=forward,
        )
        assert page["ScannedCount"] <= 2
        seen += found(page)
        start = page.get("LastEvaluatedKey")
        if start is not None:
            numbers.delete_item(start)
    assert start is None
    assert seen == ([2, 10, 100] if forward else [100, 10, 2])


def test_count(numbers: Table) -> None:
    """Select COUNT answers no items."""
    answer = numbers.query("id = :id", expression_attribute_values={":id": {"S": "a"}}, select="COUNT")
    assert answer == {"Count": 5, "ScannedCount": 5}


@pytest.mark.parametrize(
    ("condition", "options", "message"),
    [
        ("#at = :n", {}, "Query condition missed key schema element: id"),
        ("id > :s", {}, "Query key condition not supported"),
        ("id = :s AND v = :n", {}, "Query condition missed key schema element: at"),
        ("id = :n", {}, "Condition parameter type does not match schema type"),
        ("id = :s", {"filter_expression": "id = :s"}, "Primary key attribute: id"),
        ("id = :s", {"exclusive_start_key": {"id": {"S": "a"}}}, "The provided starting key is invalid"),
        (
            "id = :s",
            {"exclusive_start_key": {"id": {"S": "b"}, "at": {"N": "1"}}},
            "The provided starting key is outside query boundaries based on provided conditions",
        ),
        ("id = :s", {"limit": 0}, "Member must have value greater than or equal to 1"),
    ],
)
def test_refused_queries(numbers: Table, condition: str, options: dict[str, Any], message: str) -> None:
    """AWS's answers to queries that its keys can't serve."""
    values = used({":s": {"S": "a"}, ":n": {"N": "1"}}, condition)
    names = {"#at": "at"} if "#at" in condition else None
    with pytest.raises(AwsError) as caught:
        numbers.query(condition, expression_attribute_names=names, expression_attribute_values=values, **options)
    assert message in caught.value.message


def test_transaction_is_all_or_nothing() -> None:
    """A failed condition cancels all; the reasons stand in the order of the actions (TransactWriteItems)."""
    stage = Stage()
    table, other = stage.table(), stage.table("others")
    table.put_item(KEY)
    actions: list[dict[str, Any]] = [
        {"Put": {"TableName": "others", "Item": KEY}},
        {"Update": {"Key": {"id": {"S": "2"}}, "UpdateExpression": "SET a = b"}},
        {"ConditionCheck": {"Key": KEY, "ConditionExpression": "attribute_exists(absent)"}},
        {"Delete": {"Key": {"id": {"S": "3"}}}},
    ]
    with pytest.raises(RefusedWrite) as caught:
        table.transact_write_items(actions)
    assert caught.value.code == "TransactionCanceledException"
    assert caught.value.message.endswith("[None, ValidationError, ConditionalCheckFailed, None]")
    assert caught.value.details["CancellationReasons"][2] == {
        "Code": "ConditionalCheckFailed",
        "Message": "The conditional request failed",
    }
    assert (len(table), len(other)) == (1, 0)
    table.transact_write_items([actions[0], {"Delete": {"Key": KEY}}])
    assert (len(table), len(other)) == (0, 1)
    assert stage.changes == [("INSERT", "1"), ("INSERT", "1"), ("REMOVE", "1")]
