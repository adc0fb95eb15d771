"""JSON documents in a file: one a line, several in a line, or each over many lines.

Where the first line is a whole document the file is read line by line and stays out of memory; a line that is none is
then broken by itself. Otherwise the file is read as a whole.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from simbus.recording.file import lines
from simbus.recording.formats.base import Broken, Found, Sample
from simbus.recording.names import Names

_decoder = json.JSONDecoder()


class Document(NamedTuple):
    """One document and the line in which it begins."""

    line: int
    value: Any


Convert = Callable[[Document, Names], Iterator[Found]]


def reader(convert: Convert) -> Callable[[Path, Names], Iterator[Found]]:
    """The `read` of a format that makes something of each document. A ValueError of `convert` makes it a broken one."""

    def read(path: Path, names: Names) -> Iterator[Found]:
        for document in documents(path):
            if isinstance(document, Broken):
                yield document
                continue
            try:
                yield from list(convert(document, names))  # all of it or nothing
            except ValueError as error:
                yield Broken.by(f":{document.line}", error)

    return read


def sample(path: Path) -> Sample:
    """The beginning of a file. Its first line may be broken; the second one then says what it is."""
    first = b""
    for number, line in enumerate(lines(path)):
        first = first or line
        value = _whole(line)
        if value is not None:
            break
        if number >= 1:
            value = next((each.value for each in documents(path) if isinstance(each, Document)), None)
            break
    else:
        value = None
    return Sample(path, first, value)


def documents(path: Path) -> Iterator[Document | Broken]:
    """The documents of a file; a list is each of its elements."""
    source = enumerate(lines(path), 1)
    for number, line in source:
        if line.strip():
            if _whole(line) is None and not _next_is_whole(path, number):
                yield from _in_text(b"\n".join(lines(path)).decode("utf-8", "replace"), 1)
            else:
                yield from _by_line(number, line, source)
            return


def _next_is_whole(path: Path, after: int) -> bool:
    """Whether the line after a broken first one is a document: then the file has one a line all the same."""
    following = (line for number, line in enumerate(lines(path), 1) if number > after and line.strip())
    value = _whole(next(following, b""))
    return isinstance(value, dict | list)


def _by_line(number: int, line: bytes, rest: Iterator[tuple[int, bytes]]) -> Iterator[Document | Broken]:
    while True:
        if line.strip():
            try:
                yield from _flat(number, msgspec.json.decode(line))
            except (msgspec.DecodeError, UnicodeError):
                yield from _in_text(line.decode("utf-8", "replace"), number)
        following = next(rest, None)
        if following is None:
            return
        number, line = following


def _whole(line: bytes) -> Any:
    """The first document of a line that has whole ones only; None for another line."""
    found = list(_in_text(line.decode("utf-8", "replace"), 1))
    if not found or any(isinstance(each, Broken) for each in found):
        return None
    first = found[0]
    return first.value if isinstance(first, Document) and isinstance(first.value, dict) else None


def _in_text(text: str, line: int) -> Iterator[Document | Broken]:
    """The documents of a text, one after the other, whatever white space is between them."""
    at, counted = 0, 0
    while True:
        at = _after_space(text, at)
        if at >= len(text):
            return
        line += text.count("\n", counted, at)
        counted = at
        try:
            value, end = _decoder.raw_decode(text, at)
        except (json.JSONDecodeError, RecursionError) as error:
            lineno = line + text.count("\n", counted, getattr(error, "pos", at))
            yield Broken(f":{lineno}", f"is no JSON ({getattr(error, 'msg', 'nested too deeply')})")
            return
        yield from _flat(line, value)
        at = end


def _after_space(text: str, at: int) -> int:
    while at < len(text) and (text[at].isspace() or text[at] == "\ufeff"):
        at += 1
    return at


def _flat(line: int, value: Any) -> Iterator[Document]:
    if isinstance(value, list):
        for each in value:
            yield Document(line, each)
    else:
        yield Document(line, value)
