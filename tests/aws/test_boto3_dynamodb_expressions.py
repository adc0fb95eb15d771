"""Faulty and large expressions through boto3: AWS's own words.

The texts are those of dynalite's tests (https://github.com/architect/dynalite, compared with AWS), of
github.com/paritysuite/dynamodb-conformance and of public issues, where the docstring names no other source.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from simbus import Simulation

pytest.importorskip("boto3", reason="needs the extra boto3")
from botocore.exceptions import ClientError

ONE = {"N": "1"}
KEY = {"id": {"S": "1"}, "at": ONE}


@pytest.fixture
def client(sim: Simulation) -> Iterator[Any]:
    table = sim.table("orders", hash_key="id", range_key="at", attribute_types={"at": "N"})
    table.put_item({**KEY, "n": {"N": "7"}, "tags": {"SS": ["a"]}, "seq": {"L": [ONE]}, "word": {"S": "w"}})
    yield sim.client("dynamodb")
    assert len(table) == 1


def refusal(call: Any, **params: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(TableName="orders", **params)
    error = caught.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    message: str = error["Message"]
    return message


def placeholders(names: Any, values: Any) -> dict[str, Any]:
    given = {"ExpressionAttributeNames": names, "ExpressionAttributeValues": values}
    return {key: value for key, value in given.items() if value is not None}


def condition(client: Any, text: str, names: Any = None, values: Any = None) -> str:
    """What is told of it as a filter, the parameter's name aside; as a condition the same is told."""
    found = refusal(client.scan, FilterExpression=text, **placeholders(names, values))
    other = refusal(client.delete_item, Key=KEY, ConditionExpression=text, **placeholders(names, values))
    assert other == found.replace("Filter", "Condition")
    assert found.startswith("Invalid FilterExpression: ")
    return found.removeprefix("Invalid FilterExpression: ")


def update(client: Any, text: str, names: Any = None, values: Any = None) -> str:
    found = refusal(client.update_item, Key=KEY, UpdateExpression=text, **placeholders(names, values))
    return found.removeprefix("Invalid UpdateExpression: ")


@pytest.mark.parametrize(
    ("text", "token", "near"),
    [
        ("a-b", "-", "a-b"),
        ("!!!", "!", "!!"),
        ("things are not gonna be ok", "are", "things are not"),
        ("a > 4", "4", "> 4"),
        ("a =", "<EOF>", "="),
        ("a", "<EOF>", "a"),
        ("attribute_exists(p..q)", ".", "..q"),
        ("attribute_exists(asdf[a])", "a", "[a]"),
        ("a in b, c", "b", "in b,"),
        ("a in (b,c,)", ")", ",)"),
        ("a > between", "between", "> between"),
        ("(a)between(b.c.d)and((c)", "<EOF>", ")"),
        ("a > :things.stuff", ".", ":things.stuff"),
        ("size(a).b > a", ".", ").b"),
        ("a = b = c", "=", "b = c"),
        ("a  =\n\tb AND OR", "OR", "AND OR"),
        ("NOT", "<EOF>", "NOT"),
        ("a = (b = c)", "=", "b = c"),
        ("() = a", ")", "() ="),
        ("contains()", ")", "()"),
        ("#$.b > a", "#", "#$"),
        ("ü > a", "ü", "ü >"),
    ],
)
def test_syntax_errors_of_conditions(client: Any, text: str, token: str, near: str) -> None:
    """The token, and the source from the token before it to the one behind it."""
    assert condition(client, text) == f'Syntax error; token: "{token}", near: "{near}"'
    found = refusal(client.query, KeyConditionExpression=text)
    assert found == f'Invalid KeyConditionExpression: Syntax error; token: "{token}", near: "{near}"'


