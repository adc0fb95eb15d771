"""The table itself: service and operation -> a function of the account.

    api = Api("sqs")

    @api.operation
    def delete_message(account: Resources, *, QueueUrl: str, ReceiptHandle: str) -> None: ...

The function's name is AWS's in snake_case, its keyword-only parameters are AWS's own. A parameter that a function does
not name is not built: a request with it is refused, never answered as if it had been understood.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from simbus.aws.travel import travel
from simbus.errors import AwsError, UsageError
from simbus.functions.sandbox.belongings import outer_world
from simbus.kernel import FOREVER

if TYPE_CHECKING:
    from simbus.resources import Resources

Response = dict[str, Any]
Function = Callable[..., Response | None]

_MODULES: Final = {
    "cloudwatch": "simbus.aws.cloudwatch",
    "dynamodb": "simbus.aws.dynamodb",
    "dynamodbstreams": "simbus.aws.dynamodbstreams",
    "events": "simbus.aws.events",
    "kinesis": "simbus.aws.kinesis",
    "lambda": "simbus.aws.lambda_",
    "logs": "simbus.aws.logs",
    "s3": "simbus.aws.s3",
    "sns": "simbus.aws.sns",
    "sqs": "simbus.aws.sqs",
    "sts": "simbus.aws.sts",
}


class Operation(NamedTuple):
    """One operation: its function, the parameters that this one understands, and those that it must have."""

    function: Function
    parameters: frozenset[str]
    required: tuple[str, ...] = ()


class Api:
    """The operations of one AWS service.

    `name` is boto3's name of it, `latency` the name under which `simulate.aws_latency` has it.
    """

    def __init__(self, name: str, latency: str | None = None) -> None:
        self.name = name
        self.latency = latency or name
        self.operations: dict[str, Operation] = {}

    def operation(self, function: Function) -> Function:
        """Put a function into the table: `put_item` answers PutItem.

        Parameters that several operations share may stand in a TypedDict: `**settings: Unpack[Settings]`.
        """
        name = "".join(part[:1].upper() + part[1:] for part in function.__name__.split("_"))
        required = [
            each.name
            for each in inspect.signature(function).parameters.values()
            if each.kind is each.KEYWORD_ONLY and each.default is each.empty
        ]
        self.operations[name] = Operation(function, frozenset(_parameters(function)), tuple(required))
        return function


def _parameters(function: Function) -> Iterator[str]:
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY:
            yield parameter.name
        elif parameter.kind is parameter.VAR_KEYWORD:
            shared = str(parameter.annotation).removeprefix("Unpack[").removesuffix("]")
            yield from function.__globals__[shared].__annotations__


def is_played(service: str) -> bool:
    """Whether simbus plays this service of boto3 itself."""
    return service in _MODULES


def operations(service: str) -> frozenset[str]:
    """The names of the operations that simbus plays of a service: `PutObject`."""
    return frozenset(_api(service).operations)


def answer(
    account: Resources, service: str, operation: str, params: Mapping[str, Any], patience: int = FOREVER
) -> Response:
    """What AWS answers to one request, after the caller's latency.

    Raises AwsError, UsageError for what is not built, and HungUp at the instant `patience` where there is no answer
    before it: what was asked for happens all the same.

    `service` is boto3's name of it (`events`), `params` have the types of botocore's service model (blobs are bytes,
    timestamps aware datetimes). The response has these types too; a streaming body is bytes.
    """
    api = _api(service)
    found = api.operations.get(operation)
    if found is None:
        raise not_built(f"{service} {operation}")
    if not found.parameters.issuperset(params):
        name = min(params.keys() - found.parameters)
        raise not_built(f"{service} {operation} with {name}")
    for name in found.required:
        if name not in params:
            raise missing(service, name)
    timeline = account.world.timeline
    actor = timeline.actor
    if actor is None:
        before, timeline.patience = timeline.patience, patience
        try:
            return found.function(account, **params) or {}
        finally:
            timeline.patience = before
    travel(account, actor, api.latency, patience, partial(found.function, account, **params))
    actor.answering += 1
    actor.patience = patience
    try:
        return found.function(account, **params) or {}
    finally:
        actor.answering -= 1
        actor.patience = FOREVER


def missing(service: str, name: str) -> AwsError:
    """A required parameter is not there, which botocore sees first unless `parameter_validation` is off."""
    if service == "sqs":
        return AwsError("MissingParameter", f"The request must contain the parameter {name}.")
    if service == "sns":
        return AwsError("InvalidParameter", f"Invalid parameter: {name} Reason: no value for required parameter")
    if service == "cloudwatch":
        return AwsError("MissingParameter", f"The parameter {name} is required.")
    code = {"logs": "InvalidParameterException", "sts": "ValidationError"}.get(service, "ValidationException")
    path = ".".join(part[:1].lower() + part[1:] for part in name.split("."))
    where = f"Value null at '{path}'"
    return AwsError(code, f"1 validation error detected: {where} failed to satisfy constraint: Member must not be null")


def not_built(what: str) -> UsageError:
    """The refusal of an operation or a parameter; raise it."""
    return UsageError(f"{what}: simbus does not play this. Leave it out, or replace the call in the test.")


@cache
def _api(service: str) -> Api:
    with outer_world():  # a handler's call led here, whose code may bring along libraries of its own
        found: Api = import_module(_MODULES[service]).api
    return found
