"""An event bus: what PutEvents takes, which rules match, which targets get it. Recordings are compared elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from simbus import AwsError, Simulation, UsageError
from simbus.sources.eventbridge.bus import EventBus


@pytest.fixture
def sim() -> Iterator[Simulation]:
    with Simulation(seed=1) as simulation:
        yield simulation


@pytest.fixture
def bus(sim: Simulation) -> EventBus:
    return sim.event_bus("default")


def event(number: Any = 1, **more: Any) -> dict[str, Any]:
    return {"Source": "shop", "DetailType": "order", "Detail": json.dumps({"n": number}), **more}


def bodies(sim: Simulation, queue: str) -> list[Any]:
    return [json.loads(message.body) for message in sim[f"sqs:{queue}"].messages]


def refused(call: Any, *args: Any, **options: Any) -> tuple[str, str]:
    with pytest.raises(AwsError) as caught:
        call(*args, **options)
    assert caught.value.status == 400
    return caught.value.code, caught.value.message


# --- PutEvents --------------------------------------------------------------------------------------------------------


def test_an_event_reaches_the_function_of_a_matching_rule(sim: Simulation, bus: EventBus) -> None:
    """Lambda gets the event itself, asynchronously (recording test_put_events_with_target_lambda*)."""
    seen: list[Any] = []
    resize = sim.function("resize", handler=lambda event, context: seen.append(event))
    sim.event_bus("default", rules={"big": {"event_pattern": {"source": ["shop"]}, "targets": [resize]}})
    answer = bus.put_events([event(1), event(2, Source="other")])
    sim.run()
    assert [each["detail"] for each in seen] == [{"n": 1}]
    assert seen[0]["id"] == answer["Entries"][0]["EventId"]
    assert [row.invocation_type for row in resize.invocations] == ["Event"]
    assert resize.invocations[0].source_arn == "arn:aws:events:us-east-1:000000000000:rule/big"


@pytest.mark.parametrize("missing", ["Source", "DetailType", "Detail"])
def test_an_entry_without_a_required_field(bus: EventBus, missing: str) -> None:
    """It fails alone, the others are put, in their order (recordings test_put_event_without_*)."""
    bad = event()
    del bad[missing]
    answer = bus.put_events([event(), bad, event()])
    message = f"Parameter {missing} is not valid. Reason: {missing} is a required argument."
    assert answer["FailedEntryCount"] == 1
    assert answer["Entries"][1] == {"ErrorCode": "InvalidArgument", "ErrorMessage": message}
    assert [list(entry) for entry in answer["Entries"][::2]] == [["EventId"], ["EventId"]]


@pytest.mark.parametrize("detail", ['"a text"', "[1]", "{", "1", "null", '{"a": NaN}', '{"a": 1} x', " "])
def test_a_detail_that_is_no_object(bus: EventBus, detail: str) -> None:
    """MalformedDetail in an answer of 200 (recordings test_put_event_malformed_detail)."""
    answer = bus.put_events([event(Detail=detail)])
    assert answer == {
        "FailedEntryCount": 1,
        "Entries": [{"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}],
    }


def test_too_many_entries(bus: EventBus) -> None:
    """AWS prints them all (recording test_put_events_exceed_limit_ten_entries)."""
    code, message = refused(bus.put_events, [event(EventBusName="default")] * 11)
    one = (
        "PutEventsRequestEntry(time=null, source=shop, resources=null, detailType=order, "
        'detail={"n": 1}, eventBusName=default, traceHeader=null, kmsKeyIdentifier=null, internalMetadata=null)'
    )
    assert code == "ValidationException"
    assert message == (
        f"1 validation error detected: Value '[{', '.join([one] * 11)}]' at 'entries' failed to satisfy constraint: "
        "Member must have length less than or equal to 10"
    )
    assert refused(bus.put_events, [])[0] == "ValidationException"


def test_entries_of_more_than_256_kb_together(bus: EventBus) -> None:
    """The size rule of the user guide: 14 bytes for a time, UTF-8 lengths for the texts; exactly 262,144 pass."""
    fixed = len("shoporder") + 14 + len('{"n": ""}') + len("r")
    fits = event("a" * (256 * 1024 - fixed), Time=0, Resources=["r"])
    assert bus.put_events([fits])["FailedEntryCount"] == 0
    assert refused(bus.put_events, [{**fits, "Resources": ["é"]}]) == (
        "ValidationException",
        "Total size of the entries in the request is over the limit.",
    )


def test_sources_of_aws_are_reserved(bus: EventBus) -> None:
    """NotAuthorizedForSourceException (API reference, PutEventsResultEntry)."""
    [entry] = bus.put_events([event(Source="aws.s3")])["Entries"]
    assert entry["ErrorCode"] == "NotAuthorizedForSourceException"


def test_a_bus_that_does_not_exist_takes_everything(sim: Simulation, bus: EventBus) -> None:
    """PutEvents succeeds, the event is lost (recording test_put_events_nonexistent_event_bus)."""
    elsewhere = bus.arn.replace("us-east-1", "eu-west-1")
    answer = bus.put_events([event(EventBusName="nope"), event(EventBusName=bus.arn), event(EventBusName=elsewhere)])
    assert [list(entry) for entry in answer["Entries"]] == [["EventId"]] * 3
    with sim.reader() as reader:
        assert [tuple(row) for row in reader.query("SELECT source FROM events")] == [("events:default",)]
        hops = [place for (place,) in reader.query("SELECT place FROM hops WHERE kind = 'no_such_bus'")]
        assert hops == ["nope", elsewhere]


def test_a_bus_that_is_out_of_service(sim: Simulation, bus: EventBus) -> None:
    """Its entries fail alone with the retryable InternalFailure; a request to the bus itself gets 503."""
    other = sim.event_bus("other")
    other.outage(10**9)
    answer = bus.put_events([event(), event(EventBusName="other")])
    assert answer["FailedEntryCount"] == 1
    assert answer["Entries"][1]["ErrorCode"] == "InternalFailure"
    with pytest.raises(AwsError, match="ServiceUnavailable"):
        other.put_events([event()])


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2022-01-01", "2022-01-01T00:00:00Z"),
        ("01-02-2022T00:00:00Z", "2022-01-02T00:00:00Z"),
        ("2022-01-01 00:00:00Z", "2022-01-01T00:00:00Z"),
        ("2022-07-13T13:48:01.987+02:00", "2022-07-13T11:48:01Z"),
        (1_657_720_081.9, "2022-07-13T13:48:01Z"),
        (None, "2026-01-01T00:00:00Z"),
    ],
)
def test_the_time_of_an_event(sim: Simulation, bus: EventBus, time: Any, expected: str) -> None:
    """Whole seconds in UTC; now if left out (recording test_put_events_time)."""
    bus.put_rule("all", event_pattern={"source": ["shop"]})
    bus.put_targets("all", [sim.queue("q")])
    bus.put_events([event(Time=time)])
    assert bodies(sim, "q")[0]["time"] == expected


def test_snake_case_objects_and_unknown_keys(sim: Simulation, bus: EventBus) -> None:
    """Python's form of an entry; what is no key of PutEvents, or not built, is named."""
    bus.put_rule("all", event_pattern={"source": ["shop"]})
    bus.put_targets("all", [sim.queue("q")])
    bus.put_events([{"source": "shop", "detail_type": "order", "detail": {"n": "é"}, "resources": ["a"]}])
    [body] = bodies(sim, "q")
    assert (body["detail"], body["resources"]) == ({"n": "é"}, ["a"])
    with pytest.raises(UsageError, match="has the key detial; it may have source, detail_type"):
        bus.put_events([{"Detial": "{}"}])
    with pytest.raises(UsageError, match="X-Ray is not built"):
        bus.put_events([event(TraceHeader="Root=1")])
    with pytest.raises(UsageError, match="'yesterday' is no time"):
        bus.put_events([event(Time="yesterday")])


