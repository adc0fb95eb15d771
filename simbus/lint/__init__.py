"""Known bad combinations of AWS's settings, and small simulations that show their damage. Begin at `rules.RULES`."""