@pytest.mark.parametrize(
    ("text", "token", "near"),
    [
        ("INVALID SYNTAX HERE", "INVALID", "INVALID SYNTAX"),
        ("ADD hits : incr", ":", "hits : incr"),
        ("set a", "<EOF>", "a"),
        ("set a=set", "set", "=set"),
        ("remove a = b", "=", "a = b"),
        ("delete a b", "b", "a b"),
        ("remove a b", "b", "a b"),
        ("set :a = b", ":a", "set :a ="),
        ("set a = b / c", "/", "b / c"),
        ("set a[1] = 1", "1", "= 1"),
        ("set (a = (b + c))", "(", "set (a"),
        ("set a = (b.c).d + e", ".", ").d"),
        ("set a = b + c + d", "+", "c + d"),
        ("set a = (b + c) + d", "+", ") + d"),
        ("set a = b, remove c", "remove", ", remove c"),
        ("set a = b,", "<EOF>", ","),
        ("set a = list_append(b + c, d)", "+", "b + c"),
    ],
)
def test_syntax_errors_of_updates(client: Any, text: str, token: str, near: str) -> None:
    """The same in an update."""
    assert update(client, text) == f'Syntax error; token: "{token}", near: "{near}"'


@pytest.mark.parametrize("text", ["a,", "a b", "a.", "a[b]", "a[-1]", ":a", "size(a)", "!!!", "a, #", "[0]"])
def test_syntax_errors_of_projections(client: Any, text: str) -> None:
    """A projection is a list of paths."""
    found = refusal(client.get_item, Key=KEY, ProjectionExpression=text)
    assert found.startswith("Invalid ProjectionExpression: Syntax error; token: ")


def test_empty_expressions(client: Any) -> None:
    """White space is empty as well (remembered only)."""
    empty = "The expression can not be empty;"
    assert condition(client, "") == empty
    assert update(client, " ") == empty
    assert refusal(client.query, KeyConditionExpression="") == f"Invalid KeyConditionExpression: {empty}"
    assert refusal(client.scan, ProjectionExpression="") == f"Invalid ProjectionExpression: {empty}"


DISTINCT = "The first operand must be distinct from the remaining operands for this operator or function; "
COUNT = "Incorrect number of operands for operator or function; operator or function: "
KIND = "Incorrect operand type for operator or function; operator or function: "
MISUSED = "The function is not allowed to be used this way in an expression; function: "


