"""botocore's own retries and waiters, in virtual time: inside handlers, and outside of them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from simbus import Simulation

boto3 = pytest.importorskip("boto3", reason="needs the extra boto3")
botocore = pytest.importorskip("botocore")
adaptive = pytest.importorskip("botocore.retries.adaptive")
bucket = pytest.importorskip("botocore.retries.bucket")
standard = pytest.importorskip("botocore.retries.standard")
throttling = pytest.importorskip("botocore.retries.throttling")
Config = pytest.importorskip("botocore.config").Config

SECOND = 1_000_000_000
SEED = 7  # of the handler's own generator, with which the expected delays are drawn once more


@pytest.fixture
def sim() -> Iterator[Simulation]:
    with Simulation(seed=1) as simulation:
        yield simulation


def numbers() -> Callable[[], float]:
    return random.Random(SEED).random


class Attempts:
    """The instants of a client's attempts, in seconds from the first one."""

    def __init__(self, client: Any) -> None:
        self._instants: list[float] = []
        client.meta.events.register("request-created.sqs", self._note)

    def _note(self, **_: Any) -> None:
        self._instants.append(time.time())

    @property
    def instants(self) -> list[float]:
        return [instant - self._instants[0] for instant in self._instants]


def in_a_handler(sim: Simulation, retries: dict[str, Any], **settings: Any) -> dict[str, Any]:
    """A handler that sends one message with these `retries`: the instants of its attempts, and how it ended."""

    def handler(event: Any, context: Any) -> dict[str, Any]:
        random.seed(SEED)
        client = boto3.client("sqs", config=Config(retries=retries))
        attempts = Attempts(client)
        try:
            response = client.send_message(QueueUrl=settings["url"], MessageBody="a", **settings.get("params", {}))
        except botocore.exceptions.ClientError as error:
            response = error.response
        return {
            "instants": attempts.instants,
            "code": response.get("Error", {}).get("Code"),
            "metadata": response["ResponseMetadata"],
        }

    function = sim.function("f", handler=handler, timeout=900, simulate={"aws_latency": "0s"})
    found: dict[str, Any] = function.invoke({}).json()
    return found


def exactly(expected: list[float]) -> list[Any]:
    """Instants as `time.time()` tells them: to the last digits of a number of seconds since 1970."""
    return [pytest.approx(instant, abs=2e-6) for instant in expected]


def summed(delays: list[float]) -> list[float]:
    """The instants of attempts with these delays between them."""
    instants = [0.0]
    for delay in delays:
        instants.append(instants[-1] + delay)
    return instants


def legacy(count: int) -> list[float]:
    """rand * 2^(n-1) (botocore.retryhandler.delay_exponential)."""
    draw = numbers()
    return [draw() * 2**n for n in range(count)]


def backoff(count: int, code: str = "ServiceUnavailable", status: int = 503) -> list[float]:
    """rand * min(scale * 2^n, 20): the formula of the class itself, with our numbers."""
    given: dict[str, Any] = {"random": numbers()}
    if hasattr(standard.ExponentialBackoff, "_DEFAULT_BACKOFF_CONFIG"):
        detector = standard.ThrottlingErrorDetector(standard.RetryEventAdapter())
        given |= {"service_name": "sqs", "throttling_detector": detector}
    formula = standard.ExponentialBackoff(**given)
    answer = SimpleNamespace(headers={}, status_code=status)
    return [
        formula.delay_amount(standard.RetryContext(n, parsed_response={"Error": {"Code": code}}, http_response=answer))
        for n in range(1, count + 1)
    ]


@pytest.mark.parametrize(
    ("retries", "expected"),
    [
        ({"mode": "legacy"}, lambda: legacy(4)),
        ({"mode": "legacy", "max_attempts": 2}, lambda: legacy(2)),
        ({"mode": "legacy", "total_max_attempts": 2}, lambda: legacy(1)),
        ({"mode": "standard"}, lambda: backoff(2)),
        ({"mode": "standard", "total_max_attempts": 14}, lambda: backoff(13)),
        ({"mode": "adaptive", "total_max_attempts": 4}, lambda: backoff(3)),
        ({"mode": "standard", "total_max_attempts": 1}, list),
    ],
)
def test_an_outage_is_retried_with_botocores_delays(
    sim: Simulation, retries: dict[str, Any], expected: Callable[[], list[float]]
) -> None:
    """503 of a queue that is out of service; at the end the error, and in its metadata how often it was tried."""
    queue = sim.queue("jobs")
    queue.outage(900 * SECOND)
    delays = expected()
    found = in_a_handler(sim, retries, url=queue.url)
    assert found["instants"] == exactly(summed(delays))
    assert found["code"] == "ServiceUnavailable"
    metadata = found["metadata"]
    reached = True if delays or retries["mode"] == "standard" else None
    assert (metadata["HTTPStatusCode"], metadata["RetryAttempts"]) == (503, len(delays))
    assert metadata.get("MaxAttemptsReached") is reached


