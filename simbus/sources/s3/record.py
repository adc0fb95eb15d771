"""The record of one S3 event: its JSON text, in AWS's key order, with identifiers that repeat from run to run.

Sources: S3 user guide, "Event message structure"; recordings TestS3NotificationsToSQS::* (21/01/2025).
"""

from __future__ import annotations

import re
from base64 import b32encode, b64encode
from hashlib import sha256, sha512
from random import Random
from typing import Any, Final
from urllib.parse import quote_plus

from simbus.kernel import MILLISECOND, SECOND
from simbus.world import World, uuid

# Before this text of a record a notification puts the id of its configuration.
CONFIGURATION_MARK: Final = '"bucket":{"name":'

_OWN_VERSION: Final = {
    "ObjectTagging:Put": "2.3",
    "ObjectTagging:Delete": "2.3",
    "ObjectAcl:Put": "2.3",
}
_PLAIN = re.compile(r"[A-Za-z0-9_.\-~/]+").fullmatch


def encoded_key(key: str) -> str:
    """A key as records have it: URL-encoded, a space as `+`, slashes kept."""
    return key if _PLAIN(key) else quote_plus(key, safe="/")


def user_id(text: str) -> str:
    """What stands for the unique id of an IAM user, always the same for a text."""
    return "AIDA" + b32encode(sha256(text.encode()).digest()).decode()[:17]


def role_id(role: str) -> str:
    """What stands for the unique id of a role, given by name or ARN, as STS tells it."""
    return "AROA" + b32encode(sha256(role.rpartition("/")[2].encode()).digest()).decode()[:17]


def canonical_id(account: str) -> str:
    """The owner's principal id, `A3NL...`."""
    return "A" + b32encode(sha256(f"owner/{account}".encode()).digest()).decode()[:13]


def canonical_user(account: str) -> str:
    """The owner's canonical user id, 64 hex digits, as the API has it."""
    return sha256(f"canonical/{account}".encode()).hexdigest()


class RecordWriter:
    """Writes the records of one bucket."""

    def __init__(self, world: World, rng: Random, bucket: str, arn: str, region: str) -> None:
        account = world.account
        self._world = world
        self._timeline = world.timeline
        self._rng = rng
        self._epoch_ns = world.epoch_ns
        self._sequence = 0
        self._second = -1
        self._second_text = ""
        self._texts: dict[tuple[str, str | None], tuple[str, str]] = {}
        self._events = 0
        self._event_id = uuid(rng)[:24]  # the first four groups of every event id; the last one counts
        self._region = region
        self.owner = canonical_id(account.id)
        self._host = b64encode(sha512(f"{account.id}/{bucket}".encode()).digest()).decode()[:59]
        self._identities = {
            False: (f"AWS:{user_id(account.id)}", "192.0.2.1"),
            True: (f"AmazonCustomer:{self.owner}", "192.0.2.2"),
        }
        self._middle = (
            f'{CONFIGURATION_MARK}"{bucket}","ownerIdentity":{{"principalId":"{self.owner}"}},"arn":"{arn}"}},'
            '"object":{'
        )

    def write(self, event_type: str, about: str, *, service: bool = False, sequenced: bool = True) -> tuple[str, str]:
        """A new event id and the record's text; `about` are the fields of `s3.object` without the sequencer.

        `service`: S3 itself acts (a restore has completed), not a caller.
        """
        actor = self._timeline.actor
        config = None if actor is None or service else getattr(actor, "config", None)
        kind = (event_type, None if config is None else config.name)
        opening, head = self._texts.get(kind) or self._prepare(kind, service, config)
        self._events = number = self._events + 1
        now = self._epoch_ns + self._timeline.now
        if sequenced:
            # It grows with every event of the bucket, so also for each key.
            self._sequence = sequence = now if now > self._sequence else self._sequence + 1
            about = f'{about},"sequencer":"{sequence:018X}"'
        request_id = f"{self._rng.getrandbits(64):016X}"
        text = (
            f'{opening}{self._time(now)}{head}{request_id}","x-amz-id-2":"{self._host}{request_id}="}},"s3":'
            f'{{"s3SchemaVersion":"1.0",{self._middle}{about}}}}}}}'
        )
        return f"{self._event_id}{number:012x}", text

    def identifiers(self) -> tuple[str, str]:
        """A request id and a host id (`x-amz-id-2`)."""
        request_id = f"{self._rng.getrandbits(64):016X}"
        return request_id, f"{self._host}{request_id}="

    def _prepare(self, kind: tuple[str, str | None], service: bool, config: Any) -> tuple[str, str]:
        """The text before the time and the text behind it: the same for events of a type that a caller causes.

        What a function does is done by its role, in a session that has the function's name.
        """
        event_type, function = kind
        principal, address = self._identities[service]
        if function is not None:
            principal = f"AWS:{role_id(config.role or f'{function}-role')}:{function}"
        opening = (
            f'{{"eventVersion":"{_OWN_VERSION.get(event_type, "2.1")}","eventSource":"aws:s3",'
            f'"awsRegion":"{self._region}","eventTime":"'
        )
        head = (
            f'","eventName":"{event_type}","userIdentity":{{"principalId":"{principal}"}},"requestParameters":'
            f'{{"sourceIPAddress":"{address}"}},"responseElements":{{"x-amz-request-id":"'
        )
        self._texts[kind] = opening, head
        return opening, head

    def _time(self, now: int) -> str:
        """The time of the record; the text of the second is made once."""
        second, rest = divmod(now, SECOND)
        if second != self._second:
            self._second = second
            self._second_text = self._world.iso(timespec="seconds")[:-1]
        return f"{self._second_text}.{rest // MILLISECOND:03d}Z"
