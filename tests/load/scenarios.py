"""Scenarios whose capacity AWS's own arithmetic says."""

from __future__ import annotations

# Asynchronous events wait in Lambda's queue; two at once of 100 ms each are 20 invocations a second (Little's law).
TWO_AT_ONCE = """
functions:
  work: {reserved_concurrent_executions: 2, simulate: {duration: 100ms, init_duration: 0s}}
workload:
  - {invoke: {function: work, payload: {n: "{n}"}, invocation_type: Event}, rate: 5/s, for: 10m, arrivals: constant}
expect:
  - {function: work, throttles: 0}
"""

# A queue between: what comes too fast waits there.
QUEUE = """
functions:
  work: {simulate: {duration: 100ms, init_duration: 0s}}
queues: {jobs: {visibility_timeout: 60}}
event_source_mappings:
  - {event_source: "sqs:jobs", function: work, batch_size: 1, scaling_config: {maximum_concurrency: 2}}
workload:
  - {send_message: {queue: jobs, message_body: "{n}"}, rate: 5/s, for: 1m}
  - {send_message: {queue: jobs, message_body: "first"}, at: 0s}
expect:
  - {queue: jobs, p99_age: "< 5s"}
"""
