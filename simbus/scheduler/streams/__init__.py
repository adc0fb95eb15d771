"""The poller of a mapping whose source is a Kinesis or DynamoDB stream. Begin at `poller`."""
