"""Log groups and streams as CloudWatch names them, and structlog processors on their way."""

from __future__ import annotations

import re
from typing import Any

import structlog

from simbus import Simulation


def noisy(event: Any, context: Any) -> None:
    print("password=secret")
    print("noise")


def streams(sim: Simulation) -> list[tuple[str, str]]:
    with sim.reader() as reader:
        return [(row["log_group"], row["name"]) for row in reader.query("SELECT * FROM log_streams ORDER BY id")]


def messages(sim: Simulation) -> list[str]:
    with sim.reader() as reader:
        return [row.message for row in reader.log_events()]


def test_the_default_group_and_its_streams(sim: Simulation) -> None:
    """/aws/lambda/<function>, YYYY/MM/DD/[<version>]<32 hex> (recorded; the day is that of the environment)."""
    function = sim.function("f", simulate={"idle_timeout": "1h"})
    function.invoke({})
    sim.run(for_="24h")
    function.invoke({})
    (group, first), (_, second) = streams(sim)
    assert group == "/aws/lambda/f"
    assert re.fullmatch(r"2026/01/01/\[\$LATEST\][0-9a-f]{32}", first)
    assert re.fullmatch(r"2026/01/02/\[\$LATEST\][0-9a-f]{32}", second)


def test_a_custom_group_is_shared(sim: Simulation) -> None:
    """YYYY/MM/DD/<function>[<version>][<id>] (Developer Guide, "Configuring CloudWatch log groups")."""
    for name in ("one", "two"):
        sim.function(name, logging_config={"log_group": "/shared"}).invoke({})
    found = streams(sim)
    assert [group for group, _ in found] == ["/shared", "/shared"]
    assert re.fullmatch(r"2026/01/01/one\[\$LATEST\]\[[0-9a-f]{32}\]", found[0][1])
    with sim.reader() as reader:
        assert [row["name"] for row in reader.query("SELECT name FROM log_groups")] == ["/shared"]


def test_processors_may_change_a_line() -> None:
    """They are structlog's: each takes the event dict and returns it."""

    def hide(logger: Any, name: str, event: Any) -> Any:
        event["message"] = event["message"].replace("secret", "***")
        return event

    with Simulation(log_processors=[hide]) as sim:
        sim.function("f", handler=noisy).invoke({})
        assert "password=***\n" in messages(sim)
        assert not any("secret" in message for message in messages(sim))


def test_processors_may_drop_a_line() -> None:
    """structlog.DropEvent."""

    def quiet(logger: Any, name: str, event: Any) -> Any:
        if event["message"].startswith("noise"):
            raise structlog.DropEvent
        return event

    with Simulation(log_processors=[quiet]) as sim:
        response = sim.function("f", handler=noisy).invoke({}, log_type="Tail")
        assert [message for message in messages(sim) if "noise" in message] == []
        assert response.log_result is not None
        assert "noise" in response.log_result, "the tail is what Lambda answers, not what the log keeps"


def test_processors_see_where_a_line_comes_from() -> None:
    """Group, stream, request id, level and virtual time are in the event dict, and go into the row as they left."""
    seen: list[dict[str, Any]] = []

    def watch(logger: Any, name: str, event: Any) -> Any:
        seen.append(dict(event))
        event["level"] = "INFO"
        return event

    with Simulation(log_processors=[watch]) as sim:
        function = sim.function("f", handler=noisy, simulate={"init_duration": "1s"})
        request_id = function.invoke({}).request_id
        start = seen[1]
        assert start["message"].startswith("START")
        assert (start["log_group"], start["request_id"]) == ("/aws/lambda/f", request_id)
        assert start["log_stream"] == function.invocations[0].log_stream
        assert start["timestamp"] == sim.world.epoch_ms(1_000_000_000)
        with sim.reader() as reader:
            assert {row.level for row in reader.log_events()} == {"INFO"}


def test_processors_run_in_their_order() -> None:
    """One after the other, as in a structlog configuration."""

    def add(letter: str) -> Any:
        def processor(logger: Any, name: str, event: Any) -> Any:
            event["message"] += letter
            return event

        return processor

    with Simulation(log_processors=[add("a"), add("b")]) as sim:
        sim.function("f").invoke({})
        assert all(message.endswith("\nab") for message in messages(sim))


def test_processors_that_change_nothing_change_no_log_event() -> None:
    """The way through structlog writes every line; the short way leaves out what the row of an invocation says."""

    def events(**options: Any) -> list[Any]:
        with Simulation(**options) as sim:
            function = sim.function("f", handler=noisy)
            function.invoke({}), function.invoke({})
            with sim.reader() as reader:
                return list(reader.log_events())

    assert events(log_processors=[lambda logger, name, event: event]) == events()
