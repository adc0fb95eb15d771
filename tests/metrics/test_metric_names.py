"""A metric is asked for by CloudWatch's name; a misspelt one is refused: no data points would look like good news."""

from __future__ import annotations

import pytest

from simbus import Simulation, UsageError
from simbus.metrics.names import NAMES


def test_a_misspelt_metric_is_refused_with_the_name_that_was_meant(sim: Simulation) -> None:
    """`assert not charge.metric("Throttle")` would hold for ever."""
    function, queue = sim.function("charge", handler=lambda event, context: None), sim.queue("jobs")
    with pytest.raises(UsageError, match=r"FunctionName=charge has no metric 'Throttle'; .* Did you mean Throttles\?"):
        function.metric("Throttle")
    with pytest.raises(UsageError, match=r"QueueName=jobs has no metric 'Errors'; .* Its metrics are Approximate"):
        queue.metric("Errors")
    assert function.metric("Throttles") == queue.metric("NumberOfMessagesSent") == []


def test_every_metric_of_a_run_has_its_name_there(sim: Simulation) -> None:
    """What is written can be asked for."""

    def fail(event: object, context: object) -> None:
        raise ValueError

    failed = sim.queue("failed")
    sim.function("work", handler=fail, event_invoke_config={"on_failure": failed}).invoke({}, invocation_type="Event")
    sim.event_source_mapping(sim.queue("jobs"), "work", metrics_config={"metrics": ["EventCount"]})
    sim["sqs:jobs"].send_message("x", delay_seconds=5)
    sim.run(for_="2m")
    with sim.reader() as run:
        written = {tuple(row) for row in run.query("SELECT DISTINCT name, dimension FROM metrics")}
    assert len(written) > 15
    for name, dimension in written:
        assert name in NAMES[dimension.partition("=")[0]]
