"""Tells somebody about a message on a topic."""

import json


def handler(event, context):
    for record in event["Records"]:
        message = record["Sns"]["Message"]
        try:
            message = json.loads(message)["responsePayload"]["thumbnail"]
        except ValueError:
            pass  # an announcement is plain text
        print(f"notified: {message}")
