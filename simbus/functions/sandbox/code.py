"""The user's code: a directory, a .py file or a .zip, and the modules that each environment makes of it anew.

Nothing is written into the user's directory: byte code is kept in memory, once per file and version of it.
"""

from __future__ import annotations

import importlib.machinery
import linecache
import os
import stat
import sys
import zipfile
from pathlib import Path, PurePosixPath
from types import CodeType
from typing import Any

from simbus.errors import AwsError, UsageError
from simbus.functions.sandbox.state import TASK_ROOT, outside
from simbus.functions.sandbox.temporary import TemporaryDirectory

UNZIPPED_LIMIT = 262_144_000  # bytes (recorded: TestLambdaSizeLimits)

_compiled: dict[tuple[str, str], tuple[int, int, CodeType]] = {}
_stat = os.stat


def debugging() -> bool:
    """Whether a debugger follows this thread: then files keep their real names, so that breakpoints hold."""
    if sys.gettrace() is not None:
        return True
    monitoring = getattr(sys, "monitoring", None)
    return monitoring is not None and monitoring.get_tool(monitoring.DEBUGGER_ID) is not None


class Code:
    """The code of a function. `root` is the real directory that stands for /var/task, `names` what it can import."""

    def __init__(self, root: Path, only: str | None = None, holder: Any = None) -> None:
        self.root = str(root.resolve())
        self._only = only
        self._holder = holder  # keeps the directory of an unpacked archive alive
        self.finders: dict[str, importlib.machinery.FileFinder] = {}
        self.files: set[str] = set()
        self.extensions: dict[str, Any] = {}
        self.virtual = not debugging()

    def __repr__(self) -> str:
        return f"<Code {self.root}>"

    @property
    def names(self) -> frozenset[str]:
        """The top-level modules and packages that this code holds."""
        if self._only is not None:
            return frozenset((self._only,))
        with outside():
            entries = os.listdir(self.root)
        return frozenset(name.partition(".")[0] for name in entries if name.partition(".")[0].isidentifier())

    def holds(self, name: str) -> bool:
        """Whether a top-level module may be looked for here."""
        return self._only is None or name == self._only

    def module_file(self, handler: str) -> Path | None:
        """The file of the module that `module.function` names, or None where there is none (or no dot)."""
        module = handler.rpartition(".")[0].replace("/", ".").strip(".")
        if not module or not self.holds(module.partition(".")[0]):
            return None
        base = Path(self.root, *module.split("."))
        suffixes = importlib.machinery.all_suffixes()
        candidates = [base.with_name(base.name + suffix) for suffix in suffixes]
        candidates += [base / f"__init__{suffix}" for suffix in suffixes]
        return next((file for file in candidates if file.is_file()), None)

    def shown(self, path: str) -> str:
        """How a real path is shown: as on Lambda, unless a debugger needs the real one."""
        if self.virtual and path.startswith(self.root):
            return TASK_ROOT + path[len(self.root) :]
        return path

    def real(self, path: str) -> str:
        """The real path for one under /var/task."""
        if path == TASK_ROOT or path.startswith(TASK_ROOT + "/"):
            return self.root + path[len(TASK_ROOT) :]
        return path

    def compiled(self, real: str) -> CodeType:
        """The byte code of a source file, compiled once as long as the file stays the same."""
        shown = self.shown(real)
        status = _stat(real)
        found = _compiled.get((real, shown))
        self.files.add(shown)
        linecache.cache.pop(shown, None)  # another function's file of that name may be remembered
        if found is not None and found[0] == status.st_mtime_ns and found[1] == status.st_size:
            return found[2]
        with outside():
            source = Path(real).read_bytes()
            code: CodeType = compile(source, shown, "exec", dont_inherit=True)
        _compiled[real, shown] = (status.st_mtime_ns, status.st_size, code)
        return code


def load_code(path: str | Path) -> Code:
    """The code at `path`: a directory, a .py file or a .zip. Raises UsageError, or AwsError for a zip too large."""
    where = Path(path)
    if where.is_dir():
        return Code(where)
    if not where.exists():
        raise UsageError(
            f"{where}: there is no such file or directory; `code` names a directory, a .py file or a .zip file. "
            "Correct the path (it is relative to the scenario file)."
        )
    if where.suffix == ".py":
        return Code(where.parent, only=where.stem)
    if not zipfile.is_zipfile(where):
        raise UsageError(
            f"{where}: this is neither a directory, a .py file nor a zip archive; `code` must be one of them. "
            "Pack the code again, or name its directory."
        )
    return _unpack(where)


def _unpack(archive: Path) -> Code:
    with zipfile.ZipFile(archive) as packed:
        members = packed.infolist()
        for member in members:
            _check_member(archive, member)
        if sum(member.file_size for member in members) > UNZIPPED_LIMIT:
            raise AwsError(
                "InvalidParameterValueException",
                f"Unzipped size must be smaller than {UNZIPPED_LIMIT} bytes",
                Type="User",
            )
        holder = TemporaryDirectory()
        packed.extractall(holder.path)
    return Code(Path(holder.path), holder=holder)


def _check_member(archive: Path, member: zipfile.ZipInfo) -> None:
    """An archive must not write outside its own folder: it is refused before anything is unpacked."""
    name = member.filename.replace("\\", "/")
    parts = PurePosixPath(name).parts
    link = stat.S_ISLNK(member.external_attr >> 16)
    if name.startswith("/") or ".." in parts or (parts and ":" in parts[0]) or link:
        kind = "a symbolic link" if link else "a path outside of it"
        raise UsageError(
            f"{archive}: its member {member.filename!r} is {kind}; an archive of code holds plain files in its own "
            "folder. Nothing was unpacked. Build the archive again without it."
        )
