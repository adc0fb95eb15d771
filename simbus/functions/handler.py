"""Finds the handler that `module.function` names, and fails with Lambda's own errors where it cannot.

Matches `_get_handler` of AWS's Python runtime interface client (awslambdaric 4.0.1, bootstrap.py).
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any


class Fault(Exception):
    """An error that the runtime itself finds: AWS's error type, message and (for a syntax error) trace."""

    def __init__(self, error_type: str, message: str, trace: list[str] | None = None) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.message = message
        self.trace = trace or []


def resolve(handler: str) -> Callable[..., Any]:
    """Import the module and get the function.

    Raises Fault (Runtime.MalformedHandlerName, BuiltInModuleConflict, ImportModuleError, UserCodeSyntaxError,
    HandlerNotFound), or whatever else the module raises while it is imported.
    """
    try:
        module_name, function_name = handler.rsplit(".", 1)
    except ValueError as error:
        raise Fault("Runtime.MalformedHandlerName", f"Bad handler '{handler}': {error}") from None
    if module_name.split(".")[0] in sys.builtin_module_names:
        message = f"Cannot use built-in module {module_name} as a handler module"
        raise Fault("Runtime.BuiltInModuleConflict", message)
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise Fault("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}") from None
    except SyntaxError as error:
        trace = [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}']
        message = f"Syntax error in module '{module_name}': {error}"
        raise Fault("Runtime.UserCodeSyntaxError", message, trace) from None
    try:
        found: Callable[..., Any] = getattr(module, function_name)
    except AttributeError:
        message = f"Handler '{function_name}' missing on module '{module_name}'"
        raise Fault("Runtime.HandlerNotFound", message) from None
    return found
