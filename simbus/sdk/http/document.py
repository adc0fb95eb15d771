"""XML documents of S3, in both directions, by botocore's shapes."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from botocore.utils import parse_to_aware_datetime

from simbus.errors import AwsError

NAMESPACE: Final = "http://s3.amazonaws.com/doc/2006-03-01/"
_ROOTS: Final = {
    "CompleteMultipartUpload": "CompleteMultipartUploadResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "DeleteObjects": "DeleteResult",
    "GetBucketAcl": "AccessControlPolicy",
    "GetBucketTagging": "Tagging",
    "GetObjectAcl": "AccessControlPolicy",
    "GetObjectAttributes": "GetObjectAttributesResponse",
    "GetObjectTagging": "Tagging",
    "ListBuckets": "ListAllMyBucketsResult",
    "ListMultipartUploads": "ListMultipartUploadsResult",
    "ListObjectVersions": "ListVersionsResult",
    "ListObjects": "ListBucketResult",
    "ListObjectsV2": "ListBucketResult",
    "ListParts": "ListPartsResult",
}
"""What S3 calls the document of an answer where the service model does not say it."""


def write_document(model: Any, response: Mapping[str, Any]) -> bytes:
    """The document of an answer; empty where the operation has none."""
    shape = model.output_shape
    if shape is None:
        return b""
    payload = shape.serialization.get("payload")
    if payload is not None:
        if payload not in response:
            return b""
        member = shape.members[payload]
        if member.type_name in ("string", "blob"):
            return str(response[payload]).encode()
        name = member.serialization.get("name") or member.name
        return _whole(name, _members(member, response[payload]))
    text = _members(shape, response)
    return _whole(_ROOTS.get(model.name, f"{model.name}Result"), text) if text else b""


def read_document(shape: Any, data: bytes) -> Any:
    """The value of a request's document. Raises AwsError MalformedXML."""
    try:
        root = ElementTree.fromstring(data)
        return _value(shape, root)
    except (ElementTree.ParseError, ValueError):
        raise AwsError(
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema",
        ) from None


def _whole(name: str, text: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{name} xmlns="{NAMESPACE}">{text}</{name}>'.encode()


def _members(shape: Any, value: Mapping[str, Any]) -> str:
    """The members that stand in the document; headers and the like do not."""
    return "".join(
        _element(member.serialization.get("name", name), member, value[name])
        for name, member in shape.members.items()
        if name in value and "location" not in member.serialization and "xmlAttribute" not in member.serialization
    )


def _element(name: str, shape: Any, value: Any) -> str:
    if value is None:
        return ""
    kind = shape.type_name
    if kind == "list":
        flat = shape.serialization.get("flattened")
        item = name if flat else shape.member.serialization.get("name", "member")
        inner = "".join(_element(item, shape.member, each) for each in value)
        return inner if flat else f"<{name}>{inner}</{name}>"
    if kind == "structure":
        return f"<{name}{_attributes(shape, value)}>{_members(shape, value)}</{name}>"
    return f"<{name}>{escape(_text(value))}</{name}>"


def _attributes(shape: Any, value: Mapping[str, Any]) -> str:
    """A grantee says its type as `xsi:type`."""
    return "".join(
        f' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" {member.serialization["name"]}="{value[name]}"'
        for name, member in shape.members.items()
        if member.serialization.get("xmlAttribute") and name in value
    )


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03d}Z"
    return str(value)


def _value(shape: Any, node: ElementTree.Element) -> Any:
    kind = shape.type_name
    if kind == "structure":
        return _structure(shape, node)
    if kind == "list":
        return [_value(shape.member, child) for child in node]
    return scalar(kind, node.text or "")


def _structure(shape: Any, node: ElementTree.Element) -> dict[str, Any]:
    children: dict[str, list[ElementTree.Element]] = {}
    for child in node:
        children.setdefault(_local(child.tag), []).append(child)
    found: dict[str, Any] = {}
    for name, member in shape.members.items():
        wire = member.serialization.get("name", name)
        if member.serialization.get("xmlAttribute"):
            text = next((value for key, value in node.attrib.items() if _local(key) == wire.rpartition(":")[2]), None)
            if text is not None:
                found[name] = text
            continue
        nodes = children.get(wire)
        if nodes is None:
            continue
        flat = member.type_name == "list" and member.serialization.get("flattened")
        found[name] = [_value(member.member, each) for each in nodes] if flat else _value(member, nodes[0])
    return found


def scalar(kind: str, text: str) -> Any:
    """A text as the type of its shape. Raises ValueError."""
    if kind in ("integer", "long"):
        return int(text)
    if kind in ("float", "double"):
        return float(text)
    if kind == "boolean":
        return text.lower() == "true"
    if kind == "timestamp":
        return parse_to_aware_datetime(text)
    return b64decode(text) if kind == "blob" else text


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
