"""`local_secondary_indexes` and `global_secondary_indexes` of a table, and keys in both forms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field, model_validator

from simbus.scenario.schema.base import Check, Model, between, matching, one_of, refuse


def _attribute_name(value: Any) -> Any:
    if isinstance(value, str) and not 1 <= len(value.encode("utf-8", "surrogatepass")) <= 255:
        raise refuse(
            f"is a name of {len(value.encode('utf-8', 'surrogatepass'))} bytes; DynamoDB allows 1 to 255 bytes for the "
            "name of a key attribute. Change its length."
        )
    return value


AttributeName = Annotated[str, Check(_attribute_name, {"minLength": 1})]
IndexName = Annotated[
    str,
    matching(
        r"[a-zA-Z0-9_.-]{3,255}",
        "an index's name has 3 to 255 letters, digits, underscores, dots and hyphens",
        "Rename it",
    ),
]
_UNITS = between(
    1, 40_000, "a table of simbus has 1 to 40000 units, DynamoDB's default quota", "Choose a number in between"
)
ProjectionType = Annotated[str, one_of(("ALL", "KEYS_ONLY", "INCLUDE"), "the projection types are")]


class KeySchemaElement(Model):
    """One element of AWS's KeySchema."""

    attribute_name: AttributeName
    key_type: Annotated[str, one_of(("HASH", "RANGE"), "the key types are")]


def ordered_keys(
    hash_key: str | None, range_key: str | None, key_schema: Sequence[KeySchemaElement] | None
) -> list[str]:
    """The key attributes in either form, the hash key first; none where there is no hash key."""
    if key_schema is None:
        return [name for name in (hash_key, range_key) if name is not None and hash_key is not None]
    ordered = sorted(key_schema, key=lambda element: element.key_type)
    if [element.key_type for element in ordered] not in (["HASH"], ["HASH", "RANGE"]):
        raise refuse("has a key_schema other than one HASH and at most one RANGE element. Correct it.")
    return [element.attribute_name for element in ordered]


class Projection(Model):
    """AWS's Projection of an index."""

    projection_type: ProjectionType
    non_key_attributes: list[str] = Field(default=[])


class ProvisionedThroughput(Model):
    """AWS's ProvisionedThroughput: units a second."""

    read_capacity_units: Annotated[int, _UNITS]
    write_capacity_units: Annotated[int, _UNITS]

    def settings(self) -> dict[str, int]:
        """The same, as `Simulation.table` takes it."""
        return {"read_capacity_units": self.read_capacity_units, "write_capacity_units": self.write_capacity_units}


class SecondaryIndex(Model):
    """A secondary index. The short form (`hash_key` ...) and AWS's own (`key_schema`, `projection`) say the same."""

    index_name: IndexName
    hash_key: AttributeName | None = None
    range_key: AttributeName | None = None
    key_schema: list[KeySchemaElement] | None = Field(default=None, min_length=1, max_length=2)
    projection_type: ProjectionType | None = Field(
        default=None, description="What it has besides keys; ALL if left out."
    )
    non_key_attributes: list[str] = Field(default=[], description="What an index of projection type INCLUDE has.")
    projection: Projection | None = None
    provisioned_throughput: ProvisionedThroughput | None = Field(
        default=None, description="Of a global index of a table of provisioned capacity."
    )

    @model_validator(mode="after")
    def _one_form(self) -> SecondaryIndex:
        for short, nested in ((("hash_key", "range_key"), "key_schema"), (_PROJECTION, "projection")):
            given = [name for name in short if getattr(self, name)]
            if given and getattr(self, nested) is not None:
                raise refuse(f"gives {given[0]} and {nested}, which are the same in two forms. Keep one of them.")
        if not self.key_names():
            raise refuse("has no hash_key; an index has one. Add it.")
        settings = self.settings()
        if bool(settings["non_key_attributes"]) != (settings["projection_type"] == "INCLUDE"):
            raise refuse(
                "has non_key_attributes without projection_type INCLUDE, or the other way round; the one needs the "
                "other. Add it, or remove both."
            )
        return self

    def key_names(self) -> list[str]:
        """The key attributes, the hash key first."""
        return ordered_keys(self.hash_key, self.range_key, self.key_schema)

    def settings(self) -> dict[str, Any]:
        """The settings of an index as `Simulation.table` takes them."""
        names = self.key_names()
        nested = self.projection
        units = self.provisioned_throughput
        return {
            "index_name": self.index_name,
            "hash_key": names[0],
            "range_key": names[1] if len(names) > 1 else None,
            "projection_type": nested.projection_type if nested else (self.projection_type or "ALL"),
            "non_key_attributes": nested.non_key_attributes if nested else self.non_key_attributes,
            "provisioned_throughput": None if units is None else units.settings(),
        }


_PROJECTION = ("projection_type", "non_key_attributes")
