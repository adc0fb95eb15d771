"""The filter patterns of CloudWatch Logs: terms, `%regex%`, `{ JSON }` and `[space-delimited]`.

Source: Amazon CloudWatch Logs user guide, "Filter pattern syntax for metric filters, subscription filters, filter log
events, and Live Tail" (FilterAndPatternSyntax).
"""

from __future__ import annotations

import json
import operator
import re
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

from simbus.errors import AwsError

Filter = Callable[[str], bool]
Test = Callable[[Any], bool]

_MAX_LENGTH = 1024
_MAX_REGEXES = 2
_MAX_WILDCARDS = 3

_TERM = re.compile(r'(-\s*|\?\s*)?(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))')
_BAD_IN_TERM = re.compile(r"[^\w\s]+")
_REGEX = re.compile(r"(?:[A-Za-z0-9:_#=@/;,\- ^$?\[\]{}|*+.]|\\(?:[dDsSwW]|x[0-9A-Fa-f]{2}|[^A-Za-z0-9]))+", re.ASCII)
_WORD = re.compile(r'(?<!\S)(?:\[([^\]]*)\]|"([^"]*)")(?!\S)|(\S+)')
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_STEP = re.compile(r"\.\['([^']+)'\]|\['([^']+)'\]|\.([\w-]+)|\[(\d+)\]|(\.\*|\[\*\])", re.ASCII)

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "!=": operator.ne,
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}
_IS = {"NULL": None, "TRUE": True, "FALSE": False}


def compile_filter(pattern: str) -> Filter:
    """The test that a filter pattern stands for: does this message match?

    At most 1,024 characters; a blank pattern matches every message. Terms match anywhere in the message and are case
    sensitive. Raises AwsError InvalidParameterException as FilterLogEvents does; its words were seen in bug reports
    (aws-toolkit-jetbrains#3219, awslogs#210, defang#1008) and in the user guide's own `EXISTS`, which AWS refuses.
    """
    if len(pattern) > _MAX_LENGTH:
        raise _invalid(
            f"1 validation error detected: Value '{pattern}' at 'filterPattern' failed to satisfy constraint: "
            f"Member must have length less than or equal to {_MAX_LENGTH}"
        )
    text = pattern.strip()
    if text.startswith("{"):
        return _json_filter(_enclosed(text, "{", "}"))
    if text.startswith("["):
        return _fields_filter(_enclosed(text, "[", "]"))
    if len(text) > 2 and text[0] == text[-1] == "%":
        regex = _compile_regex(text[1:-1])
        return lambda message: regex.search(message) is not None
    return _terms_filter(text)


def _invalid(message: str = "Invalid filter pattern") -> AwsError:
    return AwsError("InvalidParameterException", message)


def _enclosed(text: str, first: str, last: str) -> str:
    if not text.endswith(last) or len(text) < 2:
        raise _invalid(f"If a filter pattern starts with '{first}' it must end with '{last}'")
    return text[1:-1]


# Terms


def _terms_filter(text: str) -> Filter:
    wanted: list[str] = []
    excluded: list[str] = []
    optional: list[str] = []
    position = 0
    while position < len(text):
        match = _TERM.match(text, position)
        if match is None:
            raise _bad_term(text[position:])
        sign, phrase, word = match.groups()
        kind = {"-": excluded, "?": optional}.get((sign or " ")[0], wanted)
        kind.append(_term(phrase, word))
        position = match.end()
        position += len(text[position:]) - len(text[position:].lstrip())
    if wanted or excluded:
        # The user guide: beside other terms, those with a question mark are ignored.
        return lambda message: all(t in message for t in wanted) and not any(t in message for t in excluded)
    return lambda message: not optional or any(term in message for term in optional)


def _term(phrase: str | None, word: str | None) -> str:
    if phrase is not None:
        if not phrase:
            raise _bad_term('""')
        # `" "` matches everything, says the user guide; so does any phrase of nothing but blanks.
        return _unescape(phrase) if phrase.strip() else ""
    assert word is not None
    if _BAD_IN_TERM.search(word):
        raise _bad_term(word)
    return word


def _bad_term(text: str) -> AwsError:
    bad = _BAD_IN_TERM.search(text)
    return _invalid(f"Invalid character(s) in term '{bad.group() if bad else text}'")


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


