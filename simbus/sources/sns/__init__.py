"""Amazon SNS: topics and their subscriptions. Begin at `topic`."""
