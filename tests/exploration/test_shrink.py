"""How little of a list is needed for something to fail."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from simbus.exploration.shrink import minimal, without_pairs


@given(st.integers(1, 60), st.data())
def test_what_is_needed_is_found_and_nothing_else(size: int, data: st.DataObject) -> None:
    """Where more of it never hides the failure, exactly what is needed is left, in its order."""
    needed = data.draw(st.sets(st.integers(0, size - 1), max_size=5))
    tried: list[list[int]] = []

    def fails(some: list[int]) -> bool:
        tried.append(some)
        return needed <= set(some)

    assert minimal(list(range(size)), fails) == sorted(needed)
    assert len(tried) < 40 + 20 * len(needed) ** 2


@given(st.integers(2, 30), st.integers(2, 5), st.integers(0, 10**6))
def test_it_still_fails_where_more_hides_it(size: int, period: int, salt: int) -> None:
    """An odd failure: what is left fails, and can't lose any one part."""

    def fails(some: list[int]) -> bool:
        return sum((each + salt) % period for each in some) % period == sum(range(salt, salt + size)) % period

    parts = list(range(size))
    if not fails(parts):
        return
    left = minimal(parts, fails)
    assert fails(left)
    assert len(left) < 2 or not any(fails([p for p in left if p != each]) for each in left)


@given(st.integers(1, 6), st.data())
def test_what_goes_together_is_left_out_together(size: int, data: st.DataObject) -> None:
    """As many of the one as of the other, and one pair that is needed: two are left."""
    needed = {(0, data.draw(st.integers(0, size - 1))), (1, data.draw(st.integers(0, size - 1)))}

    def fails(some: list[tuple[int, int]]) -> bool:
        return needed <= set(some) and sum(1 if kind else -1 for kind, _ in some) == 0

    parts = [(kind, number) for kind in (0, 1) for number in range(size)]
    assert set(without_pairs(parts, fails)) == needed
