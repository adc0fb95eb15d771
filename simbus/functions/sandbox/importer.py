"""Imports inside an environment: its code and the isolated libraries are its own modules, all others are shared."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any

from simbus.functions.sandbox.code import Code
from simbus.functions.sandbox.dispatch import Patch, dispatcher
from simbus.functions.sandbox.state import TASK_ROOT, here, outside

if TYPE_CHECKING:
    from simbus.functions.sandbox.process import Sandbox

_SourceLoader = importlib.machinery.SourceFileLoader
_ExtensionLoader = importlib.machinery.ExtensionFileLoader


class _CodeLoader(_SourceLoader):
    """Loads a source file of the user's code; byte code comes from and goes to memory."""

    def __init__(self, name: str, path: str, code: Code) -> None:
        super().__init__(name, path)
        self._code = code

    def get_code(self, fullname: str) -> CodeType:
        return self._code.compiled(self._code.real(self.path))

    def get_data(self, path: str) -> bytes:
        with outside():
            return super().get_data(self._code.real(path))

    def get_source(self, fullname: str) -> str:
        return importlib.util.decode_source(self.get_data(self.path))


class _SharedExtension(_ExtensionLoader):
    """An extension module can be loaded only once in a process: all environments of a code share it."""

    def __init__(self, name: str, path: str, code: Code) -> None:
        super().__init__(name, path)
        self._code = code

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        found = self._code.extensions.get(spec.name)
        if found is None:
            found = self._code.extensions[spec.name] = super().create_module(spec)
            super().exec_module(found)
        return found

    def exec_module(self, module: ModuleType) -> None:
        """It ran when it was created."""


def _lock_of(sandbox: Sandbox, name: str) -> Any:
    """The lock under which a module is imported. Own modules have their own: another environment may have parked in the
    middle of an import of that name, which is another module."""
    if name.partition(".")[0] in sandbox.own_names:
        name = f"{name} of {sandbox.number}"
    return _real_lock_of(name)


_bootstrap = sys.modules["importlib._bootstrap"]
_real_lock_of = vars(_bootstrap)["_get_module_lock"]


def patches() -> list[Patch]:
    """What Python's import system has instead while a simulation runs."""
    return [Patch(_bootstrap, "_get_module_lock", dispatcher(_real_lock_of, _lock_of, always=True), _real_lock_of)]


class CodeFinder:
    """On `sys.meta_path` while a simulation runs; finds nothing outside a handler."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        sandbox = here()
        if sandbox is None:
            return None
        top = name.partition(".")[0]
        if sandbox.code is not None and sandbox.code.holds(top):
            spec = _in_code(sandbox.code, name, sys.path if path is None else path)
            if spec is not None:
                sandbox.modules[name] = None
                return spec
        if top in sandbox.isolated:
            spec = importlib.machinery.PathFinder.find_spec(name, path, target)
            if spec is not None:
                sandbox.modules[name] = None
            return spec
        return None

    @staticmethod
    def invalidate_caches() -> None:
        """Files of the code are looked up anew when their directory changes; there is nothing else to forget."""


def _in_code(code: Code, name: str, path: Sequence[str]) -> ModuleSpec | None:
    """The module's spec from the directories on `path` that belong to the code; one without loader: a namespace."""
    portions: list[str] = []
    for entry in path:
        real = _directory(code, entry)
        if real is None:
            continue
        spec = _finder(code, real).find_spec(name)
        if spec is None:
            continue
        if spec.loader is not None:
            return _relocated(code, spec)
        portions += spec.submodule_search_locations or []
    if not portions:
        return None
    spec = ModuleSpec(name, None, is_package=True)
    spec.submodule_search_locations = [code.shown(portion) for portion in portions]
    return spec


def _directory(code: Code, entry: str) -> str | None:
    """The real directory for an entry of a search path that lies in the code."""
    if not isinstance(entry, str):
        return None
    if not entry.startswith("/"):
        sandbox = here()
        base = TASK_ROOT if sandbox is None or sandbox.files.cwd is None else sandbox.files.cwd
        entry = f"{base}/{entry}".rstrip("/").replace("/./", "/").removesuffix("/.")
    real = code.real(entry)
    return real if real == code.root or real.startswith(code.root + "/") else None


def _finder(code: Code, directory: str) -> Any:
    found = code.finders.get(directory)
    if found is None:

        def source(name: str, path: str) -> _CodeLoader:
            return _CodeLoader(name, path, code)

        def extension(name: str, path: str) -> _SharedExtension:
            return _SharedExtension(name, path, code)

        loaders: Any = ((extension, importlib.machinery.EXTENSION_SUFFIXES), (source, [".py"]))
        found = code.finders[directory] = importlib.machinery.FileFinder(directory, *loaders)
    return found


def _relocated(code: Code, spec: ModuleSpec) -> ModuleSpec:
    """`__file__` and `__path__` say /var/task; an extension module keeps its real file."""
    if isinstance(spec.loader, _CodeLoader) and spec.origin is not None:
        spec.loader.path = spec.origin = code.shown(spec.origin)
        spec.cached = None
    if spec.submodule_search_locations is not None:
        spec.submodule_search_locations = [code.shown(p) for p in spec.submodule_search_locations]
    return spec
