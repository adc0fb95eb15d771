"""The filter policy of an SNS subscription, over a message's attributes or over its body."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from math import prod
from typing import Any, Final, Literal

import msgspec

from simbus.errors import AwsError
from simbus.filtering.compile import OR, Rules, compile_text, source_of
from simbus.filtering.dialect import SNS
from simbus.filtering.matching import EventPattern
from simbus.filtering.rejection import PatternRejected, TooManyCombinations
from simbus.filtering.tokens import Tokens

FilterPolicyScope = Literal["MessageAttributes", "MessageBody"]

ON_SUBSCRIBE: Final = "Invalid parameter: Attributes Reason: FilterPolicy: "
ON_SET_ATTRIBUTES: Final = "Invalid parameter: FilterPolicy: "
MAX_KEYS: Final = 5
MAX_COMBINATIONS: Final = 150

_TOO_COMPLEX: Final = "Filter policy is too complex"
_DECODER: Final = json.JSONDecoder()


class FilterPolicy:
    """A compiled filter policy. Immutable. A policy without a pattern lets every message pass."""

    __slots__ = ("_pattern", "scope")

    def __init__(self, pattern: EventPattern | None, scope: FilterPolicyScope) -> None:
        self._pattern = pattern
        self.scope: FilterPolicyScope = scope

    def matches(self, body: str, message_attributes: Mapping[str, Mapping[str, Any]] | None = None) -> bool:
        """Whether a message passes, judged by what the policy's scope looks at."""
        if self.scope == "MessageBody":
            return self.matches_body(body)
        return self.matches_attributes(message_attributes or {})

    def matches_attributes(self, message_attributes: Mapping[str, Mapping[str, Any]]) -> bool:
        """Whether the attributes satisfy the policy.

        An attribute is `{"Type": ..., "Value": ...}` or, as published, `{"DataType": ..., "StringValue": ...}`. A
        String.Array is matched element by element, a Number by its value; Binary is as if it were not there
        (https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html).
        """
        if self._pattern is None:
            return True
        decoded = {name: _decode_attribute(attribute) for name, attribute in message_attributes.items()}
        return self._pattern.matches({name: value[0] for name, value in decoded.items() if value})

    def matches_body(self, body: str) -> bool:
        """Whether the body satisfies the policy; a body that is not a JSON object never does."""
        if self._pattern is None:
            return True
        try:
            event = msgspec.json.decode(body)
        except (msgspec.DecodeError, RecursionError, UnicodeError):
            return False
        return self._pattern.matches(event)


def compile_filter_policy(
    policy: str | dict[str, Any],
    scope: FilterPolicyScope = "MessageAttributes",
    prefix: str = ON_SUBSCRIBE,
) -> FilterPolicy:
    """The filter policy of a subscription; empty text or `{}` removes the filter.

    `prefix` opens the error message: ON_SUBSCRIBE or ON_SET_ATTRIBUTES. Raises AwsError `InvalidParameter`
    (recordings TestSNSFilterPolicyConditions). SNS counts positions in the policy without blanks, so that is what is
    compiled. At most 5 keys (in the body scope: at the top level) and 150 combinations: the product over the keys of
    the number of values times the depth of the key.
    """
    try:
        text, document = _normalise(policy)
        if document in ("", {}):
            return FilterPolicy(None, scope)
        rules = _compile(text)
        _check_limits(rules, document, scope)
    except PatternRejected as error:
        raise AwsError("InvalidParameter", prefix + error.reason) from error
    return FilterPolicy(EventPattern(rules), scope)


def _normalise(policy: str | dict[str, Any]) -> tuple[str, Any]:
    """The policy as SNS stores it: without blanks, the last of equal keys; and the document it stands for."""
    source = source_of(policy).lstrip(" \t\r\n")
    if not source:
        return "", ""
    try:
        Tokens(source).skip_document()
        document, _ = _DECODER.raw_decode(source)
    except PatternRejected as error:
        raise PatternRejected(f"failed to parse JSON. {error.reason}") from error
    except ValueError as error:
        raise PatternRejected(f"failed to parse JSON. {error}") from error
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")), document


def _compile(text: str) -> Rules:
    try:
        return compile_text(text, SNS)
    except TooManyCombinations as error:
        raise PatternRejected(_TOO_COMPLEX) from error


def _check_limits(rules: Rules, document: dict[str, Any], scope: FilterPolicyScope) -> None:
    if len(_keys(document)) > MAX_KEYS:
        raise PatternRejected(f"Filter policy can not have more than {MAX_KEYS} keys")
    if scope == "MessageAttributes" and any(condition.depth > 1 for rule in rules for condition in rule.values()):
        raise PatternRejected("Filter policy scope MessageAttributes does not support nested filter policy")
    if sum(prod(each.size * each.depth for each in rule.values()) for rule in rules) > MAX_COMBINATIONS:
        raise PatternRejected(_TOO_COMPLEX)


def _keys(document: dict[str, Any]) -> set[str]:
    """The keys at the top level, those inside `$or` included."""
    keys = {name for name in document if name != OR}
    for alternative in document.get(OR, ()):
        keys |= _keys(alternative)
    return keys


def _decode_attribute(attribute: Mapping[str, Any]) -> tuple[Any, ...]:
    """The value that an attribute is matched by, or nothing where it is not matched."""
    kind = str(attribute.get("Type") or attribute.get("DataType") or "")
    value = attribute["Value"] if "Value" in attribute else attribute.get("StringValue")
    if value is None or kind.split(".")[0] == "Binary":
        return ()
    if kind == "String.Array":
        return (_decode_array(str(value)),)
    return _decode_number(str(value)) if kind.split(".")[0] == "Number" else (str(value),)


def _decode_array(text: str) -> Any:
    try:
        array = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return text
    return array if isinstance(array, list) else text


def _decode_number(text: str) -> tuple[Any, ...]:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return ()
    return (number,) if number.is_finite() else ()
