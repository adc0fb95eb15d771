"""A handler of a topic with Powertools' event class, logger, metrics and parameters."""

import time

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.data_classes import SNSEvent, SQSEvent, event_source
from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger(service="notices")
metrics = Metrics(namespace="Shop", service="notices")
settings = parameters.DynamoDBProvider(table_name="settings")


@logger.inject_lambda_context(correlation_id_path='Records[0].Sns.MessageAttributes.trace."Value"', log_event=False)
@metrics.log_metrics(capture_cold_start_metric=True)
@event_source(data_class=SNSEvent)
def handler(event: SNSEvent, context: LambdaContext):
    time.sleep(1)
    for record in event.records:
        metrics.add_metric(name="Notices", unit=MetricUnit.Count, value=1)
        logger.info("notice", subject=record.sns.subject, text=record.sns.message, topic=record.sns.topic_arn)
    return settings.get("limit", max_age=60)


@event_source(data_class=SQSEvent)
def nested_handler(event: SQSEvent, context: LambdaContext):
    """A queue that is subscribed to a topic: each body is a notification."""
    return [record.decoded_nested_sns_event.message for record in event.records]
