"""How many invocations may run at once: the account's pool, reservations, scaling and request rates.

Sources: Lambda Developer Guide, "Lambda quotas", "Understanding Lambda function scaling"; recorded throttle reasons
(test_reserved_concurrency, test_lambda_concurrency_block); botocore ThrottleReason.
"""

from __future__ import annotations

from simbus.errors import AwsError
from simbus.kernel import SECOND, Timeline

MINIMUM_UNRESERVED = 100  # of an account; "Managing concurrency", Developer Guide 2017
SCALING_RATE = 1_000  # new environments per function ...
SCALING_PERIOD = 10 * SECOND  # ... in ten seconds, refilled continuously
REQUESTS_PER_ENVIRONMENT = 10  # synchronous requests per second for each unit of concurrency


class TokenBucket:
    """Admits `rate` per `period` nanoseconds, refilled continuously, never holding more than `rate`. Exact integers."""

    __slots__ = ("_level", "_period", "_rate", "_timeline", "_when")

    def __init__(self, timeline: Timeline, rate: int, period: int) -> None:
        self._timeline = timeline
        self._rate = rate
        self._period = period
        self._level = rate * period  # counted in 1/period of a token, so that the refill is an integer
        self._when = timeline.now

    def take(self) -> bool:
        """Take one token if there is one."""
        now = self._timeline.now
        if now != self._when:
            self._level = min(self._rate * self._period, self._level + (now - self._when) * self._rate)
            self._when = now
        if self._level < self._period:
            return False
        self._level -= self._period
        return True


class AccountPool:
    """The concurrency of one account in one Region: what is reserved, and the rest that all others share.

    The peaks are the most since the metrics looked last.
    """

    __slots__ = ("elsewhere", "in_use", "limit", "minimum_unreserved", "peak", "reserved", "total_peak")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.minimum_unreserved = min(MINIMUM_UNRESERVED, limit)
        self.reserved = 0  # by reservations, and by provisioned concurrency outside of them
        self.in_use = self.peak = 0  # of the unreserved rest
        self.elsewhere = 0  # in reservations, and in provisioned environments
        self.total_peak = 0  # of both together

    @property
    def unreserved(self) -> int:
        """What all functions without a reservation share."""
        return self.limit - self.reserved

    def enter(self, in_use: int, elsewhere: int) -> None:
        """So many more run from now on."""
        self.in_use += in_use
        self.elsewhere += elsewhere
        self.peak = max(self.peak, self.in_use)
        self.total_peak = max(self.total_peak, self.in_use + self.elsewhere)

    def check_reservation(self, more: int) -> None:
        """Raises InvalidParameterValueException where `more` would leave too little unreserved."""
        if self.unreserved - more < self.minimum_unreserved and more > 0:
            raise AwsError(
                "InvalidParameterValueException",
                "Specified ReservedConcurrentExecutions for function decreases account's "
                f"UnreservedConcurrentExecution below its minimum value of [{self.minimum_unreserved}].",
            )


class Concurrency:
    """One function's concurrency: all its versions together.

    `reserved` is both guarantee and cap (None: shares the account's pool; 0: switched off). Provisioned environments
    lie inside the reservation, or are taken from the account's pool. `peak` is the most that ran at once since the
    metrics looked last.
    """

    __slots__ = (
        "_pool",
        "_rate",
        "_rate_limit",
        "_scaling",
        "_timeline",
        "in_use",
        "peak",
        "provisioned",
        "provisioned_busy",
        "reserved",
    )

    def __init__(self, timeline: Timeline, pool: AccountPool) -> None:
        self._timeline = timeline
        self._pool = pool
        self._scaling = TokenBucket(timeline, SCALING_RATE, SCALING_PERIOD)
        self._rate: TokenBucket | None = None
        self._rate_limit = -1
        self.reserved: int | None = None
        self.provisioned = 0
        self.in_use = 0  # on demand
        self.provisioned_busy = 0
        self.peak = 0

    @property
    def running(self) -> int:
        """How many invocations run now, on demand and in provisioned environments."""
        return self.in_use + self.provisioned_busy

    def reserve(self, amount: int | None) -> None:
        """PutFunctionConcurrency, or DeleteFunctionConcurrency with None. Raises AWS's errors."""
        if amount is not None and amount < self.provisioned:
            raise AwsError(
                "InvalidParameterValueException",
                f" ReservedConcurrentExecutions  {amount} should not be lower than function's total provisioned "
                f"concurrency [{self.provisioned}].",
            )
        before = self.provisioned if self.reserved is None else self.reserved
        after = self.provisioned if amount is None else amount
        self._pool.check_reservation(after - before)
        self._pool.reserved += after - before
        if self.reserved is None and amount is not None:
            self._pool.enter(-self.in_use, self.in_use)
        elif self.reserved is not None and amount is None:
            self._pool.enter(self.in_use, -self.in_use)
        self.reserved = amount

    def provision(self, more: int) -> None:
        """Take `more` environments (negative: give back) for provisioned concurrency. Raises AWS's errors."""
        if self.reserved is None:
            self._pool.check_reservation(more)
            self._pool.reserved += more
        elif self.provisioned + more > self.reserved:
            raise AwsError(
                "InvalidParameterValueException",
                "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for "
                "function",
                Type="User",
            )
        self.provisioned += more

    def refuse(self) -> str | None:
        """Why an invocation on demand can't run now (AWS's ThrottleReason), or None: then it is counted in."""
        pool = self._pool
        if self.reserved is None:
            if pool.in_use >= pool.limit - pool.reserved:
                return "ConcurrentInvocationLimitExceeded"
            pool.in_use += 1
            if pool.in_use > pool.peak:
                pool.peak = pool.in_use
        elif self.in_use >= self.reserved - self.provisioned:
            return "ReservedFunctionConcurrentInvocationLimitExceeded"
        else:
            pool.elsewhere += 1
        if pool.in_use + pool.elsewhere > pool.total_peak:
            pool.total_peak = pool.in_use + pool.elsewhere
        self.in_use += 1
        if self.in_use + self.provisioned_busy > self.peak:
            self.peak = self.in_use + self.provisioned_busy
        return None

    def release(self) -> None:
        """An invocation on demand has ended."""
        self.in_use -= 1
        if self.reserved is None:
            self._pool.in_use -= 1
        else:
            self._pool.elsewhere -= 1

    def enter_provisioned(self) -> None:
        """An invocation begins in a provisioned environment."""
        self.provisioned_busy += 1
        self.peak = max(self.peak, self.running)
        self._pool.enter(0, 1)

    def release_provisioned(self) -> None:
        """It has ended."""
        self.provisioned_busy -= 1
        self._pool.enter(0, -1)

    def may_scale(self) -> bool:
        """Whether one more environment may be created now."""
        return self._scaling.take()

    def refuse_rate(self) -> str | None:
        """Why a synchronous request is too many per second, or None: then it is counted in.

        A function that is switched off (reserved 0) refuses for its concurrency, not for its rate (recorded:
        test_reserved_concurrency).
        """
        if self.reserved == 0:
            return None
        limit = REQUESTS_PER_ENVIRONMENT * (self._pool.limit if self.reserved is None else self.reserved)
        if limit != self._rate_limit:
            self._rate, self._rate_limit = TokenBucket(self._timeline, limit, SECOND), limit
        if self._rate is not None and self._rate.take():
            return None
        if self.reserved is None:
            return "FunctionInvocationRateLimitExceeded"
        return "ReservedFunctionInvocationRateLimitExceeded"
