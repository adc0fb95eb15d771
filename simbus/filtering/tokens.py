"""JSON text as a stream of tokens that knows where AWS's parser stands.

EventBridge and SNS quote the position of their JSON parser (Jackson) in every refusal: `line: 1, column: 54`. Three
habits of that parser decide the number, and the recordings of eventbridge_patterns.json and sns.json show all three:
a name is read together with the start of its value; a string is read only up to its opening quote until somebody
asks for its text; what follows the pattern's closing brace is never read.
"""

from __future__ import annotations

import re
from typing import Final, NoReturn

from simbus.filtering.rejection import PatternRejected

NAME: Final = "name"
STRING: Final = "string"
NUMBER: Final = "number"
END: Final = ""

DEPTH_LIMIT: Final = 200
SOURCE_LIMIT: Final = 500
TOKEN_LIMIT: Final = 256

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_PLAIN = re.compile(r'[^"\\\x00-\x1f]*')
_WORD = re.compile(r"[\w$]*")
_HEX = re.compile(r"[0-9a-fA-F]{0,4}")
_BREAK = re.compile(r"\r\n|\r|\n")
_ESCAPES: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "/": "/"}
_LITERALS: Final = {"t": "true", "f": "false", "n": "null"}
_EXPECTED: Final = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"


class Tokens:
    """A cursor over JSON text: `next()` moves it, `kind` says what it is on, `value()` gives the token's text.

    `kind` is one of `{ } [ ]`, `true`, `false`, `null`, NAME, STRING, NUMBER, or END after the outermost value;
    `name` is the name read last.
    Raises PatternRejected, worded and placed as Jackson does, where the text is not JSON.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.kind = END
        self.name = ""
        self._pos = 0
        self._text = ""
        self._unread_string = False
        self._after_name = ""
        self._open: list[tuple[str, int]] = []
        self._expect_comma = False

    def next(self) -> str:
        """Move to the next token and return its kind."""
        if self._after_name:
            self.kind, self._after_name = self._after_name, ""
            return self.kind
        if self._unread_string:
            self._read_string()
        char = self._skip_space()
        if not char:
            return self._at_end_of_input()
        if char in "}]":
            return self._close(char)
        if self._expect_comma:
            char = self._skip_comma(char)
        if self._in("{"):
            return self._read_name(char)
        self.kind = self._read_value(char)
        return self.kind

    def value(self) -> str:
        """The text of the current token: a string's contents, a number as written, otherwise the token itself."""
        if self.kind == NAME:
            return self.name
        if self._unread_string:
            self._text = self._read_string()
        if self.kind in (STRING, NUMBER):
            return self._text
        return self.kind or "null"

    def fail(self, message: str) -> NoReturn:
        """Refuse the pattern with AWS's message and the position of its parser."""
        raise PatternRejected(f"{message}\n at {self._location(self._pos)}")

    def skip_document(self) -> None:
        """Read the whole outermost value: PatternRejected if it is not JSON."""
        self.next()
        while self._open or self._after_name or self._unread_string:
            self.next()

    def _in(self, bracket: str) -> bool:
        return bool(self._open) and self._open[-1][0] == bracket

    def _take(self) -> str:
        if self._pos >= len(self.source):
            return ""
        self._pos += 1
        return self.source[self._pos - 1]

    def _skip_space(self) -> str:
        """The next character that is not white space, consumed; empty at the end of the input."""
        while (char := self._take()) and char <= " ":
            if char not in " \t\r\n":
                rule = "only regular white space (\\r, \\n, \\t) is allowed between tokens"
                self.fail(f"Illegal character ({_describe(char)}): {rule}")
        return char

    def _skip_comma(self, char: str) -> str:
        if char != ",":
            self._unexpected(char, f"was expecting comma to separate {self._scope()} entries")
        return self._skip_space() or self._end_inside(f" within/between {self._scope()} entries")

    def _scope(self) -> str:
        return {"{": "Object", "[": "Array"}[self._open[-1][0]] if self._open else "root"

    def _at_end_of_input(self) -> str:
        if self._open:
            start = self._location(self._open[-1][1])
            self._end_inside(f": expected close marker for {self._scope()} (start marker at {start})")
        self.kind = END
        return END

    def _close(self, char: str) -> str:
        opening = "{" if char == "}" else "["
        if not self._open:
            self.fail(f"Unexpected close marker '{char}': no open {'Object' if char == '}' else 'Array'} to close")
        if not self._in(opening):
            expected = "}" if self._in("{") else "]"
            start = self._location(self._open[-1][1])
            self.fail(
                f"Unexpected close marker '{char}': expected '{expected}' (for {self._scope()} starting at {start})"
            )
        self._open.pop()
        self._expect_comma = bool(self._open)
        self.kind = char
        return char

    def _read_name(self, char: str) -> str:
        if char != '"':
            self._unexpected(char, "was expecting double-quote to start field name")
        self.name = self._read_string(" in field name", "name")
        if (char := self._skip_space()) != ":":
            if not char:
                self._end_inside(" within/between Object entries")
            self._unexpected(char, "was expecting a colon to separate field name and value")
        first = self._skip_space() or self._end_inside(" within/between Object entries")
        self._after_name = self._read_value(first)
        self.kind = NAME
        return NAME

    def _read_value(self, char: str) -> str:
        self._expect_comma = True
        if char == '"':
            self._unread_string = True
            return STRING
        if char in "{[":
            return self._descend(char)
        if char in _LITERALS:
            return self._read_literal(_LITERALS[char])
        if char in "-0123456789":
            return self._read_number()
        return self._odd_value(char)

    def _descend(self, char: str) -> str:
        self._open.append((char, self._pos - 1))
        self._expect_comma = False
        if len(self._open) > DEPTH_LIMIT:
            self.fail(
                f"Document nesting depth ({len(self._open)}) exceeds the maximum allowed ({DEPTH_LIMIT}, "
                "from `StreamReadConstraints.getMaxNestingDepth()`)"
            )
        return char

    def _read_literal(self, word: str) -> str:
        start = self._pos - 1
        end = start + len(word)
        follower = self.source[end : end + 1]
        if self.source[start:end] != word or follower == "$" or _WORD.fullmatch(follower or " "):
            self._unknown_word(start)
        self._pos = end
        return word

    def _unknown_word(self, start: int) -> NoReturn:
        match = _WORD.match(self.source, start)
        word = match.group() if match else ""
        self._pos = start + len(word)
        shown = word if len(word) < TOKEN_LIMIT else word[:TOKEN_LIMIT] + "..."
        self.fail(f"Unrecognized token '{shown}': was expecting {_EXPECTED}")

    def _read_number(self) -> str:
        start = self._pos - 1
        match = _NUMBER.match(self.source, start)
        if match is None:
            self._pos += 1
            rule = "expected digit (0-9) to follow minus sign, for valid numeric value"
            self._bad_number(self.source[self._pos - 1 : self._pos], rule)
        self._pos = match.end()
        self._text = match.group()
        follower = self.source[self._pos : self._pos + 1]
        if self._text in ("0", "-0") and follower.isdigit():
            self.fail("Invalid numeric value: Leading zeroes not allowed")
        if follower == "." and "." not in self._text and "e" not in self._text.lower():
            self._pos += 2
            self._bad_number(self.source[self._pos - 1 : self._pos], "Decimal point not followed by a digit")
        if follower in ("e", "E") and "e" not in self._text.lower():
            self._pos += 3 if self.source[self._pos + 1 : self._pos + 2] in ("+", "-") else 2
            self._bad_number(self.source[self._pos - 1 : self._pos], "Exponent indicator not followed by a digit")
        return NUMBER

    def _bad_number(self, char: str, rule: str) -> NoReturn:
        if not char:
            self._end_inside(" in a Number value")
        self.fail(f"Unexpected character ({_describe(char)}) in numeric value: {rule}")

    def _odd_value(self, char: str) -> NoReturn:
        if char == "}":
            self._unexpected(char, "expected a value")
        for word in ("NaN", "Infinity"):
            if self.source.startswith(word, self._pos - 1):
                self._pos += len(word) - 1
                self.fail(f"Non-standard token '{word}': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow")
        if char.isalpha() or char in "_$":
            self._unknown_word(self._pos - 1)
        self._unexpected(char, f"expected a valid value {_EXPECTED}")

    def _read_string(
        self, where: str = ": was expecting closing quote for a string value", what: str = "string value"
    ) -> str:
        """Read from behind the opening quote to behind the closing one."""
        self._unread_string = False
        parts: list[str] = []
        while True:
            match = _PLAIN.match(self.source, self._pos)
            if match:
                parts.append(match.group())
                self._pos = match.end()
            char = self._take()
            if char == '"':
                return _join_surrogates("".join(parts))
            if char == "\\":
                parts.append(self._read_escape())
            elif char:
                rule = f"has to be escaped using backslash to be included in {what}"
                self.fail(f"Illegal unquoted character ({_describe(char)}): {rule}")
            else:
                self._end_inside(where)

    def _read_escape(self) -> str:
        char = self._take() or self._end_inside(" in character escape sequence")
        if char != "u":
            if char not in _ESCAPES:
                self.fail(f"Unrecognized character escape {_describe(char)}")
            return _ESCAPES[char]
        match = _HEX.match(self.source, self._pos)
        digits = match.group() if match else ""
        self._pos += len(digits)
        if len(digits) < 4:
            char = self._take() or self._end_inside(" in character escape sequence")
            self._unexpected(char, "expected a hex-digit for character escape sequence")
        return chr(int(digits, 16))

    def _unexpected(self, char: str, rule: str) -> NoReturn:
        self.fail(f"Unexpected character ({_describe(char)}): {rule}")

    def _end_inside(self, what: str) -> NoReturn:
        self._pos = len(self.source)
        self.fail(f"Unexpected end-of-input{what}")

    def _location(self, pos: int) -> str:
        breaks = [match.end() for match in _BREAK.finditer(self.source, 0, pos)]
        column = _java_length(self.source[breaks[-1] if breaks else 0 : pos]) + 1
        excess = _java_length(self.source) - SOURCE_LIMIT
        tail = f"[truncated {excess} chars]" if excess > 0 else ""
        return f'[Source: (String)"{self.source[:SOURCE_LIMIT]}"{tail}; line: {len(breaks) + 1}, column: {column}]'


def _describe(char: str) -> str:
    code = ord(char)
    if code < 32 or 127 <= code < 160:
        return f"(CTRL-CHAR, code {code})"
    return f"'{char}' (code {code} / 0x{code:x})" if code > 255 else f"'{char}' (code {code})"


def _java_length(text: str) -> int:
    """The length in UTF-16 units, which is what AWS counts."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _join_surrogates(text: str) -> str:
    """Two escapes that name the halves of one character are that character."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
