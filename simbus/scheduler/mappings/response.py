"""ReportBatchItemFailures: what a function's response says of the items of its batch.

Sources: recordings test_report_batch_item_failures*, test_kinesis_report_batch_item_success_scenarios and
..._failure_scenarios and those of DynamoDB; Developer Guide, "Success and failure conditions" on the pages for SQS,
Kinesis and DynamoDB. That `""` and `[]` mean success while other values that are no object mean failure is how AWS's
JSON library reads them: the two are its ways to say null.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import msgspec

_SUCCESS = ("", "null", "{}", "[]", '""')


def failed_items(payload: str, batch: Container[str]) -> list[str] | None:
    """The identifiers that the response lists, in its order, doubles left out; `[]` where all items succeeded.

    None means that the whole batch failed: no JSON object, a list that is no list, an identifier that is missing,
    empty, no text, or none of `batch`.
    """
    if payload in _SUCCESS:
        return []
    try:
        response = msgspec.json.decode(payload)
    except (msgspec.DecodeError, RecursionError):
        return None
    if not response and response is not False and response != 0:
        return []
    if not isinstance(response, dict):
        return None
    items = response.get("batchItemFailures")
    if items is None:
        return []
    return _identifiers(items, batch) if isinstance(items, list) else None


def _identifiers(items: list[Any], batch: Container[str]) -> list[str] | None:
    found: dict[str, None] = {}
    for item in items:
        identifier = item.get("itemIdentifier") if isinstance(item, dict) else None
        if not isinstance(identifier, str) or not identifier or identifier not in batch:
            return None
        found[identifier] = None
    return list(found)
