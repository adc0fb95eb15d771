"""Indexes orders by their city, and what can't be indexed so, by its country."""

import json


def index(event, context):
    for record in event["Records"]:
        image = record["dynamodb"]["NewImage"]
        print(f"{image['id']['S']} is in {image['city']['S']}")


def repair(event, context):
    for message in event["Records"]:
        failure = json.loads(message["body"])
        for record in failure["payload"]["Records"]:
            image = record["dynamodb"]["NewImage"]
            print(f"{image['id']['S']} is in {image['country']['S']}")
