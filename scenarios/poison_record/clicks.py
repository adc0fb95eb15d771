"""Counts the clicks of each page."""

import json
from base64 import b64decode
from collections import Counter

pages = Counter()


def handler(event, context):
    for record in event["Records"]:
        click = json.loads(b64decode(record["kinesis"]["data"]))
        pages[click["page"]] += 1
