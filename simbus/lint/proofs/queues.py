"""Proofs about queues that a function reads."""

from __future__ import annotations

from collections.abc import Iterator

from simbus.arn import short_name
from simbus.kernel import SECOND
from simbus.lint.proofs.data import (
    DEAD,
    HOUR,
    MOST_IN_BATCH,
    Data,
    changed,
    function_of,
    of_queue,
    queue_scenario,
    send,
)
from simbus.lint.queues import FEWEST_RECEIVES, LONGEST_VISIBILITY, PER_POLLER, advised_visibility
from simbus.lint.rule import Finding, Proof
from simbus.lint.view import Mapping, View
from simbus.scheduler.queues.poller import FIRST_BACKOFF, LONGEST_BACKOFF


def visibility(view: View, finding: Finding) -> Proof | None:
    """Throttled while it holds messages, Lambda invokes late: the function is not done when they become visible."""
    mapping: Mapping = finding.about
    own, queue = view.spec.functions[mapping.function], view.spec.queues[mapping.source]
    late = max((when for when in _tries() if when < queue.visibility_timeout), default=0)
    lasts = own.timeout * 0.95
    if late + lasts <= queue.visibility_timeout:
        return None  # no try comes late enough
    size = min(mapping.batch_size, MOST_IN_BATCH)
    function = function_of(view, mapping.function, duration=f"{round(lasts * 1000)}ms")
    data = queue_scenario(view, mapping, function, batch_size=size)
    data["workload"] = [send(mapping, "order {n}", size)]
    data["faults"] = [{"function": mapping.function, "throttle_rate": 1.0, "for": f"{late + 0.5}s"}]
    window = mapping.settings.maximum_batching_window_in_seconds
    mended = changed(data, "queues", mapping.source, "visibility_timeout", to=advised_visibility(own.timeout, window))
    story = f"{_good(size)}; the function is throttled for {late:g} s and takes {lasts:g} s then"
    figures = (*of_queue(mapping, "duplicates"), {"function": mapping.function, "invocations": 0})
    return Proof(story, data, mended, figures)


def _good(count: int) -> str:
    return "one good message" if count == 1 else f"{count} good messages"


def _tries() -> Iterator[int]:
    """When a throttled batch is tried again, in seconds after its receive."""
    when, pause = 0, FIRST_BACKOFF
    while when <= LONGEST_VISIBILITY:
        yield when
        when += pause // SECOND
        pause = min(2 * pause, LONGEST_BACKOFF)


def _one_bad_message(view: View, mapping: Mapping) -> Data:
    data = queue_scenario(view, mapping, function_of(view, mapping.function, error_rate=1.0))
    data["workload"] = [send(mapping, "bad")]
    return data


def _with_dead_letters(data: Data, mapping: Mapping, name: str = DEAD) -> Data:
    dead = f"{name}.fifo" if mapping.source.endswith(".fifo") else name
    policy = {"dead_letter_target_arn": f"sqs:{dead}", "max_receive_count": FEWEST_RECEIVES}
    made = changed(data, "queues", mapping.source, "redrive_policy", to=policy)
    return changed(
        made, "queues", dead, to={"message_retention_period": 1_209_600, "fifo_queue": dead.endswith(".fifo")}
    )


def no_dead_letter_queue(view: View, finding: Finding) -> Proof:
    mapping: Mapping = finding.about
    data = _one_bad_message(view, mapping)
    figures = (*of_queue(mapping, "lost", "dead_lettered"), {"function": mapping.function, "invocations": 0})
    return Proof("one message that can't be processed", data, _with_dead_letters(data, mapping), figures)


def dead_letter_queue_of_the_function(view: View, finding: Finding) -> Proof:
    mapping: Mapping = finding.about
    own = view.spec.functions[mapping.function].dead_letter_config
    assert own is not None
    service, name, _ = short_name(own.target_arn)
    data = _one_bad_message(view, mapping)
    target = name if service == "sqs" and name != mapping.source else DEAD
    data["queues"][target] = {"message_retention_period": 1_209_600}
    data["functions"][mapping.function]["dead_letter_config"] = {"target_arn": f"sqs:{target}"}
    figures = (*of_queue(mapping, "lost"), {"queue": target, "messages": 0})
    return Proof("one message that can't be processed", data, _with_dead_letters(data, mapping, target), figures)


