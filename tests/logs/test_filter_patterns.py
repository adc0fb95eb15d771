"""CloudWatch Logs filter patterns. Source unless another is named: the user guide's FilterAndPatternSyntax page."""

from __future__ import annotations

import json

import pytest

from simbus.errors import AwsError
from simbus.logs.patterns import compile_filter

ERRORS = [
    "[ERROR 400] BAD REQUEST",
    "[ERROR 401] UNAUTHORIZED REQUEST",
    "[ERROR 419] MISSING ARGUMENTS",
    "[ERROR 420] INVALID ARGUMENTS",
]

TRAIL = json.dumps(
    {
        "eventType": "UpdateTrail",
        "sourceIPAddress": "111.111.111.111",
        "arrayKey": ["value", "another value"],
        "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
        "SomeObject": None,
        "cluster.name": "c",
        "ThisFlag": True,
        "latency": 55.5,
        "errorCode": 400,
        "zero": 0,
        "detail-type": "x",
        "text": "404",
    }
)
USERS = json.dumps(
    {
        "user": {"id": 1, "email": "John.Stiles@example.com"},
        "users": [{"id": 2, "email": "John.Doe@example.com"}, {"id": 3, "email": "Jane.Doe@example.com"}],
        "actions": ["GET", "PUT", "DELETE"],
        "coordinates": [[0, 1, 2], [4, 5, 6], [7, 8, 9]],
    }
)
APACHE = '127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'
LINES = [
    "INFO 09/25/2014 12:00:00 GET /service/resource/67 1200",
    "INFO 09/25/2014 12:00:01 POST /service/resource/67/part/111 1310",
    "WARNING 09/25/2014 12:00:02 Invalid user request",
    "ERROR 09/25/2014 12:00:02 Failed to process request",
]


def found(pattern: str, lines: list[str]) -> list[int]:
    """Which of the lines match."""
    test = compile_filter(pattern)
    return [number for number, line in enumerate(lines) if test(line)]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("", [0, 1, 2, 3]),
        ('" "', [0, 1, 2, 3]),
        ("ERROR", [0, 1, 2, 3]),
        ("error", []),
        ("AUTHORIZED", [1]),
        ("ERROR ARGUMENTS", [2, 3]),
        ("?MISSING ?BAD", [0, 2]),
        ("ERROR -ARGUMENTS", [0, 1]),
        ('ERROR - "BAD REQUEST"', [1, 2, 3]),
        ('"INVALID ARGUMENTS"', [3]),
        ('"[ERROR 401]"', [1]),
        ("?ERROR ?ARGUMENTS REQUEST", [0, 1]),
        ("-ARGUMENTS", [0, 1]),
        ("%AUTHORIZED%", [1]),
        ("%4[0-1]\\d%", [0, 1, 2]),
        ("%^.ERROR|BAD%", [0, 1, 2, 3]),
        ("%ARGUMENTS$%", [2, 3]),
        ("%\\x5BERROR 4.{0,2}0%", [0, 1, 3]),
        ("%[[]ERROR 401%", [1]),
    ],
)
def test_terms(pattern: str, expected: list[int]) -> None:
    """Terms, phrases, exclusions and regular expressions; `?` beside other terms is ignored."""
    assert found(pattern, ERRORS) == expected


