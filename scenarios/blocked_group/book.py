"""Books an order of a customer; an order before it in the same group has been booked already."""

import json


def handler(event, context):
    for record in event["Records"]:
        order = json.loads(record["body"])
        total = 100 * order["amount"] // 1
        if not isinstance(total, int):
            raise TypeError(f"the amount of order {order['order']} is {order['amount']!r}")
        print(f"booked order {order['order']} of customer {order['customer']}")
