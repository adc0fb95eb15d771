"""Amazon S3: buckets, and how their notifications get to functions, queues, topics and buses. Begin at `bucket`."""
