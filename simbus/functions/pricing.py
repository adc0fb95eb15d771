"""What a run would cost on AWS: Lambda's list prices of us-east-1 in USD.

Source: https://aws.amazon.com/lambda/pricing (us-east-1, Linux; the first tier of each price). Left out on purpose:
the free tier (1,000,000 requests and 400,000 GB-seconds a month) is not deducted, and the lower prices beyond
6 billion GB-seconds a month (x86_64; 7.5 billion on arm64) are not applied. A GB is 1,024 MB.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from simbus.errors import UsageError

REQUEST = 0.20 / 1_000_000
"""USD per request, on demand or provisioned."""

EPHEMERAL_STORAGE_GB_SECOND = 0.0000000309
"""USD per GB-second of /tmp above the 512 MB that cost nothing."""

FREE_EPHEMERAL_STORAGE = 512
"""MB of /tmp that cost nothing."""

PROVISIONED_PERIOD = 300
"""Seconds: provisioned concurrency is charged in steps of five minutes."""


@dataclass(frozen=True, slots=True)
class GbSecond:
    """USD per GB-second of one architecture: on demand; keeping provisioned environments; running in them."""

    on_demand: float
    provisioned_idle: float
    provisioned_duration: float


PRICES = {
    "x86_64": GbSecond(0.0000166667, 0.0000041667, 0.0000097222),
    "arm64": GbSecond(0.0000133334, 0.0000033334, 0.0000077778),
}


def billed_duration_ms(duration_ms: float, init_ms: float | None = None) -> int:
    """The Billed Duration of the REPORT line: the sum, rounded up to whole milliseconds, at least 1.

    `init_ms` is the Init Duration of an on-demand cold start, which AWS bills since 2025-08-01 (None: a warm start, or
    provisioned concurrency, whose init the provisioned price covers). Source: AWS Compute Blog, "AWS Lambda
    standardizes billing for INIT Phase" (250.06 ms and init 100.77 ms are billed as 351 ms).
    """
    if init_ms is None:
        return math.ceil(duration_ms) or 1
    return math.ceil(round(duration_ms + init_ms, 6)) or 1


def invocation_cost(
    billed_ms: int,
    memory_size: int,
    *,
    architecture: str = "x86_64",
    ephemeral_storage: int = 512,
    provisioned: bool = False,
) -> float:
    """USD for one invocation: its request, its GB-seconds and the /tmp above 512 MB.

    `billed_ms` is the Billed Duration, `memory_size` and `ephemeral_storage` are the configured MB. `provisioned`: it
    ran in a provisioned environment, where a GB-second costs less. Raises UsageError for an unknown architecture.
    """
    price = _price(architecture)
    seconds = billed_ms / 1000
    rate = price.provisioned_duration if provisioned else price.on_demand
    extra = max(0, ephemeral_storage - FREE_EPHEMERAL_STORAGE)
    return REQUEST + seconds * (memory_size * rate + extra * EPHEMERAL_STORAGE_GB_SECOND) / 1024


def provisioned_cost(
    seconds: float,
    provisioned_concurrent_executions: int,
    memory_size: int,
    *,
    architecture: str = "x86_64",
    rounded: bool = True,
) -> float:
    """USD for keeping so many environments of `memory_size` MB provisioned, whether they run or not.

    AWS rounds the time from enabling to disabling up to five minutes; `seconds` is that time before rounding. Not
    `rounded` is the share of a part of that time. What runs in the environments is charged on top:
    `invocation_cost(..., provisioned=True)`. Raises UsageError for an unknown architecture.
    """
    charged = math.ceil(seconds / PROVISIONED_PERIOD) * PROVISIONED_PERIOD if rounded else seconds
    gigabytes = provisioned_concurrent_executions * memory_size / 1024
    return charged * gigabytes * _price(architecture).provisioned_idle


def _price(architecture: str) -> GbSecond:
    price = PRICES.get(architecture)
    if price is None:
        raise UsageError(f"is architecture {architecture!r}; Lambda has {' and '.join(PRICES)}. Name one of them.")
    return price
