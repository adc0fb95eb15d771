"""From a pattern's JSON text to its alternatives, in the order and with the refusals of AWS's engine.

The rules are those of JsonRuleCompiler in github.com/aws/event-ruler; which token a refusal is noticed at decides the
position that AWS prints, so the checks below follow the tokens one by one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from simbus.filtering import values
from simbus.filtering.dialect import EVENTBRIDGE, Dialect
from simbus.filtering.matching import Condition
from simbus.filtering.rejection import PatternRejected, TooManyCombinations
from simbus.filtering.tokens import DEPTH_LIMIT, Tokens

MAX_COMBINATIONS: Final = 1000
OR: Final = "$or"
RESERVED_INSIDE_OR: Final = EVENTBRIDGE.operators | {
    *("=", "<", "<=", ">", ">="),
    *("regex", "not-wildcard", "not-equals-ignore-case"),
    *("date-after", "date-on-or-after", "date-before", "date-on-or-before", "in-date-range"),
    *("ip-address-in-range", "ip-address-not-in-range"),
}

Rules = list[dict[str, Condition]]


def compile_text(source: str, dialect: Dialect) -> Rules:
    """The alternatives of a pattern: each a condition per dotted path. Raises PatternRejected."""
    tokens = Tokens(source)
    if tokens.next() != "{":
        tokens.fail("Filter is not an object")
    return _Compiler(tokens, dialect).read_object([{}], (), inside_or=False)


def source_of(pattern: str | dict[str, Any]) -> str:
    """The JSON text of a pattern, as a client sends it. Raises PatternRejected for what JSON can't hold."""
    if isinstance(pattern, str):
        return pattern
    try:
        return json.dumps(pattern)
    except (TypeError, ValueError) as error:
        raise PatternRejected(str(error)) from error
    except RecursionError as error:
        raise PatternRejected(f"Document nesting depth exceeds the maximum allowed ({DEPTH_LIMIT})") from error


@dataclass(frozen=True, slots=True)
class _Compiler:
    tokens: Tokens
    dialect: Dialect

    def read_object(self, rules: Rules, path: tuple[str, ...], *, inside_or: bool) -> Rules:
        """Read the members of an object into every rule and return the rules."""
        empty = True
        while self.tokens.next() != "}":
            empty = False
            rules = self._read_member(rules, path, inside_or=inside_or)
        if empty:
            self.tokens.fail("Empty objects are not allowed")
        return rules

    def _read_member(self, rules: Rules, path: tuple[str, ...], *, inside_or: bool) -> Rules:
        name = self.tokens.name
        if name == OR:
            return self._read_or(rules, path)
        if inside_or and name in RESERVED_INSIDE_OR:
            self.tokens.fail(f"{name} is Ruler reserved fieldName which cannot be used inside {OR}.")
        kind = self.tokens.next()
        if kind == "{":
            return self.read_object(rules, (*path, name), inside_or=inside_or)
        if kind != "[":
            self.tokens.fail(f'"{name}" must be an object or an array')
        condition = values.read_list(self.tokens, self.dialect, depth=len(path) + 1)
        return [{**rule, ".".join((*path, name)): condition} for rule in rules]

    def _read_or(self, rules: Rules, path: tuple[str, ...]) -> Rules:
        """Multiply the rules: each of them once with each object of the list."""
        if self.tokens.next() != "[":
            self.tokens.fail(f"It must be an Array followed with {OR}.")
        multiplied: Rules = []
        count = 0
        while (kind := self.tokens.next()) != "]":
            count += 1
            if kind != "{":
                self.tokens.fail(f"Only JSON object is allowed in array of {OR} relationship.")
            multiplied += self.read_object(rules, path, inside_or=True)
            if len(multiplied) > MAX_COMBINATIONS:
                raise TooManyCombinations(f"{OR} makes more than {MAX_COMBINATIONS} rule combinations")
        if count < 2:
            self.tokens.fail(f"There must have at least 2 Objects in {OR} relationship.")
        return multiplied
