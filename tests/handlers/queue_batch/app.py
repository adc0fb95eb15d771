"""Handlers of queues with Powertools' batch processors: one bad message does not fail the others."""

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import (
    AsyncBatchProcessor,
    BatchProcessor,
    EventType,
    SqsFifoPartialProcessor,
    async_process_partial_response,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger(service="orders")
sqs = boto3.client("sqs")
done = sqs.get_queue_url(QueueName="done")["QueueUrl"]
standard = BatchProcessor(event_type=EventType.SQS)
fifo = SqsFifoPartialProcessor()
groups = SqsFifoPartialProcessor(skip_group_on_error=True)
concurrent = AsyncBatchProcessor(event_type=EventType.SQS)


def record_handler(record: SQSRecord):
    logger.set_correlation_id(record.message_id)
    order = record.json_body
    if order["amount"] < 0:
        logger.warning("refused", amount=order["amount"])
        raise ValueError("negative")
    sqs.send_message(QueueUrl=done, MessageBody=str(order["amount"]))
    return order["amount"]


async def async_record_handler(record: SQSRecord):
    import asyncio

    await asyncio.sleep(1)
    return record_handler(record)


@logger.inject_lambda_context
def handler(event, context: LambdaContext):
    return process_partial_response(event=event, record_handler=record_handler, processor=standard, context=context)


def fifo_handler(event, context: LambdaContext):
    return process_partial_response(event=event, record_handler=record_handler, processor=fifo, context=context)


def group_handler(event, context: LambdaContext):
    return process_partial_response(event=event, record_handler=record_handler, processor=groups, context=context)


def async_handler(event, context: LambdaContext):
    return async_process_partial_response(
        event=event, record_handler=async_record_handler, processor=concurrent, context=context
    )
