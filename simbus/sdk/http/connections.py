"""What HTTP libraries connect to. For S3's hosts it is an object of this process, while a simulation is open.

http.client (urllib.request builds on it) and urllib3 (requests builds on it) write a request into a socket and read the
response out of it; here the two ends meet in one object. Where the caller is meant is said in `simbus.sdk.accounts`.
"""

from __future__ import annotations

import http.client
import io
from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any

from simbus.functions.sandbox import state
from simbus.sdk import accounts
from simbus.sdk.http.endpoint import is_s3, respond
from simbus.sdk.http.message import read_request, write_response

if TYPE_CHECKING:
    from simbus.resources import Resources

Put = Callable[[Any, str, Any], None]


class Connection:
    """Stands where a library has its socket. A request is answered when its response is read."""

    def __init__(self, account: Resources, host: str) -> None:
        self._account = account
        self._host = host
        self._sent = bytearray()

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Part of a request."""
        self._sent += data

    def makefile(self, mode: str = "r", *_: Any, **__: Any) -> io.BufferedReader:
        """The response to what was sent so far."""
        request = read_request(bytes(self._sent), self._host)
        self._sent.clear()
        response = respond(self._account, request)
        return io.BufferedReader(io.BytesIO(write_response(response, request.method)))

    def settimeout(self, seconds: float | None) -> None:
        """Nothing is waited for."""

    def setsockopt(self, *_: Any) -> None:
        """There is no socket."""

    def shutdown(self, how: int = 0) -> None:
        """There is no socket."""

    def close(self) -> None:
        """There is no socket."""


def install(put: Put) -> None:
    """Put the connections in, and virtual time into what signs. `put(owner, name, new)` can be undone."""
    urllib3 = import_module("urllib3.connection")
    for library in (http.client, urllib3):
        for name in ("HTTPConnection", "HTTPSConnection"):
            put(getattr(library, name), "connect", _connecting(getattr(library, name).connect))
    auth, signers = import_module("botocore.auth"), import_module("botocore.signers")
    for module in (auth, signers):
        put(module, "get_current_datetime", _current_datetime(module.get_current_datetime))
    put(auth.HmacV1QueryAuth, "_get_date", _expiry(auth.HmacV1QueryAuth._get_date))


def _connecting(real: Any) -> Any:
    def connect(connection: Any) -> None:
        host = getattr(connection, "_tunnel_host", None) or connection.host
        account = accounts.current() if is_s3(host) else None
        if account is None:
            real(connection)
        else:
            connection.sock = Connection(account, host)
            connection.is_verified = True  # else urllib3 warns of a certificate that it has not seen

    return connect


def _virtual_now() -> datetime | None:
    """The calendar of the simulation; None where the real clock is right: inside a handler it is virtual already."""
    account = None if state.here() is not None else accounts.current()
    return None if account is None else account.world.datetime()


def _current_datetime(real: Any) -> Any:
    def get_current_datetime(remove_tzinfo: bool = True) -> Any:
        now = _virtual_now()
        if now is None:
            return real(remove_tzinfo)
        return now.replace(tzinfo=None) if remove_tzinfo else now

    return get_current_datetime


def _expiry(real: Any) -> Any:
    """When a URL that is signed the older way ends, in seconds since 1970."""

    def get_date(auth: Any) -> str:
        now = _virtual_now()
        return str(real(auth) if now is None else int(now.timestamp()) + int(auth._expires))

    return get_date
