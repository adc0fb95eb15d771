"""Charges an order, and asks nobody whether that has been done already."""

import json


def handler(event, context):
    for record in event["Records"]:
        order = json.loads(record["body"])["order"]
        received = record["attributes"]["ApproximateReceiveCount"]
        print(f"charging order {order}, received for the {received}. time")