def test_a_quoted_phrase_may_hold_quotes() -> None:
    """A quoted term with escaped quotation marks finds JSON text."""
    assert found('"level\\":\\"error"', ['{"level":"error"}', '{"level":"info"}']) == [0]


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ('{ $.eventType = "UpdateTrail" }', True),
        ("{ $.eventType = UpdateTrail }", True),
        ('{ $.eventType = "updatetrail" }', False),
        ('{ $.eventType = "*Trail" }', True),
        ("{ $.eventType = Update* }", True),
        ('{ $.eventType != "UpdateTrail" }', False),
        ("{ $.sourceIPAddress != 123.123.* }", True),
        ("{ $.sourceIPAddress != 111.* }", False),
        ('{ $.arrayKey[0] = "value" }', True),
        ('{ $.arrayKey[9] = "value" }', False),
        ('{ $.arrayKey = "value" }', False),
        ('{ $.arrayKey != "value" }', False),
        ("{ $.objectList[1].id = 2 }", True),
        ("{ $.objectList[*].id = 2 }", True),
        ("{ $.eventType = %Trail% }", True),
        ("{ $.eventType != %Trail% }", False),
        ("{ $.arrayKey[*] = %val.{2}% }", True),
        (r"{ $.* = %111\.111\.111\.1[0-9]{1,2}% }", True),
        ("{ $.['cluster.name'] = \"c\" }", True),
        ('{ $.detail-type = "x" }', True),
        ("{ $.SomeObject IS NULL }", True),
        ("{ $.SomeOtherObject IS NULL }", False),
        ("{ $.ThisFlag IS TRUE }", True),
        ("{ $.ThisFlag IS FALSE }", False),
        ("{ $.zero IS FALSE }", False),
        ("{ $.SomeOtherObject NOT EXISTS }", True),
        ("{ $.SomeObject NOT EXISTS }", False),
        ('{ $.eventType = "*" }', True),
        ('{ $.SomeOtherObject = "*" }', False),
        ("{ $.SomeOtherObject != 1 }", False),
        ("{ $.latency >= 55.5 }", True),
        ("{ $.latency > +1000 }", False),
        ("{ $.latency < 10e3 }", True),
        ("{ $.latency <= 10e-3 }", False),
        ("{ $.errorCode = 400}", True),
        ("{ $.errorCode = 4* }", True),
        ("{ $.errorCode = 4e+2 }", True),
        ("{ $.errorCode != 500 }", True),
        ("{ $.text = 404 }", True),
        ("{ $.text > 1 }", False),
        ("{ $.ThisFlag = 1 }", False),
    ],
)
def test_json(pattern: str, matches: bool) -> None:
    """One condition on a JSON log event; a selector that points to no string or number matches neither = nor !=."""
    assert compile_filter(pattern)(TRAIL) is matches


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ('{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }', True),
        ('{ ($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET" }', False),
        ('{ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "n" && $.actions[2] = "n" }', True),
        ('{ ($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "n") && $.actions[2] = "n" }', False),
        ("{ $.coordinates[1][2] = 6 }", True),
    ],
)
def test_compound_json(pattern: str, matches: bool) -> None:
    """Parentheses bind tighter than &&, && tighter than ||."""
    assert compile_filter(pattern)(USERS) is matches


