"""CreateTable's way to say what a table is, as the settings of `Table`; and what AWS refuses in it.

The messages are those that dynalite (https://github.com/architect/dynalite) has compared with AWS.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from simbus.errors import UsageError
from simbus.sources.dynamodb.errors import bad_parameter, constraint, invalid
from simbus.sources.dynamodb.index import IndexSettings

_NAME = re.compile(r"[a-zA-Z0-9_.-]+", re.ASCII)
LOCAL_LIMIT: Final = 5
GLOBAL_LIMIT: Final = 20
UNITS_LIMIT: Final = 10**12
Given = Mapping[str, Any]


def table_settings(
    *,
    attribute_definitions: Sequence[Given],
    key_schema: Sequence[Given],
    local_secondary_indexes: Sequence[Given] | None,
    global_secondary_indexes: Sequence[Given] | None,
    billing_mode: str,
    provisioned_throughput: Given | None,
) -> dict[str, Any]:
    """The settings of a table as `Table` takes them. Raises AwsError ValidationException, UsageError."""
    check_throughput(billing_mode, provisioned_throughput)
    types = attribute_types(attribute_definitions)
    hash_key, range_key = _keys(key_schema, types, "keySchema")
    indexed = local_secondary_indexes is not None or global_secondary_indexes is not None
    if not indexed and len(types) != len(key_schema):
        raise bad_parameter(
            "Number of attributes in KeySchema does not exactly match number of attributes defined in "
            "AttributeDefinitions"
        )
    local = _local(local_secondary_indexes, types, hash_key, range_key)
    everywhere = _global(global_secondary_indexes, types, billing_mode)
    names = [each.index_name for each in (*local, *everywhere)]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise bad_parameter(f"Duplicate index name: {name}")
    check_used(types, {hash_key, range_key}, (*local, *everywhere))
    return {
        "hash_key": hash_key,
        "range_key": range_key,
        "attribute_types": types,
        "local_secondary_indexes": local,
        "global_secondary_indexes": everywhere,
    }


def attribute_types(definitions: Sequence[Given]) -> dict[str, str]:
    """AttributeDefinitions as a type for each name."""
    found: dict[str, str] = {}
    for number, each in enumerate(definitions, 1):
        if each["AttributeType"] not in ("S", "N", "B"):
            where = f"attributeDefinitions.{number}.member.attributeType"
            raise constraint(each["AttributeType"], where, "Member must satisfy enum value set: [B, N, S]")
        found[each["AttributeName"]] = each["AttributeType"]
    return found


def check_used(types: Mapping[str, str], keys: set[str | None], indexes: Sequence[IndexSettings]) -> None:
    """Raise AwsError for a defined attribute that is no key."""
    used = {name for each in indexes for name in (each.hash_key, each.range_key)} | keys
    used.discard(None)
    if any(name not in used for name in types):
        names = ", ".join(sorted(str(name) for name in used))
        raise bad_parameter(
            f"Some AttributeDefinitions are not used. AttributeDefinitions: [{', '.join(sorted(types))}], "
            f"keys used: [{names}]"
        )


def check_name(name: str, where: str, at_least: int = 3) -> None:
    """Raise AwsError ValidationException for a name of a table or index that AWS does not allow."""
    if len(name) < at_least or len(name) > 255:
        bound = f"greater than or equal to {at_least}" if len(name) < at_least else "less than or equal to 255"
        raise constraint(name, where, f"Member must have length {bound}")
    if not _NAME.fullmatch(name):
        raise constraint(name, where, "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+")


def check_throughput(billing_mode: str, throughput: Given | None) -> None:
    """Raise AwsError where billing mode and throughput don't fit each other."""
    if billing_mode not in ("PROVISIONED", "PAY_PER_REQUEST"):
        rule = "Member must satisfy enum value set: [PROVISIONED, PAY_PER_REQUEST]"
        raise constraint(billing_mode, "billingMode", rule)
    if billing_mode == "PAY_PER_REQUEST" and throughput is not None:
        raise bad_parameter(
            "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"
        )
    if billing_mode == "PROVISIONED" and throughput is None:
        raise bad_parameter(
            "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"
        )
    for name in ("ReadCapacityUnits", "WriteCapacityUnits") if throughput is not None else ():
        if throughput is not None and throughput[name] > UNITS_LIMIT:
            raise invalid(f"Given value {throughput[name]} for {name} is out of bounds")


