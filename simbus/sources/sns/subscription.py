"""A subscription: filters what its topic publishes, renders it, delivers it, and retries or gives up."""

from __future__ import annotations

import json
from collections import deque
from typing import Any, NamedTuple

from simbus.bus import Bus
from simbus.errors import AwsError
from simbus.filtering import FilterPolicy, compile_filter_policy
from simbus.model import ChangeEvent
from simbus.sources.sns.message import Envelope, LambdaForm, Message, QueueForm, raw_attributes, read_message
from simbus.sources.sns.retry import RETRIES, delay_before, is_told
from simbus.sources.sns.settings import Endpoint, Settings
from simbus.world import Delivery, World

SERVICE = "sns.amazonaws.com"


class Parcel:
    """One delivery on its way: to the endpoint, and after a failure to the dead-letter queue."""

    __slots__ = ("dead", "delivery", "event", "group", "message", "retry", "to")

    def __init__(self, event: ChangeEvent, message: Message, to: str, delivery: Delivery, group: str | None) -> None:
        self.event = event
        self.message = message
        self.to = to
        self.delivery = delivery
        self.group = group
        self.retry = 0
        self.dead = False


class _Filter(NamedTuple):
    """The compiled policy, and that of each of its keys: which of them refuses is asked only after a refusal."""

    policy: FilterPolicy
    by_key: dict[str, FilterPolicy]

    def refusal(self, message: Message, body: str) -> str | None:
        """Why a message does not pass, None where it does."""
        attributes = message.message_attributes
        if self.policy.matches(body, attributes):
            return None
        refused = (key for key, policy in self.by_key.items() if not policy.matches(body, attributes))
        return f"{self.policy.scope}: {next(refused, 'the keys together')}"