def few_receives(view: View, finding: Finding) -> Proof:
    mapping: Mapping = finding.about
    queue = view.spec.queues[mapping.source]
    assert queue.redrive_policy is not None
    dead = short_name(queue.redrive_policy.dead_letter_target_arn)[1]
    seconds = max(queue.visibility_timeout, 1) * queue.redrive_policy.max_receive_count + 1
    data = queue_scenario(view, mapping, function_of(view, mapping.function))
    data["workload"] = [send(mapping, "order {n}", 3)]
    data["faults"] = [{"function": mapping.function, "throttle_rate": 1.0, "for": f"{seconds}s"}]
    mended = changed(data, "queues", mapping.source, "redrive_policy", "max_receive_count", to=FEWEST_RECEIVES)
    figures = ({"queue": dead, "messages": 0}, {"function": mapping.function, "invocations": 0})
    return Proof(f"{_good(3)}; the function is throttled for the first {seconds} s", data, mended, figures)


def whole_batches(view: View, finding: Finding) -> Proof:
    mapping: Mapping = finding.about
    size = min(mapping.batch_size, MOST_IN_BATCH)
    data = queue_scenario(view, mapping, function_of(view, mapping.function, "fails"), batch_size=size)
    data["workload"] = [send(mapping, "good {n}", size - 1), send(mapping, "bad")]
    data = data if "redrive_policy" in data["queues"][mapping.source] else _with_dead_letters(data, mapping)
    mended = changed(data, "event_source_mappings", 0, "function_response_types", to=["ReportBatchItemFailures"])
    mended = changed(mended, "functions", mapping.function, "handler", to="handlers.reports")
    story = f"a batch of {size} messages, one of which can't be processed"
    return Proof(story, data, mended, of_queue(mapping, "dead_lettered"))


def too_little_concurrency(view: View, finding: Finding) -> Proof:
    """Reserve what the mappings may use, and nothing is throttled."""
    mapping: Mapping = finding.about
    config = mapping.settings.scaling_config
    own = view.spec.functions[mapping.function]
    pollers = mapping.settings.provisioned_poller_config
    needed = 1_250 if config is None or config.maximum_concurrency is None else config.maximum_concurrency
    needed = needed if pollers is None else PER_POLLER * pollers.maximum_pollers
    size = min(mapping.batch_size, MOST_IN_BATCH)
    function = function_of(view, mapping.function, duration=f"{own.timeout * 500}ms")
    data = queue_scenario(view, mapping, function, batch_size=size)
    data["account"] = {"concurrent_executions": needed + 1_000}
    data["workload"] = [send(mapping, "order {n}", 40 * size)]
    mended = changed(data, "functions", mapping.function, "reserved_concurrent_executions", to=needed)
    story = f"{40 * size} messages at once, and {own.timeout / 2:g} s for each batch; mended: {needed} are reserved"
    return Proof(
        story,
        data,
        mended,
        ({"function": mapping.function, "throttles": 0}, *of_queue(mapping, "max_age", "dead_lettered")),
    )


def short_dead_letters(view: View, finding: Finding) -> Proof | None:
    """The source is not read for as long as a dead letter may live, but for the time that it takes to become one."""
    name: str = finding.about
    mapping = next((each for each, _, _ in view.queue_mappings() if each.source == name), None)
    if mapping is None:
        return None
    queue = view.spec.queues[name]
    assert queue.redrive_policy is not None
    dead = short_name(queue.redrive_policy.dead_letter_target_arn)[1]
    kept = view.spec.queues[dead].message_retention_period
    tries = queue.redrive_policy.max_receive_count * max(queue.visibility_timeout, 1)
    late = kept - tries - 600
    if late <= 0:
        return None
    data = _one_bad_message(view, mapping)
    data["event_source_mappings"][0]["simulate"] = {"transition_delay": f"{late}s"}
    end = kept + HOUR
    data["workload"] += [{"send_message": {"queue": dead, "message_body": "later"}, "at": f"{end}s"}]
    data["until"] = f"{end + 1}s"
    mended = changed(data, "queues", dead, "message_retention_period", to=1_209_600)
    story = (
        f"one message that can't be processed; the queue is read after {late / HOUR:.1f} h only, and looked at "
        f"{(end - late - tries) / HOUR:.1f} h after the message became a dead letter (one later message counts, too)"
    )
    return Proof(story, data, mended, ({"queue": dead, "messages": 0},))


def early_expiry(view: View, finding: Finding) -> Proof:
    mapping: Mapping = finding.about
    data = _one_bad_message(view, mapping)
    mended = changed(data, "queues", mapping.source, "message_retention_period", to=1_209_600)
    return Proof("one message that can't be processed", data, mended, of_queue(mapping, "lost", "dead_lettered"))
