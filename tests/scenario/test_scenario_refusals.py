"""Every mistake in a scenario file gets one clear error: file:line, path, finding, rule, remedy (design.md, 5)."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import pytest

from simbus.errors import ScenarioError
from simbus.scenario import source as source_module
from simbus.scenario.loader import load

BASE = {"functions": {"a": {}, "b": {}}, "queues": {"q": {}, "failed": {}}, "topics": {"t": {}}, "buckets": {"box": {}}}


def refusal(folder: Path, text: str | bytes) -> str:
    """The message that a scenario of this text gets, without the folder of the test."""
    path = folder / "orders.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ScenarioError) as caught:
        load(path)
    return str(caught.value).replace(f"{folder}/", "")


FUNCTION = "functions:\n  a:\n    "

# text of the file, what the message begins with, what it says besides
REFUSED = [
    (FUNCTION + "timeout: 1200", "orders.yaml:3: $.functions.a.timeout is 1200; Lambda allows 1 to 900", "Shorten it"),
    (FUNCTION + "timeout: 0", "orders.yaml:3: $.functions.a.timeout is 0;", "1 to 900 seconds"),
    (FUNCTION + "timeout: 3.5", "orders.yaml:3: $.functions.a.timeout is 3.5;", "a whole number is expected"),
    (FUNCTION + "timeout: yes", "orders.yaml:3: $.functions.a.timeout is 'yes';", "a whole number is expected"),
    (FUNCTION + "timeout: true", "orders.yaml:3: $.functions.a.timeout is true;", "a whole number is expected"),
    (FUNCTION + "timeout: '3'", "orders.yaml:3: $.functions.a.timeout is '3';", "without quotes"),
    (FUNCTION + "timeout: 1:30", "orders.yaml:3: $.functions.a.timeout is '1:30';", "a whole number is expected"),
    (FUNCTION + "timeuot: 3", "orders.yaml:3: $.functions.a.timeuot is no key", "did you mean timeout?"),
    (FUNCTION + "timeout: 30s", "orders.yaml:3: $.functions.a.timeout is '30s';", "Write 30, without a unit."),
    (FUNCTION + "memory_size: 512MB", "orders.yaml:3: $.functions.a.memory_size is '512MB';", "Write 512, without"),
    (FUNCTION + "MemorySize: 512", "orders.yaml:3: $.functions.a.MemorySize is no key", "did you mean memory_size?"),
    (FUNCTION + "CodeUri: app/", "orders.yaml:3: $.functions.a.CodeUri is no key", "did you mean code?"),
    (
        FUNCTION + "dead_letter_config: 'sqs:q'",
        "orders.yaml:3: $.functions.a.dead_letter_config is 'sqs:q'; a mapping is expected.",
        "Write {target_arn: ...}.",
    ),
    ("Resources: {}", "orders.yaml:1: $.Resources belongs to a CloudFormation template;", "Write functions:"),
    ("service: shop", "orders.yaml:1: $.service belongs to the Serverless Framework;", "Write functions:"),
    (
        "queues:\n  jobs: {}\n  event_source_mappings: [{event_source: 'sqs:jobs', function: f}]",
        "orders.yaml:3: $.queues.event_source_mappings is a list of 1; event_source_mappings is a key of the whole",
        "Move it to the left margin.",
    ),
    (
        "queues: {q: {}}\nworkload: [{send_message: {queue: q, body: x}, at: 1s}]",
        "orders.yaml:2: $.workload[0].send_message.body is no key of a scenario here; did you mean message_body?",
        "",
    ),
    (FUNCTION + "memory_size: 64", "orders.yaml:3: $.functions.a.memory_size is 64;", "128 to 10240 MB"),
    (FUNCTION + "ephemeral_storage: {size: 9}", "orders.yaml:3: $.functions.a.ephemeral_storage", "512 to 10240 MB"),
    (
        FUNCTION + "runtime: python2",
        "orders.yaml:3: $.functions.a.runtime is 'python2'; the runtimes are",
        "python3.13",
    ),
    (FUNCTION + "architectures: [x86_64, arm64]", "orders.yaml:3: $.functions.a.architectures", "at most 1"),
    (FUNCTION + "recursive_loop: Stop", "orders.yaml:3: $.functions.a.recursive_loop is 'Stop'", "Allow, Terminate"),
    (FUNCTION + "reserved_concurrent_executions: -1", "orders.yaml:3: $.functions.a.reserved_conc", "0 or more"),
    (FUNCTION + "environment: {A: 1}", "orders.yaml:3: $.functions.a.environment.A is 1;", "Put it in quotes"),
    (FUNCTION + "environment: {variables: {A: 1}}", "orders.yaml:3: $.functions.a.environment.variables.A is 1;", ""),
    (FUNCTION + "environment:\n      OK: x\n      NO: 1", "orders.yaml:5: $.functions.a.environment.NO is 1;", ""),
    (FUNCTION + f"environment: {{A: {'x' * 4096}}}", "orders.yaml:3: $.functions.a.environment has", "4096"),
    (FUNCTION + "handler: m.f", "orders.yaml:2: $.functions.a has handler but no code;", "Add it"),
    (FUNCTION + "code: app/\n    handler: m.f", "orders.yaml:3: $.functions.a.code is 'app/'", "no such file"),
    (FUNCTION + "simulate: {duration: 5}", "orders.yaml:3: $.functions.a.simulate.duration is 5;", "5ms"),
    (FUNCTION + "simulate: {duration: {p50: 9}}", "orders.yaml:3: $.functions.a.simulate.duration", ""),
    (FUNCTION + "simulate: {error_rate: 2}", "orders.yaml:3: $.functions.a.simulate.error_rate is 2;", "0 to 1"),
    (FUNCTION + "simulate: {idle_timeout: 10}", "orders.yaml:3: $.functions.a.simulate.idle_timeout is 10;", "10s"),
    (FUNCTION + "logging_config: {log_format: XML}", "orders.yaml:3: $.functions.a.logging_config.log_format", "JSON"),
    (FUNCTION + "event_invoke_config: {maximum_retry_attempts: 3}", "orders.yaml:3: $.functions.a.event_inv", "0 to 2"),
    (
        FUNCTION + "event_invoke_config:\n      destination_config:\n        on_failure: {destination: 'sqs:no'}",
        "orders.yaml:5: $.functions.a.event_invoke_config.destination_config.on_failure is 'sqs:no';",
        "no no in queues",
    ),
    (
        FUNCTION + "event_invoke_config: {on_success: 'lambda:a'}",
        "orders.yaml:3: $.functions.a.event_invoke_config.on_success is 'lambda:a'; You can't specify the function",
        "You can't specify the function as a destination for itself.",
    ),
    (FUNCTION + "dead_letter_config: {target_arn: 'lambda:a'}", "orders.yaml:3: $.functions.a.dead", "sqs:name"),
    (
        FUNCTION + "dead_letter_config: {target_arn: 'sqs:nope'}",
        "orders.yaml:3: $.functions.a.dead",
        "no nope in queues",
    ),
    (
        FUNCTION + "dead_letter_config: {target_arn: 'arn:aws:sqs:eu-west-1:000000000000:q'}",
        "orders.yaml:3: $.functions.a.dead_letter_config.target_arn is 'arn:aws:sqs:eu-west-1",
        "another account or Region",
    ),
    (FUNCTION + "aliases: {live: {function_version: 1}}", "orders.yaml:3: $.functions.a.aliases.live.function_ver", ""),
    ("functions: {a b: {}}", "orders.yaml:1: $.functions[\"a b\"] is 'a b'", "1 to 64 letters"),
    (f"functions: {{{'x' * 65}: {{}}}}", "orders.yaml:1: $.functions.xxx", "1 to 64 letters"),
    ("functions:\n  a:\n", "orders.yaml:2: $.functions.a is empty; a mapping is expected.", "{}"),
    ("functions: []", "orders.yaml:1: $.functions is an empty list; a mapping is expected.", ""),
    ("functoins: {}", "orders.yaml:1: $.functoins is no key of a scenario here; did you mean functions?", ""),
    ("queues: {q: {delay_seconds: 901}}", "orders.yaml:1: $.queues.q.delay_seconds is 901; SQS allows 0 to 900", ""),
    (
        "queues: {q: {redrive_policy: {dead_letter_target_arn: 'sqs:x'}}}",
        "orders.yaml:1: $.queues.q.redrive_policy",
        "",
    ),
    ("buckets: {Box: {}}", "orders.yaml:1: $.buckets.Box is 'Box'; a bucket's name has 3 to 63 lower-case", ""),
    (
        'buckets:\n  box:\n    notifications:\n      - {function: no, events: ["s3:ObjectCreated:*"]}',
        "orders.yaml:4: $.buckets.box.notifications[0].function is 'lambda:no'; there is no no in functions.",
        "",
    ),
    (
        "buckets: {box: {notifications: [{events: [x]}]}}",
        "orders.yaml:1: $.buckets.box.notifications[0] has no target",
        "",
    ),
    (
        "buckets: {box: {notifications: [{function: a}]}}",
        "orders.yaml:1: $.buckets.box.notifications[0].events is miss",
        "",
    ),
    (
        "topics: {t: {subscriptions: [{protocol: https, endpoint: 'sqs:q'}]}}",
        "orders.yaml:1: $.topics.t.sub",
        "lambda and sqs",
    ),
    ("account: {id: 12}", "orders.yaml:1: $.account.id is 12; a text is expected.", "Put it in quotes"),
    ("account: {id: '12'}", "orders.yaml:1: $.account.id is '12'; an account id has 12 digits.", ""),
    ("start: yesterday", "orders.yaml:1: $.start is 'yesterday'; a start is a time.", "2026-01-01T00:00:00Z"),
    ("seed: [1]", "orders.yaml:1: $.seed is a list of 1; a seed is a whole number or a text.", ""),
    ("duration: 10", "orders.yaml:1: $.duration is 10;", "10s"),
    ("until: -1s", "orders.yaml:1: $.until is '-1s';", "negative"),
    ("streams: {clicks: {shard_count: 0}}", "orders.yaml:1: $.streams.clicks.shard_count is 0; Kinesis allows", "1 to"),
    ("streams: {clicks: {shards: 4}}", "orders.yaml:1: $.streams.clicks.shards", "shard_count"),
    (
        "streams: {clicks: {retention_period_hours: 1}}",
        "orders.yaml:1: $.streams.clicks.retention_period_hours is 1;",
        "",
    ),
    (
        "streams: {clicks: {max_record_size_in_ki_b: 1}}",
        "orders.yaml:1: $.streams.clicks.max_record_size_in_ki_b is 1;",
        "",
    ),
    (
        "streams: {a/b: {shard_count: 1}}",
        "orders.yaml:1: $.streams[\"a/b\"] is 'a/b'; a stream's name has 1 to 128",
        "Rename",
    ),
    (
        "streams: {clicks: {stream_mode: FAST}}",
        "orders.yaml:1: $.streams.clicks.stream_mode is 'FAST'; the modes are",
        "Choose",
    ),
    (
        "streams: {clicks: {stream_mode: ON_DEMAND, shard_count: 4}}",
        "orders.yaml:1: $.streams.clicks has shard_count and the mode ON_DEMAND",
        "Keep one of them",
    ),
    (
        "streams: {clicks: {stream_mode_details: {stream_mode: PROVISIONED}}}",
        "orders.yaml:1: $.streams.clicks is PROVISIONED without shard_count",
        "Add it",
    ),
    (
        "workload: [{put_record: {stream: clicks, partition_key: k, data: x}, at: 1s}]",
        "orders.yaml:1: $.workload[0].put_record.stream is 'kinesis:clicks'; there is no clicks in streams.",
        "Add clicks there",
    ),
    (
        "streams: {c: {}}\nworkload:\n  - put_record: {stream: c, partition_key: '', data: x}\n    at: 1s",
        "orders.yaml:3: $.workload[0].put_record.partition_key is ''; a partition key has 1 to 256 characters.",
        "",
    ),
    (
        "workload: [{put_record: {stream: c, partition_key: k, data: x, explicit_hash_key: -1}, at: 1s}]",
        "orders.yaml:1: $.workload[0].put_record.explicit_hash_key is '-1'; a hash key is a whole number from 0 to",
        "Choose",
    ),
    (
        "streams: {c: {}}\nworkload: [{put_record: {stream: c, partition_key: k, data: '{nn}'}, at: 1s}]",
        "orders.yaml:2: $.workload[0].put_record.data has {nn}",
        "",
    ),
    (
        "event_buses:\n  x:\n    rules:\n      r: {event_pattern: {source: [a]}, targets: [{arn: 'lambda:nope'}]}",
        "orders.yaml:4: $.event_buses.x.rules.r.targets[0].arn is 'lambda:nope'; there is no nope in functions.",
        "",
    ),
    (
        "event_buses:\n  default:\n    rules:\n      r: {event_patern: {source: [a]}}",
        "orders.yaml:4: $.event_buses.default.rules.r.event_patern is no key of a scenario here; did you mean event_pa",
        "",
    ),
    (
        "event_buses: {default: {rules: {r: {targets: []}}}}",
        "orders.yaml:1: $.event_buses.default.rules.r has no event_pattern and no schedule_expression;",
        "Add it",
    ),
    (
        "event_buses: {default: {rules: {r: {schedule_expression: rate(1 minutes)}}}}\nduration: 1h",
        "orders.yaml:1: $.event_buses.default.rules.r.schedule_expression is 'rate(1 minutes)'; AWS answers: Parameter",
        "Write rate(5 minutes), of which 1 is rate(1 minute)",
    ),
    (
        "event_buses: {default: {rules: {r: {schedule_expression: rate(1 minute)}}}}",
        "orders.yaml:1: $.event_buses.default.rules.r.schedule_expression is 'rate(1 minute)'; a schedule fires for",
        "Add duration: or until:.",
    ),
    (
        "event_buses: {x: {rules: {r: {event_pattern: {source: [a]}, targets: [{arn: 's3:box'}]}}}}",
        "orders.yaml:1: $.event_buses.x.rules.r.targets[0].arn is 's3:box'; a target is one of lambda:name",
        "",
    ),
    (
        "event_buses: {x: {archives: {all: {retention_days: -1}}}}",
        "orders.yaml:1: $.event_buses.x.archives.all.retention_days is -1; EventBridge keeps",
        "",
    ),
    ("event_buses: {a b: {}}", "orders.yaml:1: $.event_buses[\"a b\"] is 'a b'; a bus's name has", "Rename it"),
    (
        "faults: [{at: 1s, function: f}]",
        "orders.yaml:1: $.faults[0] has no fault; a fault is one or more of error_rate,",
        "Add one",
    ),
    (
        "faults: [{function: f, queue: q, outage: true, for: 1s}]",
        "orders.yaml:1: $.faults[0] is about function and queue; a fault is about one resource.",
        "Write one item for each",
    ),
    ("faults: [{error_rate: 1}]", "orders.yaml:1: $.faults[0] has error_rate but not of what;", "Name one"),
    (
        "faults: [{queue: q, error_rate: 1}]",
        "orders.yaml:1: $.faults[0] has error_rate of a queue; it is a fault of function.",
        "Put it into an item of its own",
    ),
    (
        "faults: [{function: f, neighbour_concurrency: 5}]",
        "orders.yaml:1: $.faults[0] has neighbour_concurrency of a function; it is a fault of the account",
        "Put it into an item of its own",
    ),
    (
        "faults: [{function: f, error_rate: 2}]",
        "orders.yaml:1: $.faults[0].error_rate is 2; a share is 0 to 1.",
        "Write 0.01",
    ),
    (
        "faults: [{queue: q, outage: false}]",
        "orders.yaml:1: $.faults[0].outage is False;",
        "Write true, or leave it out",
    ),
    (
        "faults: [{queue: jobs.fifo, duplicate_rate: 0.1}]\nqueues: {jobs.fifo: {fifo_queue: true}}",
        "orders.yaml:1: $.faults[0] has duplicate_rate of sqs:jobs.fifo; a FIFO queue delivers each message once.",
        "Name a standard queue",
    ),
    (
        "faults: [{queue: jobs.fifo, reorder_rate: 0.1}]\nqueues: {jobs.fifo: {fifo_queue: true}}",
        "orders.yaml:1: $.faults[0] has reorder_rate of sqs:jobs.fifo; a FIFO queue keeps the order of each group.",
        "Name a standard queue",
    ),
    (
        "faults: [{stream: c, reorder_rate: 0.1}]",
        "orders.yaml:1: $.faults[0] has reorder_rate of a stream; it is a fault of bucket, queue, topic, event_bus.",
        "Put it into an item of its own",
    ),
    (
        "faults: [{stream: c, duplicate_rate: 0.1, delay: 1s}]",
        "orders.yaml:1: $.faults[0] has delay, which says how much later a duplicate",
        "Remove it",
    ),
    (
        "faults: [{function: f, error_rate: 1, every: 1h}]",
        "orders.yaml:1: $.faults[0] has every; a fault occurs by `at` and `for`",
        "Choose one of these forms",
    ),
    (
        "faults: [{function: f, error_rate: 1, every: 0s, for: 1s}]\nfunctions: {f: {}}",
        "orders.yaml:1: $.faults[0].every is 0s; between two occurrences there is some time.",
        "Make it longer",
    ),
    (
        "faults: [{function: f, latency: {exponentail: 1s}}]\nfunctions: {f: {}}",
        "orders.yaml:1: $.faults[0].latency has exponentail; a duration distribution is",
        "Write one of",
    ),
    (
        "faults: [{function: nope, error_rate: 1}]",
        "orders.yaml:1: $.faults[0].function is 'lambda:nope'; there is no nope in functions.",
        "",
    ),
    (
        "faults: [{function: f, eror_rate: 1}]",
        "orders.yaml:1: $.faults[0].eror_rate is no key of a scenario here; did you mean error_rate?",
        "",
    ),
    (
        "workload: [{put_record: {stream: 'sqs:q', partition_key: k, data: x}, at: 1s}]",
        "orders.yaml:1: $.workload[0].put_record.stream is 'sqs:q'; a stream is named by its name, kinesis:name or",
        "Name a stream",
    ),
    (
        "workload: [{put_record: {stream: c, partition_key: k}, at: 1s}]",
        "orders.yaml:1: $.workload[0].put_record.data is missing",
        "Add it",
    ),
    (
        "workload: [{put_events: {}, at: 1s}]",
        "orders.yaml:1: $.workload[0].put_events has neither entries nor an event;",
        "Keep one form",
    ),
    (
        "workload: [{put_events: {entries: [{detial: {}}]}, at: 1s}]",
        "orders.yaml:1: $.workload[0].put_events.entries[0] has the key detial; an entry has source, detail_type",
        "",
    ),
    (
        "workload: [{put_events: {entries: [{event_bus_name: nope, source: a, detail_type: b, detail: {}}]}, at: 1s}]",
        "orders.yaml:1: $.workload[0].put_events.entries[0].event_bus_name is 'events:nope'; there is no nope",
        "",
    ),
    (
        "workload: [{put_events: {event_bus: nope, source: a, detail_type: b, detail: {}}, at: 1s}]",
        "orders.yaml:1: $.workload[0].put_events.event_bus is 'events:nope'; there is no nope in event_buses.",
        "",
    ),
    ("workload: [{replay: x.jsonl}]", "orders.yaml:1: $.workload[0].replay is 'x.jsonl'; there is no such file in", ""),
    (
        "workload: [{replay: x.jsonl, rate: 1/s, for: 1s}]",
        "orders.yaml:1: $.workload[0] has rate, for; a replay has its own times",
        "",
    ),
    ("workload: [{replay: x.jsonl, speed: 0}]", "orders.yaml:1: $.workload[0].speed is 0; a speed is above 0.", ""),
    (
        "workload: [{invoke: {function: f}, at: 1s, speed: 2}]",
        "orders.yaml:1: $.workload[0] has speed, which is that of a replay",
        "",
    ),
    ("workload: [{at: 5m}]", "orders.yaml:1: $.workload[0] has no verb; an item is one of put_object, copy_object", ""),
    ("expect: [{}]", "orders.yaml:1: $.expect[0] has no subject; an expectation is about one of lost, queue", ""),
    (
        "expect: [{queue: q, invocations: 5}]",
        "orders.yaml:1: $.expect[0] has invocations, which is no figure of queue.",
        "",
    ),
    ("expect: [{lost: many}]", "orders.yaml:1: $.expect[0].lost is 'many'; a comparison is a whole number", '">= 100"'),
    ("expect: [{lost: 0.5}]", "orders.yaml:1: $.expect[0].lost is 0.5; a comparison is a whole number", ""),
    (
        "functions: {a: {}}\nexpect: [{function: a, p99_duration: 5}]",
        "orders.yaml:2: $.expect[0].p99_duration is 5;",
        "< 1s",
    ),
    ("expect: [{queue: nope, messages: 0}]", "orders.yaml:1: $.expect[0].queue is 'sqs:nope'; there is no nope", ""),
]


@pytest.mark.parametrize(("text", "begins", "says"), REFUSED, ids=[re.sub(r"\s+", " ", row[0])[:60] for row in REFUSED])
def test_a_wrong_value_is_refused_with_line_path_and_rule(tmp_path: Path, text: str, begins: str, says: str) -> None:
    """Ranges and names: botocore's models of Lambda, SQS, SNS, S3; the words: design.md, section 6."""
    message = refusal(tmp_path, text)
    assert message.startswith(begins)
    assert says in message


