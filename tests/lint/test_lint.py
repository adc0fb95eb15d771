"""`simbus lint`: each rule finds what AWS warns of, leaves the mended setting alone, and its proof shows the damage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner, Result

from simbus.cli import app
from simbus.lint.rules import BY_ID, RULES

GALLERY = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))
QUEUE = """\
functions: {work: FUNCTION}
queues: {jobs: JOBS, dead: {message_retention_period: 1209600}}
event_source_mappings: [{event_source: "sqs:jobs", function: work, MAPPING}]
"""
STREAM = """\
functions: {work: {timeout: 10}}
streams: {clicks: {shard_count: 1}}
queues: {dead: {message_retention_period: 3600}}
buckets: {kept: {}}
event_source_mappings: [{event_source: "kinesis:clicks", function: work, MAPPING}]
"""
GOOD_QUEUE = '{visibility_timeout: 18, redrive_policy: {dead_letter_target_arn: "sqs:dead", max_receive_count: 5}}'
GOOD_MAPPING = "function_response_types: [ReportBatchItemFailures]"
DEAD = 'redrive_policy: {dead_letter_target_arn: "sqs:dead", max_receive_count: 5}'
KEPT = 'event_invoke_config: {on_failure: "sqs:dead"}'
GOOD_STREAM = (
    "starting_position: TRIM_HORIZON, maximum_retry_attempts: 2, bisect_batch_on_function_error: true, "
    'on_failure: "sqs:dead"'
)
WINDOW = f"{GOOD_MAPPING}, maximum_batching_window_in_seconds: 5"
BOUNDED = f"{GOOD_MAPPING}, scaling_config: {{maximum_concurrency: 8}}"
POLLERS = f"{GOOD_MAPPING}, provisioned_poller_config: {{minimum_pollers: 2}}"
YOUNG = 'event_invoke_config: {on_failure: "sqs:dead", maximum_event_age_in_seconds: 60'


def queue(function: str = "{}", jobs: str = GOOD_QUEUE, mapping: str = GOOD_MAPPING) -> str:
    return QUEUE.replace("FUNCTION", function).replace("JOBS", jobs).replace("MAPPING", mapping)


def stream(mapping: str) -> str:
    return STREAM.replace("MAPPING", mapping)


def topic(function: str) -> str:
    return f"""\
functions: {{work: {function}}}
topics: {{news: {{subscriptions: [{{endpoint: "lambda:work"}}]}}}}
queues: {{dead: {{}}, dead.fifo: {{fifo_queue: true, content_based_deduplication: true}}}}
"""


def bucket(target: str) -> str:
    return f"""\
