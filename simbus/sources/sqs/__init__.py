"""Amazon SQS: queues, standard and FIFO. Begin at `queue`."""
