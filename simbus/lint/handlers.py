"""Handlers of the small simulations that prove a finding: a record that holds the word `bad` can't be processed."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any


def _is_bad(record: dict[str, Any]) -> bool:
    data = record.get("kinesis", {}).get("data")
    return "bad" in (json.dumps(record.get("body") or record.get("dynamodb")) if data is None else str(b64decode(data)))


def fails(event: dict[str, Any], context: Any) -> None:
    """One bad record fails the whole batch."""
    if any(map(_is_bad, event["Records"])):
        raise ValueError("a bad record")


def reports(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Says which messages failed."""
    bad = [{"itemIdentifier": record["messageId"]} for record in event["Records"] if _is_bad(record)]
    return {"batchItemFailures": bad}


def ask(event: Any, context: Any) -> Any:
    """Invoke the function that the event names, as boto3 does: in its standard mode it asks three times."""
    import boto3
    from botocore.config import Config

    client = boto3.client("lambda", config=Config(read_timeout=event["read_timeout"], retries={"mode": "standard"}))
    return client.invoke(FunctionName=event["function"])["StatusCode"]
