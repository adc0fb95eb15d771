"""What is wrong with the code of handlers, seen from outside: the source is compiled and read, never run.

On AWS these are errors of a function's init or of its first invocation, which a run reproduces; `simbus check` warns.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import replace
from difflib import get_close_matches
from importlib.machinery import SOURCE_SUFFIXES
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simbus.functions.sandbox.code import Code
    from simbus.scenario.loader import Scenario
    from simbus.scenario.schema.functions import Function

# In Lambda's own Python, and therefore in no requirements.txt.
_AWS_CLIENTS = ("boto3", "botocore")
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def without_code(scenario: Scenario) -> Scenario:
    """The scenario with modelled functions only: what it asks of AWS can be tried without any code of its handlers.

    (Provisioned concurrency runs the init of a handler as soon as the function is made.)
    """
    bare = {
        name: function.model_copy(update={"handler": None, "code": None})
        for name, function in scenario.spec.functions.items()
    }
    return replace(scenario, spec=scenario.spec.model_copy(update={"functions": bare}))


def warnings(scenario: Scenario) -> Iterator[str]:
    """The warnings about every handler of a scenario, with line and path, in the order of the file."""
    from simbus.functions.sandbox.code import load_code

    for name, function in scenario.spec.functions.items():
        if function.handler is not None and function.code is not None:
            code = load_code(scenario.folder / function.code)
            where = scenario.source.where(("functions", name, "handler"))
            for warning in _of_function(function, function.handler, code):
                yield f"{where}: warning: {warning}"


def _of_function(function: Function, handler: str, code: Code) -> Iterator[str]:
    module, dot, attribute = handler.rpartition(".")
    if not dot:
        yield f"handler {handler!r} has no dot: AWS ends every init with Runtime.MalformedHandlerName."
        return
    if module.split(".")[0] in sys.builtin_module_names:
        yield f"module {module} is one of Python's own: AWS ends every init with Runtime.BuiltInModuleConflict."
        return
    file = code.module_file(handler)
    if file is None or file.suffix not in SOURCE_SUFFIXES:
        return
    try:
        tree = ast.parse(file.read_bytes(), file.name)
        compile(tree, file.name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        yield f"{file.name} does not compile ({error}): AWS ends every init with Runtime.UserCodeSyntaxError."
        return
    for name in dict.fromkeys(_imports(tree)):
        if name in _AWS_CLIENTS and name not in code.names and not _installed(name):
            yield (
                f"{file.name} imports {name}, which AWS's runtime has and this Python has not. Install it: "
                "pip install 'simbus[boto3]'."
            )
    for missing in _missing_imports(tree, code):
        yield f"{file.name} imports {missing}, which is not installed: AWS would say Runtime.ImportModuleError."
    yield from _handler_itself(function, tree, file.name, attribute)


def _handler_itself(function: Function, tree: ast.Module, file: str, name: str) -> Iterator[str]:
    names = _names(tree.body)
    if "*" in names or "__getattr__" in names:
        return
    if name not in names:
        yield f"{file} has no {name}: AWS ends every init with Runtime.HandlerNotFound. {_meant(tree, name)}"
        return
    awaited = any(isinstance(node, ast.AsyncFunctionDef) and node.name == name for node in tree.body)
    if awaited and not function.simulate.await_handler:
        yield (
            f"{name} is async, which managed Python does not await: every invocation ends with Runtime.MarshalError. "
            "Make it a plain function, or set simulate.await_handler."
        )


def _meant(tree: ast.Module, name: str) -> str:
    """Which function of the module may be the handler."""
    there = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    close = get_close_matches(name, there, 1)
    if close:
        return f"Did you mean {close[0]}?"
    return f"Its functions are {', '.join(there)}." if there else "It has no function."


def _missing_imports(tree: ast.Module, code: Code) -> Iterator[str]:
    """The modules that the module imports for certain and that neither its code nor this Python has."""
    for name in dict.fromkeys(_imports(tree)):
        if name not in code.names and name not in _AWS_CLIENTS and not _installed(name):
            yield name


def _imports(tree: ast.Module) -> Iterator[str]:
    """The top-level modules that the module imports for certain."""
    for node in tree.body:
        wanted: list[str] = []
        if isinstance(node, ast.Import):
            wanted = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            wanted = [node.module]
        yield from (module.partition(".")[0] for module in wanted)


def _installed(name: str) -> bool:
    """Whether Python finds the top-level module; that runs none of its code."""
    try:
        return name in sys.modules or find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _names(body: list[ast.stmt]) -> set[str]:
    """The names that statements of a module bind, in whichever branch; `*` for an import of everything."""
    found: set[str] = set()
    for statement in body:
        if isinstance(statement, _DEFINITIONS):
            found.add(statement.name)
        elif isinstance(statement, ast.Import | ast.ImportFrom):
            found.update((alias.asname or alias.name).partition(".")[0] for alias in statement.names)
        else:
            found.update(_names_within(statement))
    return found


def _names_within(statement: ast.stmt) -> set[str]:
    """The names that an assignment binds, or the branches of an if, try, with, for."""
    found: set[str] = set()
    for field in ("body", "orelse", "finalbody"):
        found |= _names(getattr(statement, field, []))
    for handler in (*getattr(statement, "handlers", []), *getattr(statement, "cases", [])):
        found |= _names(handler.body)
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return found
