"""Rules about queues that a function reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from simbus.arn import short_name
from simbus.lint.rule import Finding
from simbus.lint.view import Mapping, View

FEWEST_RECEIVES: Final = 5
FEWEST_POLLERS: Final = 5
PER_POLLER: Final = 10
TIMES: Final = 6
LONGEST_VISIBILITY: Final = 43_200


def advised_visibility(timeout: int, window: int) -> int:
    """Seconds: six times the timeout, and the batching window."""
    return min(TIMES * timeout + window, LONGEST_VISIBILITY)


def visibility(view: View) -> Iterator[Finding]:
    for mapping, queue, function in view.queue_mappings():
        window = mapping.settings.maximum_batching_window_in_seconds
        advised = advised_visibility(function.timeout, window)
        if queue.visibility_timeout < advised:
            windowed = f" with a batching window of {window} s" if window else ""
            yield Finding(
                ("queues", mapping.source, "visibility_timeout"),
                f"is {queue.visibility_timeout}; {mapping.function}, which reads it{windowed}, may run for "
                f"{function.timeout} s",
                f"Set it to {advised}.",
                mapping,
            )


def no_dead_letter_queue(view: View) -> Iterator[Finding]:
    wrong_place = {finding.about.path for finding in dead_letter_queue_of_the_function(view)}
    for mapping, queue, _ in view.queue_mappings():
        if queue.redrive_policy is None and mapping.path not in wrong_place:
            yield Finding(
                ("queues", mapping.source),
                f"has no redrive_policy; what {mapping.function} can't process comes again for "
                f"{queue.message_retention_period // 3600} h, and is lost then",
                "Give it a redrive_policy with a dead-letter queue and max_receive_count 5.",
                mapping,
            )


def dead_letter_queue_of_the_function(view: View) -> Iterator[Finding]:
    triggered = {trigger.function for trigger in view.triggers}
    for mapping, queue, function in view.queue_mappings():
        target = function.dead_letter_config
        if target is not None and queue.redrive_policy is None and mapping.function not in triggered:
            yield Finding(
                ("functions", mapping.function, "dead_letter_config"),
                f"is {target.target_arn}, but nothing invokes {mapping.function} asynchronously: it reads "
                f"{mapping.name}, which has no redrive_policy",
                f"Give queues.{mapping.source} a redrive_policy with that queue.",
                mapping,
            )


def few_receives(view: View) -> Iterator[Finding]:
    for mapping, queue, _ in view.queue_mappings():
        policy = queue.redrive_policy
        if policy is not None and policy.max_receive_count < FEWEST_RECEIVES:
            yield Finding(
                ("queues", mapping.source, "redrive_policy", "max_receive_count"),
                f"is {policy.max_receive_count}; a batch that is throttled until its visibility timeout "
                f"({queue.visibility_timeout} s) is over comes back: a receive that {mapping.function} never saw",
                f"Set it to {FEWEST_RECEIVES} or more.",
                mapping,
            )


def whole_batches(view: View) -> Iterator[Finding]:
    for mapping, _, _ in view.queue_mappings():
        if mapping.batch_size > 1 and not mapping.reports_failures:
            yield Finding(
                (*mapping.path, "function_response_types"),
                f"has no ReportBatchItemFailures; one bad message fails its batch of up to {mapping.batch_size}",
                "Set function_response_types: [ReportBatchItemFailures] and let the handler report what failed, or "
                "set batch_size: 1.",
                mapping,
            )


def _readers(view: View) -> dict[str, list[Mapping]]:
    """The mappings of queues by function, where the function has reserved concurrency."""
    found: dict[str, list[Mapping]] = defaultdict(list)
    for mapping, _, function in view.queue_mappings():
        if function.reserved_concurrent_executions is not None:
            found[mapping.function].append(mapping)
    return found


def _maximum(mapping: Mapping) -> int | None:
    config = mapping.settings.scaling_config
    return None if config is None else config.maximum_concurrency


def below_the_pollers(view: View) -> Iterator[Finding]:
    for name, mappings in _readers(view).items():
        reserved = view.spec.functions[name].reserved_concurrent_executions or 0
        unbounded = [each for each in mappings if _maximum(each) is None and not _pollers(each)]
        needed = FEWEST_POLLERS * len(unbounded)
        if unbounded and reserved < needed:
            names = ", ".join(mapping.name for mapping in unbounded)
            yield Finding(
                ("functions", name, "reserved_concurrent_executions"),
                f"is {reserved}; Lambda begins to read {names} with {needed} batches at once",
                f"Set it to {needed} or more, or bound the mapping: scaling_config: {{maximum_concurrency: "
                f"{max(reserved, 2)}}}.",
                unbounded[0],
            )


def above_reserved(view: View) -> Iterator[Finding]:
    for name, mappings in _readers(view).items():
        reserved = view.spec.functions[name].reserved_concurrent_executions or 0
        together = sum(_maximum(mapping) or 0 for mapping in mappings)
        if together > reserved:
            bounded = [mapping for mapping in mappings if _maximum(mapping) is not None]
            all_of = f"; with the other mappings of {name} it is {together}" if len(bounded) > 1 else ""
            yield Finding(
                (*bounded[-1].path, "scaling_config", "maximum_concurrency"),
                f"is {_maximum(bounded[-1])}{all_of}, but {name} has a reserved concurrency of {reserved}",
                f"Set it lower, or reserve {together}.",
                bounded[-1],
            )


def _pollers(mapping: Mapping) -> int:
    config = mapping.settings.provisioned_poller_config
    return 0 if config is None else config.minimum_pollers


def too_many_pollers(view: View) -> Iterator[Finding]:
    for name, mappings in _readers(view).items():
        reserved = view.spec.functions[name].reserved_concurrent_executions or 0
        for mapping in mappings:
            most = PER_POLLER * _pollers(mapping)
            if most > reserved:
                yield Finding(
                    (*mapping.path, "provisioned_poller_config", "minimum_pollers"),
                    f"is {_pollers(mapping)}, which is {most} batches at once, but {name} has a reserved concurrency "
                    f"of {reserved}",
                    f"Reserve {most}, or use scaling_config: {{maximum_concurrency: {max(reserved, 2)}}} instead.",
                    mapping,
                )


def short_dead_letters(view: View) -> Iterator[Finding]:
    for name, queue in view.spec.queues.items():
        policy = queue.redrive_policy
        if policy is None or queue.fifo_queue:
            continue
        dead = short_name(policy.dead_letter_target_arn)[1]
        kept = view.spec.queues[dead].message_retention_period
        if kept <= queue.message_retention_period:
            yield Finding(
                ("queues", dead, "message_retention_period"),
                f"is {kept}, and that of {name}, whose dead letters it holds, is {queue.message_retention_period}: a "
                "dead letter keeps the time at which it was sent first",
                "Set it to 1209600, the longest.",
                name,
            )


def early_expiry(view: View) -> Iterator[Finding]:
    for mapping, queue, _ in view.queue_mappings():
        policy = queue.redrive_policy
        if policy is not None:
            needed = policy.max_receive_count * queue.visibility_timeout
            if queue.message_retention_period <= needed:
                yield Finding(
                    ("queues", mapping.source, "message_retention_period"),
                    f"is {queue.message_retention_period}; a message that fails is received {policy.max_receive_count} "
                    f"times, {queue.visibility_timeout} s apart, and expires before it is a dead letter",
                    f"Set it well above {needed}.",
                    mapping,
                )
