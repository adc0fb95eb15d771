"""The key of a table or an index: what it consists of, and what is refused as one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import md5
from typing import Any, NamedTuple

from simbus.errors import UsageError
from simbus.sources.dynamodb.errors import INVALID, SchemaMismatch, bad_parameter, invalid
from simbus.sources.dynamodb.values import Item, Value, clean

HASH_KEY_LIMIT = 2048
RANGE_KEY_LIMIT = 1024
Key = tuple[Any, Any]  # the contents of hash key and range key (None: the table has none)


class Schema(NamedTuple):
    """Names and kinds (S, N or B) of the hash key and, where the table has one, of the range key."""

    hash_key: str
    hash_kind: str
    range_key: str | None = None
    range_kind: str = "S"

    @property
    def names(self) -> tuple[str, ...]:
        return (self.hash_key,) if self.range_key is None else (self.hash_key, self.range_key)

    def shown(self) -> list[dict[str, str]]:
        """AWS's KeySchema."""
        return [
            {"AttributeName": name, "KeyType": kind} for name, kind in zip(self.names, ("HASH", "RANGE"), strict=False)
        ]

    def kind(self, name: str) -> str:
        return self.hash_kind if name == self.hash_key else self.range_kind

    def key_of(self, item: Item) -> Key:
        """The key of a canonical item. Raises AwsError ValidationException, in PutItem's words."""
        hash_value = item.get(self.hash_key)
        if hash_value is None:
            raise _missing(self.hash_key)
        first = self.content(self.hash_key, hash_value)
        if self.range_key is None:
            return first, None
        range_value = item.get(self.range_key)
        if range_value is None:
            raise _missing(self.range_key)
        return first, self.content(self.range_key, range_value)

    def given_key(self, key: Mapping[str, Any]) -> tuple[Key, Item]:
        """A `Key` parameter: exactly the key attributes. Returns it with its canonical copy."""
        if (
            (type(key) is not dict and not isinstance(key, Mapping))
            or len(key) != len(self.names)
            or any(name not in key for name in self.names)
        ):
            raise SchemaMismatch("The provided key element does not match the schema")
        item = {name: clean(key[name])[0] for name in self.names}
        if any(self.kind(name) not in item[name] for name in self.names):
            raise SchemaMismatch("The provided key element does not match the schema")
        return self.key_of(item), item

    def attributes(self, item: Item) -> Item:
        """The key attributes of an item, the hash key first."""
        return {name: item[name] for name in self.names}

    def content(self, name: str, value: Value) -> Any:
        """The content of a value for the key attribute `name`. Raises AwsError: wrong type, empty or too long."""
        kind = self.kind(name)
        content = value.get(kind)
        if content is None:
            raise SchemaMismatch(f"{INVALID}Type mismatch for key {name} expected: {kind} actual: {next(iter(value))}")
        if kind == "N":
            return content
        if not content:
            raise invalid(
                "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
                f"empty {'string' if kind == 'S' else 'binary'} value. Key: {name}"
            )
        check_size(kind, content, HASH_KEY_LIMIT if name == self.hash_key else RANGE_KEY_LIMIT)
        return content


def check_size(kind: str, content: Any, limit: int) -> None:
    """Raise AwsError for the content of a key of over `limit` bytes; a number is always short enough."""
    if kind == "N" or len(content) <= limit // 4:
        return
    if len(content.encode() if kind == "S" else content) > limit:
        if limit == HASH_KEY_LIMIT:
            raise bad_parameter(f"Size of hashkey has exceeded the maximum size limit of{limit} bytes")  # AWS's slip
        raise bad_parameter(f"Aggregated size of all range keys has exceeded the size limit of {limit} bytes")


def _missing(name: str) -> SchemaMismatch:
    return SchemaMismatch(f"{INVALID}Missing the key {name} in the item")


def schema(hash_key: str, range_key: str | None, types: Mapping[str, str]) -> Schema:
    """The key schema of a table or an index; a key of no given type is a string. Raises UsageError."""
    for name in (hash_key, range_key):
        if name is not None and not 1 <= len(name.encode()) <= 255:
            raise UsageError(f"key attribute {name!r} has {len(name.encode())} bytes; DynamoDB allows 1 to 255.")
    if hash_key == range_key:
        raise UsageError(f"hash_key and range_key are both {hash_key!r}; they are two attributes. Name another one.")
    return Schema(hash_key, types.get(hash_key, "S"), range_key, types.get(range_key or "", "S"))


def check_types(types: Mapping[str, str], schemas: Iterable[Schema]) -> None:
    """Raise UsageError for the type of an attribute that is no key, or one that no key can have."""
    names = {name for each in schemas for name in each.names}
    for name, kind in types.items():
        if kind not in ("S", "N", "B"):
            raise UsageError(f"attribute_types.{name} is {kind!r}; a key attribute is of type S, N or B.")
        if name not in names:
            raise UsageError(
                f"attribute_types has {name!r}, which is no key attribute; only the keys of the table and of its "
                "indexes have a type. Leave it out: other attributes take any type."
            )


def key_text(key: Key) -> str:
    """A key in one line, for rows: `42`, or `42/2026-01-01` with a range key; bytes in hexadecimal."""
    first, second = key
    if second is None and isinstance(first, str):
        return first
    return "/".join(part.hex() if isinstance(part, bytes) else part for part in key if part is not None)


def partition(content: Any) -> bytes:
    """Where a hash key's items lie: the order of a scan (AWS hashes as well, by a function it does not publish)."""
    return md5(content if isinstance(content, bytes) else content.encode(), usedforsecurity=False).digest()
