"""Amazon EventBridge: buses with their rules, targets, schedules and archives. Begin at `bus`."""
