"""What does a call of boto3 in a handler cost? Four calls, and the same calls under moto.

Both sides make the same calls with a client of boto3 that lives in the handler's module. simbus answers them in virtual
time, with their latency, and keeps all rows (so few stay in memory); under moto's `mock_aws` the handler is called as a
function. What both have in common is botocore's own work: parameters, endpoint, request, retries, the parsing of an
answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.harness import Contender, Measured, Ratio, Result, Size, absent, in_turn, peer, speed
from simbus import Simulation

QUESTION = "What does a call of boto3 in a handler cost, beside the same call under moto's mock_aws?"

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


def run(size: Size) -> Result:
    """Each of the calls on both sides."""
    count = size.of(1_000, 20)
    if peer("boto3") is None:
        return Result(QUESTION, "call", (), (), (absent("boto3"),))
    moto = peer("moto") is not None
    measured: list[Measured] = []
    ratios: list[Ratio] = []
    for name in CALLS:
        contenders = [Contender(f"simbus, {name}", count, lambda n=name: on_simbus(n, count))]  # type: ignore[misc]
        if moto:
            contenders.append(Contender(f"moto, {name}", count, lambda n=name: on_moto(n, count)))  # type: ignore[misc]
        for contender in contenders:
            contender.run()  # botocore's models are read once
        pair = in_turn(size.times, *contenders)
        measured += pair
        ratios += [speed(pair[0], other) for other in pair[1:]]
    return Result(QUESTION, "call", tuple(measured), tuple(ratios), () if moto else (absent("moto"),))