TIMING = [
    ("", "has no time"),
    ("rate: 5/s", "has rate"),
    ("rate: 5/s, for: 1m, count: 5", "has rate, for, count"),
    ("at: 5s, over: 1m", "has at, over"),
    ("at: 5s, count: 5, over: 1m", "has at, count, over"),
    ("over: 1m", "has over"),
    ("for: 1m", "has for"),
    ("count: 5", "has count"),
    ("at: 5s, trace: {file: x.csv, column: a}", "has at, trace"),
    ("at: 5s, arrivals: constant", "has arrivals"),
]


@pytest.mark.parametrize(("timing", "finding"), TIMING)
def test_an_item_has_exactly_one_form_of_time(tmp_path: Path, timing: str, finding: str) -> None:
    """Contract: `at` (with `count`), `rate` with `for` or `count`, `count` with `over`, or `trace`."""
    message = refusal(tmp_path, f"functions: {{a: {{}}}}\nworkload:\n  - {{invoke: {{function: a}}, {timing}}}")
    assert message.startswith(f"orders.yaml:3: $.workload[0] {finding}")


ITEMS = [
    (
        "invoke: {function: nope}, at: 1s",
        "$.workload[0].invoke.function is 'lambda:nope'; there is no nope in functions",
    ),
    (
        "invoke: {function: a, qualifier: live}, at: 1s",
        "$.workload[0].invoke.qualifier is 'lambda:a:live'; a has no alias",
    ),
    (
        "invoke: {function: a, function_name: a}, at: 1s",
        "$.workload[0].invoke.function means the same as function_name",
    ),
    ("invoke: {function: 'sqs:q'}, at: 1s", "$.workload[0].invoke.function is 'sqs:q'; a function is named by"),
    ("invoke: {function: a, invocation_type: Async}, at: 1s", "$.workload[0].invoke.invocation_type is 'Async'"),
    ("invoke: {function: a, payload: {x: ['{m}']}}, at: 1s", "$.workload[0].invoke.payload has {m}; an expression has"),
    ("invoke: {function: a, payload: '{n / 2}'}, at: 1s", "$.workload[0].invoke.payload has {n / 2}; an expression"),
    ("put_object: {bucket: box}, at: 1s", "$.workload[0].put_object.key is missing"),
    ("put_object: {bucket: box, key: k, size: 6GB}, at: 1s", "$.workload[0].put_object.size is 6442450944 bytes; S3"),
    ("put_object: {bucket: box, key: k, size: big}, at: 1s", "$.workload[0].put_object.size is 'big'; a size is"),
    ("put_object: {bucket: box, key: k, size: 1, body: x}, at: 1s", "$.workload[0].put_object has body and size"),
    (
        "publish: {topic: t, message: x, message_attributes: {a: {type: S}}}, at: 1s",
        "$.workload[0].publish.message_attributes.a has type; an attribute has data_type and string_value.",
    ),
    ("invoke: {function: 'a:1', qualifier: '2'}, at: 1s", "$.workload[0].invoke names a qualifier twice"),
    (
        "publish: {topic: t, message: x}, trace: {file: t.csv, column: c, duration_column: d}",
        "$.workload[0] has a trace with duration_column, which only invoke and put_object pass on.",
    ),
    (
        "invoke: {function: a}, trace: {file: t.csv, column: c, cold_column: d}",
        "$.workload[0].trace has one of environment_column and cold_column",
    ),
    ("publish: {topic: t}, at: 1s", "$.workload[0].publish.message is missing"),
    ("send_message: {queue: t, message_body: x}, at: 1s", "$.workload[0].send_message.queue is 'sqs:t'; there is no t"),
    ("invoke: {function: a}, at: 1s, publish: {topic: t, message: x}", "$.workload[0] has publish and invoke"),
    ("invoke: {function: a}, rate: 0/s, for: 1s", "$.workload[0].rate is '0/s'; a rate is above 0"),
    ("invoke: {function: a}, rate: fast, for: 1s", "$.workload[0].rate is 'fast'; a rate is a number per"),
    ("invoke: {function: a}, at: 1s, count: 0", "$.workload[0].count is 0; a count is 1 or more"),
    (
        "invoke: {function: a}, trace: {file: no.csv, column: t}",
        "$.workload[0].trace.file is 'no.csv'; it can't be read",
    ),
]


