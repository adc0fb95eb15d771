"""What a function's answer says about the items of its batch: ReportBatchItemFailures, for queues and for streams.

Sources: recordings test_kinesis_report_batch_item_success_scenarios and .._failure_scenarios, the same of DynamoDB,
test_report_batch_item_failures* of SQS; Developer Guide, "Implementing partial batch responses". What counts as a
success: `{}`, `null`, `""`, `[]`, and `batchItemFailures` absent, null or empty.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

ALL: Final = "all"
_decode = msgspec.json.Decoder().decode


def failed_items(response: str) -> list[str] | Literal["all"]:
    """The identifiers that a response (JSON text) reports as failed, each once, in its order; `[]` is a full success.

    `ALL` is a response that can't be trusted: one that is no JSON, or in which an entry has no `itemIdentifier`, an
    empty one or one that is not a string. Whether an identifier belongs to the batch is for the poller to check: one
    that does not makes the whole batch fail as well.
    """
    try:
        answer = _decode(response) if response else None
    except msgspec.DecodeError:
        return ALL
    if answer is None or answer in ("", []):
        return []
    if not isinstance(answer, dict):
        return ALL
    entries = answer.get("batchItemFailures")
    if entries is None:
        return []
    if not isinstance(entries, list):
        return ALL
    found: dict[str, None] = {}
    for entry in entries:
        identifier = entry.get("itemIdentifier") if isinstance(entry, dict) else None
        if not isinstance(identifier, str) or not identifier:
            return ALL
        found[identifier] = None
    return list(found)