@pytest.mark.parametrize("message", ["", "not json", "{broken", "[1]", '"text"', "{" * 5])
def test_a_message_that_is_no_json_object_does_not_match(message: str) -> None:
    """JSON patterns look at JSON log events only, also when they negate."""
    assert not compile_filter("{ $.a NOT EXISTS }")(message)


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("[ip, user, username, timestamp, request, status_code, bytes]", True),
        (r"[ip=%127\.0\.0\.[1-9]%, user, username, timestamp, request =*.html*, status_code = 4*, bytes]", True),
        ("[..., request =*.html*, status_code = 4*, bytes]", True),
        ("[..., request=*.html*, status_code=4*,]", True),
        ("[..., status_code=5*, bytes]", False),
        ("[ip, user, ...]", True),
        ("[ip, user, ..., status_code = 404, bytes > 1000]", True),
        ("[ip, user, ..., status_code, bytes > 2000]", False),
        ("[..., status_code = 404 || status_code = 410, bytes]", True),
        ("[..., status_code = 4* && status_code != 404, bytes]", False),
        ("[ip, user, username, timestamp = 10/*, ...]", None),
        ('[ip, user, username, timestamp = "10/Oct/2000:13:25:15 -0700", ...]', True),
        ("[a, b, c, d, e, f, g, h]", False),
        ("[..., a, b, c, d, e, f, g, h]", False),
        ("[ip, user = prod, ...]", False),
        ("[ip, user > 5, ...]", False),
    ],
)
def test_space_delimited(pattern: str, matches: bool | None) -> None:
    """Brackets and quotation marks make one field of several words; an ellipsis stands for any number of fields."""
    if matches is None:
        with pytest.raises(AwsError):
            compile_filter(pattern)
    else:
        assert compile_filter(pattern)(APACHE) is matches


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("[w1=ERROR, w2]", [3]),
        ("[w1=ERROR]", []),
        ("[w1=ERROR || w1=WARNING, w2]", [2, 3]),
        ("[w1!=ERROR && w1!=WARNING, w2]", [0, 1]),
        ("[logLevel, date, time, method, url=%/service/resource/[0-9]+$%, response_time]", [0]),
        ("[logLevel, date, time, method, url=%/service/resource/[0-9]+/part/[0-9]+$%, response_time]", [1]),
    ],
)
def test_words_in_order(pattern: str, expected: list[int]) -> None:
    """The last field takes the rest of the line: a blank one must follow the fields that are asked for."""
    assert found(pattern, LINES) == expected


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("{ $.a = 1", "If a filter pattern starts with '{' it must end with '}'"),
        ("[a, b", "If a filter pattern starts with '[' it must end with ']'"),
        ("(", "Invalid character(s) in term '('"),
        ("?Status: timeout", "Invalid character(s) in term ':'"),
        ("email@domain_com", "Invalid character(s) in term '@'"),
        ('""', "Invalid character(s) in term '\"\"'"),
        ('"open', "Invalid character(s) in term '\"'"),
        ("%some(thing)%", "Invalid character(s) in term '('"),
        ("%something!%", "Invalid character(s) in term '!'"),
        ("%[a%", "Invalid filter pattern"),
        ("{}", "Invalid filter pattern"),
        ("[]]", "Invalid filter pattern"),
        ("{ status = 401 }", "Invalid filter pattern"),
        ("{ $.a EXISTS }", "Invalid filter pattern"),
        ("{ $.a IS NOT NULL }", "Invalid filter pattern"),
        ("{ $.a = 'b' }", "Invalid filter pattern"),
        ("{ $.a > b }", "Invalid filter pattern"),
        ("{ $.a = 1 && }", "Invalid filter pattern"),
        ("{ ($.a = 1 }", "Invalid filter pattern"),
        ("{ $.a = 1 $.b = 2 }", "Invalid filter pattern"),
        ("{ $.*.* = 1 }", "Invalid filter pattern"),
        ("{ $.a[*] = 1 || $.b[*] = 1 || $.c[*] = 1 || $.d[*] = 1 }", "Invalid filter pattern"),
        ("{ $.a = %x% || $.b = %y% || $.c = %z% }", "Invalid filter pattern"),
        ("[..., a, ...]", "Invalid filter pattern"),
        ("[status_code = 4* && bytes > 1000]", "Invalid filter pattern"),
    ],
)
def test_bad_patterns(pattern: str, message: str) -> None:
    """AWS's words as seen in awslogs#210, modernisation-platform-environments#5137, defang#1008 and others.

    `EXISTS` and `IS NOT` are not supported, says the user guide; so are more than 2 regexes and 3 wildcards.
    """
    with pytest.raises(AwsError) as caught:
        compile_filter(pattern)
    assert (caught.value.code, caught.value.message) == ("InvalidParameterException", message)


def test_a_pattern_has_at_most_1024_characters() -> None:
    """FilterLogEvents, filterPattern: length 0 to 1024 (botocore's model of the API)."""
    assert compile_filter("a" * 1024)("a" * 1024)
    with pytest.raises(AwsError, match="Member must have length less than or equal to 1024"):
        compile_filter("a" * 1025)
