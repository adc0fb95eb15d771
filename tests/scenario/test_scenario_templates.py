"""Templates of a workload: design.md, section 7."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbus.arn import Account
from simbus.errors import UsageError
from simbus.kernel import SECOND, Timeline
from simbus.scenario.templates import MAX_LENGTH, Scope, compile_template, template
from simbus.world import World

ROWS: Any = SimpleNamespace()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("abc:"),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("ab"), inner),
)


def scope(n: int = 57) -> Scope:
    world = World(Timeline(0), ROWS, Account(), datetime(2026, 1, 1, tzinfo=UTC))
    made = Scope(world, Random(1))
    made.n = n
    return made


@pytest.mark.parametrize(
    ("written", "becomes"),
    [
        ("{n}", 57),
        ("{ n }", 57),
        ("img/{n}.jpg", "img/57.jpg"),
        ("user-{n % 50}", "user-7"),
        ("{(n + 1) * -2}", -116),
        ("{n // 10}-{n - 7}", "5-50"),
        ("{n * 1.5}", 85.5),
        ("{7 // 2}", 3),
        ("{{n}}", "{n}"),
        ("{{{n}}}", "{57}"),
        ("a }} b {{ c", "a } b { c"),
        ('{"id": {n}}', '{"id": 57}'),
        ('{"a": {"b": {n}}}', '{"a": {"b": 57}}'),
        ('{"a": {"b": 1}}', '{"a": {"b": 1}}'),
        ('{{"a": {"b": {n}}}}', '{"a": {"b": 57}}'),
        ("{}", "{}"),
        ("{2}", "{2}"),
        ("[0-9]{2,3}", "[0-9]{2,3}"),
        ("{proxy+}", "{proxy+}"),
        ("{a: 1}", "{a: 1}"),
        ("{'text'}", "{'text'}"),
        ("{n", "{n"),
        ("n}", "n}"),
        ({"id-{n}": ["{n}", {"at": "{now}"}], "x": True}, {"id-57": [57, {"at": 1767225600000}], "x": True}),
        (5, 5),
        (None, None),
    ],
)
def test_a_template_becomes(written: object, becomes: object) -> None:
    """A value that is exactly one expression keeps its type; braces without an expression (JSON) stay as they are."""
    assert template(written)(scope()) == becomes


@pytest.mark.parametrize(
    ("written", "finding"),
    [
        ("{m}", r"has \{m\}; an expression has the names n, now, uuid, rand"),
        ("{n / 2}", r"has \{n / 2\}; an expression has"),
        ("{n ** 2}", r"operators \+ - \* // % and parentheses"),
        ("{len(n)}", r"has \{len\(n\)\}"),
        ("{n.__class__}", r"has \{n.__class__\}"),
        ("{[n]}", r"has \{\[n\]\}"),
        ("{n if n else 1}", r"has \{n if n else 1\}"),
        ("{n * True}", r"has \{n \* True\}"),
        ("{n % 0}", r"has \{n % 0\}; nothing can be divided by zero"),
        ("{uuid + 1}", r"uuid is a text, and operators take numbers"),
    ],
)
def test_what_is_no_expression_but_meant_as_one_is_refused(written: str, finding: str) -> None:
    with pytest.raises(UsageError, match=finding):
        compile_template(written)


def test_a_division_by_zero_names_n() -> None:
    divide = template("{100 // (n - 3)}")
    assert divide(scope(4)) == 100
    with pytest.raises(UsageError, match="divides by zero where n is 3"):
        divide(scope(3))


def test_uuid_and_rand_come_from_the_generator_of_the_item() -> None:
    """The same seed gives the same values, each use a new one."""
    make = template(["{uuid}", "{uuid}", "{rand}"])
    first, again = make(scope()), make(scope())
    assert first == again
    assert first[0] != first[1]
    assert len(first[0]) == 36
    assert 0 <= first[2] < 1


def test_now_is_the_virtual_clock_in_milliseconds() -> None:
    here = scope()
    here.world.timeline.now = 5 * SECOND
    assert template("{now}")(here) == 1767225605000


def test_a_value_without_expressions_is_compiled_to_nothing() -> None:
    assert compile_template({"a": ["b", 5, "{2}", {"c": None}]}) is None


def test_an_endless_expression_is_text() -> None:
    long = "{" + "n+" * MAX_LENGTH + "n}"
    assert template(long)(scope()) == long


@given(st.text(alphabet="{}n1 +\"'a:,()%", max_size=40))
def test_any_text_compiles_or_is_refused(text: str) -> None:
    """No text can do more than be a template, stay text or be refused; nothing is executed."""
    try:
        value = template(text)(scope())
    except UsageError:
        return
    assert isinstance(value, str | int)


@given(JSON)
def test_json_text_stays_as_it_is(value: object) -> None:
    """JSON text has braces but no names: compact or not, it is left alone."""
    for separators in ((",", ":"), (", ", ": ")):
        text = json.dumps(value, separators=separators)
        assert template(text)(scope()) == text
