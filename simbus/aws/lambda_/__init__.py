"""AWS Lambda. https://docs.aws.amazon.com/lambda/latest/api/

names        what a FunctionName stands for
invoke       Invoke and InvokeAsync
functions    functions, their code and configuration
versions     versions and aliases
concurrency  reserved and provisioned concurrency, asynchronous events, recursive loops
permissions  policies and tags
mappings     event source mappings
"""

from simbus.aws.lambda_ import concurrency as concurrency
from simbus.aws.lambda_ import functions as functions
from simbus.aws.lambda_ import invoke as invoke
from simbus.aws.lambda_ import mappings as mappings
from simbus.aws.lambda_ import permissions as permissions
from simbus.aws.lambda_ import versions as versions
from simbus.aws.lambda_.names import api

__all__ = ["api"]
