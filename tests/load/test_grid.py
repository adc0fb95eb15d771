"""The values that are tried side by side."""

from __future__ import annotations

import pytest

from simbus.errors import UsageError
from simbus.load.grid import axes, cells, split


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1,2,3", ["1", "2", "3"]),
        ("5", ["5"]),
        ("[a, b], [c]", ["[a, b]", "[c]"]),
        ("{p50: 1s, p99: 2s},3s", ["{p50: 1s, p99: 2s}", "3s"]),
        ("'a,b',c", ["'a,b'", "c"]),
    ],
)
def test_a_comma_in_quotes_or_brackets_belongs_to_its_value(text: str, values: list[str]) -> None:
    """A value is YAML, as in `simbus run --set`."""
    assert split(text) == values


def test_every_combination_is_a_cell_the_last_axis_fastest() -> None:
    """What has one value is no axis: it holds in every cell."""
    fixed, varied = axes(["a.b=1,2", "c=[x, y]"], ["128,256"], ["f", "g"])
    assert fixed == ["c=[x, y]"]
    found = cells(varied)
    assert [cell.values for cell in found] == [("1", "128"), ("1", "256"), ("2", "128"), ("2", "256")]
    assert found[1].overrides == ("a.b=1", 'functions["f"].memory_size=256', 'functions["g"].memory_size=256')


def test_too_many_combinations_are_refused() -> None:
    """Each is a run at least."""
    _, varied = axes([f"{name}={','.join(map(str, range(40)))}" for name in "ab"], [], [])
    with pytest.raises(UsageError, match="make 1,600 combinations; at most 1,000"):
        cells(varied)
