"""Amazon S3. https://docs.aws.amazon.com/AmazonS3/latest/API/

buckets         making, finding, emptying and deleting them; versioning, notifications, tags
objects         put, get, head, delete, copy
details         tags, ACL and restore of an object
listing         ListObjectsV2, ListObjects, ListObjectVersions
multipart       uploads in parts
configuration   what a bucket is configured with, most of it without an effect here

Parameters of every operation that have no effect here: RequestPayer (no bucket has another payer than its owner), and
ChecksumAlgorithm of a request that is no object: what reaches this table has no way to be damaged.
"""

from simbus.aws.s3 import buckets, configuration, details, listing, multipart, objects
from simbus.aws.s3.common import api

__all__ = ["api", "buckets", "configuration", "details", "listing", "multipart", "objects"]
