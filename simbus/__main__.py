"""`python -m simbus` is the command line."""

from simbus.cli import main

main()
