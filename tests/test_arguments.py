"""What a Simulation is made with: a wrong value is refused in one line before anything is made."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from simbus import Account, Simulation, UsageError


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"seed": 1.5}, "seed is 1.5; it is a whole number or a text."),
        ({"seed": None}, "seed is None; it is a whole number or a text."),
        ({"speed": "x"}, "speed is 'x'; it is a number above 0."),
        ({"speed": 0}, "speed is 0; it is the number of virtual seconds per real second, finite and above 0."),
        ({"scenario": 5}, "scenario is 5; it is a text."),
        ({"start": 5}, "start is 5; write a time like 2026-01-01T00:00:00Z."),
        ({"db": 5}, "db is 5; it is the path of a file."),
        ({"record": 5}, "record is 5; it is the path of a file."),
        ({"account": "12"}, "account is '12'; it is an Account, or its members. Write for example {"),
        ({"account": 5}, "account is 5; it is an Account, or its members."),
        ({"account": {"regoin": "eu-west-1"}}, "account has regoin; it has id, region, "),
        ({"account": {"id": "12"}}, "account.id is '12'; it is 12 digits."),
        ({"account": {"id": 123456789012}}, "account.id is 123456789012; it is 12 digits."),
        ({"account": Account(region="Ohio")}, "account.region is 'Ohio'; it is a Region."),
        ({"account": {"concurrent_executions": "x"}}, "account.concurrent_executions is 'x'; it is a whole number"),
        ({"account": {"concurrent_executions": 0}}, "account.concurrent_executions is 0; it is a whole number"),
        ({"account": {"table_transition_delay": 1.5}}, "account.table_transition_delay is 1.5; it is a duration."),
        ({"account": {"table_transition_delay": "ten"}}, "account.table_transition_delay is 'ten'; "),
    ],
)
def test_a_wrong_value_is_refused(given: dict[str, Any], says: str) -> None:
    """It says what was found, the rule, and what to write."""
    with pytest.raises(UsageError, match=f"^{re.escape(says)}"):
        Simulation(**given)


def test_the_members_of_an_account_may_be_texts() -> None:
    """Durations are texts, timedeltas, or nanoseconds as in an Account."""
    members = {"id": "123456789012", "region": "us-gov-west-1", "table_transition_delay": "2s"}
    with Simulation(account={**members, "mapping_transition_delay": timedelta(seconds=3)}) as sim:
        account = Account("123456789012", "us-gov-west-1", table_transition_delay=2 * 10**9)
        assert sim.world.account == account._replace(mapping_transition_delay=3 * 10**9)