# --- rules ------------------------------------------------------------------------------------------------------------


def test_the_life_of_a_rule(sim: Simulation, bus: EventBus) -> None:
    """AWS's JSON and ARNs; a rule that is put again keeps its targets, what is left out is gone."""
    audit = sim.event_bus("audit")
    answer = audit.put_rule("r", event_pattern='{"source":["shop"]}', description="d", role_arn="arn:aws:iam::0:role/x")
    arn = "arn:aws:events:us-east-1:000000000000:rule/audit/r"
    assert answer == {"RuleArn": arn}
    audit.put_targets("r", [{"Id": "one", "Arn": "sqs:q", "InputPath": "$.detail"}])
    assert audit.describe_rule("r") == {
        "Name": "r",
        "Arn": arn,
        "EventPattern": '{"source":["shop"]}',
        "State": "ENABLED",
        "Description": "d",
        "RoleArn": "arn:aws:iam::0:role/x",
        "EventBusName": "audit",
        "CreatedBy": "000000000000",
    }
    audit.put_rule("r", event_pattern={"source": ["x"]}, state="DISABLED")
    assert audit.list_rules()["Rules"] == [
        {"Name": "r", "Arn": arn, "EventPattern": '{"source": ["x"]}', "State": "DISABLED", "EventBusName": "audit"}
    ]
    queue_arn = "arn:aws:sqs:us-east-1:000000000000:q"
    assert audit.list_targets_by_rule("r") == {"Targets": [{"Id": "one", "Arn": queue_arn, "InputPath": "$.detail"}]}
    assert audit.list_rule_names_by_target("sqs:q") == {"RuleNames": ["r"]}
    assert refused(audit.delete_rule, "r") == ("ValidationException", "Rule can't be deleted since it has targets.")
    assert audit.remove_targets("r", ["one", "two"])["FailedEntries"][0]["ErrorCode"] == "ResourceNotFoundException"
    audit.delete_rule("r")
    audit.delete_rule("r")
    message = "Rule r does not exist on EventBus audit."
    for call in (audit.describe_rule, audit.enable_rule, audit.disable_rule, audit.list_targets_by_rule):
        assert refused(call, "r") == ("ResourceNotFoundException", message)
    assert refused(audit.put_targets, "r", ["sqs:q"]) == ("ResourceNotFoundException", message)


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("a b", r"satisfy regular expression pattern: [\.\-_A-Za-z0-9]+"),
        ("a" * 65, "have length less than or equal to 64"),
        ("", "have length greater than or equal to 1"),
    ],
)
def test_names_of_rules_and_targets(bus: EventBus, name: str, rule: str) -> None:
    """The constraints of the API model, in AWS's words (recording test_put_target_id_validation)."""
    text = f"1 validation error detected: Value '{name}' at '%s' failed to satisfy constraint: Member must {rule}"
    assert refused(bus.put_rule, name, event_pattern={"source": ["a"]}) == ("ValidationException", text % "name")
    if name:
        bus.put_rule("r", event_pattern={"source": ["a"]})
        target = {"Id": name, "Arn": "sqs:q"}
        assert refused(bus.put_targets, "r", [target]) == ("ValidationException", text % "targets.1.member.id")