@pytest.mark.parametrize(
    ("text", "values", "message"),
    [
        ("a=a and a > ((views))", None, "The expression has redundant parentheses;"),
        ("(a)between(((b.c)).d)and(c)", None, "The expression has redundant parentheses;"),
        ("a=a AND ((a=a AND a=a)) AND a=a", None, "The expression has redundant parentheses;"),
        ("a=a and whatever(:things) > a", None, "Invalid function name; function: whatever"),
        ("attRIbute_exIsts(views, #a)", None, "Invalid function name; function: attRIbute_exIsts"),
        ("value(a) = b", None, "Invalid function name; function: value"),
        ("attribute_not_exists(things) > b", None, MISUSED + "attribute_not_exists"),
        ("size(contains(a, b)) > a", None, MISUSED + "contains"),
        ("size(things)", None, MISUSED + "size"),
        ("NOT (a = b AND (size(things)))", None, MISUSED + "size"),
        ("a in (b, attribute_exists(things))", None, MISUSED + "attribute_exists"),
        ("attribute_exists(views, #a)", None, "Attribute name is a reserved keyword; reserved keyword: views"),
        (":a < abOrT", None, "Attribute name is a reserved keyword; reserved keyword: abOrT"),
        (
            "begins_with(p.#r)",
            None,
            "An expression attribute name used in the document path is not defined; attribute name: #r",
        ),
        (
            "begins_with(:hello, #a, #b)",
            None,
            "An expression attribute value used in expression is not defined; attribute value: :hello",
        ),
        ("attribute_exists(things, a) and #x = :y", None, COUNT + "attribute_exists, number of operands: 2"),
        ("begins_with(things)", None, COUNT + "begins_with, number of operands: 1"),
        ("begins_with(things, size(a), b)", None, COUNT + "begins_with, number of operands: 3"),
        ("size(things, a) > b", None, COUNT + "size, number of operands: 2"),
        ("begins_with(a, :a)", {":a": ONE}, KIND + "begins_with, operand type: N"),
        ("begins_with(:a, a)", {":a": {"BOOL": True}}, KIND + "begins_with, operand type: BOOL"),
        ("begins_with(a, size(b))", None, KIND + "begins_with, operand type: N"),
        ("attribute_type(a, :a)", {":a": ONE}, KIND + "attribute_type, operand type: N"),
        ("attribute_type(a, b)", None, KIND + "attribute_type, operand type: {NS,SS,L,BS,N,M,B,BOOL,NULL,S}"),
        ("size(:a) > a", {":a": {"NULL": True}}, KIND + "size, operand type: NULL"),
        ("size(size(a)) > a", None, KIND + "size, operand type: N"),
        ("a < :a", {":a": {"L": []}}, KIND + "<, operand type: L"),
        ("a BETWEEN b AND :a", {":a": {"BOOL": True}}, KIND + "BETWEEN, operand type: BOOL"),
        (
            "attribute_exists(:a)",
            {":a": {"S": "1"}},
            "Operator or function requires a document path; operator or function: attribute_exists",
        ),
        ("a <> a", None, DISTINCT + "operator: <>, first operand: [a]"),
        ("contains(b.c[1].a, b.c[1].a)", None, DISTINCT + "operator: contains, first operand: [b, c, [1], a]"),
        ("((a=a) OR (a=a))", None, DISTINCT + "operator: =, first operand: [a]"),
        ("if_not_exists(a, b) = c", None, "The function is not allowed in a condition expression; function: "
         "if_not_exists"),  # remembered only
    ],
)  # fmt: skip
def test_refused_conditions(client: Any, text: str, values: Any, message: str) -> None:
    """The order in which AWS looks: parentheses, names of functions, their place, reserved words; then comparison by
    comparison names and values, numbers of operands, their kinds."""
    assert condition(client, text, None, values) == message


@pytest.mark.parametrize(
    ("text", "names", "values", "message"),
    [
        ("set #c = :c set abOrt = a", None, None, "Attribute name is a reserved keyword; reserved keyword: abOrt"),
        ("set c = if_not_exist(:c) set c = d", None, None, "Invalid function name; function: if_not_exist"),
        ("set a = #c set c = :d", None, None, 'The "SET" section can only be used once in an update expression;'),
        (
            "SET b = :x, #c = if_not_exists(:c)",
            None,
            None,
            "An expression attribute name used in the document path is not defined; attribute name: #c",
        ),
        (
            "SET a = if_not_exists(:c)",
            None,
            None,
            "An expression attribute value used in expression is not defined; attribute value: :c",
        ),
        (
            "set d[1] = a, d.b = a, c[1].a = a, #c = if_not_exists(a)",
            {"#c": "c"},
            None,
            "Two document paths overlap with each other; must remove or rewrite one of these paths; "
            "path one: [c, [1], a], path two: [c]",
        ),
        (
            "remove a.#c set a[1] = #d",
            {"#c": "c", "#d": "d"},
            None,
            "Two document paths conflict with each other; must remove or rewrite one of these paths; "
            "path one: [a, c], path two: [a, [1]]",
        ),
        (
            "set b = list_append(:a, a), c = if_not_exists(a) add a.b :a",
            None,
            {":a": {"S": "a"}},
            "Incorrect operand type for operator or function; operator: ADD, operand type: STRING, typeSet: "
            "ALLOWED_FOR_ADD_OPERAND",
        ),
        ("set a = if_not_exists(c)", None, None, COUNT + "if_not_exists, number of operands: 1"),
        (
            "set a = if_not_exists(if_not_exists(a, b), c)",
            None,
            None,
            "Operator or function requires a document path; operator or function: if_not_exists",
        ),
        ("set a = list_append(a, :a)", None, {":a": ONE}, KIND + "list_append, operand type: N"),
        ("set a = :a - b", None, {":a": {"B": b"a"}}, KIND + "-, operand type: B"),
        ("set a = size(b)", None, None, "The function is not allowed in an update expression; function: size"),
    ],
)
def test_refused_updates(client: Any, text: str, names: Any, values: Any, message: str) -> None:
    """AWS's order: reserved words, functions, sections, names, values, paths, ADD and DELETE, functions' operands."""
    assert update(client, text, names, values) == message