@pytest.mark.parametrize(("item", "finding"), ITEMS)
def test_a_wrong_item_of_a_workload_is_refused(tmp_path: Path, item: str, finding: str) -> None:
    """Contract: section 7, workload; one clear error each."""
    text = f"{json.dumps(BASE)[:-1]},\nworkload: [{{{item}}}]}}"
    assert refusal(tmp_path, text).startswith(f"orders.yaml:2: {finding}")


SYNTAX: list[tuple[str | bytes, str]] = [
    ("", "orders.yaml:1: is empty; a scenario is a mapping of keys."),
    ("# only a comment\n", "orders.yaml:1: is empty"),
    ("- 1\n- 2", "orders.yaml:1: is a list of 2; a scenario is a mapping of keys."),
    ("just text", "orders.yaml:1: is 'just text'; a scenario is a mapping"),
    ("seed: 1\n\tduration: 1h", "orders.yaml:2: is not YAML: found a tab character"),
    ("functions: {a: ", "orders.yaml:1: is not YAML:"),
    (
        "functions:\n\ta: {}\n",
        "orders.yaml:2: is not YAML: found character that cannot start any token while scanning for the next token. "
        "Indent with blanks",
    ),
    ("seed: 1\nduration: 1h\nseed: 2", "orders.yaml:3: the key 'seed' stands twice in one mapping (first in line 1)."),
    ("functions:\n  a: {}\n  a: {}", "orders.yaml:3: the key 'a' stands twice"),
    ("seed: !!python/object/apply:os.system ['true']", "orders.yaml:1: the tag tag:yaml.org,2002:python/object/apply"),
    ("seed: !secret x", "orders.yaml:1: the tag !secret makes no plain data"),
    ("seed: *nowhere", "orders.yaml:1: *nowhere is an alias of nothing before it."),
    ("seed: 1\n---\nseed: 2", "orders.yaml:2: a second document begins"),
    ("seed: 1\nx: \x00", "orders.yaml:2: holds the character"),
    (b"seed: 1\nx: \xff\xfe", "orders.yaml:2: holds the byte 0xff, which is not UTF-8"),
    ("\N{BYTE ORDER MARK}seed: 1".encode("utf-16"), "orders.yaml:1: holds the byte"),
    ("a: " + "[" * 5000, "orders.yaml:1: is nested more than 100 levels deep"),
    ("a: &a [*a]", "orders.yaml:1: is nested more than 100 levels deep"),
    ("? [1, 2]\n: 3", "orders.yaml:1: a key is a list or a mapping"),
    ("a: {<<: 5}", "orders.yaml:1: << merges something that is no mapping."),
    ("seed: " + "9" * 5000, "orders.yaml:1: is a number of 5000 digits"),
]


