"""Orders come as files, are kept in a table, announced, and booked to the account of their customer."""

import json
import os
from decimal import Decimal

import boto3

s3 = boto3.client("s3")
sns = boto3.client("sns")
dynamodb = boto3.resource("dynamodb")
orders = dynamodb.Table("orders")
accounts = dynamodb.Table("accounts")


def ingest(event, context):
    for record in event["Records"]:
        place = {"Bucket": record["s3"]["bucket"]["name"], "Key": record["s3"]["object"]["key"]}
        order = json.loads(s3.get_object(**place)["Body"].read(), parse_float=Decimal)
        orders.put_item(Item=order)


def announce(event, context):
    for record in event["Records"]:
        image = record["dynamodb"]["NewImage"]
        message = {"customer": image["customer"]["S"], "total": image["total"]["N"]}
        sns.publish(TopicArn=os.environ["TOPIC"], Message=json.dumps(message))


def book(event, context):
    for record in event["Records"]:
        order = json.loads(record["body"])
        key = {"customer": order["customer"]}
        account = accounts.get_item(Key=key, ConsistentRead=True).get("Item", key | {"balance": 0})
        account["balance"] += int(order["total"])
        accounts.put_item(Item=account)


def book_safely(event, context):
    for record in event["Records"]:
        order = json.loads(record["body"])
        accounts.update_item(
            Key={"customer": order["customer"]},
            UpdateExpression="ADD balance :total",
            ExpressionAttributeValues={":total": int(order["total"])},
        )
