"""One list of a pattern: scalars and operators, of which any may match.

The order of the checks is the order in which AWS's engine reads the tokens (see compile.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NoReturn

from simbus.filtering import operators, wildcard
from simbus.filtering.dialect import Dialect
from simbus.filtering.matching import Condition
from simbus.filtering.numbers import key_of_text
from simbus.filtering.operators import Test
from simbus.filtering.rejection import PatternRejected
from simbus.filtering.tokens import NAME, NUMBER, STRING, Tokens

_LITERALS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None}
_ONE_KEY: Final = "Only one key allowed in match expression"
_ONLY_SCALARS: Final = "Inside anything but list, start|null|boolean is not supported."
_ONLY_TEXT: Final = "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported."
_TOO_MANY: Final = "Too many elements in numeric expression"


def read_list(tokens: Tokens, dialect: Dialect, depth: int) -> Condition:
    """Read a list up to its closing bracket; the cursor is on the opening one. Raises PatternRejected."""
    members = _Members()
    reader = _Operators(tokens, dialect)
    while (kind := tokens.next()) != "]":
        members.size += 1
        if kind == "{":
            test = reader.read()
            if test is None:
                members.absent = True
            else:
                members.tests.append(test)
        elif kind == STRING:
            members.add_text(tokens.value())
        elif kind == NUMBER:
            members.numbers.append(key_of_text(tokens.value()))
        elif kind in _LITERALS:
            members.literals.append(_LITERALS[kind])
        else:
            tokens.fail("Match value must be String, number, true, false, or null")
    if not members.size:
        tokens.fail("Empty arrays are not allowed")
    return members.condition(depth)


@dataclass(slots=True)
class _Members:
    """What a list holds, sorted by kind so that equality costs one look-up however long the list is."""

    size: int = 0
    absent: bool = False
    texts: list[str] = field(default_factory=list)
    literals: list[bool | None] = field(default_factory=list)
    numbers: list[float | str] = field(default_factory=list)
    tests: list[Test] = field(default_factory=list)

    def add_text(self, text: str) -> None:
        address = operators.ip_address(text)
        if address is None:
            self.texts.append(text)
        else:
            self.tests.append(address)

    def condition(self, depth: int) -> Condition:
        tests = list(self.tests)
        if self.texts or self.literals or self.numbers:
            tests.insert(0, operators.one_of(self.texts, self.literals, self.numbers))
        return Condition(operators.any_of(tests), self.absent, self.size, depth)


class _Operators:
    """Reads `{"operator": operand}`; the cursor is on the opening brace."""

    def __init__(self, tokens: Tokens, dialect: Dialect) -> None:
        self._tokens = tokens
        self._dialect = dialect
        self._readers: dict[str, Callable[[], Test | None]] = {
            "exactly": lambda: self._text("exact", lambda text: operators.one_of([text], [], [])),
            "prefix": lambda: self._affix("prefix", operators.prefix, operators.prefix_ignore_case),
            "suffix": lambda: self._affix("suffix", operators.suffix, operators.suffix_ignore_case),
            "equals-ignore-case": lambda: self._text("equals-ignore-case", operators.ignore_case),
            "wildcard": lambda: self._text("wildcard", self._wildcard),
            # AWS's own message speaks of a prefix here (recording content_ip_address_type_EXC).
            "cidr": lambda: self._text("prefix", operators.cidr),
            "exists": self._exists,
            "numeric": self._numeric,
            "anything-but": self._anything_but,
        }

    def read(self) -> Test | None:
        """The test that the operator stands for; None for `exists: false`."""
        if self._tokens.next() != NAME:
            self._tokens.fail("Match expression name not found")
        name = self._tokens.name
        if name not in self._dialect.operators:
            self._tokens.fail(f"Unrecognized match type {name}")
        return self._readers[name]()

    def _close(self, message: str = _ONE_KEY) -> None:
        if self._tokens.next() != "}":
            self._tokens.fail(message)

    def _text(self, label: str, make: Callable[[str], Test], closing: int = 1) -> Test:
        if self._tokens.next() != STRING:
            self._tokens.fail(f"{label} match pattern must be a string")
        test = make(self._tokens.value())
        for _ in range(closing):
            self._close()
        return test

    def _affix(self, label: str, make: Callable[[str], Test], make_any_case: Callable[[str], Test]) -> Test:
        kind = self._tokens.next()
        if kind == "{" and self._dialect.affixes_ignore_case:
            if self._tokens.next() != NAME:
                self._tokens.fail(f"{label.capitalize()} expression name not found")
            if self._tokens.name != "equals-ignore-case":
                self._tokens.fail(f"Unsupported {label} pattern: {self._tokens.name}")
            return self._text("equals-ignore-case", make_any_case, closing=2)
        if kind != STRING:
            self._tokens.fail(f"{label} match pattern must be a string")
        test = make(self._tokens.value())
        self._close()
        return test

    def _wildcard(self, text: str) -> Test:
        try:
            pieces = wildcard.split_wildcard(text)
        except PatternRejected as error:
            self._tokens.fail(error.reason)
        wildcard.check_complexity(pieces)
        return operators.text_test(wildcard.matcher(pieces))

    def _exists(self) -> Test | None:
        kind = self._tokens.next()
        if kind not in ("true", "false"):
            self._tokens.fail("exists match pattern must be either true or false.")
        self._close()
        return operators.always if kind == "true" else None

    def _numeric(self) -> Test:
        if self._tokens.next() != "[":
            self._tokens.fail("Value of numeric must be an array.")
        if self._tokens.next() != STRING:
            self._tokens.fail(f"Invalid member in numeric match: {self._tokens.value()}")
        test = self._range(self._tokens.value())
        self._close(_TOO_MANY)
        return test

    def _range(self, operator: str) -> Test:
        if operator not in ("=", "<", "<=", ">", ">="):
            self._tokens.next()
            self._tokens.fail(f"Unrecognized numeric range operator: {operator}")
        bound = self._bound("equals" if operator == "=" else operator)
        after = self._tokens.next()
        if operator in (">", ">="):
            if after != "]":
                return self._upper_bound(bound, operator == ">", after)
            return operators.between(self._comparable(bound), operator == ">", None, False)
        if after != "]":
            self._tokens.fail(_TOO_MANY)
        limit = self._comparable(bound)
        return operators.between(limit if operator == "=" else None, False, limit, operator == "<")

    def _upper_bound(self, bottom: str, bottom_open: bool, kind: str) -> Test:
        if kind != STRING:
            self._tokens.fail(f"Bad value in numeric range: {self._tokens.value()}")
        operator = self._tokens.value()
        if operator not in ("<", "<="):
            self._tokens.fail(f"Bad numeric range operator: {operator}")
        top = self._bound(operator)
        if self._tokens.next() != "]":
            self._tokens.fail("Too many terms in numeric range expression")
        low, high = self._comparable(bottom), self._comparable(top)
        if low >= high:
            self._tokens.fail("Bottom must be less than top")
        return operators.between(low, bottom_open, high, operator == "<")

    def _bound(self, operator: str) -> str:
        if self._tokens.next() != NUMBER:
            self._tokens.fail(f"Value of {operator} must be numeric")
        return self._tokens.value()

    def _comparable(self, text: str) -> float:
        key = key_of_text(text)
        if isinstance(key, str):
            self._tokens.fail(f"Cannot compare number : {text}")
        return key

    def _anything_but(self) -> Test:
        kind = self._tokens.next()
        if kind == "{":
            return self._anything_but_operator()
        if kind not in ("[", STRING, NUMBER):
            self._tokens.fail("Value of anything-but must be an array or single string/number value.")
        test = self._anything_but_list() if kind == "[" else self._anything_but_scalar(kind)
        self._close(_TOO_MANY)
        return test

    def _anything_but_scalar(self, kind: str) -> Test:
        if kind == STRING:
            return operators.none_of([operators.one_of([self._tokens.value()], [], [])])
        key = key_of_text(self._tokens.value())
        if isinstance(key, str):
            raise PatternRejected(f"Cannot compare number : {key}")
        return operators.none_of([operators.one_of([], [], [key])])

    def _anything_but_list(self) -> Test:
        texts: list[str] = []
        numbers: list[float | str] = []
        while (kind := self._tokens.next()) != "]":
            if kind == STRING:
                texts.append(self._tokens.value())
            elif kind == NUMBER and not isinstance(key := key_of_text(self._tokens.value()), str):
                numbers.append(key)
            elif kind == NUMBER:
                self._tokens.fail(f"Cannot compare number : {self._tokens.value()}")
            else:
                self._fail_in_list(_ONLY_SCALARS)
        if bool(texts) == bool(numbers):
            self._tokens.fail(
                "Inside anything but list, either all values are number or string, mixed type is not supported"
            )
        return operators.none_of([operators.one_of(texts, [], numbers)])

    def _anything_but_operator(self) -> Test:
        if self._tokens.next() != NAME:
            self._tokens.fail("Anything-But expression name not found")
        name = self._tokens.name
        if name not in self._dialect.excluded:
            self._tokens.fail(f"Unsupported anything-but pattern: {name}")
        kind = self._tokens.next()
        if not self._dialect.excluded_lists:
            return self._excluded_prefix(kind)
        if kind not in ("[", STRING, NUMBER):
            self._tokens.fail("Value of anything-but must be an array or single string/number value.")
        texts = self._excluded_list(name) if kind == "[" else [self._excluded_text(name, kind, self._tokens.fail)]
        test = operators.none_of([self._excluded_test(name, text) for text in texts])
        self._close(_TOO_MANY)
        self._close(_TOO_MANY)
        return test

    def _excluded_prefix(self, kind: str) -> Test:
        if kind != STRING:
            self._tokens.fail("prefix match pattern must be a string")
        text = self._tokens.value()
        if not text:
            self._tokens.fail(self._dialect.empty_excluded)
        self._close()
        self._close()
        return operators.none_of([operators.prefix(text)])

    def _excluded_list(self, name: str) -> list[str]:
        texts: list[str] = []
        while (kind := self._tokens.next()) != "]":
            texts.append(self._excluded_text(name, kind, self._fail_in_list))
        return texts

    def _excluded_text(self, name: str, kind: str, fail: Callable[[str], NoReturn]) -> str:
        if kind != STRING:
            if name == "equals-ignore-case":
                fail(_ONLY_TEXT)
            label = "wildcard" if name == "wildcard" else "prefix/suffix"
            fail(f"{label} match pattern must be a string")
        text = self._tokens.value()
        if not text and name in ("prefix", "suffix"):
            fail(self._dialect.empty_excluded)
        return text

    def _excluded_test(self, name: str, text: str) -> Test:
        if name == "wildcard":
            return self._wildcard(text)
        make = {
            "prefix": operators.prefix,
            "suffix": operators.suffix,
            "equals-ignore-case": operators.ignore_case,
        }
        return make[name](text)

    def _fail_in_list(self, message: str) -> NoReturn:
        """AWS catches its own refusal inside a list and refuses once more, so the position stands there twice."""
        try:
            self._tokens.fail(message)
        except PatternRejected as first:
            self._tokens.fail(first.reason)
