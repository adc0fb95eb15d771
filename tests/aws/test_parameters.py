"""No parameter of AWS is accepted and ignored: one that an operation does not read says why it has no effect."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import simbus.aws

FOLDER = Path(simbus.aws.__file__).parent


def silent(path: Path) -> Iterator[str]:
    """Parameters of operations that are neither read nor explained by a comment in their line."""
    text = path.read_text()
    lines = text.splitlines()
    for function in ast.parse(text).body:
        if not isinstance(function, ast.FunctionDef):
            continue
        if not any("operation" in ast.unparse(each) for each in function.decorator_list):
            continue
        read = {node.id for part in function.body for node in ast.walk(part) if isinstance(node, ast.Name)}
        for argument in function.args.kwonlyargs if "locals" not in read else ():
            if argument.arg not in read and "#" not in lines[argument.lineno - 1]:
                yield f"{path.relative_to(FOLDER)}:{argument.lineno} {function.name} {argument.arg}"


def test_a_parameter_without_effect_says_why() -> None:
    """An option that is accepted and unread is an error."""
    assert [each for path in sorted(FOLDER.rglob("*.py")) for each in silent(path)] == []
