"""Rules about streams and tables that a function reads."""

from __future__ import annotations

from collections.abc import Iterator

from simbus.arn import short_name
from simbus.lint.rule import Finding
from simbus.lint.view import Mapping, View


def _endless(mapping: Mapping) -> bool:
    settings = mapping.settings
    return settings.maximum_retry_attempts in (None, -1) and settings.maximum_record_age_in_seconds in (None, -1)


def retention(view: View, mapping: Mapping) -> int:
    """Hours that a record can be read for: those of the stream, 24 of a table's stream."""
    return view.spec.streams[mapping.source].retention_period_hours if mapping.service == "kinesis" else 24


def endless_retries(view: View) -> Iterator[Finding]:
    for mapping in view.stream_mappings():
        if _endless(mapping):
            yield Finding(
                (*mapping.path, "maximum_retry_attempts"),
                f"is -1, and so is maximum_record_age_in_seconds: a record that {mapping.function} can't process stops "
                f"its shard of {mapping.name} for {retention(view, mapping)} h",
                "Set maximum_retry_attempts or maximum_record_age_in_seconds, bisect_batch_on_function_error: true and "
                "on_failure.",
                mapping,
            )


def no_destination(view: View) -> Iterator[Finding]:
    for mapping in view.stream_mappings():
        if not _endless(mapping) and mapping.on_failure is None:
            yield Finding(
                mapping.path,
                f"has no on_failure; what {mapping.function} fails too often with is dropped without a trace",
                "Name a queue, a topic or a bucket: on_failure: sqs:name.",
                mapping,
            )


def no_bisect(view: View) -> Iterator[Finding]:
    for mapping in view.stream_mappings():
        if (
            mapping.batch_size > 1
            and not mapping.settings.bisect_batch_on_function_error
            and not mapping.reports_failures
        ):
            yield Finding(
                (*mapping.path, "bisect_batch_on_function_error"),
                f"is off; the up to {mapping.batch_size - 1} good records of a batch share what happens to a bad one",
                "Set bisect_batch_on_function_error: true, or let the handler report what failed "
                "(function_response_types: [ReportBatchItemFailures]).",
                mapping,
            )


def pointers_that_expire(view: View) -> Iterator[Finding]:
    for mapping in view.stream_mappings():
        if mapping.on_failure is None:
            continue
        hours = retention(view, mapping)
        longer = [
            f"sqs:{name}"
            for name in _queues_behind(view, mapping.on_failure)
            if view.spec.queues[name].message_retention_period > hours * 3600
        ]
        if longer:
            yield Finding(
                (*mapping.path, "on_failure"),
                f"is {mapping.on_failure}; {' and '.join(longer)} keeps the failure records longer than {mapping.name} "
                f"the records that they point at ({hours} h)",
                "Send them to a bucket (on_failure: s3:name), which gets the records themselves, or work the queue off "
                f"within {hours} h.",
                mapping,
            )


def _queues_behind(view: View, target: str) -> list[str]:
    """The queue, or those that subscribe to the topic."""
    service, name, _ = short_name(target)
    if service == "sqs":
        return [name]
    subscriptions = view.spec.topics[name].subscriptions if service == "sns" else []
    ends = (short_name(subscription.endpoint) for subscription in subscriptions)
    return [queue for kind, queue, _ in ends if kind == "sqs"]


def from_the_latest(view: View) -> Iterator[Finding]:
    for mapping in view.stream_mappings():
        if mapping.settings.starting_position == "LATEST":
            yield Finding(
                (*mapping.path, "starting_position"),
                f"is LATEST; records that come to {mapping.name} while Lambda makes or changes the mapping are skipped",
                "Use TRIM_HORIZON or (Kinesis) AT_TIMESTAMP.",
                mapping,
            )
