"""boto3's calls in a handler: put_item, put_object, send_message and publish, against the same calls under moto.

Both sides make the same calls with a client of boto3 that lives in the handler's module. simbus answers them in virtual
time, with their latency, and writes all rows; under moto's `mock_aws` the handler is called as a function. What both
have in common is botocore's own work: parameters, endpoint, request, retries, the parsing of an answer.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from benchmarks.harness import best_in_turn, ratio
from simbus import Simulation

ITEM = {"id": {"S": "1"}, "total": {"N": "5"}, "text": {"S": "x" * 100}}
BODY = b"x" * 100
ACCOUNT = "123456789012"
QUEUE = f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/jobs"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:news"

CALLS: dict[str, tuple[str, Callable[[Any, int], Any]]] = {
    "put_item": ("dynamodb", lambda client, n: client.put_item(TableName="orders", Item={**ITEM, "id": {"S": str(n)}})),
    "put_object": ("s3", lambda client, n: client.put_object(Bucket="uploads", Key=f"img/{n}", Body=BODY)),
    "send_message": ("sqs", lambda client, n: client.send_message(QueueUrl=QUEUE, MessageBody=f"message {n}")),
    "publish": ("sns", lambda client, n: client.publish(TopicArn=TOPIC, Message=f"message {n}")),
}


def _client(service: str) -> Any:
    import boto3

    return boto3.client(service, region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing")


def on_simbus(name: str, count: int) -> int:
    """`count` calls by one handler of a simulation; returns how many were answered."""
    service, call = CALLS[name]

    def handler(event: Any, context: Any) -> int:
        client = _client(service)
        return sum(call(client, n)["ResponseMetadata"]["HTTPStatusCode"] == 200 for n in range(count))

    account = {"id": ACCOUNT, "region": "us-east-1"}
    with Simulation(seed=1, account=account) as sim:
        sim.table("orders", hash_key="id")
        sim.bucket("uploads")
        sim.queue("jobs")
        sim.topic("news")
        function = sim.function("f", handler=handler, timeout=900, simulate={"aws_latency": "1us"})
        answered: int = function.invoke({}).json()
    return answered


def on_moto(name: str, count: int) -> int:
    """The same calls under moto."""
    from moto import mock_aws

    service, call = CALLS[name]
    with mock_aws():
        client = _client(service)
        if service == "dynamodb":
            client.create_table(
                TableName="orders",
                KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
        elif service == "s3":
            client.create_bucket(Bucket="uploads")
        elif service == "sqs":
            client.create_queue(QueueName="jobs")
        else:
            client.create_topic(Name="news")
        return sum(call(client, n)["ResponseMetadata"]["HTTPStatusCode"] == 200 for n in range(count))


def main(count: int = 2_000, times: int = 3) -> list[str]:
    """The lines of this benchmark."""
    lines = []
    for name in CALLS:
        on_simbus(name, 10), on_moto(name, 10)  # the models are read once
        ours, moto = best_in_turn(
            times, count, {name: lambda n=name: on_simbus(n, count), "moto": lambda n=name: on_moto(n, count)}
        )
        lines += [ours.line(), moto.line(), ratio(name, ours, moto)]
    return lines


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2_000)
    parser.add_argument("--times", type=int, default=3)
    arguments = parser.parse_args()
    print("\n".join(main(arguments.count, arguments.times)))
