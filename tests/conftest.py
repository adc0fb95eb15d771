"""What every test may use."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from simbus import Simulation

# No wall clock and no fresh chance in tests: the same examples on every machine, however slow it is.
settings.register_profile("simbus", deadline=None, derandomize=True)
settings.load_profile("simbus")

# As in a terminal: a shell's background job ignores SIGINT, and tests of Ctrl-C would wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def sim() -> Iterator[Simulation]:
    """A simulation with seed 1, closed at the end."""
    from simbus import Simulation

    with Simulation(seed=1) as simulation:
        yield simulation
