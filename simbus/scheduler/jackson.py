"""Why a payload is no JSON, in the words of the parser that Invoke uses: Jackson 2.18, reading bytes.

Recorded: test_lambda_invoke_payload_encoding_error. All other texts are those of Jackson's UTF8StreamJsonParser with
its defaults; columns count bytes from 1, of the offending byte or (where Jackson has gone past it) of the one after it.
"""

from __future__ import annotations

import re
from typing import NamedTuple, NoReturn

SOURCE = "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: {}, column: {}]"
_VALUES = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
_LITERALS = {ord("t"): b"true", ord("f"): b"false", ord("n"): b"null"}
_NON_STANDARD = {ord("N"): b"NaN", ord("I"): b"Infinity"}
_ENDS = {ord("["): ord("]"), ord("{"): ord("}")}
_TYPES = {ord("["): "Array", ord("{"): "Object"}
_DIGITS = b"0123456789"
MAXIMUM_DEPTH = 1_000
_MAXIMUM_TOKEN = 256
_PLAIN = re.compile(rb'[^"\\\x00-\x1f\x80-\xff]*')
_NUMBER_PART = re.compile(rb"[0-9]*")


class Problem(Exception):
    """What is wrong, and at which byte."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.message = message
        self.position = position


class _Scope(NamedTuple):
    opener: int
    position: int


def location(data: bytes, position: int) -> str:
    """Where a byte is, as Jackson says it."""
    before = data[:position].replace(b"\r\n", b" \n").replace(b"\r", b"\n")
    return SOURCE.format(before.count(b"\n") + 1, len(before) - before.rfind(b"\n"))


def problem(data: bytes) -> Problem | None:
    """The first problem of what should be one JSON value in UTF-8, or None."""
    try:
        _Reader(data).read()
    except Problem as found:
        return found
    return None


def _described(code: int) -> str:
    """A character as Jackson shows it: `'x' (code 120)`, `(CTRL-CHAR, code 153)`."""
    if code < 32 or 127 <= code < 160:
        return f"(CTRL-CHAR, code {code})"
    return f"'{chr(code)}' (code {code}{f' / 0x{code:x}' if code > 255 else ''})"


def _is_identifier_start(code: int) -> bool:
    return chr(code).isidentifier() or chr(code) in "$¢£¤¥€"


def _is_identifier_part(code: int) -> bool:
    """Java counts digits and the control characters that may be ignored among them."""
    ignorable = code < 9 or 14 <= code < 28 or 127 <= code < 160 or code == 173
    return ignorable or f"a{chr(code)}".isidentifier() or _is_identifier_start(code)


class _Reader:
    """One pass over the bytes. `_want` says what is expected: value, first (value or `]`), key, colon, after."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._scopes: list[_Scope] = []
        self._want = "value"

    def read(self) -> None:
        """Raises Problem."""
        while self._want != "after" or self._scopes:
            self._step()
        code, start = self._skip(), self._at
        if code >= 0:  # Lambda takes one value; what follows it is reported as if it had to be one
            self._value(code)
            self._unexpected(code, "Expected space separating root-level values", start)

    def _step(self) -> None:
        code = self._skip()
        if code < 0:
            self._end_of_input()
        elif self._want in ("first", "first key", "after") and code in b"]}":
            self._close(code)
        elif self._want == "after":
            self._comma(code)
        elif self._want == "colon":
            if code != ord(":"):
                self._unexpected(code, "was expecting a colon to separate field name and value")
            self._at += 1
            self._want = "value"
        elif self._want in ("key", "first key"):
            if code != ord('"'):
                code = self._decoded()
                self._unexpected(code, "was expecting double-quote to start field name")
            self._string("field name")
            self._want = "colon"
        else:
            self._value(code)

    # --- between values --------------------------------------------------------------------------------------------

    def _skip(self) -> int:
        """Go past white space; the byte that follows, -1 at the end."""
        data = self._data
        while self._at < len(data):
            code = data[self._at]
            if code > 32:
                return code
            if code not in b" \t\n\r":
                raise Problem(
                    f"Illegal character ({_described(code)}): only regular white space (\\r, \\n, \\t) is allowed "
                    "between tokens",
                    self._at,
                )
            self._at += 1
        return -1

    def _end_of_input(self) -> NoReturn:
        if not self._scopes:
            raise Problem("No content to map due to end-of-input", self._at)
        opener, position = self._scopes[-1]
        if self._want in ("first", "first key", "after"):
            raise Problem(
                f"Unexpected end-of-input: expected close marker for {_TYPES[opener]} (start marker at "
                f"{location(self._data, position)})",
                self._at,
            )
        raise Problem(f"Unexpected end-of-input within/between {_TYPES[opener]} entries", self._at)

    def _open(self, code: int) -> None:
        self._scopes.append(_Scope(code, self._at))
        depth = len(self._scopes)
        self._at += 1
        if depth > MAXIMUM_DEPTH:
            raise Problem(
                f"Document nesting depth ({depth}) exceeds the maximum allowed ({MAXIMUM_DEPTH}, from "
                "`StreamReadConstraints.getMaxNestingDepth()`)",
                self._at,
            )
        self._want = "first" if code == ord("[") else "first key"

    def _close(self, code: int) -> None:
        opener, position = self._scopes[-1]
        if code != _ENDS[opener]:
            where = f"{_TYPES[opener]} starting at {location(self._data, position)}"
            raise Problem(
                f"Unexpected close marker '{chr(code)}': expected '{chr(_ENDS[opener])}' (for {where})", self._at
            )
        self._scopes.pop()
        self._at += 1
        self._want = "after"

    def _comma(self, code: int) -> None:
        opener = self._scopes[-1].opener
        if code != ord(","):
            self._unexpected(code, f"was expecting comma to separate {_TYPES[opener]} entries")
        self._at += 1
        self._want = "value" if opener == ord("[") else "key"

    # --- values ----------------------------------------------------------------------------------------------------

    def _value(self, code: int) -> None:
        if code in _ENDS:
            self._open(code)
            return
        self._want = "after"
        if code == ord('"'):
            self._string("VALUE_STRING")
        elif code in _LITERALS:
            self._literal(_LITERALS[code])
        elif code in _DIGITS or code == ord("-"):
            self._number(code)
        else:
            self._no_value(code)

    def _no_value(self, code: int) -> NoReturn:
        if code in b"]}" and not self._scopes:
            other = "}" if code == ord("]") else "]"
            where = f"root starting at {SOURCE.format(1, 0)}"
            raise Problem(f"Unexpected close marker '{chr(code)}': expected '{other}' (for {where})", self._at)
        if code in b",}" or (code == ord("]") and self._scopes[-1].opener == ord("[")):
            self._unexpected(code, "expected a value")
        if code in _NON_STANDARD:
            token = _NON_STANDARD[code]
            self._literal(token)
            raise Problem(
                f"Non-standard token '{token.decode()}': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow",
                self._at,
            )
        if code == ord("+"):
            self._bad_number(
                code,
                "JSON spec does not allow numbers to have plus signs: enable "
                "`JsonReadFeature.ALLOW_LEADING_PLUS_SIGN_FOR_NUMBERS` to allow",
            )
        if _is_identifier_start(code):
            self._at += 1
            self._bad_token(chr(code))
        self._unexpected(code, f"expected a valid value {_VALUES}")

    def _literal(self, token: bytes) -> None:
        matched = 1
        self._at += 1
        while matched < len(token):
            if self._data[self._at : self._at + 1] != token[matched : matched + 1]:
                self._bad_token(token[:matched].decode())
            matched += 1
            self._at += 1
        following = self._data[self._at] if self._at < len(self._data) else 0
        if following >= ord("0") and following not in b"]}" and _is_identifier_part(self._decoded()):
            self._bad_token(token.decode())

    def _bad_token(self, token: str) -> NoReturn:
        """Read on as far as it might be a word, and one character further."""
        while self._at < len(self._data):
            code = self._decoded(consume=True)
            if not _is_identifier_part(code):
                break
            token += chr(code)
            if len(token) >= _MAXIMUM_TOKEN:
                token += "..."
                break
        raise Problem(f"Unrecognized token '{token}': was expecting {_VALUES}", self._at)

    def _number(self, code: int) -> None:
        if code == ord("-"):
            self._at += 1
            self._need_digit("expected digit (0-9) to follow minus sign, for valid numeric value")
        if self._data[self._at] == ord("0") and self._data[self._at + 1 : self._at + 2].isdigit():
            raise Problem("Invalid numeric value: Leading zeroes not allowed", self._at + 2)
        self._digits()
        if self._data[self._at : self._at + 1] == b".":
            self._at += 1
            self._need_digit("Decimal point not followed by a digit")
            self._digits()
        if self._data[self._at : self._at + 1] in (b"e", b"E"):
            self._at += 1
            if self._data[self._at : self._at + 1] in (b"+", b"-"):
                self._at += 1
            self._need_digit("Exponent indicator not followed by a digit")
            self._digits()
        if not self._scopes and self._at < len(self._data) and self._data[self._at] not in b" \t\n\r":
            self._unexpected(self._data[self._at], "Expected space separating root-level values")

    def _digits(self) -> None:
        found = _NUMBER_PART.match(self._data, self._at)
        assert found is not None
        self._at = found.end()

    def _need_digit(self, rule: str) -> None:
        if self._at >= len(self._data):
            raise Problem("Unexpected end-of-input in a Number value", self._at)
        if self._data[self._at] not in _DIGITS:
            self._bad_number(self._data[self._at], rule)

    def _bad_number(self, code: int, rule: str) -> NoReturn:
        raise Problem(f"Unexpected character ({_described(code)}) in numeric value: {rule}", self._at)

    # --- text ------------------------------------------------------------------------------------------------------

    def _string(self, what: str) -> None:
        """Go past a string. `what` it is: VALUE_STRING or field name."""
        self._at += 1
        data = self._data
        while True:
            plain = _PLAIN.match(data, self._at)
            assert plain is not None
            self._at = plain.end()
            if self._at >= len(data):
                raise Problem(f"Unexpected end-of-input in {what}", self._at)
            code = data[self._at]
            if code == ord('"'):
                self._at += 1
                return
            if code == ord("\\"):
                self._escape(what)
            elif code < 32:
                where = "name" if what == "field name" else "string value"
                raise Problem(
                    f"Illegal unquoted character ({_described(code)}): has to be escaped using backslash to be "
                    f"included in {where}",
                    self._at,
                )
            else:
                self._decoded(consume=True)

    def _escape(self, what: str) -> None:
        self._at += 1
        if self._at >= len(self._data):
            raise Problem("Unexpected end-of-input in character escape sequence", self._at)
        code = self._data[self._at]
        if code == ord("u"):
            for _ in range(4):
                self._at += 1
                if self._at >= len(self._data):
                    raise Problem("Unexpected end-of-input in character escape sequence", self._at)
                if self._data[self._at] not in b"0123456789abcdefABCDEF":
                    self._unexpected(self._data[self._at], "expected a hex-digit for character escape sequence")
        elif code not in b'"\\/bfnrt':
            raise Problem(f"Unrecognized character escape {_described(self._decoded())}", self._at)
        self._at += 1

    def _decoded(self, consume: bool = False) -> int:
        """The code point at this place. Raises Problem for bytes that are no UTF-8."""
        data, at = self._data, self._at
        first = data[at]
        length = 1 if first < 128 else 2 if first >> 5 == 6 else 3 if first >> 4 == 14 else 4 if first >> 3 == 30 else 0
        if not length:
            raise Problem(f"Invalid UTF-8 start byte 0x{first:x}", at + 1)
        code = first if length == 1 else first & (0x7F >> length)
        for position in range(at + 1, at + length):
            if position >= len(data):
                raise Problem("Unexpected end-of-input in VALUE_STRING", position)
            if data[position] >> 6 != 2:
                raise Problem(f"Invalid UTF-8 middle byte 0x{data[position]:x}", position + 1)
            code = code << 6 | data[position] & 0x3F
        if consume:
            self._at += length
        return min(code, 0x10FFFF)

    def _unexpected(self, code: int, rule: str, at: int | None = None) -> NoReturn:
        raise Problem(f"Unexpected character ({_described(code)}): {rule}", self._at if at is None else at)
