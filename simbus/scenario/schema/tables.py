"""`tables`: DynamoDB tables with their streams."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from simbus.scenario.schema.base import Check, Duration, Model, between, matching, one_of, refuse

TABLE_NAME = matching(
    r"[a-zA-Z0-9_.-]{3,255}",
    "a table's name has 3 to 255 letters, digits, underscores, dots and hyphens",
    "Rename it",
)
VIEW_TYPES = ("KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES")


def _attribute_name(value: Any) -> Any:
    if isinstance(value, str) and not 1 <= len(value.encode("utf-8", "surrogatepass")) <= 255:
        raise refuse(
            f"is a name of {len(value.encode('utf-8', 'surrogatepass'))} bytes; DynamoDB allows 1 to 255 bytes for the "
            "name of a key attribute. Change its length."
        )
    return value


AttributeName = Annotated[str, Check(_attribute_name, {"minLength": 1})]
AttributeType = Annotated[str, one_of(("S", "N", "B"), "the types of a key attribute are")]
ViewType = Annotated[str, one_of(VIEW_TYPES, "the view types are")]
_SHARDS = between(1, 1_000, "a stream of simbus has 1 to 1000 open shards", "Choose a number in between")


class KeySchemaElement(Model):
    """One element of AWS's KeySchema."""

    attribute_name: AttributeName
    key_type: Annotated[str, one_of(("HASH", "RANGE"), "the key types are")]


class AttributeDefinition(Model):
    """One element of AWS's AttributeDefinitions."""

    attribute_name: AttributeName
    attribute_type: AttributeType


class StreamSpecification(Model):
    """AWS's StreamSpecification."""

    stream_enabled: bool
    stream_view_type: ViewType | None = None

    @model_validator(mode="after")
    def _view(self) -> StreamSpecification:
        if self.stream_enabled and self.stream_view_type is None:
            raise refuse("has no stream_view_type; a stream that is enabled needs one. Add it.")
        if not self.stream_enabled and self.stream_view_type is not None:
            raise refuse("has a stream_view_type, but the stream is not enabled. Remove it, or enable the stream.")
        return self


class TimeToLiveSpecification(Model):
    """AWS's TimeToLiveSpecification."""

    enabled: bool
    attribute_name: AttributeName


class Table(Model):
    """A DynamoDB table. The short form (`hash_key` ...) and AWS's own (`key_schema` ...) say the same."""

    hash_key: AttributeName | None = None
    range_key: AttributeName | None = None
    attribute_types: dict[str, AttributeType] = Field(
        default={}, description="S, N or B for the key attributes; S if left out."
    )
    key_schema: list[KeySchemaElement] | None = Field(default=None, min_length=1, max_length=2)
    attribute_definitions: list[AttributeDefinition] = Field(default=[])
    stream_view_type: ViewType | None = Field(default=None, description="Gives the table a stream.")
    stream_specification: StreamSpecification | None = None
    stream_shard_count: Annotated[int, _SHARDS] = Field(
        default=1, description="How many shards of the stream are open (AWS: one per partition of the table)."
    )
    stream_shard_lifetime: Duration | None = Field(
        default=None, description="When a shard is closed and followed by another one; 4h if left out, as on AWS."
    )
    ttl_attribute: AttributeName | None = Field(default=None, description="Holds the epoch second of an item's end.")
    time_to_live_specification: TimeToLiveSpecification | None = None
    ttl_delay: Duration | None = Field(
        default=None, description="How long after it an expired item is deleted; 0 if left out (AWS: up to days)."
    )

    @model_validator(mode="after")
    def _one_form(self) -> Table:
        for short, nested in (
            (("hash_key", "range_key"), "key_schema"),
            (("attribute_types",), "attribute_definitions"),
            (("stream_view_type",), "stream_specification"),
            (("ttl_attribute",), "time_to_live_specification"),
        ):
            given = [name for name in short if getattr(self, name)]
            if given and getattr(self, nested):
                raise refuse(f"gives {given[0]} and {nested}, which are the same in two forms. Keep one of them.")
        self._check_keys()
        self._check_uses()
        return self

    def _check_keys(self) -> None:
        names = self.key_names()
        if not names:
            raise refuse("has no hash_key; a table's items are found by one. Add it.")
        if len(set(names)) < len(names):
            raise refuse(f"has {names[0]!r} as both keys; they are two attributes. Name another one.")
        for name in self.types():
            if name not in names:
                raise refuse(
                    f"gives {name!r} a type, which is no key attribute; only those have one, others take any value. "
                    "Leave it out."
                )
        for name in names:
            if self.key_schema is not None and name not in self.types():
                raise refuse(f"has no attribute_definitions for the key {name!r}; AWS asks for its type. Add it.")

    def _check_uses(self) -> None:
        for name in ("stream_shard_count", "stream_shard_lifetime"):
            if name in self.model_fields_set and self.view_type() is None:
                raise refuse(f"has {name}, but no stream_view_type and so no stream. Add the one, or remove the other.")
        if self.stream_shard_lifetime == 0:
            raise refuse("has a stream_shard_lifetime of 0; a shard lives for a while. Lengthen it.")
        if self.ttl_delay is not None and self.ttl() is None:
            raise refuse("has ttl_delay, but no ttl_attribute. Add the one, or remove the other.")

    def key_names(self) -> list[str]:
        """The key attributes, the hash key first."""
        if self.key_schema is None:
            return [name for name in (self.hash_key, self.range_key) if name is not None and self.hash_key is not None]
        ordered = sorted(self.key_schema, key=lambda element: element.key_type)
        if [element.key_type for element in ordered] not in (["HASH"], ["HASH", "RANGE"]):
            raise refuse("has a key_schema other than one HASH and at most one RANGE element. Correct it.")
        return [element.attribute_name for element in ordered]

    def types(self) -> dict[str, str]:
        """The types of key attributes that are given."""
        return self.attribute_types | {each.attribute_name: each.attribute_type for each in self.attribute_definitions}

    def view_type(self) -> str | None:
        nested = self.stream_specification
        return self.stream_view_type if nested is None else nested.stream_view_type

    def ttl(self) -> str | None:
        nested = self.time_to_live_specification
        return self.ttl_attribute if nested is None else (nested.attribute_name if nested.enabled else None)

    def settings(self) -> dict[str, Any]:
        """The arguments of `Simulation.table`."""
        names = self.key_names()
        settings: dict[str, Any] = {
            "hash_key": names[0],
            "range_key": names[1] if len(names) > 1 else None,
            "attribute_types": self.types(),
            "stream_view_type": self.view_type(),
            "stream_shard_count": self.stream_shard_count,
            "ttl_attribute": self.ttl(),
        }
        for name in ("stream_shard_lifetime", "ttl_delay"):
            if getattr(self, name) is not None:
                settings[name] = getattr(self, name)
        return settings
