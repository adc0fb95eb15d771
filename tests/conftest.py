"""What every test may use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from simbus import Simulation


@pytest.fixture
def sim() -> Iterator[Simulation]:
    """A simulation with seed 1, closed at the end."""
    from simbus import Simulation

    with Simulation(seed=1) as simulation:
        yield simulation
