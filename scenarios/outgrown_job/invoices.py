"""Sends an invoice to every customer; each takes 50 ms of the mail service, and every night there are 300 more."""

import time
from datetime import UTC, datetime

FIRST_NIGHT = datetime(2026, 3, 2, tzinfo=UTC)


def handler(event, context):
    tonight = datetime.fromisoformat(event["time"])
    customers = 16_800 + 300 * (tonight - FIRST_NIGHT).days
    print(f"{customers} customers, {context.get_remaining_time_in_millis()} ms")
    for customer in range(customers):
        time.sleep(0.05)
        if customer % 1_000 == 0:
            print(f"invoice {customer} sent")
