"""A published message, and the forms in which SNS hands it on: Lambda's event, the SQS body, the raw body.

The order of the keys is AWS's (recordings in sns.json; the blanks of the SQS body as in
https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html).
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import msgspec

from simbus.arn import Account

# An attribute as a notification shows it: {"Type": "Number", "Value": "1"}; the value of a Binary is base64.
Attributes = dict[str, dict[str, str]]

_encode = msgspec.json.Encoder().encode


class Message(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, rename="pascal"):
    """One published message. As JSON it is the data of the change event, from which every form can be rendered."""

    message_id: str
    message: str
    timestamp: str
    subject: str | None = None
    message_attributes: Attributes = msgspec.field(default_factory=dict)
    message_structure: str | None = None
    message_group_id: str | None = None
    message_deduplication_id: str | None = None
    sequence_number: str | None = None

    def body_for(self, protocol: str) -> str:
        """The text for one protocol: with MessageStructure `json` its own entry if that is a text, else `default`.

        Recording TestSNSSubscriptionSQS::test_message_structure_json_to_sqs.
        """
        if self.message_structure is None:
            return self.message
        entries: dict[str, Any] = msgspec.json.decode(self.message)
        own = entries.get(protocol)
        return own if isinstance(own, str) else str(entries["default"])


read_message: Final = msgspec.json.Decoder(Message).decode


def message_data(message: Message) -> str:
    """The JSON text of a message, as its change event carries it."""
    return _encode(message).decode()


class Envelope(NamedTuple):
    """What all notifications of one subscription share."""

    topic_arn: str
    subscription_arn: str
    signature_version: str  # of the topic; Lambda always gets version 1
    fifo: bool
    certificate_url: str
    unsubscribe_url: str


def envelope(account: Account, topic_arn: str, subscription_arn: str, signature_version: str, fifo: bool) -> Envelope:
    """The shared parts. The URLs have AWS's shape; there is no certificate behind them."""
    domain = f"https://sns.{account.region}.amazonaws.com"
    certificate = blake2b(account.region.encode(), digest_size=16).hexdigest()
    return Envelope(
        topic_arn,
        subscription_arn,
        signature_version,
        fifo,
        f"{domain}/SimpleNotificationService-{certificate}.pem",
        f"{domain}/?Action=Unsubscribe&SubscriptionArn={subscription_arn}",
    )


def signature(message: Message) -> str:
    """A text of the length of an RSA-2048 signature in base64 (344). It verifies nothing: AWS's key can't be had."""
    digest = blake2b(f"{message.message_id}{message.timestamp}".encode(), digest_size=63).digest()
    text = b64encode(digest).decode()
    return f"{text}{text}{text}{text}{text[:5]}A=="


class LambdaForm:
    """Renders the event of a Lambda subscription. The parts that never change are joined once.

    Subject (null) and MessageAttributes ({}) are always there, and SignatureVersion is 1 even where the topic signs
    with version 2 (recordings TestSNSSubscriptionLambda::test_publish_lambda_verify_signature[1] and [2]).
    """

    __slots__ = ("_after_id", "_after_signature", "_before_id")

    def __init__(self, env: Envelope) -> None:
        self._before_id = (
            '{"Records":[{"EventSource":"aws:sns","EventVersion":"1.0","EventSubscriptionArn":"'
            f'{env.subscription_arn}","Sns":{{"Type":"Notification","MessageId":"'
        )
        self._after_id = f'","TopicArn":"{env.topic_arn}","Subject":'
        self._after_signature = (
            f'","SigningCertUrl":"{env.certificate_url}","UnsubscribeUrl":"{env.unsubscribe_url}","MessageAttributes":'
        )

    def render(self, message: Message, body: str) -> str:
        subject = message.subject
        attributes = message.message_attributes
        return (
            f"{self._before_id}{message.message_id}{self._after_id}"
            f'{"null" if subject is None else _json(subject)},"Message":{_json(body)},'
            f'"Timestamp":"{message.timestamp}","SignatureVersion":"1","Signature":"{signature(message)}'
            f"{self._after_signature}{_json(attributes) if attributes else '{}'}}}}}]}}"
        )


class QueueForm:
    """Renders the body of an SQS subscription, which dead letters have as well.

    Subject and MessageAttributes appear only where there are any; messages of a FIFO topic have a SequenceNumber and
    are not signed (recordings TestSNSSubscriptionSQS and TestSNSSubscriptionSQSFifo).
    """

    __slots__ = ("_env",)

    def __init__(self, env: Envelope) -> None:
        self._env = env

    def render(self, message: Message, body: str) -> str:
        env = self._env
        fields = {"Type": "Notification", "MessageId": message.message_id}
        if message.sequence_number is not None:
            fields["SequenceNumber"] = message.sequence_number
        fields["TopicArn"] = env.topic_arn
        if message.subject is not None:
            fields["Subject"] = message.subject
        fields |= {"Message": body, "Timestamp": message.timestamp}
        if not env.fifo:
            fields |= {"SignatureVersion": env.signature_version, "Signature": signature(message)}
            fields["SigningCertURL"] = env.certificate_url
        fields["UnsubscribeURL"] = env.unsubscribe_url
        lines = [f'  "{name}" : {_json(value)}' for name, value in fields.items()]
        if message.message_attributes:
            lines.append(_attribute_lines(message.message_attributes))
        return "{\n" + ",\n".join(lines) + "\n}"


def raw_attributes(attributes: Attributes) -> dict[str, dict[str, Any]]:
    """Message attributes of the SQS message that raw delivery sends."""
    return {name: _raw_attribute(each["Type"], each["Value"]) for name, each in attributes.items()}


def _raw_attribute(kind: str, value: str) -> dict[str, Any]:
    if kind.startswith("Binary"):
        return {"DataType": kind, "BinaryValue": b64decode(value)}
    return {"DataType": kind, "StringValue": value}


def in_aws_order(attributes: Attributes) -> Attributes:
    """The attributes in the order in which AWS's notifications have them: that of a Java HashMap.

    Inferred from recordings: `attr2` before `attr1`, `def` before `store`, whatever the order they were sent in.
    """
    size = 16
    while len(attributes) > size * 3 // 4:
        size *= 2
    return dict(sorted(attributes.items(), key=lambda item: _bucket(item[0], size)))


def _bucket(name: str, size: int) -> int:
    code = 0
    for character in name:
        code = (31 * code + ord(character)) & 0xFFFFFFFF
    return (code ^ (code >> 16)) & (size - 1)


def _attribute_lines(attributes: Attributes) -> str:
    lines = [f"    {_json(name)} : {_json(value)}" for name, value in attributes.items()]
    return '  "MessageAttributes" : {\n' + ",\n".join(lines) + "\n  }"


def _json(value: object) -> str:
    return _encode(value).decode()
