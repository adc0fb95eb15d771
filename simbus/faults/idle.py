"""What a run file says of faults that never occurred: the run ended before they were due."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta

IDLE_FAULTS: Final = "idle_faults"
"""The key of table `run` under which a list of them stands, as JSON; it is not there where all occurred."""


class IdleFault(msgspec.Struct, frozen=True):
    """A fault that never occurred."""

    fault: Annotated[str, Meta(description="`faults[0]`: its place in the scenario, from 0.")]
    resource: Annotated[str | None, Meta(description="What it is about; null: the account.")]
    effects: Annotated[str, Meta(description="What it would have done, as it was written.")]

    def __str__(self) -> str:
        return f"{self.fault} never occurred ({self.resource or 'the account'}, {self.effects}): the run ended before."
