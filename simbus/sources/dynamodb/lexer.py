"""The tokens of an expression, and AWS's answer where one is in the wrong place."""

from __future__ import annotations

import re
from typing import Final, NoReturn

from simbus.sources.dynamodb.errors import invalid

# A placeholder, a name, a number, a sign of two characters or any other character.
_TOKEN: Final = re.compile(r"[#:][A-Za-z0-9_]+|[A-Za-z][A-Za-z0-9_]*|[0-9]+|<>|<=|>=|\S", re.ASCII)


class Tokens:
    """Hands out the tokens of `text`, which is the value of the request's `parameter`."""

    __slots__ = ("_at", "_found", "_parameter", "_text")

    def __init__(self, text: str, parameter: str) -> None:
        self._text = text
        self._parameter = parameter
        self._found = [match.span() for match in _TOKEN.finditer(text)]
        self._at = 0

    @property
    def word(self) -> str:
        """The next token; empty at the end."""
        return self._word(self._at)

    @property
    def after(self) -> str:
        """The token after the next one; empty at the end."""
        return self._word(self._at + 1)

    def _word(self, at: int) -> str:
        if at >= len(self._found):
            return ""
        start, end = self._found[at]
        return self._text[start:end]

    def take(self) -> str:
        """The next token, which is done with."""
        word = self.word
        self._at += 1
        return word

    def expect(self, word: str) -> None:
        """Take that token. Raises AwsError where another one stands there."""
        if self.word != word:
            self.refuse()
        self._at += 1

    def refuse(self) -> NoReturn:
        """Raise AWS's ValidationException for the next token; "near" is from the one before it to the one behind it.

        (Answers of AWS in public issues: token "-", near "a-b"; token ":", near "hits : incr"; and of
        github.com/paritysuite/dynamodb-conformance: "INVALID", near "INVALID SYNTAX"; "!", near "!!".)
        """
        found, at = self._found, self._at
        start = found[max(at - 1, 0)][0] if found else 0
        end = found[min(at + 1, len(found) - 1)][1] if found else 0
        self.fail(f'Syntax error; token: "{self.word or "<EOF>"}", near: "{self._text[start:end]}"')

    def fail(self, what: str) -> NoReturn:
        """Raise AWS's ValidationException in the name of the parameter."""
        raise invalid(f"Invalid {self._parameter}: {what}")
