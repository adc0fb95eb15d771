"""The shards of a stream: which one a hash key belongs to, how they split and merge, when they are gone."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from hashlib import md5
from operator import attrgetter
from typing import Final

from simbus.kernel import SECOND
from simbus.sources.kinesis.sequence import full_name
from simbus.sources.kinesis.shard import HASH_KEYS, HashRange, Shard
from simbus.world import World

_ROUTES: Final = 10_000  # partition keys whose shard is remembered


class Shards:
    """`every` are the readable shards by number, `open` those that take records by hash range.

    A new stream's ranges are of equal size, the last one takes the rest (recorded in mhart/kinesalite's tests against
    AWS). `changed(shard)` is called for each shard that was closed or opened later on.
    """

    def __init__(
        self, world: World, count: int, first_index: int, retention: int, changed: Callable[[Shard], object]
    ) -> None:
        self._world = world
        self._timeline = world.timeline
        self._first_index = first_index
        self._retention = retention
        self._changed = changed
        self._made = 0
        self._routes: dict[str, Shard] = {}
        self.every: list[Shard] = []
        self.open: list[Shard] = []
        width = HASH_KEYS // count
        for number in range(count):
            end = HASH_KEYS if number == count - 1 else (number + 1) * width
            self._make(HashRange(number * width, end - 1))
        self._opened()

    # --- find ------------------------------------------------------------------------------------------------------

    def of_key(self, partition_key: str) -> Shard:
        """The shard of a partition key: its MD5 as a number of 128 bits is the hash key."""
        found = self._routes.get(partition_key)
        if found is None:
            digest = md5(partition_key.encode(), usedforsecurity=False).digest()
            found = self.of_hash(int.from_bytes(digest))
            if len(self._routes) >= _ROUTES:
                self._routes.clear()
            self._routes[partition_key] = found
        return found

    def of_hash(self, hash_key: int) -> Shard:
        """The open shard whose range holds a hash key."""
        return self.open[bisect_right(self._starts, hash_key) - 1]

    def find(self, shard_id: str) -> Shard | None:
        """The readable shard of that id, which AWS also understands as `0` or `shard-0`; None where there is none."""
        name = full_name(shard_id)
        return next((shard for shard in self.every if shard.id == name), None)

    def children(self, shard: Shard) -> list[Shard]:
        """The shards that took over a closed one's range."""
        return [other for other in self.every if shard.id in (other.parent_shard_id, other.adjacent_parent_shard_id)]

    def parents(self, shard: Shard) -> list[Shard]:
        """The shards that this one took over from, as far as they are readable; they are to be read first."""
        return [other for other in self.every if other.id in (shard.parent_shard_id, shard.adjacent_parent_shard_id)]

    # --- change ----------------------------------------------------------------------------------------------------

    def split(self, shard: Shard, hash_key: int) -> None:
        """Close a shard; the second of its two children begins at `hash_key`."""
        start, end = shard.hash_range
        self._replace([shard], [HashRange(start, hash_key - 1), HashRange(hash_key, end)])

    def merge(self, shard: Shard, adjacent: Shard) -> None:
        """Close two shards, the second follows the first; their child has the range of both."""
        self._replace([shard, adjacent], [HashRange(shard.hash_range.start, adjacent.hash_range.end)])

    def scale(self, count: int) -> None:
        """Split and merge until `count` shards are open, as UpdateShardCount does.

        To get more, AWS halves all of them, then merges as many as are too many, the smallest first (the numbers of
        shards that come of it, closed ones included, are those that the tests of moto quote from AWS: 2 to 4 makes 6,
        4 to 5 makes 15, 10 to 13 makes 37, 5 to 3 makes 7).
        """
        while len(self.open) < count:
            for shard in list(self.open):
                start, end = shard.hash_range
                self.split(shard, (start + end + 1) // 2)
        while len(self.open) > count:
            pairs = zip(self.open, self.open[1:], strict=False)
            self.merge(*min(pairs, key=lambda pair: pair[1].hash_range.end - pair[0].hash_range.start))

    def _replace(self, parents: list[Shard], ranges: list[HashRange]) -> None:
        for parent in parents:
            parent.close()
            self.open.remove(parent)
        children = [self._make(hash_range, *parents) for hash_range in ranges]
        self._opened()
        for shard in (*parents, *children):
            self._changed(shard)

    def _make(self, hash_range: HashRange, *parents: Shard) -> Shard:
        second = (self._world.epoch_ns + self._timeline.now) // SECOND
        created = max([second, *(parent.created for parent in parents)]) + (1 if parents else 0)
        shard = Shard(
            self._timeline,
            self._world.epoch_ns,
            self._made,
            hash_range,
            created,
            self._first_index,
            self._retention,
            *parents,
        )
        self._made += 1
        self.every.append(shard)
        self.open.append(shard)
        return shard

    def _opened(self) -> None:
        self.open.sort(key=attrgetter("hash_range"))
        self._starts = [shard.hash_range.start for shard in self.open]
        self._routes.clear()

    # --- retention -------------------------------------------------------------------------------------------------

    def retain(self, retention: int) -> None:
        """Another retention, in nanoseconds, for everything that is readable now and later."""
        self._retention = retention
        for shard in self.every:
            shard.retention = retention

    def trim(self) -> int | None:
        """Drop what has expired. Returns when the oldest thing left came, None when nothing is left to expire."""
        self.every = [shard for shard in self.every if not shard.expired]
        left = [oldest for shard in self.every if (oldest := shard.trim()) is not None]
        return min(left) if left else None
