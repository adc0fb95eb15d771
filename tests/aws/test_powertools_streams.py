"""AWS Lambda Powertools, unmodified: its batch processor on the stream of a table.

https://docs.aws.amazon.com/powertools/python/latest/utilities/batch/
"""

from __future__ import annotations

from pathlib import Path

import pytest

from simbus import Simulation

pytest.importorskip("aws_lambda_powertools", reason="needs AWS Lambda Powertools")
pytest.importorskip("boto3", reason="needs the extra boto3")

HANDLERS = Path(__file__).parents[1] / "handlers" / "stream_batch"


def test_a_partial_failure_goes_on_from_the_first_bad_record(sim: Simulation) -> None:
    """Its sequence number is the checkpoint: what comes behind it is read again, also what was done already; with no
    retries left the bad record is given up (Lambda developer guide, with-ddb, ReportBatchItemFailures)."""
    payments = sim.table("payments", hash_key="id", stream_view_type="NEW_IMAGE")
    totals = sim.table("totals", hash_key="id")
    failed = sim.queue("failed")
    total = sim.function("total", handler="app.handler", code=HANDLERS, timeout=30)
    sim.event_source_mapping(
        payments.stream.arn if payments.stream else "",
        total,
        starting_position="TRIM_HORIZON",
        function_response_types=["ReportBatchItemFailures"],
        maximum_retry_attempts=2,
        on_failure=failed,
    )
    client = sim.resource("dynamodb").Table("payments")
    with client.batch_writer() as batch:
        for number, amount in enumerate((1, 2, -1, 4)):
            batch.put_item(Item={"id": str(number), "customer": "ann", "amount": amount})
    sim.run()
    # 1 and 2 are done with; -1 and 4 come again twice, for 4 is read again with each retry of -1; then -1 is given up
    assert totals.items == [{"amount": {"N": str(1 + 2 + 3 * 4 + 4)}, "id": {"S": "ann"}}]
    assert len(failed.messages) == 1
