"""Load tests of a scenario: how it behaves at other rates than its own, and the highest at which it is as expected.

rates.py      which items of a workload have a rate, what the user writes as one
profiles.py   how the rate goes over time: step, ramp, spike, soak; when events then arrive
probe.py      one run of a scenario under a profile, in a process of its own
figures.py    what a run, or each window of it, came to, from its rows
limits.py     which limit of AWS the run stood at
search.py     which rates to play next to find the highest one: doubling, then bisection
grid.py       values of the scenario that are tried side by side
runs.py       all of it together: `load`
document.py   the table, the CSV file and the JSON document

The model is an open one: events arrive when the profile says, however slow the system is, and how old each becomes
counts from then on, also where an SDK has to send it again (a hop `first_sent` says when that was). Nothing that waits
holds back what comes after it (no coordinated omission).
"""

from __future__ import annotations

from simbus.load.runs import load

__all__ = ["load"]
