"""Who calls AWS at this moment: the execution role of the function that acts, outside of handlers a user."""

from __future__ import annotations

from simbus.functions.config import FunctionConfig
from simbus.world import World


def role_of(world: World, config: FunctionConfig) -> str:
    """The ARN of the execution role; where nobody gave one it is named after the function."""
    return config.role or f"arn:aws:iam::{world.account.id}:role/{config.name}-role"


def acting(world: World) -> FunctionConfig | None:
    """The configuration of the function that acts; None outside of handlers."""
    return getattr(world.timeline.actor, "config", None)


def caller_arn(world: World) -> str:
    """The ARN of the role's session, or of the user, as GetCallerIdentity and refusals tell it."""
    number, config = world.account.id, acting(world)
    if config is None:
        return f"arn:aws:iam::{number}:user/simbus"
    return f"arn:aws:sts::{number}:assumed-role/{role_of(world, config).rpartition('/')[2]}/{config.name}"
