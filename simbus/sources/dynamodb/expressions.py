"""The expressions of one request: their placeholders resolved, and none of these left over."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from simbus.errors import AwsError
from simbus.sources.dynamodb.condition import holds
from simbus.sources.dynamodb.errors import invalid
from simbus.sources.dynamodb.operands import check_actions, check_paths, check_predicate
from simbus.sources.dynamodb.project import Path, project
from simbus.sources.dynamodb.syntax import Tree, read_condition, read_projection, read_update
from simbus.sources.dynamodb.values import Item, Value, check_name_size, clean, utf8_size

Names = Mapping[str, str] | None
Values = Mapping[str, Any] | None
_KEY = re.compile(r"[#:][A-Za-z0-9_]+", re.ASCII)


KEY_LIMIT: Final = 255  # bytes of a placeholder
SUBSTITUTION_LIMIT: Final = 2 * 1024 * 1024  # bytes of all names and values


class Expressions:
    """Reads the expressions of one request with its names and values. `finish` when all are read.

    `others` are the parameters of the operation that may use values, for the message that none of them is there.
    Every method raises AwsError ValidationException.
    """

    def __init__(self, names: Names, values: Values, others: str = "ConditionExpression is null") -> None:
        self._names = _checked("ExpressionAttributeNames", names, "#")
        self._values = _checked("ExpressionAttributeValues", values, ":")
        for key, name in self._names.items():
            if not name:
                raise invalid(f"ExpressionAttributeNames contains invalid value: Empty attribute name for key {key}")
            check_name_size(name)
        self._cleaned: dict[str, Value] = {}
        self._size = sum(utf8_size(key) + utf8_size(name) for key, name in self._names.items())
        self._used: set[str] = set()
        self._any = self._any_with_values = False
        self._others = others

    def condition(self, text: str | None, parameter: str = "ConditionExpression") -> Condition | None:
        """The condition or filter of that text; None where there is none."""
        tree = self.tree(text, parameter)
        return None if tree is None else Condition(tree)

    def tree(self, text: str | None, parameter: str) -> Tree | None:
        if text is None:
            return None
        self._any = self._any_with_values = True
        return self._condition(read_condition(text, parameter), parameter)

    def update(self, text: str | None) -> list[Tree]:
        """The actions of an update expression."""
        if text is None:
            return []
        self._any = self._any_with_values = True
        read = read_update(text)
        if "#" in text:
            for action in read:
                self._check_names(action, "UpdateExpression")
        actions = [self._resolve(each, "UpdateExpression") for each in read]
        check_actions(actions)
        return actions

    def projection(self, text: str | None) -> Projection | None:
        if text is None:
            return None
        self._any = True
        paths = [self._path(path, "ProjectionExpression") for path in read_projection(text)]
        check_paths(paths, "ProjectionExpression")
        return Projection(paths)

    def finish(self) -> None:
        """Refuse names and values that no expression uses, in AWS's words."""
        if self._names and not self._any:
            raise invalid("ExpressionAttributeNames can only be specified when using expressions")
        if self._values and not self._any_with_values:
            what = "ExpressionAttributeValues can only be specified when using expressions"
            raise invalid(f"{what}: {self._others}")
        for what, given in (("ExpressionAttributeNames", self._names), ("ExpressionAttributeValues", self._values)):
            unused = [key for key in given if key not in self._used]
            if unused:
                raise invalid(f"Value provided in {what} unused in expressions: keys: {{{', '.join(unused)}}}")
        if self._size > SUBSTITUTION_LIMIT:  # AWS's own text is not known
            raise invalid(
                "The sum of the lengths of all ExpressionAttributeNames and ExpressionAttributeValues exceeds the 2 MB "
                "limit"
            )

    # --- names and values in the place of placeholders ----------------------------------------------------------------

    def _condition(self, node: Tree, parameter: str) -> Tree:
        """The same condition, each comparison of it checked when it is reached: the first fault is the one told."""
        if node[0] in ("and", "or", "not"):
            sides = [node[0]]
            for each in node[1:]:
                sides.append(self._condition(each, parameter))  # noqa: PERF401 (a comprehension has a frame of its own)
            return tuple(sides)
        resolved = self._resolve(node, parameter)
        check_predicate(resolved, parameter)
        return resolved

    def _resolve(self, node: Tree, parameter: str) -> Tree:
        kind = node[0]
        if kind == "path":
            return ("path", self._path(node[1], parameter))
        if kind == "value":
            return ("value", self._value(node[1], parameter))
        found: list[Any] = [kind]
        for each in (node[1], *node[2]) if kind == "in" else node[1:]:
            found.append(self._resolve(each, parameter))  # noqa: PERF401 (a comprehension has a frame of its own)
        return ("in", found[1], tuple(found[2:])) if kind == "in" else tuple(found)

    def _check_names(self, node: Tree, parameter: str) -> None:
        """An update's names are looked at before its values."""
        if node[0] == "path":
            self._path(node[1], parameter)
        elif node[0] != "value":
            for each in node[1:]:
                self._check_names(each, parameter)

    def _path(self, path: Path, parameter: str) -> Path:
        return tuple(self._name(step, parameter) for step in path)

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
                self._cleaned[key], size = clean(self._values[key])
                self._size += size + len(key)
            except AwsError as error:
                if error.code != "ValidationException":
                    raise
                what = f"ExpressionAttributeValues contains invalid value: {error.message} for key {key}"
                raise invalid(what) from None
        return self._cleaned[key]


def check_expressions(params: Mapping[str, Any]) -> None:
    """Raise AwsError for what is wrong with a request's expressions, whatever table it names.

    `params` are AWS's. (That they come first is measured by github.com/paritysuite/dynamodb-conformance.)
    """
    conditions = ("ConditionExpression", "KeyConditionExpression", "FilterExpression")
    if not any(name in params for name in (*conditions, "UpdateExpression", "ProjectionExpression")):
        return
    expressions = Expressions(params.get("ExpressionAttributeNames"), params.get("ExpressionAttributeValues"))
    expressions.update(params.get("UpdateExpression"))
    for name in conditions:
        expressions.tree(params.get(name), name)
    expressions.projection(params.get("ProjectionExpression"))
    expressions.finish()


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
        if len(key) > KEY_LIMIT // 4 and (size := utf8_size(key)) > KEY_LIMIT:  # AWS names the size of a name only
            told = f" size of key: {size}" if sign == "#" else ""
            raise invalid(
                f"{what} contains invalid key: The expression attribute map contains a key that is too long;{told}"
            )
        if not (_KEY.fullmatch(key) and key[0] == sign):
            raise invalid(f'{what} contains invalid key: Syntax error; key: "{key}"')
    return given
