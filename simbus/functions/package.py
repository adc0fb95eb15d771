"""The deployment package of a function: its bytes as a zip, and what GetFunction tells of them.

Source: botocore's FunctionConfiguration ("CodeSha256: the SHA256 hash of the function's deployment package"); the
recorded texts and limits of TestLambdaSizeLimits.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from simbus.errors import AwsError
from simbus.functions.config import FunctionConfig
from simbus.functions.sandbox.code import load_code
from simbus.functions.sandbox.state import outside
from simbus.functions.sandbox.temporary import TemporaryDirectory
from simbus.functions.variables import handler_name

ZIPPED_LIMIT: Final = 52_428_800  # bytes


class Package(NamedTuple):
    """`code_sha256` in base64 and `code_size` in bytes, as AWS shows them."""

    code_sha256: str
    code_size: int


def package_of(config: FunctionConfig) -> Package:
    """Of a .zip its own bytes; of a directory or a file the bytes of an archive of it.

    A Python callable, or a modelled function, has no archive: its package is the name of its handler.
    """
    if config.code is None:
        return _package(handler_name(config).encode())
    with outside():
        if config.code.is_file() and zipfile.is_zipfile(config.code):
            return _package(config.code.read_bytes())
        return _package(_packed(config.code))


def _package(data: bytes) -> Package:
    return Package(b64encode(hashlib.sha256(data).digest()).decode(), len(data))


def _packed(code: Path) -> bytes:
    """An archive of the same bytes wherever it is made."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        for name, file in _files(code):
            packed.writestr(zipfile.ZipInfo(name), file.read_bytes())
    return archive.getvalue()


def _files(code: Path) -> Iterator[tuple[str, Path]]:
    if code.is_file():
        yield code.name, code
        return
    for file in sorted(code.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            yield file.relative_to(code).as_posix(), file


class Packages:
    """The archives that a simulation was handed as bytes, in a private directory."""

    def __init__(self) -> None:
        self._directory = TemporaryDirectory()

    def keep(self, data: bytes) -> Path:
        """Where these bytes are now. Raises AWS's errors for what is no archive, or is too large."""
        if len(data) > ZIPPED_LIMIT:
            raise AwsError(
                "RequestEntityTooLargeException", f"Zipped size must be smaller than {ZIPPED_LIMIT} bytes", 413
            )
        with outside():
            if not zipfile.is_zipfile(io.BytesIO(data)):
                message = "Could not unzip uploaded file. Please check your file, then try to upload again."
                raise AwsError("InvalidParameterValueException", message, Type="User")
            path = Path(self._directory.path, f"{hashlib.sha256(data).hexdigest()}.zip")
            if not path.exists():
                path.write_bytes(data)
            load_code(path)  # raises where it can't be unpacked
        return path

    def close(self) -> None:
        """The simulation ends, and the directory with it."""
        self._directory.remove()