def test_lists_that_must_not_be_empty(bus: EventBus) -> None:
    """The API model (botocore, events 2015-10-07): 1 to 100 Targets of PutTargets, 1 to 100 Ids of RemoveTargets."""
    bus.put_rule("r", event_pattern={"source": ["a"]})
    text = "1 validation error detected: Value '[]' at '%s' failed to satisfy constraint: Member must have length "
    for call, field in ((bus.put_targets, "targets"), (bus.remove_targets, "ids")):
        expected = ("ValidationException", text % field + "greater than or equal to 1")
        assert refused(call, "r", []) == expected
        assert refused(call, "no-such-rule", []) == expected


def test_limits(bus: EventBus) -> None:
    """5 targets a rule, 300 rules a bus (quotas; recording test_add_exceed_fife_targets_per_rule)."""
    over = ("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
    for number in range(300):
        bus.put_rule(f"r{number}", event_pattern={"source": ["a"]})
    assert refused(bus.put_rule, "one-more", event_pattern={"source": ["a"]}) == over
    targets = [{"Id": str(number), "Arn": "sqs:q"} for number in range(5)]
    bus.put_targets("r0", targets)
    bus.put_targets("r0", targets[:1])
    assert refused(bus.put_targets, "r0", [{"Id": "5", "Arn": "sqs:q"}]) == over
    pages = bus.list_rules(limit=100)
    second = bus.list_rules(limit=100, next_token=pages["NextToken"])
    third = bus.list_rules(limit=100, next_token=second["NextToken"])
    assert "NextToken" not in third
    assert len({rule["Name"] for each in (pages, second, third) for rule in each["Rules"]}) == 300


def test_a_pattern_that_is_refused(bus: EventBus) -> None:
    """InvalidEventPatternException with the position in the text (recordings eventbridge_patterns)."""
    code, message = refused(bus.put_rule, "r", event_pattern='{"source": "shop"}')
    assert code == "InvalidEventPatternException"
    assert message.startswith('Event pattern is not valid. Reason: "source" must be an object or an array')
    assert bus.test_event_pattern('{"source": ["a"]}', '{"source": "a"}') is True
    assert bus.test_event_pattern({"source": ["a"]}, {"source": "b"}) is False
    assert refused(bus.test_event_pattern, '{"source": ["a"]}', "{")[0] == "ValidationException"
    assert refused(bus.put_rule, "r", event_pattern={"a": ["x" * 4096]})[0] == "ValidationException"


def test_every_matching_rule_and_every_target_gets_the_event(sim: Simulation, bus: EventBus) -> None:
    """Two rules with one target: twice; one rule with two targets: both, the same id; a disabled rule: none."""
    one, two = sim.queue("one"), sim.queue("two")
    for name, state in (("a", "ENABLED"), ("b", "ENABLED"), ("c", "DISABLED")):
        bus.put_rule(name, event_pattern={"source": ["shop"]}, state=state)
        bus.put_targets(name, [one, two] if name == "a" else [one])
    bus.put_events([event()])
    assert len({body["id"] for body in bodies(sim, "one") + bodies(sim, "two")}) == 1
    assert (len(bodies(sim, "one")), len(bodies(sim, "two"))) == (2, 1)
    bus.disable_rule("a")
    bus.enable_rule("c")
    bus.put_events([event()])
    assert (len(bodies(sim, "one")), len(bodies(sim, "two"))) == (4, 1)


# --- targets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (
            {"Arn": "sqs:q", "Input": "{}", "InputPath": "$.detail"},
            "Only one of Input, InputPath, or InputTransformer must be provided for target t.",
        ),
        ({"Arn": "sqs:q.fifo"}, "Parameter(s) SqsParameters must be specified for target: t."),
        (
            {"Arn": "sqs:q", "InputTransformer": {"InputPathsMap": {"a": "$.b"}, "InputTemplate": '"<notdefinedkey>"'}},
            "InputTemplate for target t contains invalid placeholder notdefinedkey.",
        ),
        ({"Arn": "no-arn"}, "Parameter no-arn is not valid. Reason: Provided Arn is not in correct format."),
        ({"Arn": "sqs:q", "Input": "{"}, "JSON syntax error in input for target t."),
        (
            {"Arn": "sqs:q", "RetryPolicy": {"MaximumRetryAttempts": 186}},
            "1 validation error detected: Value '186' at 'targets.1.member.retryPolicy.maximumRetryAttempts' failed to "
            "satisfy constraint: Member must have value less than or equal to 185",
        ),
        (
            {"Arn": "sqs:q", "InputTransformer": {"InputPathsMap": {"aws.x": "$.id"}, "InputTemplate": "<aws.x>"}},
            "1 validation error detected: Value '{aws.x=$.id}' at 'targets.1.member.inputTransformer.inputPathsMap' "
            "failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or "
            "equal to 256, Member must have length greater than or equal to 1, Member must satisfy regular expression "
            r"pattern: [A-Za-z0-9\_\-]+]",
        ),
        (
            {"Arn": "sqs:q", "RetryPolicy": {"MaximumEventAgeInSeconds": 59}},
            "1 validation error detected: Value '59' at 'targets.1.member.retryPolicy.maximumEventAgeInSeconds' failed "
            "to satisfy constraint: Member must have value greater than or equal to 60",
        ),
    ],
)
def test_targets_that_are_refused(bus: EventBus, target: dict[str, Any], message: str) -> None:
    """AWS's words (recordings test_put_target_*, TestInputTransformer::*; the API model)."""
    bus.put_rule("r", event_pattern={"source": ["a"]})
    assert refused(bus.put_targets, "r", [{"Id": "t", **target}]) == ("ValidationException", message)
    assert bus.list_targets_by_rule("r") == {"Targets": []}


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ({"Arn": "s3:box"}, "s3:box can't be a target here; targets are lambda, sqs, sns, kinesis, events, logs"),
        ({"Arn": "arn:aws:states:us-east-1:0:stateMachine:x"}, "can't be a target here"),
        ({"Arn": "sqs:q", "EcsParameters": {}}, "has ecs_parameters, which simbus does not build"),
        ({"Arn": "events:default", "InputPath": "$.detail"}, "is an event bus and has InputPath"),
        ({"Arn": "sqs:q", "InputPath": "$..x"}, "is no path that simbus reads"),
        ({"Arn": "sqs:q", "Imput": "{}"}, "a target has the key imput"),
    ],
)
def test_what_is_not_built_is_refused_by_name(bus: EventBus, target: dict[str, Any], words: str) -> None:
    """One error that names it; nothing is accepted and ignored."""
    bus.put_rule("r", event_pattern={"source": ["a"]})
    with pytest.raises(UsageError) as caught:
        bus.put_targets("r", [target])
    assert words in str(caught.value)


