"""ReportBatchItemFailures: every shape of a response."""

from __future__ import annotations

import pytest

from simbus.scheduler.mappings.response import failed_items

SUCCESS = [
    "null",
    '""',
    "[]",
    "{}",
    " {} ",
    '{"batchItemFailures": []}',
    '{"batchItemFailures":null}',
    '{"statusCode":200}',
]
PARTIAL = [
    ('{"batchItemFailures":[{"itemIdentifier":"b"}]}', ["b"]),
    ('{"batchItemFailures":[{"itemIdentifier":"c"},{"itemIdentifier":"a"}]}', ["c", "a"]),
    ('{"batchItemFailures":[{"itemIdentifier":"b","x":1},{"itemIdentifier":"b"}],"y":2}', ["b"]),
]
FAILURE = [
    '{"batchItemFailures":[{"itemIdentifier":""}]}',
    '{"batchItemFailures":[{"itemIdentifier":null}]}',
    '{"batchItemFailures":[{"foo":123}]}',
    '{"batchItemFailures":[{"foo":null}]}',
    '{"batchItemFailures":[{"itemIdentifier":123}]}',
    '{"batchItemFailures":[{"itemIdentifier":"z"}]}',
    '{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"z"}]}',
    '{"batchItemFailures":["a"]}',
    '{"batchItemFailures":{"itemIdentifier":"a"}}',
    '{"batchItemFailures":"a"}',
    '"done"',
    "0",
    "false",
    "[1]",
    "no json",
]


@pytest.mark.parametrize("response", SUCCESS)
def test_full_success(response: str) -> None:
    """Recorded for Kinesis (all six of AWS's list), DynamoDB and SQS (`{}`)."""
    assert failed_items(response, {"a", "b", "c"}) == []


@pytest.mark.parametrize(("response", "failed"), PARTIAL)
def test_partial_success(response: str, failed: list[str]) -> None:
    """The items that are listed failed, the others succeeded."""
    assert failed_items(response, {"a", "b", "c"}) == failed


@pytest.mark.parametrize("response", FAILURE)
def test_full_failure(response: str) -> None:
    """Recorded: an empty, null or missing identifier; documented: one that is not in the batch, no JSON."""
    assert failed_items(response, {"a", "b", "c"}) is None
