"""What two runs of the same events came to: which event is which, and what came out differently."""
