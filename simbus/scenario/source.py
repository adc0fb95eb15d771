"""A scenario file as plain data, with the line of every path in it: what every error of a scenario is made from."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path as FilePath
from typing import Any, NamedTuple

from simbus.errors import ScenarioError
from simbus.scenario.nodes import Mapping, Node, Position, YamlError, compose, plain

MAX_BYTES = 10_000_000
"""The largest scenario file that is read, in bytes."""

Path = tuple[str | int, ...]
_BARE = re.compile(r"[A-Za-z0-9_$<>-]+", re.ASCII)


class Problem(NamedTuple):
    """Something wrong at a path. `text` goes on after it: "is 1200; Lambda allows 1 to 900 seconds. Shorten it."."""

    path: Path
    text: str


class Source:
    """The text of one scenario: `name` as messages show it, `folder` that relative paths start from, plain `data`."""

    def __init__(self, name: str, folder: FilePath, data: Any, root: Node) -> None:
        self.name = name
        self.folder = folder
        self.data = data
        self._root = root
        self._overridden: dict[Path, str] = {}

    @classmethod
    def read(cls, path: str | FilePath) -> Source:
        """Read a scenario file. Raises ScenarioError where it can't be read or is no mapping in YAML."""
        path = FilePath(path)
        try:
            size = path.stat().st_size
            if path.is_dir():
                raise ScenarioError(f"{path}: is a directory; a scenario is one YAML file. Name the file in it.")
            if size > MAX_BYTES:
                raise ScenarioError(
                    f"{path}: has {size:,} bytes; a scenario file has at most {MAX_BYTES:,}. "
                    "Move what is long into a trace or into the code."
                )
            with path.open("rb") as file:
                content = file.read(MAX_BYTES)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise ScenarioError(
                f"{path}: can't be read ({reason}); a scenario is a readable YAML file. Check the path."
            ) from None
        return cls.parse(content, str(path), path.parent)

    @classmethod
    def parse(cls, content: bytes, name: str, folder: FilePath) -> Source:
        """Take the content of a scenario file. `name` is what messages call it."""
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise ScenarioError(
                f"{name}:{line}: holds the byte 0x{content[error.start]:02x}, which is not UTF-8; a scenario file is "
                "YAML in UTF-8. Save it as such."
            ) from None
        try:
            root = compose(text)
            if root is None or root.value is None:
                raise YamlError(Position(1, 1), "is empty; a scenario is a mapping of keys. Write functions: at least.")
            data = plain(root)
        except YamlError as error:
            raise ScenarioError(f"{name}:{error.position.line}: {error.message}") from None
        if not isinstance(data, dict):
            raise ScenarioError(
                f"{name}:{root.position.line}: is {shown(data)}; a scenario is a mapping of keys. "
                "Write functions: at least."
            )
        return cls(name, folder, data, root)

    def override(self, path: Path, option: str) -> None:
        """Say that the value at a path comes from an option of the command line, which messages then name."""
        self._overridden[path] = option

    def position(self, path: Path) -> Position:
        """Where a path stands in the file; where it is not there, its nearest parent."""
        return self._walk(path)[0]

    def resolve(self, path: Path) -> Path:
        """The path as the file writes it.

        A validated path names AWS's nested form (`environment.variables.A`); where the file uses a short synonym
        (`environment.A`), or the other way round, the result is what stands in the file.
        """
        return self._walk(path)[1]

    def where(self, path: Path) -> str:
        """`scenarios/orders.yaml:14: $.functions.charge.timeout`, the beginning of every message."""
        for length in range(len(path), 0, -1):
            if path[:length] in self._overridden:
                return f"{self._overridden[path[:length]]}: {dotted(path)}"
        position, written = self._walk(path)
        return f"{self.name}:{position.line}: {dotted(written)}"

    def error(self, problems: Iterable[Problem]) -> ScenarioError:
        """The error that shows the first problem in the order of the file, and how many more there are."""
        ordered = sorted(problems, key=lambda problem: self.position(problem.path))
        first = ordered[0]
        rest = len(ordered) - 1
        more = "" if not rest else f" (and {rest} more error{'s' if rest > 1 else ''})"
        return ScenarioError(f"{self.where(first.path)} {first.text}{more}")

    def _walk(self, path: Path) -> tuple[Position, Path]:
        node, position = self._root, self._root.position
        written: list[str | int] = []
        for index, key in enumerate(path):
            step = node.child(key)
            if step is None:
                wrapper = _wrapper_of(node, key)
                if wrapper is not None:
                    written.append(wrapper)
                    node = node.value[wrapper][1]
                    step = node.child(key)
                elif any(node.child(later) for later in path[index + 1 :]):
                    continue
            if step is None:
                if isinstance(node.value, Mapping | list):
                    written += path[index:]
                break
            written.append(key)
            position, node = step
        return position, tuple(written)


def _wrapper_of(node: Node, key: str | int) -> str | None:
    """The one entry of a mapping (`variables`) under which a key stands that was expected beside it."""
    if not isinstance(node.value, Mapping):
        return None
    holders = [name for name, (_, child) in node.value.items() if child.child(key) is not None]
    return holders[0] if len(holders) == 1 else None


def dotted(path: Path) -> str:
    """A path as text: `$.queues["jobs.fifo"].delay_seconds`, `$.workload[0].rate`."""
    text = "$"
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if _BARE.fullmatch(part) else f'["{part}"]'
    return text


def shown(value: Any) -> str:
    """A value as a message shows it, on one line and not too long."""
    if isinstance(value, dict | list):
        kind = "a mapping" if isinstance(value, dict) else "a list"
        return f"{kind} of {len(value)}" if value else f"an empty {kind[2:]}"
    if value is None:
        return "empty"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
