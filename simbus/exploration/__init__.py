"""Many runs of one scenario or function: which seed fails, and how little of its run is needed for that.

subject.py    what is run: a scenario, or a function of a test; how one run failed
workers.py    processes that run seeds, in an order that does not depend on their number
shrink.py     from a failing run to a smaller one that fails the same way
explore.py    all of it together
"""
