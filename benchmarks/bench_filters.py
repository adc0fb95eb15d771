"""What does it cost to match an event against a pattern? An EventBridge rule's and a mapping filter's, four conditions.

The floor is the predicate in plain Python that means the same; the peer is moto's matcher of EventBridge patterns. All
of them see the same thousand decoded events, and let the same ones pass.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from typing import Any

from benchmarks.harness import Contender, Result, Size, absent, in_turn, speed
from simbus.filtering import compile_event_pattern, compile_filter_pattern

QUESTION = "What does it cost to match an event against a pattern of four conditions?"
CONDITIONS = {
    "page": [{"prefix": "/shop"}],
    "n": [{"numeric": [">", 10, "<", 900]}],
    "level": ["high", "medium"],
    "gone": [{"exists": False}],
}
PAGES = ("/shop/cart", "/shop/pay", "/home")
LEVELS = ("high", "medium", "low")


def details(many: int) -> list[dict[str, Any]]:
    """What the events say."""
    return [{"page": PAGES[n % 3], "n": n, "level": LEVELS[n // 3 % 3], "user": f"user-{n}"} for n in range(many)]


def predicate(event: dict[str, Any]) -> bool:
    """The floor: what the pattern means."""
    detail = event["detail"]
    n = detail.get("n")
    return (
        str(detail.get("page")).startswith("/shop")
        and isinstance(n, int | float)
        and 10 < n < 900
        and detail.get("level") in ("high", "medium")
        and "gone" not in detail
    )


def passing(matches: Callable[[dict[str, Any]], bool], key: str, count: int) -> tuple[str, int]:
    """Match `count` events; the numbers of those of the first thousand that pass, and how many passed in all."""
    events = [{"version": "0", "source": "shop", "region": "us-east-1", key: detail} for detail in details(1_000)]
    passed = sum(matches(events[n % 1_000]) for n in range(count))
    return str([n for n, event in enumerate(events) if matches(event)]), passed


def run(size: Size) -> Result:
    """The floor, both dialects and the peer."""
    count = size.of(300_000, 1_000)
    bridge = compile_event_pattern({"detail": CONDITIONS})
    mapping = compile_filter_pattern({"body": CONDITIONS})
    contenders = [
        Contender("plain Python", count, lambda: passing(predicate, "detail", count)),
        Contender("simbus, EventBridge rule", count, lambda: passing(bridge.matches, "detail", count)),
        Contender("simbus, mapping filter", count, lambda: passing(mapping.matches, "body", count)),
    ]
    moto = importlib.util.find_spec("moto") is not None
    if moto:
        from moto.events.models import EventPattern

        theirs = EventPattern.load(json.dumps({"detail": CONDITIONS}))
        contenders.append(
            Contender("moto, EventBridge rule", count, lambda: passing(theirs.matches_event, "detail", count))
        )
    measured = in_turn(size.times, *contenders)
    floor, rule, filter_, *peers = measured
    ratios = [speed(rule, floor), speed(filter_, floor), *(speed(rule, each) for each in peers)]
    return Result(QUESTION, "event", tuple(measured), tuple(ratios), () if moto else (absent("moto"),))
