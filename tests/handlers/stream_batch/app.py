"""A handler of a table's stream with Powertools' batch processor: one bad item does not fail the others."""

import boto3
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

processor = BatchProcessor(event_type=EventType.DynamoDBStreams)
totals = boto3.resource("dynamodb").Table("totals")


def record_handler(record):
    image = record.dynamodb.new_image
    if image["amount"] < 0:
        raise ValueError("negative")
    totals.update_item(
        Key={"id": image["customer"]},
        UpdateExpression="ADD amount :n",
        ExpressionAttributeValues={":n": image["amount"]},
    )


def handler(event, context):
    return process_partial_response(event=event, record_handler=record_handler, processor=processor, context=context)
