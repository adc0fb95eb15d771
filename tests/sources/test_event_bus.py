"""An event bus: rules, targets, retries and dead letters. Recorded payloads are compared in tests/recorded."""

from __future__ import annotations

import json
from typing import Any

from simbus import Simulation


def event(number: int = 1, **more: Any) -> dict[str, Any]:
    return {"Source": "shop", "DetailType": "order", "Detail": json.dumps({"n": number}), **more}


def test_an_event_reaches_the_function_of_a_matching_rule() -> None:
    """Lambda gets the event itself, asynchronously (recording test_put_events_with_target_lambda*)."""
    seen = []
    with Simulation(seed=1) as sim:
        resize = sim.function("resize", handler=lambda event, context: seen.append(event))
        sim.event_bus("default", rules={"big": {"event_pattern": {"source": ["shop"]}, "targets": [resize]}})
        answer = sim["events:default"].put_events([event(1), event(2, Source="other")])
        sim.run()
        assert [each["detail"] for each in seen] == [{"n": 1}]
        assert seen[0]["id"] == answer["Entries"][0]["EventId"]
        assert [row.invocation_type for row in resize.invocations] == ["Event"]
        assert resize.invocations[0].source_arn == "arn:aws:events:us-east-1:000000000000:rule/big"
