"""Imports addresses, and reports those that it can't read."""

import json


def handler(event, context):
    failures = []
    for record in event["Records"]:
        try:
            address = json.loads(record["body"])
            print(f"customer {address['customer']} lives in {int(address['zip'])}")
        except ValueError as error:
            print(f"not imported: {error}")
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}