functions: {{work: {{environment: {{TARGET: {target}}}, {KEPT}}}}}
queues: {{dead: {{}}}}
buckets: {{thumbs: {{}}, uploads: {{notifications: [{{function: work, events: ["s3:ObjectCreated:*"]}}]}}}}
"""


class Case(NamedTuple):
    """A scenario that breaks one rule, at a line and path; and one figure of its proof, as it is and mended."""

    rule: str
    bad: str
    line: int
    path: str
    good: str
    figure: str = ""
    found: float | None = None
    mended: float | None = None


CASES = [
    Case(
        "sqs-visibility-timeout",
        queue("{timeout: 10}", f"{{visibility_timeout: 20, {DEAD}}}"),
        2, "$.queues.jobs.visibility_timeout",
        queue("{timeout: 10}", f"{{visibility_timeout: 60, {DEAD}}}"),
        "sqs:jobs duplicates", 10, 0,
    ),
    Case(
        "sqs-visibility-timeout",
        queue("{timeout: 10}", f"{{visibility_timeout: 60, {DEAD}}}", WINDOW),
        2, "$.queues.jobs.visibility_timeout",
        queue("{timeout: 10}", f"{{visibility_timeout: 65, {DEAD}}}", WINDOW),
    ),
    Case(
        "sqs-no-dlq",
        queue(jobs="{message_retention_period: 3600}"),
        2, "$.queues.jobs",
        queue(),
        "sqs:jobs lost", 1, 0,
    ),
    Case(
        "sqs-dlq-of-function",
        queue('{dead_letter_config: {target_arn: "sqs:dead"}}', "{message_retention_period: 3600}"),
        1, "$.functions.work.dead_letter_config",
        queue('{dead_letter_config: {target_arn: "sqs:dead"}}'),
        "sqs:dead messages", 0, 1,
    ),
    Case(
        "sqs-max-receive-count",
        queue(jobs=GOOD_QUEUE.replace("count: 5", "count: 1")),
        2, "$.queues.jobs.redrive_policy.max_receive_count",
        queue(),
        "sqs:dead messages", 3, 0,
    ),
    Case(
        "sqs-batch-item-failures",
        queue(mapping="batch_size: 5"),
        3, "$.event_source_mappings[0].function_response_types",
        queue(mapping="batch_size: 1"),
        "sqs:jobs dead_lettered", 5, 1,
    ),
    Case(
        "sqs-reserved-concurrency",
        queue("{reserved_concurrent_executions: 2}"),
        1, "$.functions.work.reserved_concurrent_executions",
        queue("{reserved_concurrent_executions: 5}"),
        "lambda:work throttles", None, 0,
    ),
    Case(
        "sqs-maximum-concurrency",
        queue("{reserved_concurrent_executions: 5}", mapping=BOUNDED),
        3, "$.event_source_mappings[0].scaling_config.maximum_concurrency",
        queue("{reserved_concurrent_executions: 8}", mapping=BOUNDED),
        "lambda:work throttles", None, 0,
    ),
    Case(
        "sqs-provisioned-pollers",
        queue("{reserved_concurrent_executions: 5}", mapping=POLLERS),
        3, "$.event_source_mappings[0].provisioned_poller_config.minimum_pollers",
        queue("{reserved_concurrent_executions: 20}", mapping=POLLERS),
        "lambda:work throttles", None, 0,
    ),
    Case(
        "sqs-dlq-retention",
        queue(jobs=f"{{message_retention_period: 1209600, visibility_timeout: 18, {DEAD}}}"),
        2, "$.queues.dead.message_retention_period",
        queue(jobs=f"{{message_retention_period: 1209599, visibility_timeout: 18, {DEAD}}}"),
    ),
    Case(
        "sqs-dlq-retention",
        queue().replace("dead: {message_retention_period: 1209600}", "dead: {message_retention_period: 86400}"),
        2, "$.queues.dead.message_retention_period",
        queue(),
        "sqs:dead messages", 1, 2,
    ),
    Case(
        "sqs-retention",
        queue(jobs=f"{{message_retention_period: 600, visibility_timeout: 200, {DEAD}}}"),
        2, "$.queues.jobs.message_retention_period",
        queue(jobs=f"{{message_retention_period: 1200, visibility_timeout: 200, {DEAD}}}"),
        "sqs:jobs lost", 1, 0,
    ),
    Case(
        "stream-endless-retries",
        stream("starting_position: TRIM_HORIZON, bisect_batch_on_function_error: true"),
        5, "$.event_source_mappings[0].maximum_retry_attempts",
        stream(GOOD_STREAM),
        "kinesis:clicks -> lambda:work lost", 1, 0,
    ),
    Case(
        "stream-no-destination",
        stream("starting_position: TRIM_HORIZON, bisect_batch_on_function_error: true, maximum_retry_attempts: 1"),
        5, "$.event_source_mappings[0]",
        stream(GOOD_STREAM),
        "kinesis:clicks -> lambda:work lost", 3, 0,
    ),
    Case(
        "stream-no-bisect",
        stream(GOOD_STREAM.replace("bisect_batch_on_function_error: true, ", "")),
        5, "$.event_source_mappings[0].bisect_batch_on_function_error",
        stream(GOOD_STREAM),
        "kinesis:clicks -> lambda:work lost", 10, 1,
    ),
    Case(
        "stream-pointer-expires",
        stream(GOOD_STREAM).replace("3600", "1209600"),
        5, "$.event_source_mappings[0].on_failure",
        stream(GOOD_STREAM).replace("3600", "1209600").replace('on_failure: "sqs:dead"', 'on_failure: "s3:kept"'),
    ),
    Case(
        "stream-latest",
        stream(GOOD_STREAM.replace("TRIM_HORIZON", "LATEST")),
        5, "$.event_source_mappings[0].starting_position",
        stream(GOOD_STREAM),
        "kinesis:clicks -> lambda:work processed", 1, 11,
    ),
    Case(
        "async-no-failure-target",
        topic("{}"), 1, "$.functions.work",
        topic(f"{{{KEPT}}}"),
        "lambda:work lost", 10, 0,
    ),
    Case(
        "async-no-failure-target",
        "functions: {work: {}}\nworkload: [{invoke: {function: work, invocation_type: Event}, at: 1s}]\n",
        1, "$.functions.work",
        "functions: {work: {}}\nworkload: [{invoke: {function: work}, at: 1s}]\n",
    ),
    Case(
        "async-event-age",
        topic(f"{{{YOUNG}}}}}"),
        1, "$.functions.work.event_invoke_config.maximum_event_age_in_seconds",
        topic(f"{{{YOUNG}, maximum_retry_attempts: 0}}}}"),
        "lambda:work lost", 10, 0,
    ),
    Case(
        "async-event-age",
        topic('{event_invoke_config: {on_failure: "sqs:dead", maximum_event_age_in_seconds: 120}}'),
        1, "$.functions.work.event_invoke_config.maximum_event_age_in_seconds",
        topic('{event_invoke_config: {on_failure: "sqs:dead", maximum_event_age_in_seconds: 240}}'),
        "lambda:work lost", 10, 0,
    ),
    Case(
        "async-fifo-target",
        topic('{event_invoke_config: {on_failure: "sqs:dead.fifo"}}'),
        1, "$.functions.work.event_invoke_config.on_failure",
        topic(f"{{{KEPT}}}"),
        "lambda:work lost", 3, 0,
    ),
    Case(
        "recursive-loop",
        queue('{event_invoke_config: {on_success: "sqs:jobs", on_failure: "sqs:dead"}}'),
        1, "$.functions.work.event_invoke_config.on_success",
        queue(f"{{{KEPT}}}"),
    ),
    Case(
        "recursive-loop",
        topic('{event_invoke_config: {on_success: "sns:news", on_failure: "sqs:dead"}}'),
        1, "$.functions.work.event_invoke_config.on_success",
        topic(f"{{{KEPT}}}"),
        "lambda:work invocations", 12, 1,  # each record holds the one before it: the next is too large for SNS
    ),
    Case(
        "recursive-loop",
        bucket("uploads"),
        1, "$.functions.work.environment.TARGET",
        bucket("thumbs"),
    ),
    Case(
        "function-switched-off",
        topic(f"{{reserved_concurrent_executions: 0, {KEPT}}}"),
        1, "$.functions.work.reserved_concurrent_executions",
        topic(f"{{reserved_concurrent_executions: 1, {KEPT}}}"),
        "lambda:work lost", 10, 0,
    ),
    Case(
        "sync-caller-timeout",
        "functions: {work: {timeout: 61}}\nworkload: [{invoke: {function: work}, at: 1s}]\n",
        1, "$.functions.work.timeout",
        "functions: {work: {timeout: 60}}\nworkload: [{invoke: {function: work}, at: 1s}]\n",
        "lambda:work invocations", 3, 1,  # boto3's standard mode sends it three times
    ),
]  # fmt: skip


def lint(folder: Path, text: str, *options: str) -> Result:
    (folder / "shop.yaml").write_text(text)
    return CliRunner().invoke(app, ["lint", str(folder / "shop.yaml"), *options])


def findings(folder: Path, text: str, *options: str) -> list[dict[str, Any]]:
    result = lint(folder, text, "--json", *options)
    assert result.exit_code in (0, 1), result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)["findings"]
    return found


def test_every_rule_has_a_case_and_a_page_of_aws() -> None:
    """Each states a fact, with its source."""
    assert {rule.id for rule in RULES} == {case.rule for case in CASES}
    assert all(rule.source.startswith(("https://docs.aws.amazon.com/", "https://repost.aws/")) for rule in RULES)
    assert len(BY_ID) == len(RULES) >= 12


@pytest.mark.parametrize("case", CASES, ids=[f"{n}-{case.rule}" for n, case in enumerate(CASES)])
def test_a_rule_finds_the_bad_and_leaves_the_good(case: Case, tmp_path: Path) -> None:
    """At its line and path; the same scenario with the remedy has nothing of the kind."""
    found = [each for each in findings(tmp_path, case.bad) if each["rule"] == case.rule]
    assert [(each["line"], each["path"]) for each in found] == [(case.line, case.path)]
    assert case.rule not in [each["rule"] for each in findings(tmp_path, case.good)]


PROVED = [case for case in CASES if case.figure]


@pytest.mark.parametrize("case", PROVED, ids=[f"{n}-{case.rule}" for n, case in enumerate(PROVED)])
def test_a_proof_shows_the_damage_and_that_the_remedy_mends_it(case: Case, tmp_path: Path) -> None:
    """`--prove` plays a small simulation with the settings of the scenario."""
    if case.rule == "sync-caller-timeout":
        pytest.importorskip("boto3", reason="it is boto3 that asks again")
    [found] = [each for each in findings(tmp_path, case.bad, "--prove") if each["rule"] == case.rule]
    [figure] = [each for each in found["proof"]["figures"] if each["what"] == case.figure]
    assert figure["mended"] == case.mended
    if case.found is None:
        assert figure["found"] > 0
    else:
        assert figure["found"] == case.found


def test_every_rule_that_can_be_proved_is() -> None:
    """A rule without a proof says so: no figure of a run differs."""
    assert {rule.id for rule in RULES if rule.prove is None} == {"stream-pointer-expires"}
    assert {rule.id for rule in RULES if rule.prove is not None} <= {case.rule for case in PROVED}


def test_text_has_line_rule_fact_source_remedy_and_proof(tmp_path: Path) -> None:
    """As other linters: one finding after the other, in the order of the file, and how many at the end."""
    result = lint(tmp_path, topic("{}"), "--prove")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        f"{tmp_path}/shop.yaml:1: $.functions.work has neither an on_failure destination nor a dead-letter queue; "
        "sns:news invokes it asynchronously, and an event that fails 3 times is gone. error[async-no-failure-target]",
        f"  AWS: {BY_ID['async-no-failure-target'].fact}",
        "  https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html",
        "  Add event_invoke_config: {on_failure: sqs:name}.",
        "  Simulated: 10 events, and a function that fails.",
        "                               as it is  mended",
        "    lambda:work lost                 10       0",
        "    lambda:work dead_lettered         0      10",
        "",
        f"{tmp_path}/shop.yaml: 1 error",
    ]


def test_nothing_found_is_exit_status_0(tmp_path: Path) -> None:
    """So that a pipeline may stop at 1."""
    result = lint(tmp_path, topic(f"{{{KEPT}}}"))
    assert (result.exit_code, result.stdout) == (0, f"{tmp_path}/shop.yaml: nothing found\n")


def test_a_rule_is_left_out_by_its_id_and_an_unknown_one_refused(tmp_path: Path) -> None:
    """Refuse, never ignore: a rule that is misspelt would seem to hold."""
    assert lint(tmp_path, topic("{}"), "--ignore", "async-no-failure-target").exit_code == 0
    result = lint(tmp_path, topic("{}"), "--ignore", "async-no-failure")
    assert result.exit_code == 2
    assert "there is no such rule. Did you mean async-no-failure-target?" in result.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("functions: {f: {timeout: 901}}", "Lambda allows 1 to 900 seconds"),
        (queue("{timeout: 60}", "{visibility_timeout: 30}"), "Queue visibility timeout: 30 seconds is less than"),
    ],
)
def test_what_aws_refuses_is_no_finding_but_exit_status_2(tmp_path: Path, text: str, message: str) -> None:
    """A mapping whose function may run longer than the visibility timeout can't be made at all."""
    result = lint(tmp_path, text)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_set_changes_what_is_looked_at_and_github_annotates(tmp_path: Path) -> None:
    """--set as in `simbus run`; annotations on stderr, so that --json stays one document."""
    result = lint(
        tmp_path, topic(f"{{{KEPT}}}"), "--set", "functions.work.reserved_concurrent_executions=0", "--github"
    )
    assert result.exit_code == 1
    assert result.stderr.startswith(
        f"::warning file={tmp_path}/shop.yaml,line=1,title=function-switched-off::$.functions"
    )


