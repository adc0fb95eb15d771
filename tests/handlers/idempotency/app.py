"""A handler that charges orders, with and without Powertools' idempotency."""

import json
import uuid

import boto3
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig, idempotent

payments = boto3.resource("dynamodb").Table("payments")
layer = DynamoDBPersistenceLayer(table_name="idempotency")
config = IdempotencyConfig(event_key_jmespath="powertools_json(Records[0].Sns.Message).order_id")


def plain(event, context):
    order = json.loads(event["Records"][0]["Sns"]["Message"])
    payment = str(uuid.uuid4())
    payments.put_item(Item={"id": payment, "order_id": order["order_id"]})
    return {"payment_id": payment}


@idempotent(persistence_store=layer, config=config)
def idempotent_handler(event, context):
    return plain(event, context)
