"""Clients that belong to one simulation: what `sim.client("s3")` and `sim.resource("dynamodb")` give a test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simbus.errors import UsageError
from simbus.sdk import accounts

if TYPE_CHECKING:
    from simbus.resources import Resources


def client(account: Resources, service: str, **settings: Any) -> Any:
    """A boto3 client that reaches this account. Raises UsageError where boto3 is not installed."""
    return _made(account, "client", service, settings)


def resource(account: Resources, service: str, **settings: Any) -> Any:
    """A boto3 resource that reaches this account."""
    return _made(account, "resource", service, settings)


def _made(account: Resources, kind: str, service: str, settings: dict[str, Any]) -> Any:
    try:
        import boto3
    except ImportError:
        raise UsageError(
            f"sim.{kind}({service!r}): boto3 is not installed. Install it: pip install 'simbus[boto3]'."
        ) from None
    from simbus.sdk import hooks

    accounts.enter(account)
    try:
        made = getattr(boto3.Session(), kind)(service, **settings)
    finally:
        accounts.leave(account)
    hooks.hook(made if kind == "client" else made.meta.client, account)
    return made
