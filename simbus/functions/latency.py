"""How long a handler's calls to AWS take, by service."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any, Final

import msgspec

from simbus.errors import UsageError
from simbus.kernel import MILLISECOND
from simbus.kernel.distributions import Constant, Distribution, parse_distribution
from simbus.services import SERVICES as KNOWN

DEFAULT: Final = "default"
SERVICES: Final = MappingProxyType(
    {
        DEFAULT: Constant(20 * MILLISECOND),
        "dynamodb": Constant(5 * MILLISECOND),
        "kinesis": Constant(15 * MILLISECOND),
        "s3": Constant(50 * MILLISECOND),
        "sns": Constant(25 * MILLISECOND),
        "sqs": Constant(10 * MILLISECOND),
    }
)
"""What a call takes where nothing is said: round numbers in the range that AWS gives.

DynamoDB "single-digit millisecond" (its product page); S3 "roughly 100-200 milliseconds" for the first byte of a new
connection, tens of milliseconds for small objects (S3 User Guide, "Best practices design patterns"; Standard class);
SNS publishes "typically under 30 milliseconds" (SNS FAQ); SQS and Kinesis "typically tens of milliseconds" and less
within a Region. They are no measurement of your account: set `simulate.aws_latency` where they matter.
"""


class Latencies(msgspec.Struct, frozen=True):
    """`simulate.aws_latency`: a duration or distribution for each service, and one for all others (`default`)."""

    by_service: Mapping[str, Distribution] = SERVICES

    def sample(self, rng: Random, service: str) -> int:
        """The latency of one call, in nanoseconds."""
        found = self.by_service.get(service)
        return (self.by_service[DEFAULT] if found is None else found).sample(rng)


_FORMS: Final = ("constant", "exponential", "uniform", "normal", "lognormal", "empirical")
_OTHERS: Final = (DEFAULT, "cloudwatch", "logs", "sts")
_NAME = re.compile(r"[a-z][a-z0-9-]*")


def parse_latencies(value: Any, base_dir: Path | None = None) -> Latencies:
    """`5ms` (every service), or `{s3: 40ms, dynamodb: {p50: 4ms, p99: 20ms}, default: 10ms}`; an int is nanoseconds.

    A service is named as in ARNs (`events`, `lambda`, `logs`, `secretsmanager` ...); one that is not named keeps its
    default. Raises UsageError; its text starts with what was found.
    """
    if isinstance(value, Latencies):
        return value
    if not isinstance(value, Mapping) or _is_distribution(value):
        return Latencies({DEFAULT: _distribution(value, base_dir)})
    given = {}
    for service, latency in value.items():
        _check_service(service)
        try:
            given[service] = _distribution(latency, base_dir)
        except UsageError as error:
            raise UsageError(f"of {service} {error}") from None
    return Latencies({**SERVICES, **given})


def _is_distribution(value: Mapping[Any, Any]) -> bool:
    return any(key in _FORMS or (str(key)[:1] == "p" and str(key)[1:2].isdigit()) for key in value)


def _check_service(service: Any) -> None:
    """Any service of AWS has a latency, so a name is only refused where it looks like a slip of the pen."""
    known = (*KNOWN, *_OTHERS)
    near = get_close_matches(str(service), known, 1, 0.75)
    if not isinstance(service, str) or not _NAME.fullmatch(service) or (service not in known and near):
        meant = f" Did you mean {near[0]}?" if near else f" Write for example {DEFAULT}, s3 or dynamodb."
        raise UsageError(f"has {service!r}, which is no service of AWS.{meant}")


def _distribution(value: Any, base_dir: Path | None) -> Distribution:
    if isinstance(value, Distribution):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        if value < 0:
            raise UsageError(f"is {value}; a latency is a duration such as 5ms, or nanoseconds, not below 0.")
        return Constant(value)
    return parse_distribution(value, base_dir=base_dir)
