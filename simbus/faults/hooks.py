"""How a fault gets between two objects: it takes the place of a method of one object, and goes away again.

An object without faults is as it was made: nothing on its way asks whether there are any.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Method = Callable[..., Any]
Layer = Callable[[Method], Method]
Undo = Callable[[], None]


class Hooks:
    """The layers that stand before methods, by owner and name. The one that came last is asked first."""

    def __init__(self) -> None:
        self._layers: dict[tuple[int, str], tuple[Any, dict[int, Layer]]] = {}  # with the owner, which stays alive
        self._made = 0

    def add(self, owner: Any, name: str, layer: Layer) -> Undo:
        """Put `layer(method)` in the place of `owner.name`; what is returned takes it away again, in any order."""
        self._made += 1
        number, key = self._made, (id(owner), name)
        _, layers = self._layers.setdefault(key, (owner, {}))
        layers[number] = layer
        _apply(owner, name, layers)

        def undo() -> None:
            del layers[number]
            _apply(owner, name, layers)

        return undo


def _apply(owner: Any, name: str, layers: dict[int, Layer]) -> None:
    vars(owner).pop(name, None)
    method: Method = getattr(owner, name)
    for layer in layers.values():
        method = layer(method)
    if layers:
        setattr(owner, name, method)
