"""How long a cold start's init takes when nobody says so: drawn from 885,468 measured ones.

The measurements are maxday/lambda-perf's (https://maxday.github.io/lambda-perf, commit 6070b794, Apache-2.0): every
day ten cold starts of a "hello world" function without dependencies, for each runtime, architecture, package and
memory size. So this is what the platform and the runtime take; imports of the user's own come on top.

`cold_starts.csv` beside this file holds its quantiles for the twelve months 2025-09 to 2026-08 (a runtime that was
dropped or added within them: its months). To make it anew: take the quantiles of each month, group them by runtime,
architecture, package and memory size (images: all sizes together), take the smallest min, the largest max and for
p10, p50, p90, p95 and p99 the mean weighted by `n`; round to whole ms. Straight lines between seven quantiles cost
some truth where two modes are mixed: the means of the table lie within 3 % of the measured ones for Python zip
packages, within 11 % for all zip packages and within 21 % for images.

Memory hardly matters: the medians of the four sizes differ by 4 % at most (Ruby on arm64: 18 %).
"""

from __future__ import annotations

import csv
import re
from bisect import bisect_right
from functools import cache
from importlib.resources import files

from simbus.errors import UsageError
from simbus.kernel.distributions import QuantileTable

SHARES = (0.0, 0.1, 0.5, 0.9, 0.95, 0.99, 1.0)
"""The quantiles that a cell of the table holds."""

_MS = 1_000_000
_FAMILY_OF = {"dotnetcore": "dotnet", "go": "provided"}
_RUNTIME = re.compile(r"([a-z]+?)(?:\.al)?(?:([0-9]+)(?:\.([0-9]+))?)?(?:\.x|\.al2)?", re.ASCII)


@cache
def init_distribution(
    runtime: str, memory_size: int, architecture: str = "x86_64", package: str = "zip"
) -> QuantileTable:
    """The measured Init Duration of such a function, as a distribution in nanoseconds.

    `memory_size` is in MB: between the measured 128, 256, 512 and 1,024 MB each quantile is interpolated linearly,
    below and above the nearest is taken. `architecture` is x86_64 or arm64, `package` zip or image. A runtime that was
    not measured stands for the nearest version of its family, the newer one of two equally near (python3.7 for
    python3.8, nodejs12.x for nodejs16.x, dotnetcore3.1 for dotnet6, go1.x for provided.al2). Raises UsageError for
    anything else; its text starts with "is".
    """
    table = _measured()
    found = table.get((_nearest(runtime), architecture, package))
    if found is None:
        raise UsageError(
            f"is {architecture} {package}; init was measured for x86_64 and arm64, zip and image. Name one of them."
        )
    return QuantileTable(SHARES, _between(found, memory_size))


def measured_runtimes() -> tuple[str, ...]:
    """The runtimes that the table knows, in its order."""
    return tuple(dict.fromkeys(runtime for runtime, _, _ in _measured()))


def _between(sizes: dict[int, tuple[int, ...]], memory_size: int) -> tuple[int, ...]:
    """The quantiles in nanoseconds at a memory size, on the straight line between the measured sizes around it."""
    measured = sorted(sizes)
    at = min(max(memory_size, measured[0]), measured[-1])
    left = measured[bisect_right(measured, at) - 1]
    right = next((size for size in measured if size > at), left)
    weight = (at - left) / (right - left) if right > left else 0.0
    return tuple(
        round((low + (high - low) * weight) * _MS) for low, high in zip(sizes[left], sizes[right], strict=True)
    )


@cache
def _measured() -> dict[tuple[str, str, str], dict[int, tuple[int, ...]]]:
    """The table: (runtime, architecture, package) to memory size in MB to quantiles in ms."""
    text = files("simbus.functions").joinpath("cold_starts.csv").read_text(encoding="utf-8")
    header, *rows = csv.reader(line for line in text.splitlines() if not line.startswith("#"))
    return {
        (row[0], row[1], row[2]): {
            int(size): tuple(map(int, cell.split())) for size, cell in zip(header[3:], row[3:], strict=True) if cell
        }
        for row in rows
    }


def _nearest(runtime: str) -> str:
    """The measured runtime of the same family whose version is nearest."""
    known = measured_runtimes()
    if runtime in known:
        return runtime
    family, version = _parsed(runtime)
    relatives = [(name, _parsed(name)[1]) for name in known if _parsed(name)[0] == family]
    if not relatives:
        families = ", ".join(dict.fromkeys(_parsed(name)[0] for name in known))
        raise UsageError(f"is {runtime!r}; the families of Lambda runtimes are {families}. Name one of AWS's runtimes.")
    return min(relatives, key=lambda relative: (abs(relative[1] - version), -relative[1]))[0]


def _parsed(runtime: str) -> tuple[str, int]:
    """The family of a runtime and its version as one number: python3.10 is ("python", 3010)."""
    match = _RUNTIME.fullmatch(runtime)
    if match is None:
        return runtime, 0
    family = _FAMILY_OF.get(match[1], match[1])
    return family, 1000 * int(match[2] or 0) + int(match[3] or 0)
