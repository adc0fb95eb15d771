"""What every part of a bucket builds on: its objects, versioning, and the way of an event to the bus."""

from __future__ import annotations

from base64 import b64encode
from hashlib import md5
from typing import Any, Final

from simbus.bus import Bus
from simbus.errors import AwsError
from simbus.kernel import SECOND
from simbus.model import ChangeEvent
from simbus.sources.base import Source, operation, twin
from simbus.sources.s3.access import ENFORCED, Access
from simbus.sources.s3.delivery import Attempt
from simbus.sources.s3.encryption import requested
from simbus.sources.s3.errors import (
    check_bucket_name,
    check_version_id,
    malformed,
    method_not_allowed,
    no_such_bucket,
    no_such_key,
    no_such_version,
)
from simbus.sources.s3.objects import NULL, Encryption, Objects, StoredObject
from simbus.sources.s3.record import RecordWriter, encoded_key
from simbus.sources.s3.settings import ObjectSettings, apply
from simbus.world import World

MAXIMUM_PUT_BYTES: Final = 5 * 1024**3
_URLSAFE = str.maketrans("+/", "._")


class BucketBase(Source):
    """Objects, versions and events of one bucket."""

    service = "s3"

    def __init__(
        self,
        world: World,
        bus: Bus,
        name: str,
        *,
        versioning: bool = False,
        location_constraint: str | None = None,
        object_ownership: str = ENFORCED,
    ) -> None:
        check_bucket_name(name)
        super().__init__(world, bus, name)
        self.location_constraint = location_constraint
        self.creation_date = world.timeline.now
        self._access = Access(world, self.arn, object_ownership)
        self._encryption: Encryption | None = None
        self._configurations: dict[str, Any] = {}
        self._objects = Objects()
        self._versioning: str | None = "Enabled" if versioning else None
        self._record = RecordWriter(world, self._rng, name, self.arn, location_constraint or world.account.region)
        self._attempt = Attempt()
        self._hashed: tuple[bytes | None, str] = (None, "")  # the body that was hashed last, and its MD5

    # --- versioning ------------------------------------------------------------------------------------------------

    @operation
    def put_bucket_versioning(self, status: str) -> None:
        """`Enabled` or `Suspended`; it can't be taken back. Raises AwsError MalformedXML."""
        if status not in ("Enabled", "Suspended"):
            raise malformed()
        self._versioning = status

    aput_bucket_versioning = twin(put_bucket_versioning)

    @operation
    def get_bucket_versioning(self) -> dict[str, str]:
        """`{"Status": ...}`, or `{}` where versioning was never on."""
        return {} if self._versioning is None else {"Status": self._versioning}

    aget_bucket_versioning = twin(get_bucket_versioning)

    def _store(self, stored: StoredObject) -> str | None:
        """Make it the current version of its key; returns the version id that events and answers name."""
        if self._versioning is None:
            self._objects.put(stored, False)
            return None
        if self._versioning == "Enabled":
            stored.version_id = self._version_id()
        self._objects.put(stored, True)
        return self._shown_version(stored)

    def _version_id(self) -> str:
        bits = self._rng.getrandbits(192)
        return b64encode(bits.to_bytes(24, "big")).decode().translate(_URLSAFE)

    def _shown_version(self, stored: StoredObject) -> str | None:
        """None where versioning is or was off: neither events nor answers name `null` then."""
        return None if stored.version_id == NULL else stored.version_id

    def _find(self, key: str, version_id: str | None = None) -> StoredObject:
        """The current or the named version.

        Raises AwsError NoSuchKey, NoSuchVersion, MethodNotAllowed, InvalidArgument (no form of a version id).
        """
        if version_id is None:
            stored = self._objects.current.get(key)
        else:
            check_version_id(version_id)
            stored = self._objects.find(key, version_id)
        if stored is None:
            raise no_such_key(key) if version_id is None else no_such_version(key, version_id)
        if stored.is_delete_marker:
            raise no_such_key(key) if version_id is None else method_not_allowed()
        return stored

    # --- events ----------------------------------------------------------------------------------------------------

    def _created(self, event_type: str, stored: StoredObject, trace_duration: int | None = None) -> dict[str, Any]:
        """Store a new object, publish its event, and answer as PutObject does."""
        version_id = None
        if self._versioning is None:  # the common case, and this the hot path of a simulation
            self._objects.put(stored, False)
        else:
            version_id = self._store(stored)
        etag = stored.etag
        about = f'"key":"{encoded_key(stored.key)}","size":{stored.size},"eTag":"{etag}"'
        answer: dict[str, Any] = {"ETag": f'"{etag}"', "ServerSideEncryption": "AES256"}
        if stored.encryption is not None:
            answer |= stored.encryption.shown()
        if stored.checksum is not None:
            answer |= stored.checksum.shown()
        if version_id is not None:
            about = f'{about},"versionId":"{version_id}"'
            answer["VersionId"] = version_id
        self._attempt.trace_duration = trace_duration
        event_id, text = self._record.write(event_type, about)
        self._publish(event_type, stored.key, event_id, text)
        return answer

    def _emit(
        self,
        event_type: str,
        key: str,
        *,
        size: int | None = None,
        etag: str | None = None,
        version_id: str | None = None,
        sequenced: bool = True,
        service: bool = False,
        more: str = "",
        cause: tuple[str | None, Any] | None = None,
    ) -> None:
        """Publish any other event; `more` is JSON text behind the record's `s3` part."""
        about = f'"key":"{encoded_key(key)}"'
        if size is not None:
            about += f',"size":{size}'
        if etag is not None:
            about += f',"eTag":"{etag}"'
        if version_id is not None:
            about += f',"versionId":"{version_id}"'
        self._attempt.trace_duration = None
        event_id, text = self._record.write(event_type, about, sequenced=sequenced, service=service)
        self._publish(event_type, key, event_id, text[:-1] + more + "}" if more else text, cause)

    def _publish(
        self, event_type: str, key: str, event_id: str, text: str, cause: tuple[str | None, Any] | None = None
    ) -> None:
        timeline = self._timeline
        actor = timeline.actor
        if cause is not None:
            parent, lineage = cause
        elif actor is None:
            parent = lineage = None
        else:
            parent, lineage = actor.request_id, actor.lineage
        self._bus.publish(
            ChangeEvent(event_id, timeline.now, self.name, self.arn, event_type, key, parent, text, lineage)
        )

    # --- what the parts share --------------------------------------------------------------------------------------

    def _new(self, key: str, body: bytes | None, size: int) -> StoredObject:
        """An object that is not stored yet; the ETag of a modelled one is derived from its key and size."""
        if size > MAXIMUM_PUT_BYTES:
            raise AwsError(
                "EntityTooLarge",
                "Your proposed upload exceeds the maximum allowed size",
                ProposedSize=str(size),
                MaxSizeAllowed=str(MAXIMUM_PUT_BYTES),
            )
        hashed, etag = self._hashed
        if body is None or body is not hashed:  # a workload puts the same body again and again
            hashed = f"{key}/{size}".encode() if body is None else body
            etag = md5(hashed, usedforsecurity=False).hexdigest()
            if body is not None:
                self._hashed = (body, etag)
        return StoredObject(key, body, size, etag, self._timeline.now)

    def _settle(self, stored: StoredObject, settings: ObjectSettings) -> None:
        """Give a new object its settings, and the bucket's default encryption."""
        if settings:
            apply(stored, settings)
            if settings.get("acl") is not None:
                self._access.check_acl(stored.acl, "PutObject", stored.key)
        if settings or self._encryption is not None:
            self._encrypt(stored, settings)

    def _encrypt(self, stored: StoredObject, settings: ObjectSettings) -> None:
        """What is encrypted with KMS has an ETag that says nothing of its content."""
        stored.encryption = requested(settings, self._encryption, self._world.account)
        if stored.encryption is not None and stored.encryption.algorithm != "AES256":
            stored.etag = self._other_etag()

    def _other_etag(self) -> str:
        """One that is no MD5."""
        return f"{self._rng.getrandbits(128):032x}"

    def _modified(self, stored: StoredObject) -> Any:
        """LastModified has whole seconds."""
        return self._world.datetime(stored.last_modified // SECOND * SECOND)


def find_bucket(world: World, name: str) -> BucketBase:
    """The bucket of that name. Raises AwsError NoSuchBucket (404)."""
    found = world.targets.get(world.arn("s3", name))
    if not isinstance(found, BucketBase):
        raise no_such_bucket(name)
    return found