@pytest.mark.parametrize(("given", "expected"), [({}, "{}"), ([1], "[1]"), ('{"a": 1}', '{"a": 1}'), ('"x"', '"x"')])
def test_a_constant_input(sim: Simulation, bus: EventBus, given: Any, expected: str) -> None:
    """Input: this JSON instead of the event, as text or in Python's form."""
    bus.put_rule("r", event_pattern={"source": ["shop"]})
    bus.put_targets("r", [{"arn": sim.queue("q").arn, "input": given}])
    bus.put_events([event()])
    assert [message.body for message in sim["sqs:q"].messages] == [expected]


TEMPLATES = [
    ('{"n": <n>, "missing": <missing>, "text": "<n> of <word>"}', '{"n":1,"missing":"","text":"1 of big"}'),
    (
        '{"all": <all>, "list": <list>, "yes": <yes>, "no": <no>}',
        '{"all":{"a":"b"},"list":[1,"x"],"yes":true,"no":null}',
    ),
    ('"<all> <list> <yes> <missing>."', '"{a:b} [1,x] true ."'),
    ('"say \\"<word>\\""', '"say \\"big\\""'),
    ('{"quoted": "say \\"<word>\\""}', '{"quoted":"say \\"big\\""}'),
    ("<all>", '{"a":"b"}'),
    ('{"rule": <aws.events.rule-name>}', '{"rule":"r"}'),
    ('{"at": "<aws.events.event.ingestion-time>"}', '{"at":"2026-01-01T00:00:00Z"}'),
]