def test_the_longest_delay_of_the_standard_mode(sim: Simulation) -> None:
    """It is capped at 20 seconds: late delays lie below, where 0.05 * 2^n would be more."""
    queue = sim.queue("jobs")
    queue.outage(900 * SECOND)
    found = in_a_handler(sim, {"mode": "standard", "total_max_attempts": 14}, url=queue.url)
    instants = found["instants"]
    draw = numbers()
    drawn = [draw() for _ in range(13)]
    late = [after - before for before, after in pairwise(instants[10:])]
    assert late == [pytest.approx(20 * number, abs=2e-6) for number in drawn[10:]]


def test_it_succeeds_when_the_outage_is_over(sim: Simulation) -> None:
    """RetryAttempts in the metadata of the answer; one message, not one for each attempt."""
    queue = sim.queue("jobs")
    queue.outage(SECOND)
    instants = summed(legacy(4))
    number = next(n for n, instant in enumerate(instants) if instant >= 1)
    found = in_a_handler(sim, {"mode": "legacy"}, url=queue.url)
    assert found["instants"] == exactly(instants[: number + 1])
    assert (found["code"], found["metadata"]["RetryAttempts"]) == (None, number)
    assert len(queue.messages) == 1


def throttled(sim: Simulation) -> Any:
    """A FIFO queue that takes no more in this second: 300 calls of an action (SQS developer guide, quotas)."""
    queue = sim.queue("jobs.fifo", fifo_queue=True, content_based_deduplication=True)
    for _ in range(300):
        queue.send_message("x", message_group_id="g")
    return queue


@pytest.mark.parametrize("mode", ["legacy", "standard"])
def test_a_throttled_queue(sim: Simulation, mode: str) -> None:
    """RequestThrottled, a 403, is retried in either mode until the second is over, with the delays of throttles."""
    queue = throttled(sim)
    delays = legacy(4) if mode == "legacy" else backoff(4, "RequestThrottled", 403)
    instants = summed(delays)
    number = next(n for n, instant in enumerate(instants) if instant >= 1)
    params = {"MessageGroupId": "g"}
    retries = {"mode": mode, "total_max_attempts": 5}
    found = in_a_handler(sim, retries, url=queue.url, params=params)
    assert found["instants"] == exactly(instants[: number + 1])
    assert (found["code"], found["metadata"]["RetryAttempts"]) == (None, number)


def test_without_retries_the_throttle_is_the_answer(sim: Simulation) -> None:
    """RequestThrottled with status 403."""
    queue = throttled(sim)
    retries = {"mode": "standard", "total_max_attempts": 1}
    found = in_a_handler(sim, retries, url=queue.url, params={"MessageGroupId": "g"})
    assert (found["code"], found["metadata"]["HTTPStatusCode"]) == ("RequestThrottled", 403)


class Clock:
    """A clock of the test, for botocore's own rate limiter."""

    def __init__(self, at: float) -> None:
        self.now = at

    def current_time(self) -> float:
        return self.now


class WaitingBucket(bucket.TokenBucket):  # type: ignore[misc, name-defined]
    """botocore's bucket; who waits for a token moves the clock."""

    def _acquire(self, amount: float, block: bool) -> bool:
        self._refill()
        while (missing := self._sleep_amount(amount)) > 0:
            self._clock.now += max(missing, 1e-6)
            self._refill()
        self._current_capacity -= amount
        return True


def paced(start: float, sends: int, throttled_until: float) -> list[float]:
    """When a client in the adaptive mode sends, by botocore's own classes: its limiter, and the standard backoff."""
    clock = Clock(start)
    limiter = adaptive.ClientRateLimiter(
        rate_adjustor=throttling.CubicCalculator(starting_max_rate=0, start_time=clock.current_time()),
        rate_clocker=adaptive.RateClocker(clock),
        token_bucket=WaitingBucket(max_rate=1, clock=clock),
        throttling_detector=standard.ThrottlingErrorDetector(standard.RetryEventAdapter()),
        clock=clock,
    )
    instants, done, delays = [], 0, iter(backoff(20, "RequestThrottled", 403))
    while done < sends:
        limiter.on_sending_request(None)
        instants.append(clock.now)
        refused = clock.now < throttled_until
        error = {"Error": {"Code": "RequestThrottled"}} if refused else {}
        answer = (SimpleNamespace(headers={}, status_code=403 if refused else 200), error)
        limiter.on_receiving_response(
            response=answer, attempts=1, operation=None, caught_exception=None, request_dict={"context": {}}
        )
        if refused:
            clock.now += next(delays)
        done += not refused
    return instants


