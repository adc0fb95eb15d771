"""`tables`: DynamoDB tables with their streams."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from simbus.scenario.schema.base import Duration, Model, between, matching, one_of, refuse
from simbus.scenario.schema.indexes import (
    AttributeName,
    KeySchemaElement,
    ProvisionedThroughput,
    SecondaryIndex,
    ordered_keys,
)

TABLE_NAME = matching(
    r"[a-zA-Z0-9_.-]{3,255}",
    "a table's name has 3 to 255 letters, digits, underscores, dots and hyphens",
    "Rename it",
)
VIEW_TYPES = ("KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES")


AttributeType = Annotated[str, one_of(("S", "N", "B"), "the types of a key attribute are")]
BillingMode = Annotated[str, one_of(("PAY_PER_REQUEST", "PROVISIONED"), "the billing modes are")]
ViewType = Annotated[str, one_of(VIEW_TYPES, "the view types are")]
_SHARDS = between(1, 1_000, "a stream of simbus has 1 to 1000 open shards", "Choose a number in between")


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
        default={}, description="S, N or B for the keys of the table and of its indexes; S if left out."
    )
    key_schema: list[KeySchemaElement] | None = Field(default=None, min_length=1, max_length=2)
    attribute_definitions: list[AttributeDefinition] = Field(default=[])
    local_secondary_indexes: list[SecondaryIndex] = Field(
        default=[], max_length=5, description="Indexes of the table's hash key, each with a range key of its own."
    )
    global_secondary_indexes: list[SecondaryIndex] = Field(
        default=[], max_length=20, description="Indexes of another key; items that lack it are not in them."
    )
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
    billing_mode: BillingMode | None = Field(
        default=None,
        description="PAY_PER_REQUEST (no limit; if left out) or PROVISIONED (if there is a provisioned_throughput).",
    )
    provisioned_throughput: ProvisionedThroughput | None = Field(
        default=None, description="Units a second beyond which the table throttles, after bursts of up to 300 s' worth."
    )
    transaction_duration: Duration | None = Field(
        default=None, description="How long a handler's transaction has its items; 5ms if left out. 0: no conflicts."
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
        self._check_indexes()
        self._check_uses()
        return self

    def _check_keys(self) -> None:
        names = self.key_names()
        if not names:
            raise refuse("has no hash_key; a table's items are found by one. Add it.")
        if len(set(names)) < len(names):
            raise refuse(f"has {names[0]!r} as both keys; they are two attributes. Name another one.")
        keys = {*names, *(name for index in self._indexes() for name in index.key_names())}
        for name in self.types():
            if name not in keys:
                raise refuse(
                    f"gives {name!r} a type, which is no key attribute; only those have one, others take any value. "
                    "Leave it out."
                )
        for name in names:
            if self.key_schema is not None and name not in self.types():
                raise refuse(f"has no attribute_definitions for the key {name!r}; AWS asks for its type. Add it.")

    def _indexes(self) -> list[SecondaryIndex]:
        return [*self.local_secondary_indexes, *self.global_secondary_indexes]

    def _check_indexes(self) -> None:
        names = [index.index_name for index in self._indexes()]
        for name in names:
            if names.count(name) > 1:
                raise refuse(f"has two indexes {name!r}; their names are unique in a table. Rename one.")
        keys = self.key_names()
        for index in self.local_secondary_indexes:
            own = index.key_names()
            if len(keys) < 2 or len(own) < 2 or own[0] != keys[0]:
                raise refuse(
                    f"has the local index {index.index_name!r} with the key {', '.join(own)}; it has the hash key of "
                    "its table and a range key of its own, and the table a range key. Make it a global one, or correct "
                    "the keys."
                )

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
        return ordered_keys(self.hash_key, self.range_key, self.key_schema)

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
            "local_secondary_indexes": [index.settings() for index in self.local_secondary_indexes],
            "global_secondary_indexes": [index.settings() for index in self.global_secondary_indexes],
            "stream_view_type": self.view_type(),
            "stream_shard_count": self.stream_shard_count,
            "ttl_attribute": self.ttl(),
        }
        if self.provisioned_throughput is not None:
            settings["provisioned_throughput"] = self.provisioned_throughput.settings()
        for name in ("billing_mode", "stream_shard_lifetime", "ttl_delay", "transaction_duration"):
            if getattr(self, name) is not None:
                settings[name] = getattr(self, name)
        return settings