@pytest.mark.parametrize(
    ("text", "values", "message"),
    [
        ("set n = word + :a", {":a": ONE}, "An operand in the update expression has an incorrect data type"),
        ("set n = list_append(n, seq)", None, "An operand in the update expression has an incorrect data type"),
        ("add word :a", {":a": ONE}, "An operand in the update expression has an incorrect data type"),
        ("set n = absent", None, "The provided expression refers to an attribute that does not exist in the item"),
        ("set n.x = :a", {":a": ONE}, "The document path provided in the update expression is invalid for update"),
        ("remove absent.x", None, "The document path provided in the update expression is invalid for update"),
    ],
)
def test_what_the_item_refuses(client: Any, text: str, values: Any, message: str) -> None:
    """No "Invalid UpdateExpression": these depend on the item."""
    assert update(client, text, None, values) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id > :s and size(b) > c or a > c", "Invalid operator used in KeyConditionExpression: OR"),
        ("id in (b, size(c), d)", "Invalid operator used in KeyConditionExpression: IN"),
        ("attribute_exists(id)", "Invalid operator used in KeyConditionExpression: attribute_exists"),
        (
            "id = :s AND attribute_not_exists(n)",
            "Invalid operator used in KeyConditionExpression: attribute_not_exists",
        ),
        ("contains(a.d, b)", "Invalid operator used in KeyConditionExpression: contains"),
        ("not id > b", "Invalid operator used in KeyConditionExpression: NOT"),
        ("id <> b", "Invalid operator used in KeyConditionExpression: <>"),
        (
            ":s between size(b) and size(a)",
            "Invalid condition in KeyConditionExpression: BETWEEN operator must have the key attribute as its first "
            "operand",
        ),
        (
            "begins_with(:s, b)",
            "Invalid condition in KeyConditionExpression: begins_with operator must have the key attribute as its "
            "first operand",
        ),
        ("a > size(b.d)", "KeyConditionExpressions cannot contain nested operations"),
        ("b > a.b", "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition"),
        ("a.d > c", "KeyConditionExpressions cannot have conditions on nested attributes"),
        (":s > :s", "Invalid condition in KeyConditionExpression: No key attribute specified"),
        (
            "id = :s AND n > :s AND n < :s",
            "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key",
        ),
    ],
)
def test_refused_key_conditions(client: Any, text: str, message: str) -> None:
    """What is no key condition."""
    values = {":s": {"S": "1"}} if ":s" in text else None
    assert refusal(client.query, KeyConditionExpression=text, **placeholders(None, values)) == message


def test_expressions_are_read_before_the_table_is_looked_for(client: Any) -> None:
    """Measured by dynamodb-conformance: a bad operand is told of, a good one asks for a table that is not there."""
    text = "id = :p AND begins_with(sk, :v)"
    for value, message in (
        ({"N": "1"}, f"Invalid KeyConditionExpression: {KIND}begins_with, operand type: N"),
        ({"S": "a"}, "Requested resource not found"),
    ):
        with pytest.raises(ClientError) as caught:
            client.query(
                TableName="nowhere",
                KeyConditionExpression=text,
                ExpressionAttributeValues={":p": {"S": "q"}, ":v": value},
            )
        assert caught.value.response["Error"]["Message"] == message