@pytest.mark.parametrize(("template", "expected"), TEMPLATES)
def test_what_a_template_makes(sim: Simulation, bus: EventBus, template: str, expected: str) -> None:
    """User guide, "Transforming Amazon EventBridge target input"; recordings TestInputTransformer::*."""
    paths = {name: f"$.detail.{name}" for name in ("n", "missing", "word", "all", "list", "yes", "no")}
    bus.put_rule("r", event_pattern={"source": ["shop"]})
    target = {"arn": sim.queue("q").arn, "input_transformer": {"input_paths_map": paths, "input_template": template}}
    bus.put_targets("r", [target])
    detail = {"n": 1, "word": "big", "all": {"a": "b"}, "list": [1, "x"], "yes": True, "no": None}
    bus.put_events([event(Detail=detail)])
    assert [message.body for message in sim["sqs:q"].messages] == [expected]


def test_the_event_itself_in_a_template(sim: Simulation, bus: EventBus) -> None:
    """aws.events.event has no detail and says detailType; aws.events.event.json is all of it (reference 7.6)."""
    bus.put_rule("r", event_pattern={"source": ["shop"]})
    template = '{"event": <aws.events.event>, "json": <aws.events.event.json>}'
    bus.put_targets("r", [{"arn": sim.queue("q").arn, "input_transformer": {"input_template": template}}])
    bus.put_events([event()])
    [body] = bodies(sim, "q")
    whole = body["json"]
    assert whole["detail"] == {"n": 1}
    detail_type = whole.pop("detail-type")
    del whole["detail"]
    assert body["event"] == {**whole, "detailType": detail_type}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$.detail.word", '"big"'),
        ("$.detail.list[1].x", "2"),
        ("$.detail.list[*].x", "[1,2]"),
        ("$.detail['word']", '"big"'),
        ("$.detail.missing", "null"),
        ("$.detail-type", '"order"'),
    ],
)
def test_what_an_input_path_gives(sim: Simulation, bus: EventBus, path: str, expected: str) -> None:
    """One part of the event as JSON, a text in quotes (recording test_put_events_with_input_path_max_level_depth)."""
    bus.put_rule("r", event_pattern={"source": ["shop"]})
    bus.put_targets("r", [{"arn": sim.queue("q").arn, "input_path": path}])
    bus.put_events([event(Detail={"word": "big", "list": [{"x": 1}, {"x": 2}]})])
    assert [message.body for message in sim["sqs:q"].messages] == [expected]