def test_a_loop_that_aws_does_not_see_says_so(tmp_path: Path) -> None:
    """Developer Guide, "Lambda recursive loop detection": not DynamoDB, Kinesis, EventBridge."""
    text = """\
functions: {work: {event_invoke_config: {on_success: "events:default", on_failure: "sqs:dead"}}}
queues: {dead: {}}
event_buses: {default: {rules: {again: {event_pattern: {source: [lambda]}, targets: [{arn: "lambda:work"}]}}}}
"""
    [found] = [each for each in findings(tmp_path, text) if each["rule"] == "recursive-loop"]
    assert found["found"].endswith(
        "lambda:work -> events:default -> lambda:work. Lambda's loop detection does not see events: it never stops."
    )


def test_a_stream_of_a_table_is_proved_with_a_table(tmp_path: Path) -> None:
    """DynamoDB streams: a record lives for 24 hours."""
    text = """\
functions: {work: {}}
tables: {orders: {hash_key: id, stream_view_type: KEYS_ONLY}}
event_source_mappings:
  - {event_source: "dynamodb:orders", function: work, starting_position: TRIM_HORIZON, batch_size: 1}
"""
    [found] = [each for each in findings(tmp_path, text, "--prove") if each["rule"] == "stream-endless-retries"]
    age, lost, _ = found["proof"]["figures"]
    assert age["found"] > 23 * 3_600_000
    assert (lost["found"], lost["mended"]) == (1, 0)


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml")), ids=lambda path: path.stem
)
def test_every_scenario_of_the_gallery_can_be_linted_and_proved(path: Path) -> None:
    """Whatever is found, its proof can be played."""
    result = CliRunner().invoke(app, ["lint", str(path), "--prove"])
    assert result.exit_code in (0, 1), result.output


def test_the_gallery_s_damage_is_found() -> None:
    """The rules know the incidents that the gallery tells: where AWS has a rule for them."""
    for name, rule in (
        ("duplicates", "sqs-visibility-timeout"),
        ("poison_record", "stream-endless-retries"),
        ("forgotten_failures", "sqs-batch-item-failures"),
        ("broken_chain", "stream-pointer-expires"),
        ("stale_deploy", "async-no-failure-target"),
    ):
        result = CliRunner().invoke(app, ["lint", str(GALLERY[0].with_name(f"{name}.yaml")), "--json"])
        assert rule in [each["rule"] for each in json.loads(result.stdout)["findings"]], name