class TopicSubscription:
    """What the bus offers the messages of one topic. `name` is the endpoint's name in the rows."""

    def __init__(
        self, world: World, bus: Bus, arn: str, endpoint: Endpoint, settings: Settings, envelope: Envelope
    ) -> None:
        self._world = world
        self._bus = bus
        self.arn = arn
        self.endpoint = endpoint
        self.name = endpoint.name
        self.settings = settings
        self._protocol = endpoint.protocol
        self._waiting: dict[str, deque[Parcel]] = {}  # messages of a FIFO group behind one that is being retried
        self.sign(envelope)
        self.apply(settings)

    def __repr__(self) -> str:
        return f"<TopicSubscription {self.arn} to {self.name}>"

    def sign(self, envelope: Envelope) -> None:
        """Render with this envelope from now on."""
        self._envelope = envelope
        self._queue_form = QueueForm(envelope)
        self._render = LambdaForm(envelope).render if self._protocol == "lambda" else self._queue_form.render

    def apply(self, settings: Settings) -> None:
        """Take new settings, for the messages published from now on."""
        self.settings = settings
        self._filter = _filter(settings)
        self._raw = settings.raw_message_delivery
        # A message group goes to FIFO queues and, from a standard topic, to standard queues (fair queues).
        self._grouped = self._protocol == "sqs" and self._envelope.fifo == self.endpoint.arn.endswith(".fifo")

    # --- the bus ---------------------------------------------------------------------------------------------------

    def offer(self, event: ChangeEvent, message: Message | None = None) -> None:
        """Deliver a published message, unless the filter policy refuses it: then there is only a hop row."""
        if message is None:
            message = read_message(event.data)
        body = message.message if message.message_structure is None else message.body_for(self._protocol)
        if self._filter is not None:
            refusal = self._filter.refusal(message, body)
            if refusal is not None:
                self._bus.hop(event.id, "filtered", self.name, refusal)
                return
        delivery = self._delivery(event, message, body)
        group = message.message_group_id if self._envelope.fifo else None
        parcel = Parcel(event, message, self.endpoint.arn, delivery, group)
        if group is not None and group in self._waiting:
            self._waiting[group].append(parcel)
        else:
            self.send(parcel)

    def _delivery(self, event: ChangeEvent, message: Message, body: str) -> Delivery:
        raw = self._raw
        delivery = Delivery(
            body if raw else self._render(message, body),
            SERVICE,
            self._envelope.topic_arn,
            event=event,
            subscription=self.name,
        )
        if raw and message.message_attributes:
            delivery.attributes = raw_attributes(message.message_attributes)
        if self._grouped:
            delivery.group_id = message.message_group_id
            delivery.deduplication_id = message.message_deduplication_id
        return delivery

    # --- delivery --------------------------------------------------------------------------------------------------

    def send(self, parcel: Parcel) -> None:
        """Try once. Afterwards it is delivered, will be retried, or is given up."""
        error = self._world.hand_over(parcel.to, parcel.delivery)
        if error is None:
            self._delivered(parcel)
        else:
            self._failed(parcel, error)

    def _delivered(self, parcel: Parcel) -> None:
        if parcel.dead:
            self._bus.settle(parcel.event, self.name, "dead_letter")
        elif self._protocol != "lambda":  # a function settles it itself, when it has run
            self._bus.settle(parcel.event, self.name, "ok")
        if parcel.group is not None and parcel.group in self._waiting:
            self._go_on(parcel.group)

    def _failed(self, parcel: Parcel, error: AwsError) -> None:
        """Server-side failures are retried on SNS's schedule, client-side ones are not."""
        parcel.retry += 1
        delay = delay_before(parcel.retry) if error.status >= 500 else None
        if delay is None:
            self._give_up(parcel, str(error))
            return
        if is_told(parcel.retry):
            detail = f"{error}; retry {parcel.retry} of {RETRIES} in {delay / 1e9:.3f} s"
            self._bus.hop(parcel.event.id, "delivery_retry", parcel.to, detail)
        if parcel.group is not None:
            self._waiting.setdefault(parcel.group, deque())
        self._world.timeline.after(delay, self.send, parcel)

    def _give_up(self, parcel: Parcel, reason: str) -> None:
        """Send it to the dead-letter queue; where there is none, or that refuses it as well, it is lost."""
        dead_letter_arn = self.settings.dead_letter_arn
        if not parcel.dead and dead_letter_arn is not None:
            self._bus.hop(parcel.event.id, "delivery_failed", self.name, f"{reason}; to {dead_letter_arn}")
            self._readdress(parcel, dead_letter_arn)
            self.send(parcel)
            return
        self._bus.hop(parcel.event.id, "dropped", self.name, reason)
        self._bus.settle(parcel.event, self.name, "dropped")
        if parcel.group is not None and parcel.group in self._waiting:
            self._go_on(parcel.group)

    def _readdress(self, parcel: Parcel, dead_letter_arn: str) -> None:
        """A dead letter's body has the SQS form for every protocol (test_redrive_policy_lambda_subscription)."""
        if self._protocol == "lambda":
            message = parcel.message
            parcel.delivery.payload = self._queue_form.render(message, message.body_for("lambda"))
        parcel.to = dead_letter_arn
        parcel.dead = True
        parcel.retry = 0
        if parcel.group is not None and dead_letter_arn.endswith(".fifo"):
            parcel.delivery.group_id = parcel.group
            parcel.delivery.deduplication_id = parcel.message.message_deduplication_id

    def _go_on(self, group: str) -> None:
        """The first of a FIFO group is settled: send those that waited behind it, until one of them must wait again."""
        waiting = self._waiting.pop(group)
        while waiting:
            self.send(waiting.popleft())
            if group in self._waiting:
                self._waiting[group].extend(waiting)
                return


def _filter(settings: Settings) -> _Filter | None:
    policy = settings.compiled()
    if policy is None or settings.filter_policy is None:
        return None
    document: dict[str, Any] = json.loads(settings.filter_policy)
    scope = settings.scope
    return _Filter(policy, {key: compile_filter_policy({key: value}, scope) for key, value in document.items()})
