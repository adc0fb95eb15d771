"""Recordings: what was done to a simulation from outside, in a file that a later run can do again.

`Simulation(record=...)` writes one, `sim.replay(...)` and `simbus replay` read it, and other files that people have.
"""
