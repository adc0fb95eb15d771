"""AWS STS: who am I."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simbus.aws.table import Api, Response

if TYPE_CHECKING:
    from simbus.resources import Resources

api = Api("sts")
_ROLE_ID = "AROASIMBUSEXAMPLE0000"


@api.operation
def get_caller_identity(account: Resources) -> Response:
    """The account; inside a handler the session of its execution role, outside a user.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    """
    number = account.world.account.id
    actor = account.world.timeline.actor
    function = getattr(getattr(actor, "config", None), "name", None)
    if function is None:
        return {"UserId": "AIDASIMBUSEXAMPLE0000", "Account": number, "Arn": f"arn:aws:iam::{number}:user/simbus"}
    return {
        "UserId": f"{_ROLE_ID}:{function}",
        "Account": number,
        "Arn": f"arn:aws:sts::{number}:assumed-role/{function}-role/{function}",
    }
