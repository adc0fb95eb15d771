"""Recorded cases of mappings from streams, played: what the functions got, and what reached queues and buckets."""

from __future__ import annotations

import json
import re
import time
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from aws_recorded import ACCOUNT, REGION, fill
from recorded_lambda import message, metadata, refusal
from stream_mappings import StreamMapping

from simbus import Account, Simulation

_RETURNS = re.compile(r"prints the event, returns (.+)", re.DOTALL)


class Function:
    """A handler that does what `Code.behaviour` says; `events` are what it was called with, `answers` what it gave."""

    def __init__(self, stage: StreamStage, behaviour: str) -> None:
        self._stage = stage
        self._behaviour = behaviour
        self.events: list[Any] = []
        self.answers: list[Any] = []

    def __call__(self, event: Any, context: Any) -> Any:
        self.events.append(event)
        answer = self._answer(event)
        self.answers.append(answer)
        return answer

    def _answer(self, event: Any) -> Any:
        behaviour = self._behaviour
        returned = _RETURNS.match(behaviour)
        if returned:
            return json.loads(returned[1])
        if "ZeroDivisionError" in behaviour:
            return 1 / 0
        if "CustomException" in behaviour:
            raise type("CustomException", (Exception,), {})("some error occurred")
        if "sleeps 5 s" in behaviour:
            start = time.time()
            time.sleep(5)
            return {"executionStart": start, "event": event}
        if "raise_error" in behaviour:
            data = [b64decode(record["kinesis"]["data"]).decode() for record in event["Records"]]
            if any("raise_error" in each for each in data):
                raise Exception("Test exception (this is intentional)")
            return {"event": event}
        if "SQS_QUEUE_URL" in behaviour:
            self._stage.sim["sqs:queue-1"].send_message(json.dumps(event["Records"]))
            return {"count": len(event["Records"])}
        assert "returns the event" in behaviour, behaviour
        return event


class StreamStage:
    """The simulation in which one recorded case is played, its resources made."""

    def __init__(self, case: Mapping[str, Any]) -> None:
        self.sim = Simulation(seed=1, account=Account(id=ACCOUNT, region=REGION))
        self.inputs = fill(case["inputs"])
        self._mappings = [entry["params"] for entry in fill(case["setup"]).get("mapping", [])]
        self.functions: list[Function] = []
        self.answers: list[dict[str, Any]] = []
        for entry in fill(case["setup"]).get("resource", []):
            self._resource(entry["op"], entry["params"])
        for entry in fill(case["setup"])["function"]:
            self._function(entry["params"])

    def __enter__(self) -> StreamStage:
        return self

    def __exit__(self, *_: object) -> None:
        self.sim.close()

    def _function(self, params: dict[str, Any]) -> None:
        handler = Function(self, params["Code"]["behaviour"]["handler.py"])
        self.functions.append(handler)
        self.sim.function(
            params["FunctionName"], handler=handler, runtime=params["Runtime"], timeout=params.get("Timeout", 3)
        )

    def _resource(self, op: str, params: dict[str, Any]) -> None:
        sim = self.sim
        if op == "kinesis:CreateStream":
            sim.stream(params["StreamName"], shard_count=params["ShardCount"])
        elif op == "sqs:CreateQueue":
            sim.queue(params["QueueName"])
        elif op == "sns:CreateTopic":
            sim.topic(params["Name"])
        elif op == "sns:Subscribe":
            sim[f"sns:{params['TopicArn'].split(':')[5]}"].subscribe(sim[f"sqs:{params['Endpoint'].split(':')[5]}"])
        elif op == "s3:CreateBucket":
            sim.bucket(params["Bucket"])
        elif op == "dynamodb:CreateTable":
            self._table = params
        elif op == "dynamodb:UpdateTable":
            keys = {key["KeyType"]: key["AttributeName"] for key in self._table["KeySchema"]}
            sim.table(
                params["TableName"],
                hash_key=keys["HASH"],
                stream_view_type=params["StreamSpecification"]["StreamViewType"],
            )
        else:
            assert op == "sqs:SetQueueAttributes", op  # a policy: who may send is not simulated

    def map(self, *numbers: int) -> list[StreamMapping]:
        """Make the mappings of the case, or those of these numbers; `answers` are those of the operation."""
        made = []
        for number in numbers or range(len(self._mappings)):
            given = dict(self._mappings[number])
            arn = given.pop("EventSourceArn").partition("/stream/")[0]  # of a table the label is not known beforehand
            made.append(StreamMapping(self.sim, arn, given.pop("FunctionName"), **given))
            self.answers.append({**made[-1].answer, **metadata(202)})
        return made

    def refused(self, number: int) -> dict[str, Any]:
        """The error with which a mapping is refused."""
        return refusal({"message": "", "Type": ""}, lambda: self.map(number))

    def put(self, number: int) -> None:
        """Play an input of the case."""
        entry = self.inputs[number]
        params = entry["params"]
        for _ in range(entry.get("times", 1)):
            if entry["op"] == "kinesis:PutRecord":
                self.sim[f"kinesis:{params['StreamName']}"].put_record(params["Data"].encode(), params["PartitionKey"])
            elif entry["op"] == "kinesis:PutRecords":
                records = [{**record, "Data": record["Data"].encode()} for record in params["Records"]]
                self.sim[f"kinesis:{params['StreamName']}"].put_records(records)
            else:
                assert entry["op"] == "dynamodb:PutItem", entry["op"]
                self.sim[f"dynamodb:{params['TableName']}"].put_item(_with_bytes(params["Item"]))

    def play(self) -> None:
        """All inputs at once, then everything that follows from them."""
        for number in range(len(self.inputs)):
            self.put(number)
        self.sim.run()

    def received(self, queue: str) -> dict[str, Any]:
        """The answer of ReceiveMessage."""
        messages = self.sim[f"sqs:{queue}"].receive_messages(10)
        return {"Messages": [message(each) for each in messages], **metadata(200)}

    def body(self, queue: str) -> Any:
        """The body of the only message of a queue."""
        [only] = self.sim[f"sqs:{queue}"].messages
        return json.loads(only.body)

    def stored(self, bucket: str) -> Any:
        """The only object of a bucket."""
        [key] = [each["Key"] for each in self.sim[f"s3:{bucket}"].list_objects()["Contents"]]
        return json.loads(self.sim[f"s3:{bucket}"].get_object(key)["Body"])


def created(stage: StreamStage, case: Mapping[str, Any]) -> dict[str, Any]:
    """The answers of CreateEventSourceMapping, under the names that they have in the recording."""
    names = [name for name in case["recorded_api"] if name.startswith("create_event_source_mapping_response")]
    assert len(names) <= len(stage.answers)
    return dict(zip(names, stage.answers, strict=False))


def unlabelled(value: Any) -> Any:
    """The ARN of a table's stream with a bare word for its label: a placeholder stands for a name without colons."""
    text = re.sub(r"(table/[\w.-]+/stream/)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}", r"\1label", json.dumps(value))
    return json.loads(text)


def _with_bytes(item: dict[str, Any]) -> dict[str, Any]:
    """The tests of AWS send bytes where the capture shows their text."""
    return {name: {"B": value["B"].encode()} if "B" in value else value for name, value in item.items()}
