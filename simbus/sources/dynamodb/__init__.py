"""Amazon DynamoDB: tables, and the streams of what changes in them. Begin at `table`."""