@pytest.mark.parametrize(("text", "begins"), SYNTAX)
def test_what_is_no_plain_yaml_mapping_is_refused(tmp_path: Path, text: str | bytes, begins: str) -> None:
    """YAML is read as plain data only: no tags that make objects, no bombs, no second document."""
    assert refusal(tmp_path, text).startswith(begins)


def test_an_alias_bomb_is_refused(tmp_path: Path) -> None:
    """Nine levels of nine aliases are 3.4e8 values: refused after a bounded number of them."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]
    assert "more than 1,000,000 values once its aliases are expanded" in refusal(tmp_path, "\n".join(lines))


def test_a_large_file_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The size is asked for first; a sparse file of 100 MB costs nothing."""
    path = tmp_path / "orders.yaml"
    with path.open("wb") as file:
        file.truncate(100_000_000)
    monkeypatch.setattr(source_module, "compose", None)
    with pytest.raises(
        ScenarioError, match=r"orders.yaml: has 100,000,000 bytes; a scenario file has at most 10,000,000"
    ):
        load(path)


def test_what_can_not_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"nope.yaml: can't be read \(No such file or directory\)"):
        load(tmp_path / "nope.yaml")
    with pytest.raises(ScenarioError, match="is a directory; a scenario is one YAML file"):
        load(tmp_path)


