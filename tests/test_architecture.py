"""The house rules that can be checked: imports point down, one clock, one seed, nothing of this machine."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "simbus"
FILES = sorted(PACKAGE.rglob("*.py"))

# From the bottom up; a module imports from its own layer's package or from below.
LAYERS = [
    {"errors", "services"},
    {"kernel"},
    {"arn", "metrics", "model"},
    {"world", "filtering"},
    {"bus"},
    {"logs"},
    {"arguments"},
    {"functions"},
    {"sources"},
    {"scheduler"},
    {"resources"},
    {"aws"},
    {"sdk"},
    {"faults"},
    {"expectations"},
    {"recording"},
    {"simulation"},
    {"explain", "report"},
    {"comparison"},
    {"scenario"},
    {"exploration", "lint"},
    {"load"},
    {"cli", "testing"},
    {"__main__"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
ASYNCIO_AT = (
    "kernel/loop",
    "kernel/sleeping",
    "functions/sandbox",
    "functions/runtime",
    "logs/writer",
    "cli",
    "testing",
)
SQLITE_AT = ("logs", "report", "recording", "functions/sandbox/files")
CLOCK = re.compile(r"time\.time\(|datetime\.now\(|uuid4\(|(^|[^.a-z_])random\.(random|choice|randint|shuffle)\(")


def part(path: Path) -> str:
    """`kernel` for simbus/kernel/loop.py, `bus` for simbus/bus.py."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """The modules that a file imports when it is imported or run, type checking aside."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", [p for p in FILES if part(p) != "__init__"], ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    """kernel knows no AWS word, sources never import each other's packages, nobody imports the doors."""
    here = LEVEL[part(path)]
    for name in imports(path):
        words = name.split(".")
        if words[0] == "simbus" and len(words) > 1 and words[1] in LEVEL and words[1] != part(path):
            assert LEVEL[words[1]] < here, f"{path.relative_to(ROOT)} imports {name}, which lies above it"


def test_sources_never_import_each_other() -> None:
    """A source is one service, a file or a folder; they meet on the bus only, and share three files."""
    sources = PACKAGE / "sources"
    for path in sources.rglob("*.py"):
        own = path.relative_to(sources).parts[0].removesuffix(".py")
        for name in imports(path):
            if name.startswith("simbus.sources."):
                other = name.split(".")[2]
                assert other in ("base", "delivery", "shard", own), f"{path.relative_to(ROOT)} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_asyncio_and_sqlite_stay_where_they_belong(path: Path) -> None:
    """The machinery is plain calls on the timeline; rows are read and written in one place."""
    where = str(path.relative_to(PACKAGE))
    for name in imports(path):
        top = name.partition(".")[0]
        if top in ("asyncio", "anyio"):
            assert where.startswith(ASYNCIO_AT), f"{where} imports {name}"
        if top in ("sqlite3", "aiosqlite"):
            assert where.startswith(SQLITE_AT), f"{where} imports {name}"


@pytest.mark.parametrize("path", [p for p in FILES if part(p) != "kernel"], ids=lambda p: str(p.relative_to(ROOT)))
def test_one_clock_and_one_seed(path: Path) -> None:
    """No wall clock and no unseeded chance outside the kernel (the sandbox replaces them, it does not call them)."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if "``" not in line and "`" not in line and '"""' not in line:
            assert not CLOCK.search(line), f"{path.relative_to(ROOT)}:{number}: {line.strip()}"


def test_no_file_is_too_long_to_read() -> None:
    """Files up to about 350 lines, never more than 400; functions fit a screen or two."""
    for path in FILES:
        text = path.read_text()
        assert text.count("\n") <= 400, f"{path.relative_to(ROOT)} has {text.count(chr(10))} lines"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.end_lineno is not None:
                assert node.end_lineno - node.lineno <= 70, f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"


def test_top_level_has_only_what_belongs_there() -> None:
    """The project, its dot-files, and what the README's commands leave when they are run here."""
    allowed = {"pyproject.toml", "README.md", "simbus", "scenarios", "tests", "benchmarks", "LICENSE", "CHANGELOG.md"}
    ignored = re.compile(r"\..*|.*\.(db|db-wal|db-shm|jsonl|jsonl\.gz|csv|xml|egg-info)|build|dist|__pycache__")
    extra = {path.name for path in ROOT.iterdir() if path.name not in allowed and not ignored.fullmatch(path.name)}
    assert not extra
