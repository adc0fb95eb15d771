"""AWS STS: who am I, and other credentials for a while. https://docs.aws.amazon.com/STS/latest/APIReference/

Nobody checks a permission here, so policies, tags and MFA codes of a request have no effect. What was handed out is
never asked for again either: a client that is made with it acts for the same account.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b32encode, b64encode
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from simbus.aws.table import Api, Response
from simbus.errors import AwsError
from simbus.functions.identity import acting, caller_arn, role_of

if TYPE_CHECKING:
    from simbus.resources import Resources

api = Api("sts")
_ROLE: Final = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):role/(?:[\w+=,.@/-]*/)?([\w+=,.@-]+)")


@api.operation
def get_caller_identity(account: Resources) -> Response:
    """The account; inside a handler the session of its execution role, outside a user."""
    config = acting(account.world)
    user = "AIDASIMBUSEXAMPLE0000"
    if config is not None:
        user = f"{_role_id(role_of(account.world, config).rpartition('/')[2])}:{config.name}"
    return {"UserId": user, "Account": account.world.account.id, "Arn": caller_arn(account.world)}


@api.operation
def assume_role(
    account: Resources,
    *,
    RoleArn: str,
    RoleSessionName: str,
    DurationSeconds: int = 3_600,
    Policy: str | None = None,
    PolicyArns: Sequence[Any] = (),  # what they allow: nobody asks
    Tags: Sequence[Any] = (),  # seen by policies only
    TransitiveTagKeys: Sequence[str] = (),  # the same
    ExternalId: str | None = None,  # asked for by a role's trust policy, and roles have none here
    SerialNumber: str | None = None,  # of an MFA device, which nobody demands
    TokenCode: str | None = None,  # the same
    SourceIdentity: str | None = None,
) -> Response:
    """Credentials that expire in virtual time. https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"""
    _check_text("roleArn", RoleArn, 20, 2048)
    _check_text("roleSessionName", RoleSessionName, 2, 64, r"[\w+=,.@-]*")
    match = _ROLE.fullmatch(RoleArn)
    if match is None:
        raise AwsError("ValidationError", f"{RoleArn} is invalid")
    if Policy is not None:
        _check_policy(Policy)
    if DurationSeconds > 3_600 and acting(account.world) is not None:
        raise AwsError(
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        )
    number, role = match.groups()
    user = {"AssumedRoleId": f"{_role_id(role)}:{RoleSessionName}", "Arn": _session(number, role, RoleSessionName)}
    found: Response = {
        "Credentials": _credentials(account, DurationSeconds, 43_200),
        "AssumedRoleUser": user,
    }
    if SourceIdentity is not None:
        found["SourceIdentity"] = SourceIdentity
    return found


@api.operation
def get_session_token(
    account: Resources,
    *,
    DurationSeconds: int = 43_200,
    SerialNumber: str | None = None,  # of an MFA device, which nobody demands
    TokenCode: str | None = None,  # the same
) -> Response:
    """Of a user: a role's session can't have one."""
    if acting(account.world) is not None:
        raise AwsError("AccessDenied", "Cannot call GetSessionToken with session credentials", 403)
    return {"Credentials": _credentials(account, DurationSeconds, 129_600)}


def _check_text(name: str, text: str, least: int, most: int, pattern: str = ".*") -> None:
    """Raises AwsError ValidationError."""
    if len(text) < least:
        rule = f"have length greater than or equal to {least}"
    elif len(text) > most:
        rule = f"have length less than or equal to {most}"
    elif not re.fullmatch(pattern, text, re.DOTALL):
        rule = f"satisfy regular expression pattern: {pattern}"
    else:
        return
    raise AwsError(
        "ValidationError",
        f"1 validation error detected: Value '{text}' at '{name}' failed to satisfy constraint: Member must {rule}",
    )


def _check_policy(policy: str) -> None:
    """Nobody asks what it allows, but it must be JSON. Raises AwsError MalformedPolicyDocument."""
    try:
        msgspec.json.decode(policy, type=dict)
    except msgspec.MsgspecError:
        raise AwsError("MalformedPolicyDocument", "This policy contains invalid Json") from None


def _credentials(account: Resources, seconds: int, longest: int) -> dict[str, Any]:
    """New credentials for 900 s to `longest` seconds. Raises AwsError ValidationError."""
    if not 900 <= seconds <= longest:
        bound, limit = ("greater", 900) if seconds < 900 else ("less", longest)
        raise AwsError(
            "ValidationError",
            f"1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to satisfy constraint: Member "
            f"must have value {bound} than or equal to {limit}",
        )
    rng = account.world.timeline.rng("aws/sts")
    return {
        "AccessKeyId": "ASIA" + b32encode(rng.randbytes(10)).decode(),
        "SecretAccessKey": b64encode(rng.randbytes(30)).decode(),
        "SessionToken": b64encode(rng.randbytes(180)).decode(),
        "Expiration": account.world.datetime().replace(microsecond=0) + timedelta(seconds=seconds),
    }


def _session(number: str, role: str, name: str) -> str:
    return f"arn:aws:sts::{number}:assumed-role/{role}/{name}"


def _role_id(role: str) -> str:
    """The unique id of a role: 21 letters and digits, the same whenever it is asked for."""
    return "AROA" + b32encode(hashlib.sha256(role.encode()).digest()).decode()[:17]