def _compile_regex(text: str) -> re.Pattern[str]:
    """AWS's subset: no parentheses, no multi-byte characters, only the documented operators and escapes."""
    supported = _REGEX.match(text)
    end = supported.end() if supported else 0
    if end < len(text):
        raise _invalid(f"Invalid character(s) in term '{text[end]}'")
    try:
        with warnings.catch_warnings():
            # Python warns that `[[` or `&&` in a character class may come to mean something else.
            warnings.simplefilter("ignore", FutureWarning)
            return re.compile(text, re.ASCII | re.DOTALL)
    except re.error as error:
        raise _invalid() from error


# What JSON and space-delimited patterns share: values, comparisons, && and ||


class _Value(NamedTuple):
    """The right side of a comparison. `number` is set for an unquoted number, `regex` for `%...%` and for `*`."""

    text: str
    number: float | None
    regex: re.Pattern[str] | None

    def equals(self, value: str | float) -> bool:
        if self.regex is not None:
            return self.regex.search(_text(value)) is not None
        if self.number is not None and not isinstance(value, str):
            return value == self.number
        return _text(value) == self.text


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _comparison(symbol: str, value: _Value) -> Callable[[str | float], bool]:
    if symbol == "=":
        return value.equals
    if symbol == "!=":
        return lambda found: not value.equals(found)
    compare, number = _OPERATORS[symbol], value.number
    if number is None:
        raise _invalid()
    return lambda found: not isinstance(found, str) and compare(found, number)


