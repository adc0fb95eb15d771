"""What to do about what AWS refuses: its answers name the rule, seldom the remedy."""

from __future__ import annotations

from simbus.errors import AwsError

_REMEDIES = (
    (
        "Maximum batch window in seconds must be greater than 0",
        "Give the mapping a maximum_batching_window_in_seconds of 1 or more, or a batch_size of 10 or less.",
    ),
    (
        "Value null at 'startingPosition'",
        "Add starting_position: TRIM_HORIZON (from the oldest record), LATEST or AT_TIMESTAMP.",
    ),
    (
        "is less than Function timeout",
        "Raise the visibility_timeout (AWS advises six times the function's timeout), or lower the timeout.",
    ),
    (
        "parameter for given event source mapping type",
        "Remove it: mappings of such a source do not have it.",
    ),
    (
        "Dead-letter queue must be same type of queue",
        "Make both FIFO queues (fifo_queue: true, and a name that ends in .fifo), or neither.",
    ),
    ("must end with .fifo suffix", "Let the name end in .fifo, or leave fifo_queue out."),
    (
        "Can only include alphanumeric characters, hyphens, or underscores",
        "Rename it; a name that ends in .fifo needs fifo_queue: true.",
    ),
    (
        "decreases account's UnreservedConcurrentExecution below",
        "Reserve less, or raise account.concurrent_executions.",
    ),
)


def refusal(where: str, error: AwsError) -> str:
    """The message about something in a scenario that AWS refuses: where, AWS's words, and what to do."""
    stop = "" if error.message.endswith((".", "!", "?")) else "."
    remedy = next((remedy for part, remedy in _REMEDIES if part in error.message), "Correct it.")
    return f"{where} is refused; AWS answers {error.code}: {error.message}{stop} {remedy}"
