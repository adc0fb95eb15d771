"""What a scenario file may say, in AWS's form and in the short one, and what `--set` changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simbus.errors import ScenarioError
from simbus.kernel import HOUR, MINUTE
from simbus.scenario.loader import Scenario, load
from simbus.scenario.schema import schema_json

EXAMPLE = """
description: Thumbnails for uploaded pictures; the store is down for five minutes.
seed: 7
start: 2026-01-01T00:00:00Z
duration: 1h
until: 8h
account: {id: "000000000000", region: us-east-1, concurrent_executions: 1000}
functions:
  resize:
    runtime: python3.13
    timeout: 3
    memory_size: 256
    environment: {TARGET: thumbs}
    reserved_concurrent_executions: 5
    provisioned_concurrent_executions: 2
    dead_letter_config: {target_arn: "sqs:failed"}
    event_invoke_config:
      {maximum_retry_attempts: 2, maximum_event_age_in_seconds: 21600, on_success: "sns:alerts",
       on_failure: "sqs:failed"}
    logging_config: {log_format: JSON, application_log_level: INFO, system_log_level: INFO, log_group: /x}
    ephemeral_storage: {size: 512}
    recursive_loop: Terminate
    aliases: {live: {function_version: "1", routing_config: {additional_version_weights: {"2": 0.1}}}}
    simulate:
      duration: {p50: 120ms, p99: 900ms}
      cpu: 0.5
      init_duration: 250ms
      error_rate: 0.01
      max_memory_used: 80
      idle_timeout: 10m
      aws_latency: 5ms
      await_handler: false
  notify: {}
buckets:
  uploads:
    versioning: false
    notifications: [{function: resize, events: ["s3:ObjectCreated:*"], filter: {prefix: img/, suffix: .jpg}}]
queues:
  failed: {visibility_timeout: 30, delay_seconds: 0, message_retention_period: 345600}
  x: {redrive_policy: {dead_letter_target_arn: "sqs:failed", max_receive_count: 5}}
topics:
  alerts:
    subscriptions:
      - protocol: lambda
        endpoint: "lambda:notify"
        filter_policy: {level: [high]}
        filter_policy_scope: MessageAttributes
        raw_message_delivery: false
        redrive_policy: {dead_letter_target_arn: "sqs:x"}
workload:
  - {put_object: {bucket: uploads, key: "img/{n}.jpg", size: 100KB}, rate: 20/s, for: 10m}
  - {invoke: {function: resize, payload: {}, invocation_type: Event}, at: 5m}
  - {send_message: {queue: x, message_body: {n: "{n}"}}, count: 1000, over: 1m}
  - {invoke: {function: resize}, trace: {file: arrivals.csv, column: start_time, unit: ms, duration_column: took}}
expect:
  - {lost: 0}
  - {queue: failed, messages: 0}
  - {function: resize, p99_duration: "< 1s", error_rate: "<= 0.01", throttles: 0, invocations: ">= 100"}
