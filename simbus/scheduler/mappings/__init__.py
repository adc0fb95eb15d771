"""Event source mappings: Lambda's operations on them, their settings, what every poller needs. Begin at `mapping`."""
