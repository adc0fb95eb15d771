"""Which rates to play next, to find the highest at which all expectations hold.

From the first rate on by doubling (or halving, and where nothing holds down there a few times up after all) until one
holds and a higher one fails; then each round plays three rates that cut the space between them into four, until the two
are as near as wanted. A round does not depend on how many processes play it, so neither does the result.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from simbus.load.rates import rounded, shown

PIECES: Final = 4
UPWARD: Final = 8  # times the first rate: how far a search goes up where not even the lowest rate holds


class Bounds(NamedTuple):
    """Where to search (events a second): from `lowest` to `highest`, beginning at `start`; `precision` is a share."""

    lowest: float
    highest: float
    start: float
    precision: float


def wanted(bounds: Bounds, holds: dict[float, bool]) -> list[float]:
    """The rates to play next; `holds` says of those that were played whether everything was as expected."""
    if not holds:
        rates = [bounds.start / 2, bounds.start, bounds.start * 2]
    else:
        held, failed = bracket(holds)
        if held is None and min(holds) > bounds.lowest:
            rates = [min(holds) / 2, min(holds) / 4]
        elif held is None:  # too few events can be a reason to fail, too
            rates = [max(holds) * 2, max(holds) * 4] if max(holds) < UPWARD * bounds.start else []
        elif failed is None:
            rates = [held * 2, held * 4]
        elif failed / held <= 1 + bounds.precision:
            return []
        else:
            rates = [held * (failed / held) ** (piece / PIECES) for piece in range(1, PIECES)]
    within = (min(max(rounded(rate), bounds.lowest), bounds.highest) for rate in rates)
    return sorted({rate for rate in within if rate not in holds})


def bracket(holds: dict[float, bool]) -> tuple[float | None, float | None]:
    """The highest rate that holds, and the lowest one above it that fails; None where there is no such rate."""
    held = max((rate for rate, held in holds.items() if held), default=None)
    failed = min((rate for rate, held_there in holds.items() if not held_there and rate > (held or 0)), default=None)
    return held, failed


def verdict(bounds: Bounds, holds: dict[float, bool]) -> list[str]:
    """What was found, in words."""
    held, failed = bracket(holds)
    if held is None:
        return [f"The expectations do not hold at any rate from {shown(min(holds))} to {shown(max(holds))}."]
    if failed is None:
        found = [f"The expectations hold up to {shown(held)}, the highest rate that was tried (--to: a higher one)."]
    else:
        found = [f"Highest rate at which the expectations hold: {shown(held)}; they fail at {shown(failed)}."]
    below = sorted(rate for rate, holding in holds.items() if not holding and rate < held)
    if below:
        where = ", ".join(map(shown, below))
        if len(below) > 2:
            where = f"{len(below)} rates from {shown(below[0])} to {shown(below[-1])}"
        found.append(
            f"They also fail below it, at {where}: what they limit is not the rate alone, and there may be other rates "
            "at which they hold or fail."
        )
    return found
