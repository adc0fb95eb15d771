"""Waiting in whatever asyncio loop runs: the timeline's own, or the inner loop of a handler."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from simbus.kernel.timeline import SECOND


async def sleep(delay: int) -> None:
    """Wait `delay` nanoseconds of virtual time; 0 lets the other tasks take a turn."""
    await asyncio.sleep(delay / SECOND)


async def called(start: Callable[[Callable[[], None]], None]) -> None:
    """Wait until the callback that is handed to `start` is called; other tasks go on meanwhile."""
    future = asyncio.get_running_loop().create_future()

    def wake() -> None:
        if not future.done():  # whoever waited may have been cancelled
            future.set_result(None)

    start(wake)
    await future
