"""Which multipart uploads are under way, and which parts they have: ListMultipartUploads, ListParts."""

from __future__ import annotations

from typing import Any

from simbus.sources.base import operation, twin
from simbus.sources.s3.errors import argument
from simbus.sources.s3.multipart import Multipart, Upload, shown
from simbus.sources.s3.objects import Page


class Uploads(Multipart):
    """Lists of what is not an object yet."""

    @operation
    def list_parts(
        self, key: str, upload_id: str, *, max_parts: int = 1000, part_number_marker: int = 0
    ) -> dict[str, Any]:
        """`Parts` behind the marker, up to 1,000 a page. Raises AwsError NoSuchUpload, InvalidArgument."""
        upload = self._upload(key, upload_id)
        most = _checked("max-parts", max_parts)
        behind = sorted(number for number in upload.parts if number > part_number_marker)
        found: dict[str, Any] = {
            "Bucket": self.resource,
            "Key": key,
            "UploadId": upload_id,
            "PartNumberMarker": part_number_marker,
            "NextPartNumberMarker": behind[:most][-1] if behind[:most] else 0,
            "MaxParts": most,
            "IsTruncated": len(behind) > most,
            "StorageClass": upload.template.storage_class,
            **_algorithm(upload),
        }
        if behind[:most]:
            found["Parts"] = [
                {
                    "PartNumber": number,
                    "LastModified": self._modified(upload.parts[number]),
                    "ETag": f'"{upload.parts[number].etag}"',
                    "Size": upload.parts[number].size,
                    **shown(upload.parts[number].checksum),
                }
                for number in behind[:most]
            ]
        return found

    alist_parts = twin(list_parts)

    @operation
    def list_multipart_uploads(
        self,
        prefix: str = "",
        *,
        delimiter: str = "",
        max_uploads: int = 1000,
        key_marker: str = "",
        upload_id_marker: str = "",
    ) -> dict[str, Any]:
        """`Uploads` by key, then by their beginning; up to 1,000 a page. Raises AwsError InvalidArgument."""
        most = _checked("max-uploads", max_uploads)
        entries = [(upload.key, upload.id) for upload in sorted(self._uploads.values(), key=_place)]
        if upload_id_marker and (key_marker, upload_id_marker) in entries:
            entries = entries[entries.index((key_marker, upload_id_marker)) + 1 :]
        else:
            entries = [entry for entry in entries if entry[0] > key_marker]
        page = Page((entry for entry in entries if entry[0].startswith(prefix)), prefix, delimiter, key_marker, most)
        found: dict[str, Any] = {
            "Bucket": self.resource,
            "KeyMarker": key_marker,
            "UploadIdMarker": upload_id_marker,
            "Prefix": prefix,
            "MaxUploads": most,
            "IsTruncated": page.truncated,
        }
        if delimiter:
            found["Delimiter"] = delimiter
        if page.entries or page.common_prefixes:
            found["NextKeyMarker"], found["NextUploadIdMarker"] = page.last
        if page.entries:
            found["Uploads"] = [self._described(self._uploads[upload_id]) for _, upload_id in page.entries]
        if page.common_prefixes:
            found["CommonPrefixes"] = [{"Prefix": common} for common in page.common_prefixes]
        return found

    alist_multipart_uploads = twin(list_multipart_uploads)

    def _described(self, upload: Upload) -> dict[str, Any]:
        return {
            "UploadId": upload.id,
            "Key": upload.key,
            "Initiated": self._world.datetime(upload.initiated).replace(microsecond=0),
            "StorageClass": upload.template.storage_class,
            **_algorithm(upload),
        }


def _place(upload: Upload) -> tuple[str, int]:
    return upload.key, upload.initiated


def _algorithm(upload: Upload) -> dict[str, str]:
    if upload.algorithm is None:
        return {}
    return {"ChecksumAlgorithm": upload.algorithm, "ChecksumType": str(upload.checksum_type)}


def _checked(name: str, most: int) -> int:
    if not 0 <= most <= 2**31 - 1:
        raise argument(f"Argument {name} must be an integer between 0 and 2147483647", name, str(most))
    return min(most, 1000)
