"""Commands of the contract that a later version builds: each is refused by its name."""

from __future__ import annotations

from typing import Any

import typer

from simbus.cli.exits import exit_status
from simbus.errors import UsageError

_COMMANDS = {
    "load": "simbus run plays a scenario's workload",
}


def refuse(name: str, remedy: str) -> None:
    """Raise the UsageError for something that is known and not built."""
    raise UsageError(f"{name}: is not built yet in this version of simbus; it is planned. {remedy}.")


def refuse_commands(app: typer.Typer) -> None:
    """Add the commands that only say so. Whatever follows their name is not looked at."""
    anything = {"allow_extra_args": True, "ignore_unknown_options": True}
    for name, remedy in _COMMANDS.items():
        app.command(name, hidden=True, add_help_option=False, context_settings=anything)(_refusal(name, remedy))


def _refusal(name: str, remedy: str) -> Any:
    def refused() -> None:
        with exit_status():
            refuse(f"simbus {name}", f"Meanwhile {remedy}")

    return refused
