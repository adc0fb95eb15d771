"""Reserves stock at an inventory service that is away for some minutes."""

import os
import time
from datetime import UTC, datetime

OUTAGE_FROM = datetime.fromisoformat(os.environ["OUTAGE_FROM"])
OUTAGE_TO = datetime.fromisoformat(os.environ["OUTAGE_TO"])


def handler(event, context):
    if OUTAGE_FROM <= datetime.now(UTC) < OUTAGE_TO:
        time.sleep(60)  # nobody answers; the function's own timeout ends this
    time.sleep(0.2)
    return "reserved"