def test_targets_of_every_kind(sim: Simulation, bus: EventBus) -> None:
    """A FIFO queue gets the group, a stream the partition key (the event's id without a path), a topic the event."""
    stream = sim.stream("clicks", shard_count=1)
    topic, fifo = sim.topic("t"), sim.queue("q.fifo", fifo_queue=True, content_based_deduplication=True)
    topic.subscribe(sim.queue("q"), raw_message_delivery=True)
    bus.put_rule("r", event_pattern={"source": ["shop"]})
    bus.put_targets(
        "r",
        [
            {"id": "1", "arn": fifo.arn, "sqs_parameters": {"message_group_id": "orders"}},
            {"id": "2", "arn": stream.arn, "kinesis_parameters": {"partition_key_path": "$.detail.n"}},
            {"id": "3", "arn": stream.arn},
            {"id": "4", "arn": topic.arn},
        ],
    )
    [entry] = bus.put_events([event()])["Entries"]
    [message] = fifo.messages
    assert message.group_id == "orders"
    [body] = bodies(sim, "q")
    assert body["id"] == entry["EventId"]
    with sim.reader() as reader:
        keys = reader.query("SELECT subject FROM events WHERE source = 'kinesis:clicks'")
        assert [tuple(row) for row in keys] == [("1",), (entry["EventId"],)]
        outcomes = reader.query("SELECT subscription, outcome FROM deliveries WHERE event_id = ?", (entry["EventId"],))
        names = ("sqs:q.fifo", "kinesis:clicks", "kinesis:clicks", "sns:t")
        assert [tuple(row) for row in outcomes] == [(name, "ok") for name in names]


# --- buses ------------------------------------------------------------------------------------------------------------


