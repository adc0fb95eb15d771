"""Which operation a request asks for, and its parameters, as botocore's service model has them in HTTP."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from simbus.aws import operations
from simbus.errors import AwsError
from simbus.functions.sandbox import state
from simbus.sdk.http.document import read_document, scalar
from simbus.sdk.http.message import Request


class Route(NamedTuple):
    """One operation: what a request for it has in its query and its headers."""

    model: Any
    literals: dict[str, str | None]
    query: frozenset[str]
    headers: frozenset[str]

    @property
    def weight(self) -> int:
        return len(self.literals) + len(self.query) + len(self.headers)

    def fits(self, request: Request, arguments: dict[str, str]) -> bool:
        """Whether a request of the right method and kind of path asks for it."""
        literals = all(name in arguments and value in (None, arguments[name]) for name, value in self.literals.items())
        return literals and self.query <= arguments.keys() and all(map(request.header, self.headers))


def route(request: Request, bucket: str, key: str) -> Any:
    """The model of the operation. Raises AwsError MethodNotAllowed."""
    arguments = request.arguments
    kind = "key" if key else "bucket" if bucket else "service"
    for found in _routes().get((request.method, kind), ()):
        if found.fits(request, arguments):
            return found.model
    raise AwsError(
        "MethodNotAllowed", "The specified method is not allowed against this resource.", 405, Method=request.method
    )


def parameters(model: Any, request: Request, bucket: str, key: str) -> dict[str, Any]:
    """The parameters of the operation. Raises AwsError InvalidArgument, MalformedXML."""
    shape, arguments = model.input_shape, request.arguments
    payload = shape.serialization.get("payload")
    found: dict[str, Any] = {}
    for name, member in shape.members.items():
        where, wire = member.serialization.get("location"), member.serialization.get("name", name)
        text: str | None = None
        if where == "uri":
            text = bucket if name == "Bucket" else key
        elif where == "querystring":
            text = arguments.get(wire)
        elif where == "header":
            text = request.header(wire)
        elif where == "headers":
            if named := _prefixed(request, wire):
                found[name] = named
        elif name == payload and (request.body or member.type_name == "blob"):
            found[name] = _payload(member, request.body)
        if text is not None:
            found[name] = _argument(member, wire, text)
    return found


def _payload(member: Any, body: bytes) -> Any:
    if member.type_name == "blob":
        return body
    return body.decode() if member.type_name == "string" else read_document(member, body)


def _argument(member: Any, name: str, text: str) -> Any:
    if member.type_name == "list":
        return [each.strip() for each in text.split(",")]
    try:
        return scalar(member.type_name, text)
    except ValueError:
        raise AwsError("InvalidArgument", f"Provided argument {name} is not valid", ArgumentName=name) from None


def _prefixed(request: Request, prefix: str) -> dict[str, str]:
    """User metadata: `x-amz-meta-colour: red`."""
    named = request.arguments | request.headers
    return {name[len(prefix) :]: value for name, value in named.items() if name.startswith(prefix)}


@cache
def _routes() -> dict[tuple[str, str], list[Route]]:
    """Routes by method and kind of path; of those that fit the first is meant."""
    with state.outside():
        import botocore.session

        service = botocore.session.Session().get_service_model("s3")
        found: dict[tuple[str, str], list[Route]] = {}
        for name in service.operation_names:
            model = service.operation_model(name)
            if model.input_shape is not None:
                found.setdefault((model.http["method"], _kind(model)), []).append(_route(model))
    played = operations("s3")
    for routes in found.values():  # some operations have an older name too, which nobody plays
        routes.sort(key=lambda each: (-each.weight, each.model.name not in played))
    return found


def _kind(model: Any) -> str:
    at = [name for name, each in model.input_shape.members.items() if each.serialization.get("location") == "uri"]
    return "key" if "Key" in at else "bucket" if "Bucket" in at else "service"


def _route(model: Any) -> Route:
    shape = model.input_shape
    literals: dict[str, str | None] = {}
    for each in model.http["requestUri"].partition("?")[2].split("&"):
        if each:
            name, _, value = each.partition("=")
            literals[name] = value or None
    needed: dict[str, set[str]] = {"querystring": set(), "header": set()}
    for name in shape.required_members:
        serialization = shape.members[name].serialization
        if serialization.get("location") in needed:
            needed[serialization["location"]].add(serialization["name"])
    return Route(model, literals, frozenset(needed["querystring"]), frozenset(needed["header"]))