def test_projections(client: Any) -> None:
    """Paths that are in each other's way."""
    message = "must remove or rewrite one of these paths; path one: [a], path two: [a, b]"
    found = refusal(client.get_item, Key=KEY, ProjectionExpression="a, a.b")
    assert found == f"Invalid ProjectionExpression: Two document paths overlap with each other; {message}"
    found = refusal(client.scan, ProjectionExpression="a[0], a.b")
    assert found.startswith("Invalid ProjectionExpression: Two document paths conflict with each other; ")
    found = refusal(client.scan, ProjectionExpression="a, name")
    assert found == "Invalid ProjectionExpression: Attribute name is a reserved keyword; reserved keyword: name"
    found = refusal(client.scan, ProjectionExpression="#a")
    assert found == (
        "Invalid ProjectionExpression: An expression attribute name used in the document path is not defined; "
        "attribute name: #a"
    )


def test_placeholders(client: Any) -> None:
    """Unused ones, such as stand for nothing, and such as have no name."""
    unused = "unused in expressions: keys: "
    names, values = {"#a": "n"}, {":a": ONE}
    found = refusal(client.scan, FilterExpression="n = m", ExpressionAttributeValues=values)
    assert found == f"Value provided in ExpressionAttributeValues {unused}{{:a}}"
    found = refusal(client.scan, ProjectionExpression="n", ExpressionAttributeNames=names)
    assert found == f"Value provided in ExpressionAttributeNames {unused}{{#a}}"
    only = "ExpressionAttributeValues can only be specified when using expressions: "
    assert refusal(client.scan, ExpressionAttributeValues=values) == only + "FilterExpression is null"
    assert refusal(client.put_item, Item=KEY, ExpressionAttributeValues=values) == only + "ConditionExpression is null"
    found = refusal(client.update_item, Key=KEY, ExpressionAttributeValues=values)
    assert found == only + "UpdateExpression and ConditionExpression are null"
    found = refusal(client.get_item, Key=KEY, ExpressionAttributeNames=names)
    assert found == "ExpressionAttributeNames can only be specified when using expressions"
    found = refusal(client.scan, FilterExpression="#a = n", ExpressionAttributeNames={"#a": ""})
    assert found == "ExpressionAttributeNames contains invalid value: Empty attribute name for key #a"


# --- limits: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-expression-parameters


def test_an_expression_has_4096_bytes(client: Any) -> None:
    """4,096 bytes as they are sent are fine, 4,097 are not, whatever the parameter."""
    text = f"attribute_exists({'a' * 4078})"
    assert client.scan(FilterExpression=text, TableName="orders")["Count"] == 0
    too_large = "Expression size has exceeded the maximum allowed size; expression size: 4097"
    assert condition(client, text + " ") == too_large
    assert update(client, f"REMOVE {'a' * 4090}") == too_large
    found = refusal(client.get_item, Key=KEY, ProjectionExpression="a" * 4097)
    assert found == f"Invalid ProjectionExpression: {too_large}"


def test_an_expression_has_300_operators(client: Any) -> None:
    """Operators and functions count: 150 comparisons have 149 ANDs between them. Text: aws/aws-sdk-js#3721.

    AWS stops to count: it always says 301.
    """
    text = " AND ".join(["a = b"] * 150)
    assert client.scan(FilterExpression=text, TableName="orders")["Count"] == 0
    too_many = "The expression contains too many operators; operator count: "
    assert condition(client, f"NOT {text} AND c = b") == too_many + "301"
    text = ", ".join(f"a{number} = n + n" for number in range(151))
    assert client.update_item(TableName="orders", Key=KEY, UpdateExpression=f"SET {text}")
    text = ",".join(f"a{number}=n+n" for number in range(301))
    assert update(client, f"SET {text}") == too_many + "301"


