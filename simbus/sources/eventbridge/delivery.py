"""How a matched event gets to a target: retries, and the dead-letter queue.

Sources: user guide, "How EventBridge retries delivering events" (185 retries and 24 h, exponential back-off with
jitter; the page links to AWS's article on full jitter, which is what is done here: before retry n a random share of
2^n seconds, of 512 s at most; AWS publishes no numbers) and "Using dead-letter queues to process undelivered events"
(its attributes and error codes); re:Post, "How do I set up EventBridge retries" (5xx and 429 are retried, other 4xx
are not).
"""

from __future__ import annotations

from typing import Any, Final

from simbus.bus import Bus
from simbus.errors import AwsError
from simbus.kernel import SECOND
from simbus.model import ChangeEvent
from simbus.sources.eventbridge.targets import Target
from simbus.world import Delivery, World

SERVICE: Final = "events.amazonaws.com"
LONGEST_BACKOFF: Final = 512
THIRD_BUS: Final = "THIRD_ACCOUNT_HOP_DETECTED"
THIRD_BUS_RULE: Final = "EventBridge can't route events received from a sender event bus to a third event bus"
_THROTTLES: Final = (
    "Throttling",
    "ThrottlingException",
    "Throttled",
    "RequestThrottled",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "KMSThrottling",
    "LimitExceededException",
)
_MISSING: Final = ("NotFound", "NonExistentQueue", "DoesNotExist", "NoSuch")
_TOLD_RETRIES: Final = 5  # then only each tenth is a row of hops


class Parcel:
    """One event on its way to one target."""

    __slots__ = ("delivery", "event", "retries", "rule_arn", "since", "target")

    def __init__(self, event: ChangeEvent, rule_arn: str, target: Target, delivery: Delivery, since: int) -> None:
        self.event = event
        self.rule_arn = rule_arn
        self.target = target
        self.delivery = delivery
        self.since = since
        self.retries = 0


class Courier:
    """Delivers what the rules of one bus have matched."""

    def __init__(self, world: World, bus: Bus, name: str) -> None:
        self._world = world
        self._bus = bus
        self._rng = world.timeline.rng(f"{name}/retries")
        self._waiting: dict[Parcel, None] = {}

    def send(self, parcel: Parcel) -> None:
        """Try once. Afterwards it is delivered, will be retried, or is given up."""
        error = self._world.hand_over(parcel.target.arn, parcel.delivery)
        if error is not None:
            self._failed(parcel, error)
        elif parcel.target.service != "lambda":  # a function settles it itself, when it has run
            self._bus.settle(parcel.event, parcel.target.name, "ok")

    def _failed(self, parcel: Parcel, error: AwsError) -> None:
        code = error_code(error)
        retried = error.status >= 500 or code == "THROTTLING"
        if not retried:
            self.give_up(parcel, code, error.message)
        elif parcel.retries >= parcel.target.max_retry_attempts:
            self.give_up(parcel, code, error.message, "MaximumRetryAttempts")
        else:
            self._wait(parcel, code, error)

    def _wait(self, parcel: Parcel, code: str, error: AwsError) -> None:
        timeline = self._world.timeline
        retry = parcel.retries + 1
        longest = min(1 << min(retry, 9), LONGEST_BACKOFF) * SECOND
        due = timeline.now + int(self._rng.random() * longest)
        self._waiting[parcel] = None
        expires = parcel.since + parcel.target.max_event_age * SECOND
        if due > expires:
            timeline.at(expires, self._expire, (parcel, code, error.message))
            return
        if retry <= _TOLD_RETRIES or retry % 10 == 0:
            detail = (
                f"{error}; retry {retry} of {parcel.target.max_retry_attempts} in {(due - timeline.now) / 1e9:.3f} s"
            )
            self._bus.hop(parcel.event.id, "delivery_retry", parcel.target.name, detail)
        timeline.at(due, self._again, parcel)

    def _again(self, parcel: Parcel) -> None:
        del self._waiting[parcel]
        parcel.retries += 1
        self.send(parcel)

    def _expire(self, given_up: tuple[Parcel, str, str]) -> None:
        parcel, code, message = given_up
        del self._waiting[parcel]
        self.give_up(parcel, code, message, "MaximumEventAgeInSeconds")

    def give_up(self, parcel: Parcel, code: str, message: str, exhausted: str | None = None) -> None:
        """To the target's dead-letter queue; where there is none, or that refuses it as well, the event is lost."""
        target, event = parcel.target, parcel.event
        reason = f"{code}: {message}" + ("" if exhausted is None else f"; {exhausted}")
        outcome = "dropped"
        if target.dead_letter_arn is not None:
            attributes = dead_letter_attributes(parcel, code, message, exhausted)
            delivery = Delivery(event.data, SERVICE, parcel.rule_arn, event=event, attributes=attributes)
            refused = self._world.hand_over(target.dead_letter_arn, delivery)
            if refused is None:
                outcome = "dead_letter"
            else:
                reason = f"{reason}; the dead-letter queue refuses it: {refused}"
        self._bus.hop(event.id, "delivery_failed" if outcome == "dead_letter" else "dropped", target.name, reason)
        self._bus.settle(event, target.name, outcome)

    def hold(self) -> None:
        """The run ends: what still waits for a retry is held."""
        for parcel in self._waiting:
            self._bus.settle(parcel.event, parcel.target.name, "held")


def error_code(error: AwsError) -> str:
    """The ERROR_CODE of a dead letter for what a target answered, one of those that the user guide lists."""
    code = error.code
    if error.status == 429 or code in _THROTTLES:
        return "THROTTLING"
    if error.status >= 500:
        return "ERROR_FROM_TARGET"
    if error.status == 404 or any(word in code for word in _MISSING):
        return "NO_RESOURCE"
    if error.status == 403 or "AccessDenied" in code:
        return "NO_PERMISSIONS"
    return "INVALID_JSON" if code == "INVALID_JSON" else "SDK_CLIENT_ERROR"


def dead_letter_attributes(parcel: Parcel, code: str, message: str, exhausted: str | None) -> dict[str, dict[str, Any]]:
    """The message attributes of a dead letter, all of them texts."""
    values = {
        "RULE_ARN": parcel.rule_arn,
        "TARGET_ARN": parcel.target.arn,
        "ERROR_CODE": code,
        "ERROR_MESSAGE": message,
        "EXHAUSTED_RETRY_CONDITION": exhausted,
        "RETRY_ATTEMPTS": str(parcel.retries),
    }
    return {name: {"DataType": "String", "StringValue": text} for name, text in values.items() if text}
