"""The bus: who is offered what, and the rows it writes."""

from __future__ import annotations

from typing import Any

from simbus import Simulation
from simbus.model import ChangeEvent


class Listener:
    """A subscription that remembers, and may want only some types."""

    def __init__(self, name: str, log: list[tuple[str, str]], wanted: str = "") -> None:
        self.name = name
        self._log = log
        self._wanted = wanted

    def offer(self, event: ChangeEvent) -> None:
        if event.type.startswith(self._wanted):
            self._log.append((self.name, event.id))


def event(event_id: str, source: str = "s3:b", kind: str = "ObjectCreated:Put") -> ChangeEvent:
    return ChangeEvent(event_id, 1_500_000_000, source, f"arn:{source}", kind, "key", None, "{}")


def table(sim: Simulation, name: str) -> list[dict[str, Any]]:
    with sim.reader() as reader:
        rows = [dict(row) for row in reader.query(f"SELECT * FROM {name}")]
    return [{column: value for column, value in row.items() if column != "rowid"} for row in rows]


def test_subscriptions_are_offered_the_events_of_their_source_in_order(sim: Simulation) -> None:
    """First subscribed, first offered; a source that nobody subscribed to is a row all the same."""
    log: list[tuple[str, str]] = []
    one, two, other = Listener("one", log), Listener("two", log, "ObjectRemoved"), Listener("other", log)
    sim.bus.subscribe("s3:b", one), sim.bus.subscribe("s3:b", two), sim.bus.subscribe("s3:c", other)
    sim.bus.publish(event("1"))
    sim.bus.publish(event("2", kind="ObjectRemoved:Delete"))
    sim.bus.publish(event("3", source="s3:d"))
    assert log == [("one", "1"), ("one", "2"), ("two", "2")]
    assert [row["id"] for row in table(sim, "events")] == ["1", "2", "3"]


def test_who_unsubscribed_is_offered_nothing(sim: Simulation) -> None:
    """From that moment on."""
    log: list[tuple[str, str]] = []
    one = Listener("one", log)
    sim.bus.subscribe("s3:b", one)
    sim.bus.unsubscribe("s3:b", one)
    sim.bus.publish(event("1"))
    assert log == []


def test_the_rows(sim: Simulation) -> None:
    """Times are milliseconds since 1970; what is held was never settled; a delivery without an event is no row."""
    start = sim.world.epoch_ms()
    sim.bus.publish(event("1"))
    sim.run(for_="2s")
    sim.bus.settle(event("1"), "lambda:f", "ok", "request")
    sim.bus.settle(event("1"), "lambda:g", "held")
    sim.bus.settle(None, "lambda:h", "ok")
    sim.bus.settle_ids(["2", "3"], "lambda:i", "ok", "batch")
    sim.bus.hop("1", "retry", "lambda:f", "because")
    assert table(sim, "events") == [
        {"id": "1", "time": start + 1500, "source": "s3:b", "type": "ObjectCreated:Put", "subject": "key",
         "parent": None, "data": "{}"}
    ]  # fmt: skip
    assert table(sim, "deliveries") == [
        {"event_id": "1", "request_id": "request", "subscription": "lambda:f", "settled_at": start + 2000,
         "outcome": "ok"},
        {"event_id": "1", "request_id": None, "subscription": "lambda:g", "settled_at": None, "outcome": "held"},
        {"event_id": "2", "request_id": "batch", "subscription": "lambda:i", "settled_at": start + 2000,
         "outcome": "ok"},
        {"event_id": "3", "request_id": "batch", "subscription": "lambda:i", "settled_at": start + 2000,
         "outcome": "ok"},
    ]  # fmt: skip
    assert table(sim, "hops") == [
        {"event_id": "1", "time": start + 2000, "kind": "retry", "place": "lambda:f", "detail": "because"}
    ]
