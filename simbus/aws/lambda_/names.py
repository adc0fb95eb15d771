"""The service's table, and what a FunctionName stands for: a name, a partial ARN or an ARN, with or without qualifier.

Source: botocore's pattern of NamespacedFunctionName; the API reference on `FunctionName`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from simbus.aws.lambda_.checks import QUALIFIER, matches
from simbus.aws.table import Api
from simbus.errors import AwsError
from simbus.functions.function import LATEST
from simbus.scheduler.lambda_function import LambdaFunction
from simbus.scheduler.validation import invalid

if TYPE_CHECKING:
    from simbus.resources import Resources

api = Api("lambda")

_PATTERN: Final = (
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}(-gov)?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?"
    r"([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?"
)
_NAME: Final = re.compile(_PATTERN)


class Name(NamedTuple):
    """A FunctionName taken apart: the bare name, and the qualifier that it or the request's Qualifier says."""

    resource: str
    qualifier: str | None


def parsed(account: Resources, function_name: str, qualifier: str | None = None) -> Name:
    """Take a FunctionName and a Qualifier apart. Raises AWS's errors."""
    matches("qualifier", qualifier, QUALIFIER, 128)
    match = _NAME.fullmatch(function_name)
    if match is None:
        raise AwsError(
            "ValidationException",
            f"1 validation error detected: Value '{function_name}' at 'functionName' failed to satisfy constraint: "
            f"Member must satisfy regular expression pattern: {_PATTERN}",
        )
    region, number = (match[3] or "").rstrip(":"), (match[5] or "").rstrip(":")
    here = account.world.account
    if region and region != here.region:
        message = f"Functions from '{region}' are not reachable in this region ('{here.region}')"
        raise AwsError("ResourceNotFoundException", message, 404, Type="User")
    if number and number != here.id:
        message = f"No policy of account {number} allows an access to {function_name}."  # AWS names user and action
        raise AwsError("AccessDeniedException", message, 403)
    derived = match[9]
    if derived and qualifier and derived != qualifier:
        raise invalid("The derived qualifier from the function name does not match the specified qualifier.")
    return Name(match[7], qualifier or derived)


def located(
    account: Resources, function_name: str, qualifier: str | None = None, *, default: str | None = None
) -> tuple[LambdaFunction, str | None]:
    """The function and the qualifier (or None) that are meant. Raises ResourceNotFoundException.

    `default` is what the message says where no qualifier is given: Invoke names `$LATEST`.
    """
    name = parsed(account, function_name, qualifier)
    function: LambdaFunction | None = account.find("lambda", name.resource)
    if function is None or not (name.qualifier is None or function.core.has(name.qualifier)):
        where = name.qualifier or default
        arn = account.world.arn("lambda", name.resource) + (f":{where}" if where else "")
        raise AwsError("ResourceNotFoundException", f"Function not found: {arn}", 404, Type="User")
    return function, name.qualifier


def invoked(account: Resources, function_name: str, qualifier: str | None) -> tuple[LambdaFunction, str | None]:
    """The function that is to be invoked."""
    return located(account, function_name, qualifier, default=LATEST)
