"""The text of one HTTP request, and that of its response."""

from __future__ import annotations

from collections.abc import Iterable
from email.parser import BytesHeaderParser
from email.policy import HTTP
from http.client import responses
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote


class Request(NamedTuple):
    """`path` and `query` are as they were sent, percent-encoded; `headers` by names in lower case."""

    method: str
    host: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def arguments(self) -> dict[str, str]:
        """The query, decoded; names as they were sent."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    def header(self, name: str) -> str | None:
        """A header; the fields `x-amz-...` of an older presigned URL stand in its query."""
        found = self.headers.get(name.lower())
        return self.arguments.get(name.lower()) if found is None and name.lower().startswith("x-amz-") else found


class Response(NamedTuple):
    """What is answered."""

    status: int
    headers: dict[str, str]
    body: bytes


def read_request(data: bytes, host: str) -> Request:
    """The request that a client has sent in whole."""
    head, _, body = data.partition(b"\r\n\r\n")
    line, _, fields = head.partition(b"\r\n")
    method, target, _ = line.decode("latin-1").split(" ", 2)
    if "://" in target:  # the form for a proxy
        target = "/" + target.split("/", 3)[3]
    path, _, query = target.partition("?")
    return Request(method, host, path, query, read_headers(fields), body)


def read_headers(data: bytes) -> dict[str, str]:
    """Header fields by name in lower case; one that occurs twice is joined by a comma."""
    found: dict[str, str] = {}
    for name, value in BytesHeaderParser(policy=HTTP).parsebytes(data + b"\r\n\r\n").raw_items():
        key, text = name.lower(), str(value).strip()
        found[key] = f"{found[key]},{text}" if key in found else text
    return found


def write_response(response: Response, method: str) -> bytes:
    """The text of a response; the connection ends with it."""
    headers = dict(response.headers)
    if method != "HEAD" and response.status not in (204, 304):
        headers["Content-Length"] = str(len(response.body))
    headers["Connection"] = "close"
    head = f"HTTP/1.1 {response.status} {responses.get(response.status, '')}\r\n{_lines(headers.items())}\r\n"
    return head.encode("latin-1", "replace") + (b"" if method == "HEAD" else response.body)


def _lines(headers: Iterable[tuple[str, str]]) -> str:
    return "".join(f"{name}: {value}\r\n" for name, value in headers)


def decoded(path: str) -> str:
    """A percent-encoded path as text."""
    return unquote(path)
