"""Amazon DynamoDB. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/

items    the operations on items of one table, which are methods of the source
many     batches and transactions, which may be about several tables
tables   the tables themselves
"""

from simbus.aws.dynamodb import items, many, tables
from simbus.aws.dynamodb.common import api

__all__ = ["api", "items", "many", "tables"]
