"""Amazon SQS. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/

queues    make, find and delete queues; attributes, tags, permissions
messages  send, receive, delete, hide
redrive   dead-letter queues and message move tasks
"""

from simbus.aws.sqs import messages, queues, redrive
from simbus.aws.sqs.base import api

__all__ = ["api", "messages", "queues", "redrive"]
