"""The rules, with what AWS says. A new one is a function that finds, one line here, and a test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from simbus.lint import functions, queues, streams
from simbus.lint.loops import recursive
from simbus.lint.proofs import functions as of_functions
from simbus.lint.proofs import queues as of_queues
from simbus.lint.proofs import streams as of_streams
from simbus.lint.rule import Finding, Rule
from simbus.lint.view import View
from simbus.scenario.loader import Scenario

_LAMBDA: Final = "https://docs.aws.amazon.com/lambda/latest/dg"
_SQS: Final = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide"

RULES: Final[tuple[Rule, ...]] = (
    Rule(
        "sqs-visibility-timeout",
        "error",
        "The visibility timeout of a source queue should be at least six times the function's timeout, plus "
        "MaximumBatchingWindowInSeconds: a message is hidden from its receive on, also while its batch is throttled.",
        f"{_LAMBDA}/services-sqs-configure.html",
        queues.visibility,
        of_queues.visibility,
    ),
    Rule(
        "sqs-no-dlq",
        "error",
        "A message that a function can't process becomes visible again until its retention period is over; a "
        "redrive policy of the source queue moves it to a dead-letter queue.",
        f"{_LAMBDA}/services-sqs-errorhandling.html",
        queues.no_dead_letter_queue,
        of_queues.no_dead_letter_queue,
    ),
    Rule(
        "sqs-dlq-of-function",
        "error",
        "The dead-letter queue of a function is for asynchronous invocations; that of a queue is configured on the "
        "source queue.",
        f"{_LAMBDA}/services-sqs-configure.html",
        queues.dead_letter_queue_of_the_function,
        of_queues.dead_letter_queue_of_the_function,
    ),
    Rule(
        "sqs-max-receive-count",
        "error",
        "maxReceiveCount should be at least 5, so that throttles alone do not bring messages to the dead-letter queue.",
        f"{_LAMBDA}/services-sqs-configure.html",
        queues.few_receives,
        of_queues.few_receives,
    ),
    Rule(
        "sqs-batch-item-failures",
        "warning",
        "By default, when a function fails, every message of its batch becomes visible again, also those that it had "
        "processed; with ReportBatchItemFailures only those that it names.",
        f"{_LAMBDA}/services-sqs-errorhandling.html#services-sqs-batchfailurereporting",
        queues.whole_batches,
        of_queues.whole_batches,
    ),
    Rule(
        "sqs-reserved-concurrency",
        "error",
        "Lambda begins to read a queue with five concurrent batches; a reserved concurrency below that throttles them, "
        "and a message that is throttled until its visibility timeout is over counts as received.",
        f"{_LAMBDA}/services-sqs-scaling.html",
        queues.below_the_pollers,
        of_queues.too_little_concurrency,
    ),
    Rule(
        "sqs-maximum-concurrency",
        "error",
        "MaximumConcurrency should not exceed the reserved concurrency, nor should that of all mappings together: "
        "Lambda would throttle.",
        f"{_LAMBDA}/services-sqs-scaling.html#events-sqs-max-concurrency",
        queues.above_reserved,
        of_queues.too_little_concurrency,
    ),
    Rule(
        "sqs-provisioned-pollers",
        "error",
        "Each event poller of provisioned mode handles up to 10 concurrent invocations.",
        f"{_LAMBDA}/services-sqs-scaling.html#sqs-provisioned-mode",
        queues.too_many_pollers,
        of_queues.too_little_concurrency,
    ),
    Rule(
        "sqs-dlq-retention",
        "warning",
        "A message of a standard queue expires by the time at which it was sent first; the retention period of a "
        "dead-letter queue should be longer than that of the source queue.",
        f"{_SQS}/sqs-dead-letter-queues.html",
        queues.short_dead_letters,
        of_queues.short_dead_letters,
    ),
    Rule(
        "sqs-retention",
        "error",
        "A message goes to the dead-letter queue when it is received once more than maxReceiveCount; one whose "
        "retention period is over before that is deleted.",
        f"{_SQS}/sqs-dead-letter-queues.html",
        queues.early_expiry,
        of_queues.early_expiry,
    ),
    Rule(
        "stream-endless-retries",
        "error",
        "By default a failing batch is tried again until it succeeds or its records expire; the shard waits for it.",
        f"{_LAMBDA}/invocation-eventsourcemapping.html",
        streams.endless_retries,
        of_streams.endless_retries,
    ),
    Rule(
        "stream-no-destination",
        "error",
        "Records that are given up are discarded; an on-failure destination is told which they were.",
        f"{_LAMBDA}/kinesis-on-failure-destination.html",
        streams.no_destination,
        of_streams.no_destination,
    ),
    Rule(
        "stream-no-bisect",
        "warning",
        "BisectBatchOnFunctionError halves a failing batch until the bad record is alone.",
        f"{_LAMBDA}/services-kinesis-parameters.html",
        streams.no_bisect,
        of_streams.no_bisect,
    ),
    Rule(
        "stream-pointer-expires",
        "warning",
        "The failure record of a stream has the place of the records in their shard, not the records: they must be "
        "fetched before they expire. Only a bucket gets the whole invocation record.",
        f"{_LAMBDA}/kinesis-on-failure-destination.html",
        streams.pointers_that_expire,
    ),
    Rule(
        "stream-latest",
        "warning",
        "Making a mapping takes minutes, changing it up to 90 seconds; with LATEST it may miss records meanwhile.",
        f"{_LAMBDA}/services-kinesis-create.html",
        streams.from_the_latest,
        of_streams.from_the_latest,
    ),
    Rule(
        "async-no-failure-target",
        "error",
        "Lambda retries an asynchronous event twice and discards it; a destination or a dead-letter queue keeps it.",
        f"{_LAMBDA}/invocation-async-error-handling.html",
        functions.failures_lost,
        of_functions.failures_lost,
    ),
    Rule(
        "async-event-age",
        "warning",
        "Lambda waits one minute before the first retry and two before the second; an event that is older than "
        "MaximumEventAgeInSeconds is discarded.",
        f"{_LAMBDA}/invocation-async-error-handling.html",
        functions.too_old_for_retries,
        of_functions.too_old_for_retries,
    ),
    Rule(
        "async-fifo-target",
        "error",
        "Dead-letter queues and destinations of asynchronous invocations are standard queues and topics.",
        f"{_LAMBDA}/invocation-async-retain-records.html",
        functions.fifo_targets,
        of_functions.fifo_targets,
    ),
    Rule(
        "recursive-loop",
        "error",
        "A function that writes to what triggers it runs again and again; Lambda stops such a loop after about 16 "
        "invocations, if it goes through SQS, SNS, S3 and Lambda only.",
        f"{_LAMBDA}/invocation-recursion.html",
        recursive,
        of_functions.recursive,
    ),
    Rule(
        "function-switched-off",
        "warning",
        "A reserved concurrency of 0 throttles every request to a function.",
        f"{_LAMBDA}/configuration-concurrency.html",
        functions.switched_off,
        of_functions.switched_off,
    ),
    Rule(
        "sync-caller-timeout",
        "warning",
        "SDKs wait 60 seconds for an answer and then send the request again; Lambda does not stop the first one.",
        "https://repost.aws/knowledge-center/lambda-function-retry-timeout-sdk",
        functions.longer_than_the_caller_waits,
        of_functions.longer_than_the_caller_waits,
    ),
)
BY_ID: Final = {rule.id: rule for rule in RULES}


class Found(NamedTuple):
    """A finding and its rule."""

    rule: Rule
    finding: Finding


def lint(scenario: Scenario, ignored: frozenset[str] = frozenset()) -> tuple[View, list[Found]]:
    """Everything that the rules find, in the order of the file, but for those whose ids are ignored."""
    view = View(scenario)
    found = [Found(*each) for each in _found(view, ignored)]
    position = scenario.source.position
    return view, sorted(found, key=lambda each: position(each.finding.path))


def _found(view: View, ignored: frozenset[str]) -> Iterator[tuple[Rule, Finding]]:
    for rule in RULES:
        if rule.id not in ignored:
            for finding in rule.find(view):
                yield rule, finding
