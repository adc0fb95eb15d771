"""Bucket policies: what S3 refuses of one, whether it is public, and what it lets everybody read.

Sources: S3 user guide, "Blocking public access to your Amazon S3 storage" (The meaning of "public"); the documentation
of PublicAccessBlockConfiguration in the SDK for .NET; the texts of MalformedPolicy as users quote them
(versity/versitygw#645 to #650, humanmade/S3-Uploads#239, noobaa/noobaa-core#10058). Whether a principal exists is not
looked at: there are no users here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from ipaddress import ip_network
from typing import Any, Final

import msgspec

from simbus.errors import AwsError
from simbus.sources.s3.actions import of_bucket, of_object

_PRINCIPAL: Final = re.compile(r"\*|\d{12}|arn:aws[a-z-]*:(iam|sts)::(\d{12}|cloudfront):.+")
_FIXED: Final = frozenset(
    (
        *("aws:sourcearn", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceaccount", "aws:sourceowner", "aws:userid"),
        *("aws:principalorgid", "aws:principalarn", "aws:principalaccount"),
        *("s3:x-amz-server-side-encryption-aws-kms-key-id", "s3:dataaccesspointarn", "s3:dataaccesspointaccount"),
    )
)
_EQUAL: Final = ("stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike")
_BROADEST: Final = {4: 8, 6: 32}  # the shortest prefix of a network that is not everybody


def check_policy(text: str, bucket_arn: str) -> None:
    """Raises AwsError MalformedPolicy (400) for what PutBucketPolicy refuses."""
    try:
        policy = msgspec.json.decode(text)
    except msgspec.DecodeError:
        policy = None
    if not isinstance(policy, dict):
        raise _malformed("Policies must be valid JSON and the first byte must be '{'")
    if not policy.get("Statement"):
        raise _malformed("Missing required field Statement")
    for statement in _listed(policy["Statement"]):
        if not isinstance(statement, dict):
            raise _malformed("Policies must be valid JSON and the first byte must be '{'")
        _check_statement(statement, bucket_arn)


def _check_statement(statement: dict[str, Any], bucket_arn: str) -> None:
    for field in ("Effect", "Principal", "Action", "Resource"):
        if not statement.get(field) and not (field != "Effect" and statement.get(f"Not{field}")):
            raise _malformed(f"Missing required field {field}")
    if statement["Effect"] not in ("Allow", "Deny"):
        raise _malformed(f"Invalid effect: {statement['Effect']}")
    _check_principal(statement.get("Principal") or statement.get("NotPrincipal"))
    condition = statement.get("Condition") or {}
    if not isinstance(condition, dict) or not all(isinstance(keys, dict) for keys in condition.values()):
        raise _malformed("Policy has invalid condition")  # own words
    actions = [_action(each) for each in _either(statement, "Action")]
    if not all(of_bucket(action) or of_object(action) for action in actions):
        raise _malformed("Policy has invalid action")
    resources = _either(statement, "Resource")
    if not all(_is_of(bucket_arn, resource) for resource in resources):
        raise _malformed("Policy has invalid resource")
    if "Action" in statement and "Resource" in statement:
        whole = any("/" not in each for each in resources)
        parts = any("/" in each or each.endswith("*") for each in resources)
        if not all((whole and of_bucket(action)) or (parts and of_object(action)) for action in actions):
            raise _malformed("Action does not apply to any resource(s) in statement")


def _check_principal(principal: Any) -> None:
    if principal == "*":
        return
    kinds = ("AWS", "Service", "Federated", "CanonicalUser")
    if not isinstance(principal, dict) or not all(kind in kinds for kind in principal):
        raise _malformed("Invalid principal in policy")
    if not all(isinstance(each, str) and _PRINCIPAL.fullmatch(each) for each in _listed(principal.get("AWS"))):
        raise _malformed("Invalid principal in policy")


def _action(given: Any) -> str:
    """The action of S3, or the pattern of some, without the service's name in front; "" is none."""
    text = str(given)
    return text if text == "*" else text[3:] if text[:3].lower() == "s3:" else ""


def _is_of(bucket_arn: str, resource: Any) -> bool:
    """A resource is this bucket or something in it."""
    text = str(resource)
    return text.startswith(bucket_arn) and text[len(bucket_arn) :][:1] in ("", "/", "*", "?")


def is_public_policy(policy: str) -> bool:
    """Whether a statement of it lets everybody do something, as S3 understands it.

    It is public unless everything that it allows is limited to fixed values of some condition keys, without a wildcard
    and without a policy variable: a source, a VPC, an account, an organisation; or to networks of some size.
    """
    return any(
        statement.get("Effect") == "Allow"
        and (_is_for_everybody(statement) or "NotPrincipal" in statement)
        and not any(_limits(*condition) for condition in _conditions(statement))
        for statement in _listed(msgspec.json.decode(policy).get("Statement"))
    )


def _conditions(statement: Any) -> Iterator[tuple[str, str, list[str]]]:
    """Operator, key and values of each condition, the first two in lower case."""
    for operator, keys in (statement.get("Condition") or {}).items():
        for key, values in keys.items():
            yield operator.lower(), key.lower(), [str(each) for each in _listed(values)]


def _limits(operator: str, key: str, values: list[str]) -> bool:
    """Whether one condition is enough for a policy not to be public."""
    operator = operator.removeprefix("foranyvalue:")  # ForAllValues: and ...IfExists hold where there is no value, too
    if operator == "ipaddress" and key == "aws:sourceip":
        return all(_is_some(network) for network in values)
    if operator not in _EQUAL or key not in _FIXED:
        return False
    if key == "s3:dataaccesspointarn":  # the name may have a wildcard, the account not
        return all(re.fullmatch(r"arn:aws[a-z-]*:s3:[^:]*:\d{12}:accesspoint/[^$]*", value) for value in values)
    return not any("*" in value or "?" in value or "${" in value for value in values)


def _is_some(network: str) -> bool:
    try:
        found = ip_network(network, strict=False)
    except ValueError:
        return False
    return found.prefixlen >= _BROADEST[found.version]


def allows_anybody(policy: str, arn: str) -> bool:
    """Whether a bucket policy lets everybody get the object of that ARN, and no statement without one denies it."""
    allowed = False
    for statement in _listed(msgspec.json.decode(policy).get("Statement")):
        if (
            _is_for_everybody(statement)
            and _names(statement, "Action", "s3:GetObject")
            and _names(statement, "Resource", arn)
        ):
            if statement.get("Effect") == "Deny":
                return False
            allowed = allowed or not statement.get("Condition")
    return allowed


def _is_for_everybody(statement: Any) -> bool:
    principal = statement.get("Principal")
    return principal == "*" or (isinstance(principal, dict) and "*" in _listed(principal.get("AWS")))


def _names(statement: Any, member: str, wanted: str) -> bool:
    return any(fnmatchcase(wanted, pattern) for pattern in _listed(statement.get(member)))


def _either(statement: dict[str, Any], field: str) -> Iterable[Any]:
    return _listed(statement.get(field) or statement.get(f"Not{field}"))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _malformed(message: str) -> AwsError:
    return AwsError("MalformedPolicy", message)
