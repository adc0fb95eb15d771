"""Installs when botocore is there: at once, or at the moment in which somebody imports it."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any

from simbus.functions.sandbox.belongings import outer_world
from simbus.sdk import accounts

if TYPE_CHECKING:
    from simbus.resources import Resources

_WATCHED = ("botocore.session", "boto3")  # the last one of each package that has to be there


def open_for(account: Resources) -> None:
    """A simulation is open: from now on boto3 is its own. `close` undoes it."""
    first = not accounts.any_open()
    accounts.add(account)
    if first:
        sys.meta_path.insert(0, _Watch)
        for name in _WATCHED:
            if name in sys.modules:
                _install(name)


def close(account: Resources) -> None:
    """A simulation is closed. The last one puts everything back."""
    accounts.discard(account)
    if "simbus.sdk.moto" in sys.modules:
        from simbus.sdk import moto

        moto.close(account)
    if not accounts.any_open() and _Watch in sys.meta_path:
        sys.meta_path.remove(_Watch)
        if "botocore.session" in sys.modules:
            from simbus.sdk import installation

            installation.undo()


def _install(name: str) -> None:
    with outer_world():  # S3's part with its own libraries, whatever the code of the handler brings along
        import_module("simbus.sources.s3.checksums")
    from simbus.sdk import installation  # with the handler's botocore

    installation.install(name)


class _Watch:
    """On `sys.meta_path` while a simulation is open; finds nothing itself, but sees what is imported."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        if name not in _WATCHED:
            return None
        sys.meta_path.remove(_Watch)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            sys.meta_path.insert(0, _Watch)
        if spec is not None and spec.loader is not None:
            loader: Any = _Loader(spec.loader)
            spec.loader = loader
        return spec


class _Loader:
    """Loads as the real loader does, then installs."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        found: ModuleType | None = self._real.create_module(spec)
        return found

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._real
        if module.__spec__ is not None:
            module.__spec__.loader = self._real
        self._real.exec_module(module)
        if accounts.any_open():
            _install(module.__name__)
