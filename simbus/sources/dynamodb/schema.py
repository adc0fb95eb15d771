"""The primary key of a table: what it consists of, what is refused as one, and the items in its order."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from hashlib import md5
from typing import Any, NamedTuple

from simbus.errors import UsageError
from simbus.sources.dynamodb.errors import INVALID, SchemaMismatch, bad_parameter, invalid
from simbus.sources.dynamodb.values import Item, Value, clean, comparable

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
        first = self._content(self.hash_key, self.hash_kind, hash_value, HASH_KEY_LIMIT)
        if self.range_key is None:
            return first, None
        range_value = item.get(self.range_key)
        if range_value is None:
            raise _missing(self.range_key)
        return first, self._content(self.range_key, self.range_kind, range_value, RANGE_KEY_LIMIT)

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

    def _content(self, name: str, kind: str, value: Value, limit: int) -> Any:
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
        if len(content) > limit // 4 and len(content.encode() if kind == "S" else content) > limit:
            what = "Size of hashkey" if limit == HASH_KEY_LIMIT else "Aggregated size of all range keys"
            size = "maximum size limit" if limit == HASH_KEY_LIMIT else "size limit"
            raise bad_parameter(f"{what} has exceeded the {size} of{limit} bytes")
        return content


def _missing(name: str) -> SchemaMismatch:
    return SchemaMismatch(f"{INVALID}Missing the key {name} in the item")


def schema(hash_key: str, range_key: str | None, attribute_types: Mapping[str, str] | None) -> Schema:
    """The key schema of a table. Raises UsageError where CreateTable would refuse it."""
    types = dict(attribute_types or {})
    names = [hash_key] if range_key is None else [hash_key, range_key]
    for name in names:
        types.setdefault(name, "S")
        if not 1 <= len(name.encode()) <= 255:
            raise UsageError(f"key attribute {name!r} has {len(name.encode())} bytes; DynamoDB allows 1 to 255.")
    if hash_key == range_key:
        raise UsageError(f"hash_key and range_key are both {hash_key!r}; they are two attributes. Name another one.")
    for name, kind in types.items():
        if kind not in ("S", "N", "B"):
            raise UsageError(f"attribute_types.{name} is {kind!r}; a key attribute is of type S, N or B.")
        if name not in names:
            raise UsageError(
                f"attribute_types has {name!r}, which is no key attribute; only hash_key and range_key have a type. "
                "Leave it out: other attributes take any type."
            )
    return Schema(hash_key, types[hash_key], range_key, types.get(range_key or "", "S"))


def key_text(key: Key) -> str:
    """A key in one line, for rows: `42`, or `42/2026-01-01` with a range key; bytes in hexadecimal."""
    first, second = key
    if second is None and isinstance(first, str):
        return first
    return "/".join(part.hex() if isinstance(part, bytes) else part for part in key if part is not None)


def partition(content: Any) -> bytes:
    """Where a hash key's items lie: the order of a scan (AWS hashes as well, by a function it does not publish)."""
    return md5(content if isinstance(content, bytes) else content.encode(), usedforsecurity=False).digest()


class KeyOrder:
    """The keys of a table in order: partitions by their hash, within one by range key.

    It is built by the first query or scan, so that a table which is only written to pays nothing for it.
    """

    def __init__(self, schema: Schema, keys: Iterable[Key]) -> None:
        self._numeric = schema.range_kind == "N"
        self._partitions: dict[Any, list[tuple[Any, Key]]] = {}
        self._order: list[tuple[bytes, Any]] = []
        for key in keys:
            self._partitions.setdefault(key[0], []).append(self._entry(key))
        for entries in self._partitions.values():
            entries.sort()
        self._order = sorted((partition(first), first) for first in self._partitions)

    def add(self, key: Key) -> None:
        entries = self._partitions.get(key[0])
        if entries is None:
            entries = self._partitions[key[0]] = []
            insort(self._order, (partition(key[0]), key[0]))
        insort(entries, self._entry(key))

    def remove(self, key: Key) -> None:
        entries = self._partitions[key[0]]
        del entries[bisect_left(entries, self._entry(key))]
        if not entries:
            del self._partitions[key[0]]
            del self._order[bisect_left(self._order, (partition(key[0]), key[0]))]

    def in_partition(self, first: Any, *, forward: bool, after: Key | None) -> Sequence[Key]:
        """The keys of one hash key, from behind `after` on (it need not exist any more)."""
        entries = self._partitions.get(first, [])
        if after is not None and forward:
            place = bisect_left(entries, self._entry(after))
            if place < len(entries) and entries[place][1] == after:
                place += 1
            entries = entries[place:]
        elif after is not None:
            entries = entries[: bisect_left(entries, self._entry(after))]
        keys = [key for _, key in entries]
        return keys if forward else keys[::-1]

    def everywhere(self, after: Key | None) -> Iterable[Key]:
        """Every key in the order of a scan, from behind `after` on."""
        start = 0
        if after is not None:
            yield from self.in_partition(after[0], forward=True, after=after)
            where = (partition(after[0]), after[0])
            start = bisect_left(self._order, where)
            if start < len(self._order) and self._order[start] == where:
                start += 1
        for _, first in self._order[start:]:
            for _, key in self._partitions[first]:
                yield key

    def _entry(self, key: Key) -> tuple[Any, Key]:
        second = key[1]
        if second is None:
            return 0, key
        return (comparable({"N": second}) if self._numeric else second), key
