"""The network is refused by name, whichever client asks for it and in whichever thread: host, port, line, remedy."""

from __future__ import annotations

import asyncio
import ftplib
import http.client
import smtplib
import socket
import ssl
import threading
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from sandboxes import Lab


def on(kind: tuple[Any, ...], act: Callable[[socket.socket], Any]) -> Any:
    """Act on a socket, and close it."""
    with socket.socket(*kind) as connection:
        return act(connection)


def secured(connection: socket.socket) -> None:
    """A TLS connection."""
    with ssl.create_default_context().wrap_socket(connection, server_hostname="api.example") as secure:
        secure.connect(("api.example", 443))


async def endpoint() -> None:
    """asyncio's datagrams."""
    await asyncio.get_running_loop().create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=("10.0.0.1", 53))


REMEDY = "Call AWS through boto3, which the simulation answers itself, or replace the client in the test."
UDP = socket.AF_INET, socket.SOCK_DGRAM
CLIENTS: dict[str, tuple[Callable[[], Any], str]] = {
    "http.client": (lambda: http.client.HTTPSConnection("api.example").request("GET", "/"), "api.example:443"),
    "urllib.request": (lambda: urllib.request.urlopen("http://api.example:8080/x"), "api.example:8080"),
    "smtplib": (lambda: smtplib.SMTP("mail.example"), "mail.example:25"),
    "ftplib": (lambda: ftplib.FTP("files.example"), "files.example:21"),
    "ssl": (lambda: on((), secured), "api.example:443"),
    "connect_ex": (lambda: on((), lambda tcp: tcp.connect_ex(("10.0.0.1", 6379))), "10.0.0.1:6379"),
    "sendto": (lambda: on(UDP, lambda udp: udp.sendto(b"n:1|c", ("10.0.0.1", 8125))), "10.0.0.1:8125"),
    "sendmsg": (lambda: on(UDP, lambda udp: udp.sendmsg([b"n:1"], [], 0, ("10.0.0.1", 8125))), "10.0.0.1:8125"),
    "AF_UNIX": (lambda: on((socket.AF_UNIX,), lambda unix: unix.connect("/run/agent")), "/run/agent"),
    "create_server": (lambda: socket.create_server(("localhost", 8000)), "localhost:8000"),
    "open_connection": (lambda: asyncio.run(asyncio.open_connection("api.example", 443)), "api.example:443"),
    "start_server": (lambda: asyncio.run(asyncio.start_server(print, "10.0.0.1", 80)), "10.0.0.1:80"),
    "endpoint": (lambda: asyncio.run(endpoint()), "10.0.0.1:53"),
}


def with_packages() -> dict[str, tuple[Callable[[], Any], str]]:
    """The same for clients that may not be installed."""
    found: dict[str, tuple[Callable[[], Any], str]] = {}
    for name, call in {
        "urllib3": lambda urllib3: urllib3.PoolManager().request("GET", "https://api.example/x"),
        "requests": lambda requests: requests.post("https://api.example/x", json={}, timeout=3),
    }.items():
        try:
            module = __import__(name)
        except ImportError:
            continue
        found[name] = (lambda call=call, module=module: call(module)), "api.example:443"
    return found


CLIENTS |= with_packages()


@pytest.mark.parametrize("threaded", [False, True])
@pytest.mark.parametrize("name", CLIENTS)
def test_refused_by_host_and_line(lab: Lab, name: str, threaded: bool) -> None:
    """No retry of the client hides it, no virtual time passes."""
    call, address = CLIENTS[name]
    errors: list[BaseException] = []

    def work() -> None:
        try:
            call()
        except BaseException as error:
            errors.append(error)

    def handler(event: Any, context: Any) -> None:
        if threaded:
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
        else:
            work()
        raise errors[0]

    outcome = lab.call(lab.sandbox(handler))
    message = outcome.error_message or ""
    assert (outcome.error_type, lab.timeline.now) == ("SandboxRefusal", 0)
    assert message.startswith("function resize, ")
    assert "test_sandbox_network.py:" in message
    assert f" {address} was asked for; in virtual time nothing may wait for the real world." in message
    assert message.endswith(
        "Call AWS through boto3, which the simulation answers itself, or replace the client in the test."
    )


def test_a_pair_of_sockets_is_no_network(lab: Lab) -> None:
    """What stays inside the process works."""

    def handler(event: Any, context: Any) -> str:
        here, there = socket.socketpair()
        with here, there:
            here.sendmsg([b"a", b"b"])
            return there.recv(2).decode()

    assert lab.result(lab.sandbox(handler)) == "ab"
