"""`streams`: Kinesis data streams."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from simbus.scenario.schema.base import Model, Unwrap, between, matching, one_of, refuse, same

STREAM_NAME = matching(
    r"[a-zA-Z0-9_.-]{1,128}",
    "a stream's name has 1 to 128 letters, digits, underscores, dots and hyphens",
    "Rename it",
)
_SHARDS = between(1, 10_000, "Kinesis allows 1 to 10000 shards", "Choose a number in between")
_RETENTION = between(24, 8_760, "Kinesis keeps a record for 24 to 8760 hours", "Choose a number in between")
_RECORD_SIZE = between(1_024, 10_240, "Kinesis allows records of 1024 to 10240 KiB", "Choose a number in between")


class Stream(Model):
    """A Kinesis data stream.

    It is split and merged from Python only (`stream.split_shard(...)`): a scenario file has no verb for it.
    """

    shard_count: Annotated[int, _SHARDS] | None = Field(
        default=None, description="Left out: an on-demand stream, which begins with 4 shards."
    )
    retention_period_hours: Annotated[int, _RETENTION] = 24
    max_record_size_in_ki_b: Annotated[int, _RECORD_SIZE] = 1_024
    stream_mode: Annotated[str, one_of(("PROVISIONED", "ON_DEMAND"), "the modes are"), Unwrap("stream_mode")] | None = (
        same(
            "stream_mode_details",
            "stream_mode",
            default=None,
            description="Left out: PROVISIONED with shard_count, ON_DEMAND without.",
        )
    )

    @model_validator(mode="after")
    def _capacity(self) -> Stream:
        if self.stream_mode == "ON_DEMAND" and self.shard_count is not None:
            raise refuse(
                "has shard_count and the mode ON_DEMAND, in which AWS counts the shards itself. Keep one of them."
            )
        if self.stream_mode == "PROVISIONED" and self.shard_count is None:
            raise refuse("is PROVISIONED without shard_count; such a stream has the shards that you ask for. Add it.")
        return self
