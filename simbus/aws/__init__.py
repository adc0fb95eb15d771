"""AWS's API: one table of operations, a file (or a folder) per service.

An operation takes the parameters that AWS's service model names and returns the response that it names, or raises
AwsError with AWS's code and message. It calls the resources of one simulated account; who asks (boto3 inside a handler,
a test, an HTTP endpoint) it does not know. `answer` is the only door.
"""

from simbus.aws.table import Api, answer, is_played, missing, not_built, operations
from simbus.aws.travel import travel

__all__ = ["Api", "answer", "is_played", "missing", "not_built", "operations", "travel"]