"""


def scenario(folder: Path, text: str, *overrides: str) -> Scenario:
    (folder / "arrivals.csv").write_text("start_time,took\n1,2\n")
    (folder / "orders.yaml").write_text(text)
    return load(folder / "orders.yaml", overrides)


def test_the_example_of_the_contract_is_read(tmp_path: Path) -> None:
    """design.md, section 7: what this version builds of the example there."""
    loaded = scenario(tmp_path, EXAMPLE)
    spec = loaded.spec
    assert loaded.name == "orders"
    assert (spec.seed, spec.duration, spec.until) == (7, HOUR, 8 * HOUR)
    assert spec.start.isoformat() == "2026-01-01T00:00:00+00:00"
    resize = spec.functions["resize"]
    assert (resize.timeout, resize.memory_size, resize.ephemeral_storage) == (3, 256, 512)
    assert resize.simulate.idle_timeout == 10 * MINUTE
    assert resize.simulate.aws_latency == "5ms"
    put = spec.workload[0].put_object
    assert put is not None
    assert put.size == 102_400
    assert spec.expect[2].figures() == ["invocations", "error_rate", "throttles", "p99_duration"]


def test_defaults_are_those_of_aws(tmp_path: Path) -> None:
    """CreateFunction: 3 s, 128 MB, x86_64, 512 MB of /tmp; CreateQueue: 30 s, 4 days (botocore's models)."""
    spec = scenario(tmp_path, "functions: {a: {}}\nqueues: {q: {}}").spec
    function, queue = spec.functions["a"], spec.queues["q"]
    assert (function.timeout, function.memory_size, function.architectures) == (3, 128, ["x86_64"])
    assert (function.ephemeral_storage, function.recursive_loop) == (512, "Terminate")
    assert (queue.visibility_timeout, queue.message_retention_period, queue.maximum_message_size) == (
        30,
        345_600,
        1_048_576,
    )
    assert (spec.account.id, spec.account.region, spec.account.concurrent_executions) == (
        "000000000000",
        "us-east-1",
        1000,
    )


ARN = "arn:aws:lambda:us-east-1:000000000000:function:a"
SYNONYMS: list[tuple[str, str]] = [
    ("functions: {a: {environment: {A: b}}}", "functions: {a: {environment: {variables: {A: b}}}}"),
    ("functions: {a: {ephemeral_storage: 600}}", "functions: {a: {ephemeral_storage: {size: 600}}}"),
    (
        "queues: {q: {}}\nfunctions: {a: {event_invoke_config: {on_failure: 'sqs:q'}}}",
        "queues: {q: {}}\nfunctions: {a: {event_invoke_config: {on_failure: {destination: 'sqs:q'}}}}",
    ),
    (
        "functions: {a: {}}\nworkload: [{invoke: {function: a}, at: 1s}]",
        "functions: {a: {}}\nworkload: [{invoke: {function_name: 'lambda:a'}, at: 1s}]",
    ),
    (
        "functions: {a: {}}\nworkload: [{invoke: {function: a}, at: 1s}]",
        f"functions: {{a: {{}}}}\nworkload:\n- {{at: 1s, invoke: {{function: '{ARN}'}}}}",
    ),
    (
        "topics: {t: {}}\nworkload: [{publish: {topic: t, message: x}, at: 1s}]",
        "topics: {t: {}}\nworkload: [{publish: {topic_arn: t, message: x}, at: 1s}]",
    ),
    ("buckets: {box: {versioning: true}}", "buckets: {box: {versioning_configuration: {status: Enabled}}}"),
]


@pytest.mark.parametrize(("short", "nested"), SYNONYMS)
def test_the_short_form_is_an_exact_synonym_of_that_of_aws(tmp_path: Path, short: str, nested: str) -> None:
    """Contract: AWS's API parameters in snake_case with AWS's nesting; the short forms mean the same."""
    assert scenario(tmp_path, short).spec == scenario(tmp_path, nested).spec


def test_destinations_may_be_nested_as_in_aws(tmp_path: Path) -> None:
    text = "queues: {q: {}}\nfunctions: {a: {event_invoke_config: {%s}}}"
    nested = scenario(tmp_path, text % "destination_config: {on_failure: {destination: 'sqs:q'}}").spec
    config = nested.functions["a"].event_invoke_config
    assert config is not None
    assert config.destination("on_failure") == "sqs:q"
    assert config.destination("on_success") is None


def test_notifications_may_be_written_as_in_aws(tmp_path: Path) -> None:
    """PutBucketNotificationConfiguration's own nesting gives the same notifications as the short form."""
    head = "functions: {a: {}}\nbuckets:\n  box: "
    short = "{notifications: [{function: a, events: ['s3:ObjectCreated:*'], filter: {prefix: img/, suffix: .jpg}}]}"
    nested = (
        "{notification_configuration: {lambda_function_configurations: [{lambda_function_arn: 'lambda:a', "
        "events: ['s3:ObjectCreated:*'], filter: {key: {filter_rules: [{name: prefix, value: img/}, "
        "{name: suffix, value: .jpg}]}}}]}}"
    )
    for text in (short, nested):
        [(_, kind, target, settings)] = scenario(tmp_path, head + text).spec.buckets["box"].every_notification()
        assert (kind, target, settings.events) == ("function", "lambda:a", ["s3:ObjectCreated:*"])
        assert settings.filter is not None
        assert settings.filter.rules() == [
            {"Name": "prefix", "Value": "img/"},
            {"Name": "suffix", "Value": ".jpg"},
        ]


def test_scalars_are_those_of_yaml_1_2(tmp_path: Path) -> None:
    """`on`, `yes`, 1:30 and dates are texts; a number that begins with 0 is one, too; keys are texts."""
    text = """
functions: {a: {simulate: {response: {on: yes, time: 12:30:45, day: 2026-01-01, zero: 007, 5: [0x10, 1e3, ~, .5]}}}}
"""
    assert scenario(tmp_path, text).spec.functions["a"].simulate.response == {
        "on": "yes",
        "time": "12:30:45",
        "day": "2026-01-01",
        "zero": "007",
        "5": [16, 1000.0, None, 0.5],
    }
    assert scenario(tmp_path, "account: {id: 001234567890}").spec.account.id == "001234567890"


def test_anchors_and_merge_keys_work(tmp_path: Path) -> None:
    """`<<` merges mappings; a key of the mapping itself wins, and of several the first."""
    text = """
functions:
  a: &a {timeout: 5, memory_size: 256}
  b: {<<: *a, timeout: 7}
  c: {<<: [{memory_size: 512}, *a]}
"""
    functions = scenario(tmp_path, text).spec.functions
    assert [(f.timeout, f.memory_size) for f in functions.values()] == [(5, 256), (7, 256), (5, 512)]


# --- --set -----------------------------------------------------------------------------------------------------------


def test_overrides_change_and_add_values(tmp_path: Path) -> None:
    spec = scenario(
        tmp_path,
        EXAMPLE,
        "functions.resize.timeout=10",
        "functions.notify.simulate.error_rate=0.5",
        "functions.resize.environment.EXTRA=on",
        "workload[0].rate=5/s",
        '$.queues["failed"].delay_seconds=9',
        "seed=text",
        "until=",
    ).spec
    assert spec.functions["resize"].timeout == 10
    assert spec.functions["notify"].simulate.error_rate == 0.5
    assert spec.functions["resize"].environment == {"TARGET": "thumbs", "EXTRA": "on"}
    assert spec.workload[0].rate == (5, 1_000_000_000)
    assert spec.queues["failed"].delay_seconds == 9
    assert (spec.seed, spec.until) == ("text", None)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("functions.resize.timeout=1200", "--set functions.resize.timeout: $.functions.resize.timeout is 1200; Lambda"),
        ("functions.resize.timeuot=5", "--set functions.resize.timeuot: $.functions.resize.timeuot is not in the scen"),
        ("functions.resice.timeout=5", "--set functions.resice.timeout: $.functions.resice is not in the scenario;"),
        ("queues.faild={}", "--set queues.faild: $.queues.faild is not in the scenario;"),
        ("workload[9].rate=5/s", "--set workload[9].rate: $.workload[9] is not in the scenario; $.workload is a list"),
        ("workload.x=5", "--set workload.x: $.workload.x is not in the scenario; $.workload is a list of 4."),
        ("seed.x=5", "--set seed.x: $.seed.x is not in the scenario; $.seed is a value."),
        ("functions.resize.timeout", "--set functions.resize.timeout: has no value; an override is path=value."),
        ("a..b=5", "--set a..b: is no path;"),
        ("=5", "--set =5: has no path; an override is path=value."),
        (
            "workload.0.rate=5/s",
            "--set workload.0.rate: $.workload.0 is not in the scenario; $.workload is a list of 4. "
            "Write workload[0] for an item of a list.",
        ),
        (
            "workload[4]={}",
            "--set workload[4]: $.workload[4] is not in the scenario; $.workload is a list of 4. Its items "
            "are workload[0] to workload[3]; write the whole list to add one: workload=[...].",
        ),
        (
            "faults[0].at=5s",
            "--set faults[0].at: $.faults[0] is not in the scenario; $.faults is empty. Write the whole ",
        ),
        (
            "queues.xyz123.delay_seconds=5",
            "--set queues.xyz123.delay_seconds: $.queues.xyz123 is not in the scenario; "
            "--set changes what is there. Known are",
        ),
        ("seed=[", "--set seed: the value '[' is not YAML:"),
    ],
)
def test_a_wrong_override_is_refused(tmp_path: Path, override: str, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        scenario(tmp_path, EXAMPLE, override)
    assert str(caught.value).startswith(message)


# --- the JSON Schema -------------------------------------------------------------------------------------------------


def _below(schema: dict[str, Any]) -> dict[str, Any]:
    """What stands below a part of a JSON Schema: by key, `*` for any name, `[]` for an item."""
    found = dict(schema.get("properties", {}))
    names = list(schema.get("patternProperties", {}).values()) or [schema.get("additionalProperties")]
    if isinstance(names[0], dict):
        found["*"] = names[0]
    if "items" in schema:
        found["[]"] = schema["items"]
    return found


def _described(schema: dict[str, Any], root: dict[str, Any], path: str) -> dict[str, Any]:
    """The part of a JSON Schema that a path of keys leads to."""
    for key in path.split("."):
        options = [schema, *schema.get("anyOf", []), *schema.get("allOf", [])]
        options = [root["$defs"][o["$ref"].rpartition("/")[2]] if "$ref" in o else o for o in options]
        found = [below[key] for option in options if key in (below := _below(option))]
        assert found, f"{key} of {path}"
        schema = found[0]
    return schema


@pytest.mark.parametrize(
    "path",
    [
        "functions.*.timeout",
        "functions.*.environment.variables",
        "functions.*.event_invoke_config.destination_config.on_failure",
        "functions.*.event_invoke_config.on_failure",
        "functions.*.simulate.duration",
        "functions.*.aliases.*.routing_config.additional_version_weights.*",
        "buckets.*.notifications.[].function",
        "buckets.*.notifications.[].lambda_function_arn",
        "buckets.*.notifications.[].filter.prefix",
        "queues.*.redrive_policy.max_receive_count",
        "topics.*.subscriptions.[].filter_policy",
        "workload.[].for",
        "workload.[].put_object.size",
        "workload.[].invoke.function",
        "workload.[].invoke.function_name",
        "workload.[].trace.duration_column",
        "expect.[].p99_duration",
        "faults.[].error_rate",
        "faults.[].event_bus",
        "faults.[].for",
    ],
)
def test_the_json_schema_knows_every_form(path: str) -> None:
    """`simbus schema` is for editors: both names of a synonym, ranges, descriptions."""
    schema = schema_json()
    assert _described(schema, schema, path)


def test_the_json_schema_has_ranges() -> None:
    schema = schema_json()
    timeout = _described(schema, schema, "functions.*.timeout")
    assert (timeout["minimum"], timeout["maximum"], timeout["default"]) == (1, 900, 3)
    assert schema["additionalProperties"] is False
