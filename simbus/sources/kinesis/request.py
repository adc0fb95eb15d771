"""The checks of Kinesis requests, with AWS's texts.

Source of the texts: the tests of mhart/kinesalite, which were run against AWS; Kinesis API reference. Where AWS's own
text is not known, the docstring of the check says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal, get_args

import msgspec

from simbus.errors import AwsError, UsageError
from simbus.sources.kinesis.meter import MIB
from simbus.sources.kinesis.sequence import parts_of
from simbus.sources.kinesis.shard import HASH_KEYS, READ_LIMIT
from simbus.sources.shard import IteratorType

REQUEST_RECORDS: Final = 500
REQUEST_BYTES: Final = 10 * MIB
_HASH_KEY = re.compile(r"0|[1-9]\d{0,38}")
_SEQUENCE_NUMBER = re.compile(r"0|[1-9]\d{0,128}")
_NAME = re.compile(r"[a-zA-Z0-9_.-]+")
_BY_NUMBER: Final = ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER")
_RECORD_KEYS: Final = {
    "Data": "data",
    "PartitionKey": "partition_key",
    "ExplicitHashKey": "explicit_hash_key",
}


def constraint(value: object, field: str, rule: str) -> str:
    """One finding of AWS's validation."""
    shown = "null" if value is None else f"'{value}'"
    return f"Value {shown} at '{field}' failed to satisfy constraint: Member must {rule}"


def refuse(findings: Sequence[str]) -> None:
    """Raises AwsError ValidationException where there are findings; AWS tells the first ten of them."""
    if findings:
        number = len(findings[:10])
        plural = "" if number == 1 else "s"
        text = f"{number} validation error{plural} detected: {'; '.join(findings[:10])}"
        raise AwsError("ValidationException", text)


def invalid(message: str) -> AwsError:
    return AwsError("InvalidArgumentException", message)


def check_count(value: int, field: str, least: int, most: int) -> None:
    """A whole number in a range. Raises AwsError ValidationException."""
    if type(value) is not int or value < least:
        refuse([constraint(value, field, f"have value greater than or equal to {least}")])
    if value > most:
        refuse([constraint(value, field, f"have value less than or equal to {most}")])


def name_findings(name: str, field: str) -> list[str]:
    """What AWS finds wrong with a name: 1 to 128 letters, digits, underscores, dots and hyphens."""
    findings = []
    if not _NAME.fullmatch(name):
        findings.append(constraint(name, field, "satisfy regular expression pattern: [a-zA-Z0-9_.-]+"))
    if not name:
        findings.append(constraint(name, field, "have length greater than or equal to 1"))
    if len(name) > 128:
        findings.append(constraint(name, field, "have length less than or equal to 128"))
    return findings


# --- records -------------------------------------------------------------------------------------------------------


def blob(data: Any) -> bytes:
    """What a record holds: bytes as they are, text in UTF-8, anything else as JSON. Raises UsageError."""
    if isinstance(data, str):
        return data.encode()
    if isinstance(data, (bytes, bytearray, memoryview)):
        return bytes(data)
    try:
        return msgspec.json.encode(data)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"the data of a Kinesis record is {type(data).__name__}, which is no JSON ({error}); "
            "it is bytes, text or something that JSON can say. Encode it first."
        ) from error


def record_findings(data: bytes, partition_key: Any, explicit: Any, most: int, where: str = "") -> list[str]:
    """What AWS finds wrong with a record; `where` is `records.1.member.` in PutRecords, `most` the largest data."""
    findings = []
    if not isinstance(partition_key, str):
        findings.append(constraint(partition_key, f"{where}partitionKey", "not be null"))
    elif not partition_key:
        findings.append(constraint("", f"{where}partitionKey", "have length greater than or equal to 1"))
    elif len(partition_key) > 256:
        findings.append(constraint(partition_key, f"{where}partitionKey", "have length less than or equal to 256"))
    if explicit is not None:
        findings.extend(hash_key_findings(str(explicit), f"{where}explicitHashKey"))
    size = len(data)
    if size > most:
        value = f"java.nio.HeapByteBuffer[pos=0 lim={size} cap={size}]"
        findings.append(constraint(value, f"{where}data", f"have length less than or equal to {most}"))
    return findings


def hash_key_findings(hash_key: str, field: str) -> list[str]:
    """What AWS finds wrong with a hash key: a decimal number of up to 39 digits."""
    if _HASH_KEY.fullmatch(hash_key):
        return []
    return [constraint(hash_key, field, "satisfy regular expression pattern: 0|([1-9]\\d{0,38})")]


def hash_key_of(explicit: str) -> int:
    """An ExplicitHashKey (checked already for its digits). Raises AwsError InvalidArgumentException above 2^128 - 1."""
    value = int(explicit)
    if value >= HASH_KEYS:
        raise invalid(
            "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. "
            f"Specified value was {explicit}"
        )
    return value


def check_ordering(number: str, stream: str, account: str, second: int) -> None:
    """SequenceNumberForOrdering: one of Kinesis, and not from the future. Raises AwsError InvalidArgumentException."""
    found = parts_of(number)
    if found is None or found.time > second:
        raise invalid(
            f"ExclusiveMinimumSequenceNumber {number} used in PutRecord on stream {stream} "
            f"under account {account} is invalid."
        )


Entry = tuple[bytes, str, str | None]


