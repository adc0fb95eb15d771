"""Amazon S3: a bucket."""

from __future__ import annotations

from simbus.sources.s3.configuring import Configuring
from simbus.sources.s3.deleting import Deleting
from simbus.sources.s3.listing import Listing
from simbus.sources.s3.reading import Reading
from simbus.sources.s3.uploads import Uploads
from simbus.sources.s3.writing import Writing


class Bucket(Configuring, Listing, Uploads, Writing, Reading, Deleting):
    """An S3 bucket. https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html

    `versioning` switches versioning on from the start, `location_constraint` is the Region where it is another one than
    that of the account. Names have 3 to 63 of a-z, 0-9, `.` and `-`, keys up to 1,024 bytes of UTF-8. Answers are
    AWS's, as dicts. Raises AwsError InvalidBucketName.
    """
