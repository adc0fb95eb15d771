"""A shop that counts what it has sold."""

import boto3

dynamodb = boto3.resource("dynamodb")
orders = dynamodb.Table("orders")
stock = dynamodb.Table("stock")


def reserve(event, context):
    orders.put_item(Item={"id": context.aws_request_id})
    item = stock.get_item(Key={"sku": "lamp"}, ConsistentRead=True).get("Item", {"sku": "lamp", "sold": 0})
    item["sold"] += 1
    stock.put_item(Item=item)


def audit(event, context):
    sold = stock.get_item(Key={"sku": "lamp"}, ConsistentRead=True).get("Item", {"sold": 0})["sold"]
    ordered = orders.scan(ConsistentRead=True)["Count"]
    if sold != ordered:
        raise ValueError(f"{ordered} orders, but {sold} lamps sold")
