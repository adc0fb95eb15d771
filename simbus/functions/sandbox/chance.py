"""Chance inside a handler is seeded by (seed, environment): random, secrets, uuid, os.urandom, names of temp files."""

from __future__ import annotations

import os
import random
import ssl
import tempfile
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from simbus.functions.sandbox.dispatch import Patch, dispatcher, patch
from simbus.functions.sandbox.state import alive_here

if TYPE_CHECKING:
    from simbus.functions.sandbox.process import Sandbox

_shared: Any = random._inst
_Random = random.Random
_real_seed = random.Random.seed
_real_random, _real_getrandbits = random.Random.random, random.Random.getrandbits
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789_"
_GREGORIAN = 0x01B21DD213814000  # 100 ns intervals between 1582-10-15 and 1970-01-01, as uuid1 counts


class Chance:
    """The random numbers of one environment, made when first asked for."""

    __slots__ = ("_entropy", "_name", "_shared", "last_uuid1", "node")

    def __init__(self, name: str) -> None:
        self._name = name
        self._entropy: random.Random | None = None
        self._shared: random.Random | None = None
        self.last_uuid1 = 0
        self.node: int | None = None

    @property
    def entropy(self) -> random.Random:
        """What stands for the operating system's entropy; no `random.seed()` of the handler changes it."""
        if self._entropy is None:
            self._entropy = _Random(f"{self._name}/entropy")
        return self._entropy

    @property
    def shared(self) -> random.Random:
        """What the functions of the module `random` draw from."""
        if self._shared is None:
            self._shared = _Random(f"{self._name}/random")
        return self._shared


class _SharedRandom(random.Random):
    """The class of the hidden instance behind `random.random`, `random.choice` ... while a simulation runs."""

    def random(self) -> float:
        sandbox = alive_here()
        return _real_random(self) if sandbox is None else sandbox.chance.shared.random()

    def getrandbits(self, k: int, /) -> int:
        sandbox = alive_here()
        return _real_getrandbits(self, k) if sandbox is None else sandbox.chance.shared.getrandbits(k)

    @property
    def gauss_next(self) -> float | None:
        sandbox = alive_here()
        return self.__dict__["gauss_next"] if sandbox is None else sandbox.chance.shared.gauss_next  # type: ignore[attr-defined,no-any-return]

    @gauss_next.setter
    def gauss_next(self, value: float | None) -> None:
        sandbox = alive_here()
        if sandbox is None:
            self.__dict__["gauss_next"] = value
        else:
            sandbox.chance.shared.gauss_next = value  # type: ignore[attr-defined]


def share(on: bool) -> None:
    """Let the functions of `random` that somebody imported by name before find the environment's generator."""
    _shared.__class__ = _SharedRandom if on else random.Random


def _seed_instance(self: random.Random, a: Any = None, version: int = 2) -> None:
    if a is None:
        sandbox = alive_here()
        if sandbox is not None:
            a = sandbox.chance.entropy.getrandbits(256)
    _real_seed(self, a, version)


def _urandom(sandbox: Sandbox, size: int, flags: int = 0) -> bytes:
    return sandbox.chance.entropy.randbytes(size)


def _uuid1(sandbox: Sandbox, node: int | None = None, clock_seq: int | None = None) -> uuid.UUID:
    chance = sandbox.chance
    ticks = (sandbox.epoch_ns + sandbox.timeline.now) // 100 + _GREGORIAN
    chance.last_uuid1 = ticks = max(ticks, chance.last_uuid1 + 1)
    if clock_seq is None:
        clock_seq = chance.entropy.getrandbits(14)
    fields = (
        ticks & 0xFFFFFFFF,
        (ticks >> 32) & 0xFFFF,
        (ticks >> 48) & 0x0FFF,
        (clock_seq >> 8) & 0x3F,
        clock_seq & 0xFF,
        _node(sandbox) if node is None else node,
    )
    return uuid.UUID(fields=fields, version=1)


def _node(sandbox: Sandbox) -> int:
    chance = sandbox.chance
    if chance.node is None:
        chance.node = chance.entropy.getrandbits(48) | 1 << 40
    return chance.node


def _names(sandbox: Sandbox) -> Iterator[str]:
    """What `tempfile` calls its files."""
    rng = sandbox.chance.entropy
    while True:
        yield "".join(_ALPHABET[rng.getrandbits(16) % len(_ALPHABET)] for _ in range(8))


def patches() -> list[Patch]:
    """The sources of chance. (Methods of the shared instance draw through `_SharedRandom`.)"""
    module: Any = random
    found = [
        Patch(random.Random, "seed", _seed_instance, _real_seed),
        Patch(random, "random", _SharedRandom.random.__get__(_shared), random.random),
        Patch(random, "getrandbits", _SharedRandom.getrandbits.__get__(_shared), random.getrandbits),
    ]
    for name in ("seed", "getstate", "setstate"):
        found += patch(random, name, _on_shared(name))
    urandom = dispatcher(os.urandom, _urandom)
    found += [Patch(os, "urandom", urandom, os.urandom), Patch(module, "_urandom", urandom, os.urandom)]
    found += patch(os, "getrandom", _urandom) + patch(uuid, "uuid1", _uuid1) + patch(uuid, "getnode", _node)
    found += patch(ssl, "RAND_bytes", _urandom)
    return found + patch(tempfile, "_get_candidate_names", _names)


def _on_shared(name: str) -> Any:
    def call(sandbox: Sandbox, *args: Any, **kwargs: Any) -> Any:
        return getattr(sandbox.chance.shared, name)(*args, **kwargs)

    return call
