"""Which operators each AWS service takes in its patterns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Dialect:
    """`operators`: allowed in a list. `excluded`: allowed inside anything-but, with lists where `excluded_lists`.

    `affixes_ignore_case`: prefix and suffix take `{"equals-ignore-case": text}`. `empty_excluded` is what AWS says of
    an empty prefix or suffix inside anything-but.
    """

    operators: frozenset[str]
    excluded: frozenset[str]
    excluded_lists: bool
    affixes_ignore_case: bool
    empty_excluded: str = "Null prefix/suffix not allowed"


_COMMON: Final = frozenset(("exactly", "prefix", "suffix", "anything-but", "equals-ignore-case", "numeric", "exists"))

# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
EVENTBRIDGE: Final = Dialect(
    operators=_COMMON | {"cidr", "wildcard"},
    excluded=frozenset(("equals-ignore-case", "prefix", "suffix", "wildcard")),
    excluded_lists=True,
    affixes_ignore_case=True,
)

# https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html#filtering-syntax
LAMBDA: Final = Dialect(
    operators=_COMMON,
    excluded=frozenset(),
    excluded_lists=False,
    affixes_ignore_case=False,
)

# https://docs.aws.amazon.com/sns/latest/dg/string-value-matching.html; SNS answers like event-ruler before anything-but
# learned suffix, lists of prefixes and the rest.
SNS: Final = Dialect(
    operators=_COMMON | {"cidr"},
    excluded=frozenset(("prefix",)),
    excluded_lists=False,
    affixes_ignore_case=False,
    empty_excluded="Null prefix not allowed",
)
