"""What is configured for a whole bucket, and its end.

Most configurations are kept and given back, and that is all they do: simbus checks no permissions, serves no website,
answers no browser's preflight. Those with an effect here: encryption (new objects name it), ownership controls (they
switch ACLs off). Source: S3 API reference, "Error responses" and the operations' own pages.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Final

from simbus.errors import AwsError
from simbus.sources.base import operation, twin
from simbus.sources.s3.acl import checked_acl, is_public
from simbus.sources.s3.details import Details
from simbus.sources.s3.encryption import of_bucket
from simbus.sources.s3.notifying import Notifying
from simbus.sources.s3.policies import allows_anybody, check_policy, is_public_policy
from simbus.sources.s3.settings import checked_tags

_ABSENT: Final = {
    "cors": ("NoSuchCORSConfiguration", "The CORS configuration does not exist"),
    "lifecycle": ("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"),
    "object_lock": (
        "ObjectLockConfigurationNotFoundError",
        "Object Lock configuration does not exist for this bucket",
    ),
    "ownership_controls": ("OwnershipControlsNotFoundError", "The bucket ownership controls were not found"),
    "policy": ("NoSuchBucketPolicy", "The bucket policy does not exist"),
    "public_access_block": (
        "NoSuchPublicAccessBlockConfiguration",
        "The public access block configuration was not found",
    ),
    "replication": ("ReplicationConfigurationNotFoundError", "The replication configuration was not found"),
    "tagging": ("NoSuchTagSet", "The TagSet does not exist"),
    "website": ("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration"),
}
_DEFAULT_ENCRYPTION: Final = {
    "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]
}
MAXIMUM_TAGS: Final = 50


class Configuring(Notifying, Details):
    """As every bucket since April 2023 a new one has ACLs off and all public access blocked."""

    @operation
    def put_bucket_configuration(self, kind: str, configuration: Any) -> None:
        """Keep a configuration: AWS's JSON of `cors`, `website`, `public_access_block`, `policy` (text) ...

        `ownership_controls` BucketOwnerEnforced switches ACLs off; `encryption` is what new objects have that name
        none. Raises AwsError MalformedXML, MalformedPolicy, AccessDenied, InvalidBucketAclWithObjectOwnership.
        """
        if kind == "ownership_controls":
            self._access.set_ownership(configuration, self._configurations.get("acl", "private"))
            return
        if kind == "public_access_block":
            self._access.set_block(configuration)
            return
        if kind == "policy":
            check_policy(configuration, self.arn)
            self._access.check_policy(is_public_policy(configuration))
        elif kind == "encryption":
            self._encryption = of_bucket(configuration, self._world.account)
        self._configurations[kind] = deepcopy(configuration)

    aput_bucket_configuration = twin(put_bucket_configuration)

    @operation
    def get_bucket_configuration(self, kind: str) -> Any:
        """What was put. Raises the AwsError that S3 has for an absent one (404), such as NoSuchCORSConfiguration."""
        return self._configuration(kind)

    aget_bucket_configuration = twin(get_bucket_configuration)

    def _configuration(self, kind: str) -> Any:
        found = self._configurations.get(kind)
        if kind == "ownership_controls" and self._access.ownership is not None:
            found = {"Rules": [{"ObjectOwnership": self._access.ownership}]}
        elif kind == "public_access_block":
            found = self._access.block
        if found is not None:
            return deepcopy(found)
        if kind == "encryption":
            return deepcopy(_DEFAULT_ENCRYPTION)
        code, message = _ABSENT[kind]
        raise AwsError(code, message, 404, BucketName=self.resource)

    @operation
    def delete_bucket_configuration(self, kind: str) -> None:
        """Absent ones are no error."""
        self._configurations.pop(kind, None)
        if kind == "ownership_controls":
            self._access.ownership = None
        elif kind == "public_access_block":
            self._access.block = None
        elif kind == "encryption":
            self._encryption = None

    adelete_bucket_configuration = twin(delete_bucket_configuration)

    def is_public(self, key: str) -> bool:
        """Whether anybody may read the object without a signature: by its ACL, or by a statement of the policy.

        A statement counts that allows s3:GetObject of the key to everybody under no condition. Absent keys are not, and
        neither is what the bucket blocks.
        """
        stored = self._objects.current.get(key)
        if stored is None:
            return False
        access = self._access
        if access.acls_enabled and not access.blocks("IgnorePublicAcls") and is_public(stored.acl):
            return True
        return not access.blocks("RestrictPublicBuckets") and allows_anybody(
            self._configurations.get("policy", "{}"), f"{self.arn}/{key}"
        )

    @operation
    def put_bucket_acl(self, acl: Any) -> None:
        """As `put_object_acl`. Raises AwsError InvalidArgument, AccessControlListNotSupported, AccessDenied."""
        checked_acl(acl)
        self._access.check_acl(acl, "PutBucketAcl")
        self._configurations["acl"] = deepcopy(acl)

    aput_bucket_acl = twin(put_bucket_acl)

    @operation
    def get_bucket_acl(self) -> dict[str, Any]:
        """`{"Owner": {"ID"}, "Grants": [...]}`."""
        return self._access.shown(self._configurations.get("acl", "private"))

    aget_bucket_acl = twin(get_bucket_acl)

    @operation
    def put_bucket_tagging(self, tags: Any) -> None:
        """Replace the tags, up to 50: `{"a": "b"}` or AWS's TagSet. Raises AwsError InvalidTag, BadRequest."""
        self._configurations["tagging"] = checked_tags(tags, MAXIMUM_TAGS)

    aput_bucket_tagging = twin(put_bucket_tagging)

    @operation
    def get_bucket_tagging(self) -> dict[str, Any]:
        """`{"TagSet": [{"Key", "Value"}]}`. Raises AwsError NoSuchTagSet (404)."""
        tags = self._configuration("tagging")
        return {"TagSet": [{"Key": name, "Value": value} for name, value in tags.items()]}

    aget_bucket_tagging = twin(get_bucket_tagging)

    @operation
    def delete_bucket_tagging(self) -> None:
        """No tags any more."""
        self._configurations.pop("tagging", None)

    adelete_bucket_tagging = twin(delete_bucket_tagging)

    @operation
    def delete_bucket(self) -> None:
        """Delete the bucket; events that wait for a retry are still delivered. Raises AwsError BucketNotEmpty (409)."""
        if self._objects.current:
            more = "" if self._versioning is None else ". You must delete all versions in the bucket."
            message = f"The bucket you tried to delete is not empty{more}"
            raise AwsError("BucketNotEmpty", message, 409, BucketName=self.resource)
        self._notify([], False)
        self._world.targets.pop(self.arn, None)

    adelete_bucket = twin(delete_bucket)