def _keys(key_schema: Sequence[Given], types: Mapping[str, str], where: str) -> tuple[str, str | None]:
    names = [each["AttributeName"] for each in key_schema]
    kinds = [each["KeyType"] for each in key_schema]
    for number, kind in enumerate(kinds, 1):
        if kind not in ("HASH", "RANGE"):
            rule = "Member must satisfy enum value set: [HASH, RANGE]"
            raise constraint(kind, f"{where}.{number}.member.keyType", rule)
    if len(names) > len(types):
        raise invalid("Invalid KeySchema: Some index key attribute have no definition")
    if any(name not in types for name in names):
        raise bad_parameter(
            "Some index key attributes are not defined in AttributeDefinitions. "
            f"Keys: [{', '.join(names)}], AttributeDefinitions: [{', '.join(types)}]"
        )
    if len(names) == 2 and names[0] == names[1]:
        raise invalid("Both the Hash Key and the Range Key element in the KeySchema have the same name")
    if kinds[0] != "HASH":
        raise invalid("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
    if len(kinds) > 2 or kinds[1:] not in ([], ["RANGE"]):
        if (where != "keySchema" and len(kinds) > 1 and "HASH" in kinds[1:]) or len(kinds) > 2:
            raise UsageError(
                f"{where} has the keys {', '.join(names)}; simbus plays one HASH and one RANGE attribute. "
                "Put several attributes into one."
            )
        raise invalid("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
    return names[0], names[1] if len(names) == 2 else None


def _local(
    given: Sequence[Given] | None, types: Mapping[str, str], table_hash: str, table_range: str | None
) -> list[IndexSettings]:
    if given is None:
        return []
    if not given:
        raise bad_parameter("List of LocalSecondaryIndexes is empty")
    if table_range is None:
        raise bad_parameter(
            "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex"
        )
    found = []
    for number, each in enumerate(given, 1):
        settings = index_settings(each, types, f"localSecondaryIndexes.{number}.member")
        if settings.range_key is None:
            raise bad_parameter(f"Index KeySchema does not have a range key for index: {settings.index_name}")
        if settings.hash_key != table_hash:
            raise bad_parameter(
                "Index KeySchema does not have the same leading hash key as table KeySchema for index: "
                f"{settings.index_name}. index hash key: {settings.hash_key}, table hash key: {table_hash}"
            )
        found.append(settings)
    if len(found) > LOCAL_LIMIT:
        raise bad_parameter(f"Number of LocalSecondaryIndexes exceeds per-table limit of {LOCAL_LIMIT}")
    return found


def _global(given: Sequence[Given] | None, types: Mapping[str, str], billing_mode: str) -> list[IndexSettings]:
    if given is None:
        return []
    if not given:
        raise bad_parameter("List of GlobalSecondaryIndexes is empty")
    found = []
    for number, each in enumerate(given, 1):
        found.append(index_settings(each, types, f"globalSecondaryIndexes.{number}.member"))
        check_index_throughput(each["IndexName"], billing_mode, each.get("ProvisionedThroughput"))
    if len(found) > GLOBAL_LIMIT:
        raise bad_parameter(f"GlobalSecondaryIndex count exceeds the per-table limit of {GLOBAL_LIMIT}")
    return found


def check_index_throughput(name: str, billing_mode: str, throughput: Given | None) -> None:
    """Raise AwsError where the throughput of a global index does not fit its table's billing mode."""
    if billing_mode == "PAY_PER_REQUEST" and throughput is not None:
        raise bad_parameter(
            f"ProvisionedThroughput should not be specified for index: {name} when BillingMode is PAY_PER_REQUEST"
        )
    if billing_mode == "PROVISIONED" and throughput is None:
        raise bad_parameter(f"ProvisionedThroughput must be specified for index: {name}")


def index_settings(given: Given, types: Mapping[str, str], where: str) -> IndexSettings:
    """One element of LocalSecondaryIndexes or GlobalSecondaryIndexes. Raises AwsError ValidationException."""
    check_name(given["IndexName"], f"{where}.indexName")
    hash_key, range_key = _keys(given["KeySchema"], types, f"{where}.keySchema")
    projection = given["Projection"]
    kind, others = projection.get("ProjectionType"), projection.get("NonKeyAttributes")
    if kind is None:
        raise bad_parameter("Unknown ProjectionType: null")
    if kind not in ("ALL", "KEYS_ONLY", "INCLUDE"):
        rule = "Member must satisfy enum value set: [ALL, INCLUDE, KEYS_ONLY]"
        raise constraint(kind, f"{where}.projection.projectionType", rule)
    if others is not None and kind != "INCLUDE":
        raise bad_parameter(f"ProjectionType is {kind}, but NonKeyAttributes is specified")
    if others is None and kind == "INCLUDE":
        raise bad_parameter("ProjectionType is INCLUDE, but NonKeyAttributes is not specified")
    return IndexSettings(given["IndexName"], hash_key, range_key, kind, tuple(others or ()))
