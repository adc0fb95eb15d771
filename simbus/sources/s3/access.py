"""What a bucket allows: access control lists at all (object ownership), and what everybody could read or write.

Sources: S3 user guide, "Controlling ownership of objects and disabling ACLs for your bucket", "Blocking public access
to your Amazon S3 storage", "Default settings for new S3 buckets FAQ" (since April 2023: ACLs off, everything public
blocked).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from simbus.errors import AwsError
from simbus.functions.identity import caller_arn
from simbus.sources.s3.acl import grants, grants_to_everybody
from simbus.sources.s3.errors import argument, malformed
from simbus.sources.s3.record import canonical_user
from simbus.world import World

ENFORCED: Final = "BucketOwnerEnforced"
OWNERSHIPS: Final = (ENFORCED, "BucketOwnerPreferred", "ObjectWriter")
BLOCKS: Final = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


class Access:
    """The two settings of a bucket. `ownership` None: its controls were deleted, which is as if it were ObjectWriter.

    `block` None: the same; then nothing is blocked.
    """

    def __init__(self, world: World, arn: str, ownership: str) -> None:
        if ownership not in OWNERSHIPS:
            raise argument(f"Invalid x-amz-object-ownership header: {ownership}", "x-amz-object-ownership", ownership)
        self._world = world
        self._arn = arn
        self.ownership: str | None = ownership
        self.block: dict[str, bool] | None = dict.fromkeys(BLOCKS, True)

    @property
    def acls_enabled(self) -> bool:
        return self.ownership != ENFORCED

    def blocks(self, what: str) -> bool:
        """Whether one of the four blocks of public access is on."""
        return self.block is not None and self.block[what]

    def set_ownership(self, controls: Mapping[str, Any], acl: Any) -> None:
        """PutBucketOwnershipControls; `acl` is the bucket's own.

        Raises AwsError MalformedXML; InvalidBucketAclWithObjectOwnership where that lets others in.
        """
        rules = controls.get("Rules") or []
        if len(rules) != 1 or rules[0].get("ObjectOwnership") not in OWNERSHIPS:
            raise malformed()
        ownership = rules[0]["ObjectOwnership"]
        if ownership == ENFORCED and not self._is_the_owners(acl):
            raise _not_with_acl()
        self.ownership = ownership

    def set_block(self, block: Mapping[str, bool]) -> None:
        """PutPublicAccessBlock: what is not named is off."""
        self.block = {name: bool(block.get(name, False)) for name in BLOCKS}

    def check_new_bucket(self, acl: Any) -> None:
        """The ACL of a CreateBucket. Raises AwsError InvalidBucketAclWith{ObjectOwnership,BlockPublicAccessError}."""
        if not self.acls_enabled and not self._is_the_owners(acl):
            raise _not_with_acl()
        if grants_to_everybody(acl):
            raise AwsError(
                "InvalidBucketAclWithBlockPublicAccessError",
                "Bucket cannot have public ACLs set with BlockPublicAccess enabled",
            )

    def check_acl(self, acl: Any, action: str, key: str | None = None) -> None:
        """The ACL of a request. Raises AwsError AccessControlListNotSupported; AccessDenied (403) for a public one."""
        if not self.acls_enabled:
            written_out = isinstance(acl, Mapping) and "Grants" in acl and self._is_the_owners(acl)
            if acl != "bucket-owner-full-control" and not written_out:
                raise AwsError("AccessControlListNotSupported", "The bucket does not allow ACLs")
        elif self.blocks("BlockPublicAcls") and grants_to_everybody(acl):
            raise self._denied(action, key, "public ACLs", "BlockPublicAcls")

    def check_policy(self, public: bool) -> None:
        """A bucket policy that is `public` or not. Raises AwsError AccessDenied (403)."""
        if public and self.blocks("BlockPublicPolicy"):
            raise self._denied("PutBucketPolicy", None, "public policies", "BlockPublicPolicy")

    def shown(self, acl: Any) -> dict[str, Any]:
        """AWS's AccessControlPolicy: `{"Owner": {"ID"}, "Grants": [...]}`; the owner's alone where ACLs are off."""
        owner = canonical_user(self._world.account.id)
        return {"Owner": {"ID": owner}, "Grants": grants(acl if self.acls_enabled else "private", owner)}

    def _is_the_owners(self, acl: Any) -> bool:
        owner = canonical_user(self._world.account.id)
        return all(grant["Grantee"].get("ID") == owner for grant in grants(acl, owner))

    def _denied(self, action: str, key: str | None, what: str, setting: str) -> AwsError:
        resource = self._arn if key is None else f"{self._arn}/{key}"
        return AwsError(
            "AccessDenied",
            f"User: {caller_arn(self._world)} is not authorized to perform: s3:{action} on resource: "
            f'"{resource}" because {what} are prevented by the {setting} setting in S3 Block Public Access.',
            403,
        )


def _not_with_acl() -> AwsError:
    return AwsError(
        "InvalidBucketAclWithObjectOwnership",
        f"Bucket cannot have ACLs set with ObjectOwnership's {ENFORCED} setting",
    )