class _Parser:
    """A cursor over a pattern, and the grammar of expressions: parentheses bind tighter than &&, && than ||."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.regexes = 0
        self.wildcards = 0

    def fail(self) -> NoReturn:
        raise _invalid()

    def take(self, pattern: str) -> re.Match[str] | None:
        """Skip blanks, then take what the regular expression matches here, if it does."""
        match = re.compile(rf"\s*(?:{pattern})", re.ASCII).match(self.text, self.position)
        if match is not None:
            self.position = match.end()
        return match

    def ended(self) -> bool:
        return not self.text[self.position :].strip()

    def expression(self, condition: Callable[[], Test]) -> Test:
        """Alternatives between ||."""
        tests = [self._conjunction(condition)]
        while self.take(r"\|\|"):
            tests.append(self._conjunction(condition))
        return tests[0] if len(tests) == 1 else lambda value: any(test(value) for test in tests)

    def _conjunction(self, condition: Callable[[], Test]) -> Test:
        tests = [self._operand(condition)]
        while self.take("&&"):
            tests.append(self._operand(condition))
        return tests[0] if len(tests) == 1 else lambda value: all(test(value) for test in tests)

    def _operand(self, condition: Callable[[], Test]) -> Test:
        if not self.take(r"\("):
            return condition()
        test = self.expression(condition)
        return test if self.take(r"\)") else self.fail()

    def comparison(self) -> tuple[str, _Value]:
        """An operator and its right side."""
        symbol = self.take(r"(<=|>=|!=|=|<|>)") or self.fail()
        return symbol[1], self._value()

    def _value(self) -> _Value:
        if match := self.take(r'"((?:[^"\\]|\\.)*)"'):
            text = _unescape(match[1])
            return _Value(text, None, _wildcards(text))
        if match := self.take(r"%((?:[^%\\]|\\.)+)%"):
            self.regexes += 1
            if self.regexes > _MAX_REGEXES:
                self.fail()
            return _Value(match[1], None, _compile_regex(match[1]))
        match = self.take(r"([\w.*+-]+)") or self.fail()
        return _Value(match[1], _number(match[1]), _wildcards(match[1]))


def _wildcards(text: str) -> re.Pattern[str] | None:
    if "*" not in text:
        return None
    return re.compile(rf"\A{'.*'.join(map(re.escape, text.split('*')))}\Z", re.DOTALL)


def _number(text: str) -> float | None:
    if not _NUMBER.fullmatch(text):
        return None
    return int(text) if text.lstrip("+-").isdecimal() else float(text)


# JSON


def _json_filter(text: str) -> Filter:
    parser = _Parser(text)
    test = parser.expression(lambda: _json_condition(parser))
    if not parser.ended() or parser.wildcards > _MAX_WILDCARDS:
        parser.fail()

    def matches(message: str) -> bool:
        if not message.lstrip().startswith("{"):
            return False
        try:
            return test(json.loads(message))
        except (ValueError, RecursionError):
            return False

    return matches


def _json_condition(parser: _Parser) -> Test:
    steps = _selector(parser)
    if parser.take(r"NOT\s+EXISTS\b"):
        return lambda document: not _nodes(document, steps)
    if parser.take(r"IS\b"):
        wanted = _IS[(parser.take(r"(NULL|TRUE|FALSE)\b") or parser.fail())[1]]
        return lambda document: any(node is wanted for node in _nodes(document, steps))
    compare = _comparison(*parser.comparison())
    # The user guide: a selector must point to a string or a number; otherwise neither = nor != matches.
    return lambda document: any(
        compare(node)
        for node in _nodes(document, steps)
        if isinstance(node, str | int | float) and not isinstance(node, bool)
    )


Step = str | int | None


def _selector(parser: _Parser) -> list[Step]:
    """The steps of a property selector: a name, an index, or None for the one wildcard that it may have."""
    if not parser.take(r"\$"):
        parser.fail()
    steps: list[Step] = []
    while match := _STEP.match(parser.text, parser.position):
        parser.position = match.end()
        dotted, bracketed, name, index, _ = match.groups()
        key = dotted or bracketed or name
        steps.append(key if key is not None else int(index) if index is not None else None)
    wildcards = steps.count(None)
    parser.wildcards += wildcards
    if not steps or wildcards > 1:
        parser.fail()
    return steps


def _nodes(document: Any, steps: list[Step]) -> list[Any]:
    nodes = [document]
    for step in steps:
        nodes = [child for node in nodes for child in _children(node, step)]
    return nodes


def _children(node: Any, step: Step) -> list[Any]:
    if isinstance(node, dict):
        if step is None:
            return list(node.values())
        return [node[step]] if step in node else []
    if isinstance(node, list):
        if step is None:
            return node
        return [node[step]] if isinstance(step, int) and step < len(node) else []
    return []


# Space-delimited


def _fields_filter(text: str) -> Filter:
    parser = _Parser(text)
    fields = [_field(parser)]
    while parser.take(","):
        fields.append(_field(parser))
    if not parser.ended() or fields.count(None) > 1:
        parser.fail()
    return lambda message: _fields_match(fields, [_word(match) for match in _WORD.finditer(message)])


def _field(parser: _Parser) -> Test | None:
    """One field's condition; None for the ellipsis."""
    if parser.take(r"\.\.\."):
        return None
    start = parser.position
    name = parser.take(r"[\w$-]*")
    if parser.take(r"(?=,)") or parser.ended():
        return lambda word: True
    parser.position = start
    names: set[str] = set()
    test = parser.expression(lambda: _field_condition(parser, names))
    # AWS refuses `status = 4* && bytes > 1000` (amazon-cloudwatch-logs-user-guide#21): one place, one field.
    return test if name is not None and len(names) == 1 else parser.fail()


def _field_condition(parser: _Parser, names: set[str]) -> Test:
    names.add((parser.take(r"([\w$-]+)") or parser.fail())[1])
    symbol, value = parser.comparison()
    compare = _comparison(symbol, value)
    if value.number is None:
        return compare

    def numeric(word: str) -> bool:
        number = _number(word)
        return compare(word if number is None else number)

    return numeric


def _word(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group is not None)


def _fields_match(fields: list[Test | None], words: list[str]) -> bool:
    if None in fields:
        middle = fields.index(None)
        after = len(fields) - middle - 1
        if len(words) < middle + after:
            return False
        pairs = [
            *zip(fields[:middle], words, strict=False),
            *zip(fields[middle + 1 :], words[len(words) - after :], strict=True),
        ]
        return all(field is None or field(word) for field, word in pairs)
    if len(words) < len(fields):
        return False
    # `[w1=ERROR, w2]` matches a line of seven words (user guide): the last field takes the rest of the line.
    last = len(fields) - 1
    taken = [*words[:last], " ".join(words[last:])]
    return all(field is None or field(word) for field, word in zip(fields, taken, strict=True))
