"""Recursive loop detection: a function that runs for the 17th time in one chain of requests is stopped.

Source: Developer Guide, "Use Lambda recursive loop detection to prevent infinite loops": about 16 invocations in the
same chain; Lambda, SQS, SNS and S3 carry the chain on, other sources do not; a function with RecursiveLoop `Allow` is
not stopped.
"""

from __future__ import annotations

from typing import Protocol

from simbus.functions.config import FunctionConfig
from simbus.model import Lineage

LONGEST_CHAIN = 16


class _Counts(Protocol):
    def count(self, name: str) -> None: ...


class _Function(Protocol):
    @property
    def arn(self) -> str: ...
    @property
    def config(self) -> FunctionConfig: ...
    @property
    def metrics(self) -> _Counts: ...


class RecursionGuard:
    """Counts how often each function has run in a chain of requests."""

    message = "Lambda stopped a recursive loop: the function was invoked 16 times in the same chain of requests."

    def __init__(self) -> None:
        self._first: dict[str, Lineage] = {}  # the beginning of every chain, by function

    def follow(self, lineage: Lineage | None, arn: str) -> Lineage:
        """The chain with one more invocation of this function."""
        if lineage is None:
            return self._first.get(arn) or self._first.setdefault(arn, {arn: 1})
        return {**lineage, arn: lineage.get(arn, 0) + 1}

    def stops(self, lineage: Lineage | None, function: _Function) -> bool:
        """Whether this invocation, counted already by `follow`, is one too many; it must be dropped then."""
        if lineage is None or lineage[function.arn] <= LONGEST_CHAIN or function.config.recursive_loop == "Allow":
            return False
        function.metrics.count("RecursiveInvocationsDropped")
        return True