@pytest.mark.parametrize("where", ["handler", "test"])
def test_the_adaptive_mode_waits_for_its_tokens(sim: Simulation, where: str) -> None:
    """After a throttle it sends at the rate that botocore's CUBIC limiter allows; the wait is virtual, too."""
    queue = throttled(sim)
    seen: list[float] = []

    def send(event: Any = None, context: Any = None) -> None:
        random.seed(SEED)
        client = boto3.client("sqs", config=Config(retries={"mode": "adaptive", "total_max_attempts": 10}))
        client.meta.events.register("before-send", lambda **_: seen.append(now()))
        for n in range(8):
            client.send_message(QueueUrl=queue.url, MessageBody=str(n), MessageGroupId="g")

    def now() -> float:
        return sim.world.epoch_ns / SECOND + sim.now / SECOND

    start = now()
    if where == "handler":
        sim.function("f", handler=send, timeout=900, simulate={"aws_latency": "0s", "init_duration": "0s"}).invoke({})
        expected = paced(start, 8, start + 1)
        assert seen == [pytest.approx(instant, abs=2e-5) for instant in expected]
    else:
        send()
    assert len(seen) > 8
    assert sim.now > 2 * SECOND
    assert len(queue.messages) == 9


def outside(seed: int, mode: str) -> list[float]:
    """The instants of a test's own client, which meets an outage."""
    with Simulation(seed=seed) as sim:
        queue = sim.queue("jobs")
        queue.outage(900 * SECOND)
        client = boto3.client("sqs", config=Config(retries={"mode": mode}))
        seen: list[float] = []
        client.meta.events.register("request-created.sqs", lambda **_: seen.append(sim.now / SECOND))
        with pytest.raises(botocore.exceptions.ClientError):
            client.send_message(QueueUrl=queue.url, MessageBody="a")
        return seen


@pytest.mark.parametrize(("mode", "count", "scale"), [("legacy", 5, 1.0), ("standard", 3, None)])
def test_outside_of_handlers_the_seed_decides(mode: str, count: int, scale: float | None) -> None:
    """Sleeps play the timeline; the numbers are the simulation's: the same seed has the same delays."""
    first = outside(1, mode)
    assert first == outside(1, mode)
    assert first != outside(2, mode)
    assert len(first) == count
    if scale is None:
        config = getattr(standard.ExponentialBackoff, "_DEFAULT_BACKOFF_CONFIG", {"non_throttling_base_scale": 1})
        scale = config["non_throttling_base_scale"]
    for n, (before, after) in enumerate(pairwise(first)):
        assert 0 < after - before < scale * 2**n


def test_a_client_of_one_simulation_waits_in_that_one() -> None:
    """Also where it is not the one whose `with` block this is."""
    with Simulation(seed=1) as one, Simulation(seed=2) as two:
        queue = one.queue("jobs")
        queue.outage(SECOND)
        patient = Config(retries={"mode": "legacy"})
        one.client("sqs", config=patient).send_message(QueueUrl=queue.url, MessageBody="a")
        assert one.now >= SECOND
        assert two.now == 0


def test_the_same_seed_has_the_same_delays_in_a_handler() -> None:
    """The handler's own generator is seeded by (seed, environment); nothing of the machine's is drawn."""

    def run(seed: int) -> list[float]:
        with Simulation(seed=seed) as sim:
            queue = sim.queue("jobs")
            queue.outage(900 * SECOND)
            seen: list[float] = []

            def handler(event: Any, context: Any) -> None:
                client = boto3.client("sqs")
                client.meta.events.register("request-created.sqs", lambda **_: seen.append(time.time()))
                client.send_message(QueueUrl=queue.url, MessageBody="a")

            sim.function("f", handler=handler, timeout=900).invoke({})
            return seen

    assert run(1) == run(1)
    assert run(1) != run(2)


@pytest.mark.parametrize("where", ["handler", "test"])
def test_a_waiter_polls_in_virtual_time(sim: Simulation, where: str) -> None:
    """BucketExists: every 5 seconds, 20 times (botocore's waiters-2.json of S3); then WaiterError."""

    def wait(event: Any = None, context: Any = None) -> list[Any]:
        s3 = boto3.client("s3")
        s3.get_waiter("bucket_exists").wait(Bucket="uploads")
        there = now()
        with pytest.raises(botocore.exceptions.WaiterError):
            s3.get_waiter("bucket_exists").wait(Bucket="absent")
        return [there, now() - there]

    def now() -> float:
        return sim.now / SECOND

    sim.at("12s", lambda: sim.bucket("uploads"))
    if where == "handler":
        simulate = {"aws_latency": "0s", "init_duration": "0s"}
        found = sim.function("f", handler=wait, timeout=900, simulate=simulate).invoke({}).json()
    else:
        found = wait()
    assert found == [15, 95]
