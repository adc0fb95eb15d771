"""Functions of the user over a run file: `check: billing.paid_once` is `paid_once` in billing.py beside the scenario.

The function gets the opened run file, a `simbus.logs.reader.RunReader`: `query(sql)` gives the rows of any SELECT, by
column name (`row["status"]`) or position, `invocations(function)`, `metrics(name, dimension)` and `log_events()` give
records, `run` is a dictionary of its facts:

    def paid_once(run):
        [row] = run.query("SELECT count(*) AS payments FROM log_events WHERE message LIKE 'charged %'")
        return row["payments"] == 60

It agrees with the run by returning None or True, and does not by False or an exception, an
AssertionError above all; with `result` it returns the number that is compared. It is called after the run, outside of
virtual time and of any sandbox.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from simbus.errors import UsageError


def find_check(folder: Path, name: str) -> tuple[Path, str]:
    """The file and the function that a name like `checks.billing.paid_once` stands for; the file is not run.

    Raises UsageError ("is 'billing.paid'; ...") where there is no such file, or no such function in it.
    """
    module, _, function = name.rpartition(".")
    parts = module.split(".")
    if not all(part.isidentifier() for part in (*parts, function)):
        raise UsageError(f"is {name!r}; a check is module.function. Write for example checks.paid_once.")
    file = folder.joinpath(*parts).with_suffix(".py")
    try:
        names = {
            node.name for node in ast.parse(file.read_bytes(), str(file)).body if isinstance(node, ast.FunctionDef)
        }
    except OSError as error:
        raise UsageError(
            f"is {name!r}, but {file} can't be read ({error.strerror}); the module of a check lies beside the "
            "scenario. Correct the name, or add the file."
        ) from None
    except (SyntaxError, ValueError) as error:
        raise UsageError(f"is {name!r}, but {file} does not compile ({error}). Mend it.") from None
    if function not in names:
        there = f"it has {', '.join(sorted(names))}" if names else "it has none"
        raise UsageError(f"is {name!r}, but {file} has no function {function}; {there}. Correct the name.")
    return file, function


def load_check(folder: Path, name: str) -> Callable[[Any], Any]:
    """The function. Raises UsageError as `find_check` does, and where its module can't be imported."""
    file, function = find_check(folder, name)

    def check(run: Any) -> Any:
        with _importing_from(folder):
            spec = spec_from_file_location(f"simbus_check_{file.stem}", file)
            assert spec is not None
            assert spec.loader is not None
            module = module_from_spec(spec)
            spec.loader.exec_module(module)
            return getattr(module, function)(run)

    return check


@contextmanager
def _importing_from(folder: Path) -> Iterator[None]:
    """Modules beside the scenario can be imported meanwhile; neither they nor the path to them stay."""
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            own = getattr(sys.modules[name], "__file__", None)
            if own is not None and Path(own).is_relative_to(folder.resolve()):
                del sys.modules[name]
