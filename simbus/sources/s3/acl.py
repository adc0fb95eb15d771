"""Access control lists: what is set in three forms, and shown in one. Nobody is kept out by them here.

Source: S3 user guide, "Access control list (ACL) overview".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from simbus.errors import AwsError, UsageError
from simbus.sources.s3.errors import argument

_GROUPS: Final = "http://acs.amazonaws.com/groups/global/"
_OWNER_ONLY: Final = ("private", "bucket-owner-read", "bucket-owner-full-control")
_CANNED: Final = {
    "public-read": (("AllUsers", "READ"),),
    "public-read-write": (("AllUsers", "READ"), ("AllUsers", "WRITE")),
    "authenticated-read": (("AuthenticatedUsers", "READ"),),
}
_PERMISSIONS: Final = {
    "GrantFullControl": "FULL_CONTROL",
    "GrantRead": "READ",
    "GrantReadACP": "READ_ACP",
    "GrantWrite": "WRITE",
    "GrantWriteACP": "WRITE_ACP",
}
_GRANTEE: Final = re.compile(r'\s*(id|uri|emailAddress)="?([^",]+)"?\s*(?:,|$)')
_MEMBERS: Final = {"id": ("CanonicalUser", "ID"), "uri": ("Group", "URI")}


def checked_acl(acl: Any) -> Any:
    """A canned ACL (`public-read`), AWS's AccessControlPolicy, or grants by header (`{"GrantRead": 'uri="..."'}`).

    Raises AwsError InvalidArgument; UsageError for what is not built (aws-exec-read, grants by e-mail).
    """
    if acl == "aws-exec-read":
        raise UsageError("the ACL aws-exec-read (for bundles of EC2) is not played by simbus. Leave it out.")
    if isinstance(acl, str) and acl not in _OWNER_ONLY and acl not in _CANNED:
        raise argument("Invalid canned ACL.", "x-amz-acl", acl)
    grants(acl, "")
    return acl


def grants(acl: Any, owner: str) -> list[dict[str, Any]]:
    """AWS's Grants; `owner` is the canonical id of the bucket's account."""
    if isinstance(acl, Mapping):
        acl = acl.get("AccessControlPolicy", acl)
        if "Grants" in acl:
            return [dict(grant) for grant in acl["Grants"]]
        return [
            {"Grantee": grantee, "Permission": _PERMISSIONS[name]}
            for name, text in acl.items()
            for grantee in _grantees(name, text)
        ]
    full = {"Grantee": {"ID": owner, "Type": "CanonicalUser"}, "Permission": "FULL_CONTROL"}
    return [
        full,
        *(
            {"Grantee": {"Type": "Group", "URI": _GROUPS + group}, "Permission": permission}
            for group, permission in _CANNED.get(acl, ())
        ),
    ]


def is_public(acl: Any) -> bool:
    """Whether anybody may read."""
    return any(
        grant["Grantee"].get("URI") == f"{_GROUPS}AllUsers" and grant["Permission"] in ("READ", "FULL_CONTROL")
        for grant in grants(acl, "")
    )


def grants_to_everybody(acl: Any) -> bool:
    """Whether it is public, as Block Public Access means it: all users, or all that are authenticated."""
    return any(
        grant["Grantee"].get("URI") in (f"{_GROUPS}AllUsers", f"{_GROUPS}AuthenticatedUsers")
        for grant in grants(acl, "")
    )


def _grantees(name: str, text: str) -> list[dict[str, str]]:
    """`id="...", uri="..."` of a header. Raises AwsError InvalidArgument."""
    if name not in _PERMISSIONS:
        raise UsageError(f"an ACL has {name}; it may have {', '.join(_PERMISSIONS)} or Grants. Correct it.")
    found, at = [], 0
    while at < len(text):
        match = _GRANTEE.match(text, at)
        if match is None:
            raise AwsError("InvalidArgument", "Argument format not recognized", ArgumentName=name, ArgumentValue=text)
        if match[1] not in _MEMBERS:
            raise UsageError(f"{name} names a grantee by e-mail, which simbus does not play. Name an id or a uri.")
        kind, member = _MEMBERS[match[1]]
        found.append({"Type": kind, member: match[2]})
        at = match.end()
    return found
