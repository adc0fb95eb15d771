"""Amazon SNS. https://docs.aws.amazon.com/sns/latest/api/

topics         make, list and delete topics; attributes, tags, permissions
subscriptions  subscribe and unsubscribe; their attributes
messages       publish
"""

from simbus.aws.sns import messages, subscriptions, topics
from simbus.aws.sns.base import api

__all__ = ["api", "messages", "subscriptions", "topics"]
