"""An export of a DynamoDB table to S3, in DynamoDB JSON: each item is put again.

A full export has lines of `{"Item": {...}}`, an incremental one `{"Metadata": ..., "Keys": ..., "NewImage": ...}` with
the time of the write. Give one of its files (.json.gz), or the directory of the export (`01234-abcd`), whose manifests
say which files it has and of which table. Source: DynamoDB developer guide, "DynamoDB table export output format".
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from simbus.errors import UsageError
from simbus.recording.formats.access import field, optional
from simbus.recording.formats.base import UNTIMED, Broken, Format, Found, Sample, operation
from simbus.recording.formats.documents import Document, documents
from simbus.recording.names import Names

_MANIFEST = "manifest-files.json"
_SUMMARY = "manifest-summary.json"


def _read(path: Path, names: Names) -> Iterator[Found]:
    if not path.is_dir():
        yield from _items(path, None, names, "")
        return
    arn = _table_arn(path)
    for document in documents(path / _MANIFEST):
        if isinstance(document, Broken):
            yield document._replace(where=f"/{_MANIFEST}{document.where}")
            continue
        key = optional(document.value, "dataFileS3Key")
        if key is None:
            yield Broken(f"/{_MANIFEST}:{document.line}", "dataFileS3Key is missing")
            continue
        # The key begins with the prefix of the export in its bucket; here the directory is where it ends.
        file = path / "data" / key.rpartition("/")[2]
        if not file.exists():
            yield Broken(f"/{_MANIFEST}:{document.line}", f"{file} does not exist")
        else:
            yield from _items(file, arn, names, f"/data/{file.name}")


def _items(path: Path, arn: str | None, names: Names, where: str) -> Iterator[Found]:
    for document in documents(path):
        if isinstance(document, Broken):
            yield document._replace(where=f"{where}{document.where}")
            continue
        try:
            yield _write(document, arn, names)
        except ValueError as error:
            yield Broken.by(f"{where}:{document.line}", error)


def _write(document: Document, arn: str | None, names: Names) -> Found:
    value, line = document.value, document.line
    table = names.only("dynamodb", "a line does not name its table") if arn is None else names.find_arn(arn)
    if not isinstance(value, dict):
        raise ValueError("is no object with an Item")
    if "Keys" not in value:
        return operation(UNTIMED, table, "put_item", line, item=field(value, "Item", kind=dict))
    micros = optional(value, "Metadata", "WriteTimestampMicros", "N")
    if micros is not None and not micros.isdigit():
        raise ValueError(f"WriteTimestampMicros is {micros!r}")
    when = UNTIMED if micros is None else int(micros) * 1_000
    if value.get("NewImage") is None:
        return operation(when, table, "delete_item", line, key=field(value, "Keys", kind=dict))
    return operation(when, table, "put_item", line, item=field(value, "NewImage", kind=dict))


def _table_arn(path: Path) -> str | None:
    """The table that the summary names; None where there is no summary."""
    file = path / _SUMMARY
    if not file.exists():
        return None
    for document in documents(file):
        if isinstance(document, Document):
            kind = optional(document.value, "outputFormat") or "DYNAMODB_JSON"
            if kind != "DYNAMODB_JSON":
                raise UsageError(f"{file}: outputFormat is {kind}; simbus reads DYNAMODB_JSON. Export it in that form.")
            arn: str | None = optional(document.value, "tableArn")
            return arn
    return None


def _detect(sample: Sample) -> bool:
    if sample.path.is_dir():
        return (sample.path / _MANIFEST).exists()
    value: Any = sample.document
    if not isinstance(value, dict):
        return False
    return list(value) == ["Item"] or ("Keys" in value and "Metadata" in value)


FORMAT = Format("dynamodb-export", "an export of a DynamoDB table", _detect, _read, takes_directories=True)