def test_an_event_goes_from_bus_to_bus_once(sim: Simulation, bus: EventBus) -> None:
    """The id stays; a third bus gets nothing ("can't route events received from a sender event bus to a third")."""
    audit, third = sim.event_bus("audit"), sim.event_bus("third")
    queue, dead = sim.queue("q"), sim.queue("dead")
    for source, targets in (
        (bus, [audit]),
        (audit, [queue, {"id": "on", "arn": third.arn, "dead_letter_config": {"arn": dead.arn}}]),
        (third, [queue]),
    ):
        source.put_rule("r", event_pattern={"source": ["shop"]})
        source.put_targets("r", targets)
    [entry] = bus.put_events([event()])["Entries"]
    assert [body["id"] for body in bodies(sim, "q") + bodies(sim, "dead")] == [entry["EventId"]] * 2
    assert dead.messages[0].message_attributes["ERROR_CODE"]["StringValue"] == "THIRD_ACCOUNT_HOP_DETECTED"
    with sim.reader() as reader:
        sources = [source for (source,) in reader.query("SELECT source FROM events ORDER BY rowid")]
        assert sources[:2] == ["events:default", "events:audit"]
        assert "events:third" not in sources


def test_a_bus_that_sends_to_itself_ends(sim: Simulation, bus: EventBus) -> None:
    """An event comes back once and goes no further."""
    bus.put_rule("r", event_pattern={"source": ["shop"]})
    bus.put_targets("r", [bus])
    bus.put_events([event()])
    with sim.reader() as reader:
        assert len(list(reader.query("SELECT id FROM events"))) == 2
        assert [tuple(row) for row in reader.query("SELECT outcome FROM deliveries ORDER BY 1")] == [
            ("dropped",),
            ("ok",),
        ]


def test_the_life_of_a_bus(sim: Simulation, bus: EventBus) -> None:
    """CreateEventBus, DescribeEventBus, DeleteEventBus with AWS's errors."""
    orders = sim.event_bus("orders")
    described = orders.describe_event_bus()
    assert (described["Name"], described["Arn"]) == ("orders", "arn:aws:events:us-east-1:000000000000:event-bus/orders")
    assert [each["Name"] for each in bus.list_event_buses()["EventBuses"]] == ["default", "orders"]
    assert refused(sim.event_bus, "orders") == ("ResourceAlreadyExistsException", "Event bus orders already exists.")
    orders.put_rule("r", event_pattern={"source": ["a"]})
    assert refused(orders.delete_event_bus)[0] == "ValidationException"
    orders.delete_rule("r")
    orders.delete_event_bus()
    assert refused(orders.put_rule, "r", event_pattern={"source": ["a"]}) == (
        "ResourceNotFoundException",
        "Event bus orders does not exist.",
    )
    assert refused(bus.delete_event_bus) == ("ValidationException", "Cannot delete event bus default.")
    sim.event_bus("orders").put_rule("r", event_pattern={"source": ["a"]})


def test_a_loop_over_a_bus_is_not_detected(sim: Simulation, bus: EventBus) -> None:
    """Recursive loop detection does not follow EventBridge (Developer Guide): the 17th round runs as well."""
    rounds: list[str] = []

    def again(given: dict[str, Any], context: Any) -> None:
        rounds.append(context.aws_request_id)
        if len(rounds) < 20:
            bus.put_events([event(len(rounds))])

    bus.put_rule("r", event_pattern={"source": ["shop"]})
    bus.put_targets("r", [sim.function("again", handler=again)])
    bus.put_events([event(0)])
    sim.run()
    assert len(rounds) == 20
    with sim.reader() as reader:
        parents = [parent for (parent,) in reader.query("SELECT parent FROM events ORDER BY time, rowid")]
    assert parents == [None, *rounds[:19]]


def test_async_twins(sim: Simulation, bus: EventBus) -> None:
    """Every operation has a twin that is awaited inside async code."""

    async def put() -> dict[str, Any]:
        await bus.aput_rule("r", event_pattern={"source": ["shop"]})
        return await bus.aput_events([event()])

    assert sim.run_async(put())["FailedEntryCount"] == 0
