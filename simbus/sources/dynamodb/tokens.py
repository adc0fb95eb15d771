"""ClientRequestToken: a transaction that is sent again within ten minutes is done once.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final
from weakref import WeakKeyDictionary

import msgspec

from simbus.errors import AwsError
from simbus.kernel import MINUTE
from simbus.sources.dynamodb.errors import constraint
from simbus.world import World

LIFETIME: Final = 10 * MINUTE  # "after the first request that uses it is completed"
_UNDERWAY: Final = -1
_tokens: WeakKeyDictionary[World, dict[str, tuple[int, bytes]]] = WeakKeyDictionary()  # by account


class Token:
    """One request with its token: `used_before`, then `begin`, then `end` or `forget`."""

    def __init__(self, world: World, text: str, requests: Sequence[Any]) -> None:
        if not 1 <= len(text) <= 36:
            bound = "less than or equal to 36" if text else "greater than or equal to 1"
            raise constraint(text, "clientRequestToken", f"Member must have length {bound}")
        self._known = _tokens.setdefault(world, {})
        self._world = world
        self._text = text
        self._print = sha256(msgspec.json.encode(requests, order="deterministic")).digest()

    def used_before(self) -> bool:
        """Whether an equal request with it has been done. Raises AwsError where another one was, or it is not yet."""
        self._drop_expired()
        when, known = self._known.get(self._text, (0, self._print))
        if known != self._print:
            raise AwsError(
                "IdempotentParameterMismatchException",
                "DynamoDB rejected the request because you retried a request with a different payload but with an "
                "idempotent token that was already used.",
            )
        if when == _UNDERWAY:
            raise AwsError(
                "TransactionInProgressException",
                "The transaction with the given request token is already in progress.",
            )
        return self._text in self._known

    def _drop_expired(self) -> None:
        oldest = self._world.timeline.now - LIFETIME
        for text, (when, _) in self._known.items():  # in the order in which they were done
            if when == _UNDERWAY:
                continue
            if when > oldest:
                return
            del self._known[text]
            self._drop_expired()
            return

    def begin(self) -> None:
        """The request is being done."""
        self._known[self._text] = (_UNDERWAY, self._print)

    def end(self) -> None:
        """It is done."""
        self.forget()
        self._known[self._text] = (self._world.timeline.now, self._print)

    def forget(self) -> None:
        """It came to nothing."""
        self._known.pop(self._text, None)
