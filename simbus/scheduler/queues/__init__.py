"""The poller of a mapping whose source is an SQS queue. Begin at `poller`."""
