"""Chance inside a handler is seeded by (seed, environment)."""

import os
import random
import secrets
import ssl
import tempfile
import uuid
from pathlib import Path
from random import choice, gauss, randint
from random import random as chance
from typing import Any
from uuid import uuid4

import pytest
from sandboxes import Lab, laboratory


def draw(event: Any, context: Any) -> list[Any]:
    return [
        *(random.random(), random.getrandbits(40), choice(range(1000)), randint(1, 10**6), chance(), gauss(0, 1)),
        *(random.gauss(0, 1), random.shuffle(deck := list(range(9))), deck, random.sample(range(99), 3)),
        *(random.Random().random(), random.SystemRandom().random(), random.SystemRandom().choice("abcdefgh")),
        *(str(uuid4()), str(uuid.uuid4()), str(uuid.uuid1()), os.urandom(8).hex(), random.randbytes(4).hex()),
        *(secrets.token_hex(8), secrets.randbelow(10**9), secrets.choice("abcdefgh"), secrets.token_urlsafe(5)),
        *(tempfile.mktemp(), uuid.getnode(), ssl.RAND_bytes(8).hex()),
    ]


def drawn(folder: Path, seed: int, identity: str, others: int = 0) -> Any:
    with laboratory(folder, seed) as lab:
        for _ in range(others):
            lab.result(lab.sandbox(draw))
        return lab.result(lab.sandbox(draw, identity=identity))


def test_same_seed_same_numbers(tmp_path: Path) -> None:
    """Every source of chance repeats itself with the seed, however many other environments draw."""
    first = drawn(tmp_path, 1, "f/1")
    assert drawn(tmp_path, 1, "f/1", others=3) == first


@pytest.mark.parametrize(("seed", "identity"), [(2, "f/1"), (1, "f/2")])
def test_another_seed_or_environment_draws_others(tmp_path: Path, seed: int, identity: str) -> None:
    """Another seed, or another environment, draws other numbers from every source."""
    pairs = zip(drawn(tmp_path, 1, "f/1"), drawn(tmp_path, seed, identity), strict=True)
    same = [a for a, b in pairs if a == b]
    assert same in ([None], [None, *same[1:2]])  # shuffle's None, and at most one small choice by accident


def test_seed_in_a_handler(lab: Lab) -> None:
    """`random.seed(7)` gives Python's own numbers, and leaves uuid4 and the outer generator alone."""

    def handler(event: Any, context: Any) -> list[Any]:
        random.seed(7)
        state = random.getstate()
        first = random.random()
        random.setstate(state)
        return [first, random.random(), str(uuid4())]

    random.seed(3)
    expected_outside = random.Random(3).random()
    one, two = (lab.result(lab.sandbox(handler)) for _ in range(2))
    assert one[:2] == two[:2] == [random.Random(7).random()] * 2
    assert one[2] != two[2]
    assert random.random() == expected_outside


def test_gauss_keeps_its_second_number_per_environment(lab: Lab) -> None:
    """random.gauss draws two numbers at a time; the second one does not wander into another environment."""

    def handler(event: Any, context: Any) -> float:
        return gauss(0, 1)

    alone = lab.sandbox(handler, identity="a"), lab.sandbox(handler, identity="b")
    mixed = lab.sandbox(handler, identity="a"), lab.sandbox(handler, identity="b")
    expected = [lab.result(alone[0]), lab.result(alone[0]), lab.result(alone[1]), lab.result(alone[1])]
    got = [lab.result(mixed[i]) for i in (0, 1, 0, 1)]
    assert [got[0], got[2], got[1], got[3]] == expected


def test_uuid1_is_ordered_and_of_this_instant(lab: Lab) -> None:
    """uuid1 carries virtual time, and two of one instant differ."""

    def handler(event: Any, context: Any) -> list[int]:
        return [uuid.uuid1().time, uuid.uuid1().time, uuid.uuid1().version or 0]

    first, second, version = lab.result(lab.sandbox(handler))
    assert (second - first, version) == (1, 1)
    assert (first - 0x01B21DD213814000) // 10**7 == 1_767_225_600


def test_outside_a_handler_chance_is_the_machines(lab: Lab) -> None:
    """The functions fall through outside: a seeded generator gives its own numbers, entropy differs each time."""
    random.seed(11)
    assert [random.random(), chance()] == [(g := random.Random(11)).random(), g.random()]
    assert os.urandom(16) != os.urandom(16)
    assert uuid4() != uuid4()
