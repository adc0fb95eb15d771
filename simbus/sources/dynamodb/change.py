"""A change of an item as others see it: Lambda's event, the change event's data, GetRecords' answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from simbus.kernel import SECOND
from simbus.sources.dynamodb.schema import Key, Schema
from simbus.sources.dynamodb.shard import Record, Shard
from simbus.sources.dynamodb.values import Stored, attribute_order, clean, utf8_size
from simbus.world import World

_json = msgspec.json.Encoder().encode
_BY_SERVICE = ',"userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"}'


class Change(msgspec.Struct, frozen=True, gc=False):
    """One item that really changed. `event_name` is INSERT, MODIFY or REMOVE; `expired`: time to live deleted it."""

    event_name: str
    key: Key
    old: Stored | None
    new: Stored | None
    expired: bool = False


class Images(msgspec.Struct, frozen=True, gc=False):
    """What the records of a change have in common, each as JSON text: the keys, the new and the old image, if any.

    `size` is that of the keys in bytes.
    """

    keys: str
    new: str
    old: str
    size: int


def image_maker(schema: Schema) -> Callable[[Change], Images]:
    """A function that makes the images of a change."""
    names = attribute_order(schema.names)
    names_size = sum(map(utf8_size, names))

    def make(change: Change) -> Images:
        old, new = change.old, change.new
        written = new or old
        assert written is not None
        keys = {each: written[0][each] for each in names}
        size = names_size
        for value in keys.values():
            text = value.get("S")
            size += utf8_size(text) if text is not None else clean(value)[1]
        new_text = "" if new is None else _json(new[0]).decode()
        old_text = "" if old is None else _json(old[0]).decode()
        return Images(_json(keys).decode(), new_text, old_text, size)

    return make


def payload_maker(
    world: World, view_type: str | None, stream_arn: str | None
) -> Callable[[Change, Images, str, int, str], str]:
    """A function of (change, images, event id, epoch second, sequence number) that makes the JSON text of a record.

    The order of the keys is that of the recordings (dynamodb_esm.json); SizeBytes is the size of the keys and of the
    images that are there. Without a stream (`view_type` None) the record has both images, but no
    sequence number and no stream.
    """
    with_new = view_type in (None, "NEW_IMAGE", "NEW_AND_OLD_IMAGES")
    with_old = view_type in (None, "OLD_IMAGE", "NEW_AND_OLD_IMAGES")
    middle = f'","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"{world.account.region}","dynamodb":{{'
    view = "" if view_type is None else f',"StreamViewType":"{view_type}"'
    end = "}" if stream_arn is None else f',"eventSourceARN":"{stream_arn}"}}'

    def make(change: Change, images: Images, event_id: str, second: int, number: str) -> str:
        old, new = change.old, change.new
        size, new_image, old_image = images.size, "", ""
        if with_new and new is not None:
            new_image = f',"NewImage":{images.new}'
            size += new[1]
        if with_old and old is not None:
            old_image = f',"OldImage":{images.old}'
            size += old[1]
        sequence = f',"SequenceNumber":"{number}"' if number else ""
        return (
            f'{{"eventID":"{event_id}","eventName":"{change.event_name}{middle}"ApproximateCreationDateTime":{second}.0,'
            f'"Keys":{images.keys}{new_image}{old_image}{sequence},"SizeBytes":{size}{view}}}'
            f"{_BY_SERVICE if change.expired else ''}{end}"
        )

    return make


def shown_record(world: World, record: Record) -> dict[str, Any]:
    """A record as an SDK returns it from GetRecords: binaries in bytes, the time a datetime, no eventSourceARN.

    (That Lambda alone adds the ARN: recordings of DynamoDB Streams, reference section 7.2.)
    """
    found: dict[str, Any] = msgspec.json.decode(record.payload)
    del found["eventSourceARN"]
    change = found["dynamodb"]
    since = world.epoch_ns + record.arrival
    change["ApproximateCreationDateTime"] = world.datetime(record.arrival - since % SECOND)
    for name in ("Keys", "NewImage", "OldImage"):
        if name in change:
            change[name] = {key: clean(value)[0] for key, value in change[name].items()}
    identity = found.get("userIdentity")
    if identity is not None:
        found["userIdentity"] = {"PrincipalId": identity["principalId"], "Type": identity["type"]}
    return found


def shown_shard(shard: Shard) -> dict[str, Any]:
    """A shard as DescribeStream returns it."""
    numbers = {"StartingSequenceNumber": shard.starting_sequence_number}
    if shard.ending_sequence_number is not None:
        numbers["EndingSequenceNumber"] = shard.ending_sequence_number
    found: dict[str, Any] = {"ShardId": shard.id, "SequenceNumberRange": numbers}
    if shard.parent_shard_id is not None:
        found["ParentShardId"] = shard.parent_shard_id
    return found
