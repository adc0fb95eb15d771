"""Amazon Kinesis Data Streams: streams of ordered records in shards. Begin at `stream`."""
