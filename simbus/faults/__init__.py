"""What goes wrong on purpose: at times that are given, or at random from the seed.

rules.py      the words: which fault there is, of which resources, with which value
timing.py     when a fault occurs, and for how long
hooks.py      how a fault gets between two objects, and out again: without faults nothing asks for them
functions.py, deliveries.py, resources.py   what each fault does
faults.py     all faults of one simulation
"""