def test_the_first_mistake_in_the_file_is_shown_and_the_others_are_counted(tmp_path: Path) -> None:
    """Contract: one clear error. The order is that of the file, not that of the schema."""
    message = refusal(tmp_path, "workload: 5\nfunctions:\n  a: {timeout: 0}\nseed: []")
    assert message.startswith("orders.yaml:1: $.workload is 5; a list is expected.")
    assert message.endswith("(and 2 more errors)")


def test_code_must_hold_the_module_of_the_handler(tmp_path: Path) -> None:
    """Contract: exit 2 where `code` or the handler's module file is absent."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "shop.py").write_text("def handler(event, context): ...\n")
    text = "functions:\n  a:\n    code: app\n    handler: "
    assert refusal(tmp_path, text + "stock.handler").startswith(
        "orders.yaml:4: $.functions.a.handler is 'stock.handler', but app has no module stock;"
    )
    (tmp_path / "orders.yaml").write_text(text + "shop.nothing")
    assert load(tmp_path / "orders.yaml").spec.functions["a"].handler == "shop.nothing"


def test_an_archive_that_climbs_out_of_its_folder_is_refused(tmp_path: Path) -> None:
    """Nothing is unpacked from a zip whose members would land elsewhere."""
    with zipfile.ZipFile(tmp_path / "app.zip", "w") as archive:
        archive.writestr("../evil.py", "x = 1\n")
    message = refusal(tmp_path, "functions:\n  a:\n    code: app.zip\n    handler: evil.handler")
    assert message.startswith("orders.yaml:3: $.functions.a.code is 'app.zip':")
    assert "'../evil.py' is a path outside of it" in message
