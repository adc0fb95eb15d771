"""What counts as a success, a partial failure and a full failure of a batch, in every shape of a response."""

from __future__ import annotations

import pytest

from simbus.scheduler.batch_response import ALL, failed_items


@pytest.mark.parametrize(
    "response", ["{}", "null", '""', "[]", '{"batchItemFailures":[]}', '{"batchItemFailures":null}', "", '{"other":1}']
)
def test_nothing_reported_is_a_full_success(response: str) -> None:
    """Recorded: test_kinesis_report_batch_item_success_scenarios (all of them but the last two)."""
    assert failed_items(response) == []


@pytest.mark.parametrize(
    "entry", ['{"itemIdentifier":""}', '{"itemIdentifier":null}', '{"foo":123}', '{"foo":null}', "{}", "null", '"id"']
)
def test_an_entry_without_an_identifier_fails_the_whole_batch(entry: str) -> None:
    """Recorded: test_kinesis_report_batch_item_failure_scenarios; a good entry beside it does not help."""
    assert failed_items(f'{{"batchItemFailures":[{entry}]}}') == ALL
    assert failed_items(f'{{"batchItemFailures":[{{"itemIdentifier":"1"}},{entry}]}}') == ALL


def test_an_identifier_that_is_no_string_fails_the_whole_batch() -> None:
    """Recorded: item_identifier_not_present_failure, whose identifier is the number 123."""
    assert failed_items('{"batchItemFailures":[{"itemIdentifier":123}]}') == ALL


@pytest.mark.parametrize("response", ["not json", "{", "17", '"text"', "[1]", "true", '{"batchItemFailures":{}}'])
def test_what_is_no_partial_response_fails_the_whole_batch(response: str) -> None:
    """Developer guide: a response that Lambda can't read is a complete failure."""
    assert failed_items(response) == ALL


def test_the_reported_identifiers_in_their_order() -> None:
    """Developer guide: the list holds the ids of the failed messages; naming one twice says no more than once."""
    reported = '{"batchItemFailures":[{"itemIdentifier":"b"},{"itemIdentifier":"a"},{"itemIdentifier":"b"}]}'
    assert failed_items(reported) == ["b", "a"]