def check_records(records: Sequence[Mapping[str, Any]], most: int) -> list[Entry]:
    """The records of PutRecords as (data, partition key, explicit hash key).

    Keys are AWS's (`Data`) or in snake_case (`data`). 1 to 500 records, together 10 MiB with their partition keys.
    Raises AwsError ValidationException, InvalidArgumentException (for the size of all; the text is the one that moto
    quotes from the time of 5 MB), UsageError for an unknown key.
    """
    shown = f"[{', '.join('com.amazonaws.kinesis.v20131202.PutRecordsRequestEntry' for _ in records)}]"
    findings = []
    if not records:
        findings.append(constraint("[]", "records", "have length greater than or equal to 1"))
    if len(records) > REQUEST_RECORDS:
        findings.append(constraint(shown, "records", f"have length less than or equal to {REQUEST_RECORDS}"))
    entries: list[Entry] = []
    size = 0
    for number, record in enumerate(records, 1):
        given = {_RECORD_KEYS.get(key, key): value for key, value in record.items()}
        data, key, explicit = _entry(given)
        findings.extend(record_findings(data, key, explicit, most, f"records.{number}.member."))
        entries.append((data, key, explicit))
        size += len(data) + (len(key.encode()) if isinstance(key, str) else 0)
    refuse(findings)
    if size > REQUEST_BYTES:
        raise invalid("Records size exceeds 10 MB limit")
    for _, _, explicit in entries:
        if explicit is not None:
            hash_key_of(explicit)
    return entries


def _entry(given: Mapping[str, Any]) -> tuple[bytes, Any, Any]:
    unknown = [key for key in given if key not in _RECORD_KEYS.values()]
    if unknown or "data" not in given:
        raise UsageError(
            f"a record of put_records has the keys {', '.join(given)}; it has data, partition_key and, if wanted, "
            "explicit_hash_key. Correct the record."
        )
    return blob(given["data"]), given.get("partition_key"), given.get("explicit_hash_key")


# --- iterators -----------------------------------------------------------------------------------------------------


def check_iterator_request(iterator_type: Any, number: str | None, timestamp: Any) -> None:
    """Type and what belongs to it. Raises AwsError ValidationException, InvalidArgumentException."""
    if iterator_type not in get_args(IteratorType):
        types = "AFTER_SEQUENCE_NUMBER, LATEST, AT_TIMESTAMP, AT_SEQUENCE_NUMBER, TRIM_HORIZON"
        refuse([constraint(iterator_type, "shardIteratorType", f"satisfy enum value set: [{types}]")])
    if number is not None and not _SEQUENCE_NUMBER.fullmatch(number):
        rule = "satisfy regular expression pattern: 0|([1-9]\\d{0,128})"
        refuse([constraint(number, "startingSequenceNumber", rule)])
    if (number is not None) != (iterator_type in _BY_NUMBER):
        given = "no StartingSequenceNumber" if number is None else "also a StartingSequenceNumber"
        if iterator_type != "AT_TIMESTAMP":
            raise invalid(
                "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or "
                f"(2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. Request specified {iterator_type} "
                f"and {given}."
            )
        raise UsageError(
            f"get_shard_iterator AT_TIMESTAMP was given the sequence number {number}; it takes a timestamp alone. "
            "Leave starting_sequence_number out."
        )
    if iterator_type == "AT_TIMESTAMP":
        if timestamp is None:
            raise invalid(
                "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. "
                "Current request has no timestamp parameter."
            )
    elif timestamp is not None:
        raise UsageError(
            f"get_shard_iterator {iterator_type} was given a timestamp; only AT_TIMESTAMP takes one. Leave it out."
        )


def timestamp_ms(timestamp: datetime | float, now_ms: int) -> int:
    """Milliseconds since 1970 of a datetime (with a zone) or of seconds. Raises AwsError for one in the future."""
    if isinstance(timestamp, datetime):
        if timestamp.tzinfo is None:
            raise UsageError(
                f"the timestamp {timestamp.isoformat()} has no time zone; it is one instant for every reader. "
                "Give it a tzinfo, for example datetime.UTC."
            )
        timestamp = timestamp.timestamp()
    found = round(timestamp * 1000)
    if found > now_ms:
        raise invalid(
            "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. "
            f"timestampInMillis: {found}, currentTimestampInMillis: {now_ms}"
        )
    return found


def check_limit(limit: int) -> None:
    check_count(limit, "limit", 1, READ_LIMIT)


# --- settings ------------------------------------------------------------------------------------------------------


def check_retention(hours: int) -> None:
    """24 to 8,760 hours. Raises AwsError InvalidArgumentException."""
    if type(hours) is not int or hours < 24:
        raise invalid(
            f"Minimum allowed retention period is 24 hours. Requested retention period ({hours} hours) is too short."
        )
    if hours > 8760:
        raise invalid(
            f"Maximum allowed retention period is 8760 hours. Requested retention period ({hours} hours) is too long."
        )


def capacity(stream_mode: Any, shard_count: int | None) -> tuple[Literal["PROVISIONED", "ON_DEMAND"], int]:
    """Capacity mode and number of shards of a new stream.

    Without either it is an on-demand stream, which begins with 4 shards (recorded: LocalStack's
    TestKinesis::test_create_stream_without_shard_count, 26-08-2022). Raises AwsError ValidationException; UsageError
    for a number of shards of an on-demand stream.
    """
    if stream_mode not in (None, "PROVISIONED", "ON_DEMAND"):
        rule = "satisfy enum value set: [PROVISIONED, ON_DEMAND]"
        refuse([constraint(stream_mode, "streamModeDetails.streamMode", rule)])
    if shard_count is None:
        if stream_mode == "PROVISIONED":
            refuse([constraint(None, "shardCount", "not be null")])
        return "ON_DEMAND", 4
    if stream_mode == "ON_DEMAND":
        raise UsageError(
            f"shard_count is {shard_count} for a stream whose stream_mode is ON_DEMAND; AWS counts its shards "
            "itself. Leave shard_count out, or choose PROVISIONED."
        )
    check_count(shard_count, "shardCount", 1, 10_000)
    return "PROVISIONED", shard_count
