"""The expressions of one request: their placeholders resolved, and none of these left over."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from simbus.errors import AwsError
from simbus.sources.dynamodb.condition import check_condition, holds
from simbus.sources.dynamodb.errors import invalid
from simbus.sources.dynamodb.project import Path, project
from simbus.sources.dynamodb.syntax import Tree, read_condition, read_projection, read_update
from simbus.sources.dynamodb.update import check_paths
from simbus.sources.dynamodb.values import Item, Value, clean

Names = Mapping[str, str] | None
Values = Mapping[str, Any] | None
_KEY = re.compile(r"[#:][A-Za-z0-9_]+", re.ASCII)


class Expressions:
    """Reads the expressions of one request with its names and values. `finish` when all are read.

    Every method raises AwsError ValidationException, the first expression ever read UsageError without moto.
    """

    def __init__(self, names: Names, values: Values) -> None:
        self._names = _checked("ExpressionAttributeNames", names, "#")
        self._values = _checked("ExpressionAttributeValues", values, ":")
        self._cleaned: dict[str, Value] = {}
        self._used: set[str] = set()
        self._any = False

    def condition(self, text: str | None, parameter: str = "ConditionExpression") -> Condition | None:
        """The condition or filter of that text; None where there is none."""
        tree = self.tree(text, parameter)
        return None if tree is None else Condition(tree)

    def tree(self, text: str | None, parameter: str) -> Tree | None:
        if text is None:
            return None
        self._check_text(text, parameter)
        tree: Tree = self._resolve(read_condition(text, parameter), parameter)
        check_condition(tree, parameter)
        return tree

    def update(self, text: str | None) -> list[Tree]:
        """The actions of an update expression."""
        if text is None:
            return []
        self._check_text(text, "UpdateExpression")
        actions = [self._resolve(each, "UpdateExpression") for each in read_update(text)]
        check_paths([action[1][1] for action in actions], "UpdateExpression")
        return actions

    def projection(self, text: str | None) -> Projection | None:
        if text is None:
            return None
        self._check_text(text, "ProjectionExpression")
        paths = [self._resolve(("path", path), "ProjectionExpression")[1] for path in read_projection(text)]
        check_paths(paths, "ProjectionExpression")
        return Projection(paths)

    def finish(self) -> None:
        """Refuse names and values that no expression uses, in AWS's words."""
        for what, given in (("ExpressionAttributeNames", self._names), ("ExpressionAttributeValues", self._values)):
            if given and not self._any:
                raise invalid(f"{what} can only be specified when using expressions")
            unused = [key for key in given if key not in self._used]
            if unused:
                raise invalid(f"Value provided in {what} unused in expressions: keys: {{{', '.join(unused)}}}")

    def _check_text(self, text: str, parameter: str) -> None:
        self._any = True
        if not text.strip():
            raise invalid(f"Invalid {parameter}: The expression can not be empty;")

    def _resolve(self, node: Any, parameter: str) -> Any:
        """The same tree with attribute names and values where it had placeholders."""
        kind = node[0]
        if kind == "path":
            return ("path", tuple(self._name(each, parameter) for each in node[1]))
        if kind == "value":
            return ("value", self._value(node[1], parameter))
        if kind == "in":
            return ("in", self._resolve(node[1], parameter), tuple(self._resolve(each, parameter) for each in node[2]))
        return (kind, *(self._resolve(each, parameter) for each in node[1:]))

    def _name(self, step: Any, parameter: str) -> Any:
        if not isinstance(step, str) or not step.startswith("#"):
            return step
        if step not in self._names:
            raise invalid(
                f"Invalid {parameter}: An expression attribute name used in the document path is not defined; "
                f"attribute name: {step}"
            )
        self._used.add(step)
        return self._names[step]

    def _value(self, key: str, parameter: str) -> Value:
        if key not in self._values:
            raise invalid(
                f"Invalid {parameter}: An expression attribute value used in expression is not defined; "
                f"attribute value: {key}"
            )
        self._used.add(key)
        if key not in self._cleaned:
            try:
                self._cleaned[key] = clean(self._values[key])[0]
            except AwsError as error:
                if error.code != "ValidationException":
                    raise
                what = f"ExpressionAttributeValues contains invalid value: {error.message} for key {key}"
                raise invalid(what) from None
        return self._cleaned[key]


class Condition:
    """A condition whose placeholders are resolved."""

    __slots__ = ("_tree",)

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    def holds(self, item: Item | None) -> bool:
        """Whether it holds for the item; None: there is no item, so no attribute exists."""
        return holds(self._tree, item or {})


class Projection:
    """The attributes, or parts of them, that a request asks for."""

    __slots__ = ("_paths",)

    def __init__(self, paths: list[Path]) -> None:
        self._paths = paths

    @property
    def heads(self) -> list[str]:
        """The attributes that its paths begin with."""
        return [str(path[0]) for path in self._paths]

    def of(self, item: Item) -> Item:
        return project(item, self._paths)


def _checked(what: str, given: Mapping[str, Any] | None, sign: str) -> Mapping[str, Any]:
    if given is None:
        return {}
    if not given:
        raise invalid(f"{what} must not be empty")
    for key in given:
        if not (_KEY.fullmatch(key) and key[0] == sign):
            raise invalid(f'{what} contains invalid key: Syntax error; key: "{key}"')
    return given
