"""The two jobs of bench_emulator, as a client of boto3 asks for them of simbus and of ministack."""

from __future__ import annotations

from typing import Any

MESSAGES = 2_000
OBJECTS = 500
BATCH = 10  # of a mapping, and of a call of SendMessageBatch
BODY = b"x" * 1024


def send_messages(sqs: Any, url: str, count: int) -> None:
    """Send messages numbered from 0, ten a call."""
    for first in range(0, count, BATCH):
        entries = [{"Id": str(n), "MessageBody": f"message {n}"} for n in range(first, min(first + BATCH, count))]
        answer = sqs.send_message_batch(QueueUrl=url, Entries=entries)
        assert not answer.get("Failed"), answer


def put_objects(s3: Any, bucket: str, count: int) -> None:
    """Put objects of 1 KB numbered from 0, one a call."""
    for n in range(count):
        s3.put_object(Bucket=bucket, Key=f"object-{n}", Body=BODY)


def came(lines: list[str]) -> str:
    """What is the digest's: which records came to the handler, however often."""
    return " ".join(sorted(set(lines)))
