"""AWS Lambda. https://docs.aws.amazon.com/lambda/latest/api/

names     what a FunctionName stands for
invoke    Invoke and InvokeAsync
mappings  event source mappings
"""

from simbus.aws.lambda_ import invoke as invoke
from simbus.aws.lambda_ import mappings as mappings
from simbus.aws.lambda_.names import api

__all__ = ["api"]
