"""Fixtures of the tests of functions."""

from sandboxes import lab as lab
