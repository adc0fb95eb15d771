"""Waiting in whatever asyncio loop runs: the timeline's own, or the inner loop of a handler."""

from __future__ import annotations

import asyncio

from simbus.kernel.timeline import SECOND


async def sleep(delay: int) -> None:
    """Wait `delay` nanoseconds of virtual time; 0 lets the other tasks take a turn."""
    await asyncio.sleep(delay / SECOND)
