"""What REPORT calls Max Memory Used where nothing else is said: the measured mean of a function that does nothing.

Source: maxday/lambda-perf at 6070b794 (Apache-2.0), months 2026-01 to 2026-08, zip, x86_64, 128 MB, rounded to MB.
"""

from __future__ import annotations

_MEASURED = {
    "dotnet10": 72,
    "dotnet8": 69,
    "java11": 72,
    "java17": 85,
    "java21": 93,
    "java25": 85,
    "java8.al2": 59,
    "nodejs20.x": 67,
    "nodejs22.x": 73,
    "nodejs24.x": 76,
    "provided.al2": 26,
    "provided.al2023": 27,
    "python3.10": 31,
    "python3.11": 34,
    "python3.12": 36,
    "python3.13": 38,
    "python3.14": 40,
    "python3.9": 31,
    "ruby3.2": 39,
    "ruby3.3": 36,
    "ruby3.4": 36,
}
# The oldest measured runtime stands for its elders, the measured mean of Python for what was never measured.
_ELDERS = {"python": 31, "nodejs": 67, "java": 59, "dotnet": 69, "ruby": 39}


def default_memory_used(runtime: str, memory_size: int) -> int:
    """MB that a function of this runtime uses when it does nothing; never more than it has."""
    family = runtime.rstrip("0123456789.x").rstrip(".")
    return min(_MEASURED.get(runtime) or _ELDERS.get(family, 38), memory_size)
