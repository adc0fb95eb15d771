"""The views of a run file: whole rows of what was written without saying anything twice.

An attempt of an invocation is one row of `attempts`. It does not repeat
- what all invocations that come the same way have in common: that is a row of `routes`;
- its payload, where that is the data of a change event and something constant around it (see `model.Wrapping`): `event`
  is the number of that event, its rowid in `events`;
- that it settled the delivery of that event, as every attempt that went well does: `settles` is the number of the
  delivery, in the order in which all were settled; other deliveries are rows of `settlements`;
- Lambda's own log lines, which say nothing that the attempt does not say: they have numbers in the order in which all
  lines came (`start_line`; `end_line` and the one after it), and none where the line was written out.
Most invocations go well: two rows of new facts, an event and an attempt, instead of six.
"""

from __future__ import annotations

# The tables that a view is made of, for whoever has not all of them at hand.
MADE_OF = {
    "invocations": ("attempts", "routes", "log_streams", "events"),
    "deliveries": ("settlements", "attempts", "routes", "events"),
    "log_events": ("log_lines", "attempts", "log_streams"),
}

# SQLite leaves out a joined table of which nothing is asked, but not where rows are counted or summed up. Streams and
# routes are few; the data of an event is looked up by itself, only where the payload is asked for.
_INVOCATIONS = """
    SELECT a.request_id, a.attempt, s.function, s.version, r.invocation_type, r.source_arn, s.name AS log_stream,
        a.queued_at, a.started_at, a.ended_at, a.duration_ms, a.billed_duration_ms,
        nullif(a.init_duration_ms, '') AS init_duration_ms, a.memory_size, a.max_memory_used, a.status,
        iif(a.status = 'ok', NULL, a.error_type) AS error_type,
        iif(a.status = 'ok', NULL, a.error_message) AS error_message,
        coalesce(nullif(a.payload, ''),
            r.opening || replace((SELECT data FROM events WHERE rowid = a.event), r.mark, r.marked) || r.closing
        ) AS payload, a.response, a.rowid AS rowid
    FROM attempts a LEFT JOIN log_streams s ON s.id = a.log_stream_id LEFT JOIN routes r ON r.id = a.route
"""

_DELIVERIES = """
    SELECT event_id, request_id, subscription, settled_at, outcome, number AS rowid FROM settlements
    UNION ALL
    SELECT e.id, a.request_id, r.subscription, a.ended_at, 'ok', a.settles
    FROM attempts a LEFT JOIN routes r ON r.id = a.route LEFT JOIN events e ON e.rowid = a.event
    WHERE a.settles IS NOT NULL
    ORDER BY rowid
"""

# With `written`, which only grows: the id of a line, the rowid of an attempt.
LINES = (
    """SELECT id, log_stream_id, request_id, timestamp, ingestion_time, nullif(level, '') AS level, message,
    id AS written FROM log_lines""",
    """SELECT start_line, log_stream_id, request_id, started_at, started_at, NULL,
    'START RequestId: ' || request_id || ' Version: ' || (SELECT version FROM log_streams WHERE id = log_stream_id)
    || char(10), rowid AS written FROM attempts WHERE start_line IS NOT NULL""",
    """SELECT end_line, log_stream_id, request_id, ended_at, ended_at, NULL,
    'END RequestId: ' || request_id || char(10), rowid AS written FROM attempts WHERE end_line IS NOT NULL""",
    """SELECT end_line + 1, log_stream_id, request_id, ended_at, ended_at, NULL,
    'REPORT RequestId: ' || request_id || char(9) || 'Duration: ' || printf('%.2f', duration_ms) || ' ms' || char(9)
    || 'Billed Duration: ' || billed_duration_ms || ' ms' || char(9) || 'Memory Size: ' || memory_size || ' MB'
    || char(9) || 'Max Memory Used: ' || max_memory_used || ' MB' || char(9)
    || iif(nullif(init_duration_ms, '') IS NULL, '',
        'Init Duration: ' || printf('%.2f', init_duration_ms) || ' ms' || char(9))
    || char(10), rowid AS written FROM attempts WHERE end_line IS NOT NULL""",
)

# In the order in which it all came, as a table would be; `rowid` is there for who asks for it, as of a table.
VIEWS = (
    f"CREATE VIEW invocations AS {_INVOCATIONS}",
    f"CREATE VIEW deliveries AS {_DELIVERIES}",
    f"""CREATE VIEW log_events AS SELECT id, log_stream_id, request_id, timestamp, ingestion_time, level, message,
    id AS rowid FROM ({" UNION ALL ".join(LINES)}) ORDER BY id""",
)