def test_in_has_100_operands(client: Any) -> None:
    """Text: a public issue of reapit/foundations."""
    text = f"n IN ({','.join(['a'] * 100)})"
    assert client.scan(FilterExpression=text, TableName="orders")["Count"] == 0
    found = condition(client, f"n IN ({','.join(['a'] * 163)})")
    assert found == "The IN operator is provided with too many operands; number of operands: 163"


def test_a_placeholder_has_255_bytes(client: Any) -> None:
    """Sign included. AWS tells the size of a name only (ExtendDB's pull request 181, captured from AWS)."""
    name = "#" + "a" * 254
    answer = client.scan(
        TableName="orders", FilterExpression=f"attribute_exists({name})", ExpressionAttributeNames={name: "n"}
    )
    assert answer["Count"] == 1
    too_long = "contains invalid key: The expression attribute map contains a key that is too long;"
    found = refusal(client.scan, FilterExpression=f"{name}a = n", ExpressionAttributeNames={f"{name}a": "n"})
    assert found == f"ExpressionAttributeNames {too_long} size of key: 256"
    value = ":" + "a" * 255
    found = refusal(client.scan, FilterExpression=f"{value} = n", ExpressionAttributeValues={value: ONE})
    assert found == f"ExpressionAttributeValues {too_long}"


def test_a_name_has_65535_bytes(client: Any) -> None:
    """Of an attribute, at any depth, and of one that stands for it (measured on AWS: ExtendDB's issue 365)."""
    too_large = "1 validation error detected: Attribute name is too large, must be less than 65536 bytes"
    fine, long = "x" * 65_535, "x" * 65_536
    client.put_item(TableName="orders", Item={**KEY, fine: ONE, "m": {"M": {fine: ONE}}})
    assert refusal(client.put_item, Item={**KEY, long: ONE}) == too_large
    assert refusal(client.put_item, Item={**KEY, "m": {"M": {long: ONE}}}) == too_large
    found = refusal(client.update_item, Key=KEY, UpdateExpression="REMOVE #a", ExpressionAttributeNames={"#a": long})
    assert found == too_large


def test_placeholders_have_2_mb(client: Any) -> None:
    """All names and values of a request together (the text is simbus's own)."""
    values = {f":v{number}": {"S": "x" * 300_000} for number in range(7)}
    text = " OR ".join(f"n = :v{number}" for number in range(7))
    found = refusal(client.scan, FilterExpression=text, ExpressionAttributeValues=values)
    assert "exceeds the 2 MB limit" in found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(" * 2000 + "a = b" + ")" * 2000, "The expression has redundant parentheses;"),
        ("(" * 4000, 'Syntax error; token: "<EOF>", near: "("'),
        ("size(" * 680 + "a" + ")" * 680, "The function is not allowed to be used this way"),
        ("NOT " * 1000 + "a = b", "The expression contains too many operators; operator count: 301"),
        ("size(" * 299 + "a" + ")" * 299 + " = b", "Incorrect operand type for operator or function"),
    ],
)
def test_depth(client: Any, text: str, message: str) -> None:
    """However deep an expression is, the answer is AWS's, no error of Python's."""
    assert condition(client, text).startswith(message)


def test_the_deepest_expressions_that_aws_takes(client: Any) -> None:
    """300 operators inside each other are read and decided."""
    text = "n = m"
    for number in range(149):
        text = f"{'n<m' if number % 2 else 'm<n'} {'OR' if number % 2 else 'AND'} ({text})"
    assert client.scan(TableName="orders", FilterExpression=text)["Count"] == 0
    text = "NOT (" * 149 + "attribute_exists(word)" + ")" * 149
    assert client.scan(TableName="orders", FilterExpression=text)["Count"] == 0
    text = "if_not_exists(a," * 240 + "n" + ")" * 240
    found = client.update_item(
        TableName="orders", Key=KEY, UpdateExpression=f"SET b={text}", ReturnValues="UPDATED_NEW"
    )
    assert found["Attributes"]["b"] == {"N": "7"}
