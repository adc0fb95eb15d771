"""The event handlers of one client: they note the parameters of a call and answer it before it is sent.

An answer at `before-send` leaves botocore's own retries, waiters and back-off in force; one at `before-call` would not.
"""

from __future__ import annotations

import contextlib
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from botocore import UNSIGNED
from botocore.exceptions import ReadTimeoutError
from botocore.validate import ParamValidationDecorator

from simbus.aws import answer, is_played
from simbus.errors import AwsError, HungUp
from simbus.kernel import FOREVER, SECOND
from simbus.sdk import accounts, moto, wire
from simbus.sdk.integrity import check_document
from simbus.sdk.required import check_required
from simbus.sdk.shapes import convert
from simbus.world import uuid

if TYPE_CHECKING:
    from simbus.resources import Resources

_KEY = "simbus"
_REGISTER = {"before-parameter-build": "register_last", "choose-signer": "register_first"}  # S3 has a signer of its own
_hooked: WeakSet[Any] = WeakSet()
_sent: ContextVar[Call] = ContextVar("simbus-call")


class Call:
    """One call of a client: it may be sent several times. `response` is the answer to the last one."""

    __slots__ = ("account", "algorithm", "model", "params", "read_timeout", "response", "types", "validated")

    def __init__(self, account: Resources, model: Any, params: dict[str, Any]) -> None:
        self.account = account
        self.model = model
        self.params = params
        self.algorithm: str | None = None
        self.read_timeout: float | None = None
        self.validated = True
        self.types: dict[str, Any] | None = None
        self.response: dict[str, Any] = {}

    @property
    def patience(self) -> int:
        """The instant until which the client waits for an answer to what it sends now."""
        if self.read_timeout is None:
            return FOREVER
        return self.account.world.timeline.now + round(self.read_timeout * SECOND)

    def answer(self, request: Any) -> Any:
        """Ask the table, and make the HTTP response of what it says."""
        url = request.url
        account, model = self.account, self.model
        service = model.service_model.service_name
        if self.types is None:  # a file that is given as a body can be read only once
            self.types = convert(self.params, model.input_shape)
            if self.algorithm is not None:
                self.types.setdefault(model.http_checksum["requestAlgorithmMember"], self.algorithm)
        request_id = uuid(account.world.timeline.rng("aws/request-id"))
        self.response = {}
        try:
            if not self.validated:
                check_required(service, model.input_shape, self.types)
            if service == "s3":
                check_document(model, request.headers, request.body)
            self.response = answer(account, service, model.name, self.types, self.patience)
        except AwsError as error:
            return wire.failure(url, model, error, request_id)
        return wire.success(url, model, self.response, request_id)


def caller() -> Resources | None:
    """The account that the latest call in this context was made to, if its simulation is still open."""
    call = _sent.get(None)
    return call.account if call is not None and accounts.is_open(call.account) else None


def hook(client: Any, account: Resources | None = None) -> None:
    """Let a client's calls be answered: by `account`, or by that of the simulation from which each call comes."""
    if client in _hooked:
        return
    _hooked.add(client)
    events = client.meta.events
    handlers = _handlers(account, isinstance(client._serializer, ParamValidationDecorator))
    stubber = moto.own_stubber()
    if stubber is not None:  # a mock_aws of the user's would answer as well
        events.unregister("before-send", stubber)
    for name, handler in handlers.items():
        register = _REGISTER.get(name, "register")
        getattr(events, register)(name, handler, unique_id=f"{_KEY}-{name}")


def unhook_all() -> None:
    """Take the handlers of all clients out again."""
    stubber = moto.own_stubber()
    for client in list(_hooked):
        if stubber is not None:
            client.meta.events.register("before-send", stubber)
        for name in _handlers(None):
            with contextlib.suppress(ValueError):
                client.meta.events.unregister(name, unique_id=f"{_KEY}-{name}")
    _hooked.clear()


def _handlers(account: Resources | None, validated: bool = True) -> dict[str, Any]:
    def note(params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        """The last that may change the parameters has done so."""
        owner = account or accounts.current()
        if owner is not None:
            context[_KEY] = call = Call(owner, model, params)
            call.validated = validated

    return {
        "before-parameter-build": note,
        "choose-signer": choose_signer,
        "request-created": request_created,
        "before-send": before_send,
        "before-parse": before_parse,
    }


def choose_signer(context: dict[str, Any], **_: Any) -> Any:
    """Nobody checks a signature here, and no credentials are needed; a presigned URL is signed."""
    return UNSIGNED if _KEY in context and not context.get("is_presign_request") else None


def request_created(request: Any, **_: Any) -> None:
    """The last event that knows the call's context; `before-send` follows at once, in the same thread."""
    call = request.context.get(_KEY)
    if call is not None:
        header = request.context.get("checksum", {}).get("request_algorithm_header")
        if header is not None:  # botocore chose one, which the call itself did not name (S3: CRC32)
            call.algorithm = header["value"]
        call.read_timeout = request.context.get("read_timeout") or request.context["client_config"].read_timeout
        _sent.set(call)


def before_send(request: Any, **_: Any) -> Any:
    """Answer, instead of sending. Raises ReadTimeoutError, as urllib3's is shown, which botocore's retries know."""
    call = _sent.get(None)
    if call is None:
        return None
    service = call.model.service_model.service_name
    try:
        if is_played(service):
            return call.answer(request)
        return wire.whole(request.url, moto.answer(call.account, service, call.model.name, request, call.patience))
    except HungUp:
        error = f"Read timed out. (read timeout={call.read_timeout})"
        raise ReadTimeoutError(endpoint_url=request.url, error=error) from None


def before_parse(customized_response_dict: dict[str, Any], **_: Any) -> None:
    """Put the members of the response beside what the parser makes of an empty body."""
    call = _sent.get(None)
    if call is not None:
        customized_response_dict.update(call.response)
