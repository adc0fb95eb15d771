"""CloudWatch Logs through boto3: what functions have printed, and what is put there by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from simbus import Simulation

boto3 = pytest.importorskip("boto3", reason="needs the extra boto3")

START = 1_767_225_600_000  # 2026-01-01T00:00:00Z in ms
DAY = 86_400_000


@pytest.fixture
def sim() -> Iterator[Simulation]:
    with Simulation(seed=1) as sim:
        yield sim


def printer(event: Any, context: Any) -> str:
    for line in event["lines"]:
        print(line)
    return str(context.log_stream_name)


def made(client: Any, group: str = "app", stream: str = "one") -> dict[str, str]:
    client.create_log_group(logGroupName=group)
    client.create_log_stream(logGroupName=group, logStreamName=stream)
    return {"logGroupName": group, "logStreamName": stream}


def put(client: Any, where: dict[str, str], *events: tuple[int, str]) -> Any:
    return client.put_log_events(**where, logEvents=[{"timestamp": time, "message": text} for time, text in events])


def messages(answer: Any) -> list[str]:
    return [event["message"].rstrip("\n") for event in answer["events"]]


# --- what functions have printed -------------------------------------------------------------------------------------


def test_the_lines_of_a_function_are_in_its_group(sim: Simulation) -> None:
    """/aws/lambda/NAME with a stream for each environment, Lambda's own lines with their newline (Developer Guide)."""
    stream = sim.function("f", handler=printer).invoke({"lines": ["hello"]}).json()
    client = boto3.client("logs")
    [group] = client.describe_log_groups()["logGroups"]
    arn = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/f"
    assert (group["logGroupName"], group["arn"], group["logGroupArn"]) == ("/aws/lambda/f", f"{arn}:*", arn)
    assert group["creationTime"] == START
    [found] = client.describe_log_streams(logGroupName="/aws/lambda/f")["logStreams"]
    assert (found["logStreamName"], found["arn"]) == (stream, f"{arn}:log-stream:{stream}")
    answer = client.get_log_events(logGroupIdentifier=arn, logStreamName=stream)
    assert [text.split()[0] for text in messages(answer)] == ["INIT_START", "START", "hello", "END", "REPORT"]
    assert answer["events"][0]["message"].endswith("\n")
    assert found["firstEventTimestamp"] == answer["events"][0]["timestamp"]
    assert found["lastEventTimestamp"] == answer["events"][-1]["timestamp"] == found["lastIngestionTime"]
    assert group["storedBytes"] == sum(len(event["message"]) + 26 for event in answer["events"])


def test_a_handler_reads_the_logs_of_another_function_and_its_own(sim: Simulation) -> None:
    """What was written so far is there at once, also what the handler itself has just printed."""

    def reader(event: Any, context: Any) -> list[str]:
        print("reading")
        client = boto3.client("logs")
        found = []
        for name in ("f", "reader"):
            answer = client.filter_log_events(logGroupName=f"/aws/lambda/{name}", filterPattern="?hello ?reading")
            found += messages(answer)
        return found

    sim.function("f", handler=printer).invoke({"lines": ["hello", "other"]})
    assert sim.function("reader", handler=reader, timeout=9).invoke({}).json() == ["hello", "reading"]


def test_reading_changes_nothing(sim: Simulation) -> None:
    """The digest of a run is the same, whether somebody has looked at its logs or not."""

    def run(look: bool) -> str:
        with Simulation(seed=3) as run:
            function = run.function("f", handler=printer)
            for n in range(3):
                function.invoke({"lines": [str(n)]})
                if look:
                    assert run.client("logs").filter_log_events(logGroupName="/aws/lambda/f")["events"]
            run.finish()
            return run.digest()

    assert run(look=True) == run(look=False)


def test_filter_patterns_over_all_streams_of_a_group(sim: Simulation) -> None:
    """Interleaved by time; every event with its stream and an id of 56 digits (API_FilterLogEvents)."""

    def slow(event: Any, context: Any) -> None:
        import time

        for n in range(3):
            print(f'{{"level": "{"ERROR" if n == event["bad"] else "INFO"}", "n": {n}, "who": {event["who"]}}}')
            time.sleep(1)

    function = sim.function("f", handler=slow, timeout=10, simulate={"init_duration": "1ms"})
    for who in (1, 2):
        function.invoke({"who": who, "bad": who}, invocation_type="Event")
    sim.run()
    client = boto3.client("logs")
    answer = client.filter_log_events(logGroupName="/aws/lambda/f", filterPattern='{ $.level = "ERROR" }')
    assert [re.findall(r"\d", text) for text in messages(answer)] == [["1", "1"], ["2", "2"]]
    first, second = answer["events"]
    assert first["logStreamName"] != second["logStreamName"]
    assert first["timestamp"] < second["timestamp"]
    assert all(re.fullmatch(r"\d{56}", event["eventId"]) for event in answer["events"])
    assert answer["searchedLogStreams"] == []
    everything = client.filter_log_events(logGroupName="/aws/lambda/f", filterPattern="level")
    assert [re.findall(r"\d", text)[1] for text in messages(everything)] == ["1", "2"] * 3
    one = client.filter_log_events(
        logGroupName="/aws/lambda/f", filterPattern="level", logStreamNames=[first["logStreamName"]]
    )
    assert len(one["events"]) == 3
    with pytest.raises(client.exceptions.InvalidParameterException, match="Invalid filter pattern"):
        client.filter_log_events(logGroupName="/aws/lambda/f", filterPattern="{ $.level }")


def test_a_function_with_a_group_of_its_own(sim: Simulation) -> None:
    """LoggingConfig.LogGroup: streams are named day/function[version][environment]."""
    sim.function("f", handler=printer, logging_config={"log_group": "/shared"}).invoke({"lines": []})
    [stream] = boto3.client("logs").describe_log_streams(logGroupName="/shared")["logStreams"]
    assert re.fullmatch(r"2026/01/01/f\[\$LATEST\]\[[0-9a-f]{32}\]", stream["logStreamName"])


# --- pages -----------------------------------------------------------------------------------------------------------


def test_the_events_of_a_stream_in_pages_of_both_directions(sim: Simulation) -> None:
    """startFromHead false: the last ones; tokens f/... and b/...; at the end a token is answered with itself."""
    client = boto3.client("logs")
    where = made(client)
    put(client, where, *((START, str(n)) for n in range(10)))
    first = client.get_log_events(**where, limit=4, startFromHead=True)
    assert messages(first) == ["0", "1", "2", "3"]
    assert re.fullmatch(r"f/\d{56}", first["nextForwardToken"])
    second = client.get_log_events(**where, limit=4, nextToken=first["nextForwardToken"])
    third = client.get_log_events(**where, limit=4, nextToken=second["nextForwardToken"])
    assert messages(second) + messages(third) == ["4", "5", "6", "7", "8", "9"]
    end = client.get_log_events(**where, limit=4, nextToken=third["nextForwardToken"])
    assert end["events"] == []
    assert end["nextForwardToken"] == third["nextForwardToken"]
    assert messages(client.get_log_events(**where, limit=2, nextToken=end["nextBackwardToken"])) == ["8", "9"]
    put(client, where, (START + 1, "late"))
    assert messages(client.get_log_events(**where, nextToken=end["nextForwardToken"])) == ["late"]
    assert messages(client.get_log_events(**where, limit=3)) == ["8", "9", "late"]
    back = client.get_log_events(**where, limit=3, nextToken=second["nextBackwardToken"])
    assert messages(back) == ["1", "2", "3"]
    with pytest.raises(client.exceptions.InvalidParameterException, match="nextToken is invalid"):
        client.get_log_events(**where, nextToken="x")


def test_filtered_events_in_pages(sim: Simulation) -> None:
    """botocore's paginator of FilterLogEvents; a page is limited by `limit`, or by 1 MB."""
    client = boto3.client("logs")
    where = made(client)
    put(client, where, *((START, f"n {n}") for n in range(10)))
    paginator = client.get_paginator("filter_log_events")
    pages = list(paginator.paginate(logGroupName="app", filterPattern="n", PaginationConfig={"PageSize": 4}))
    assert [len(page["events"]) for page in pages] == [4, 4, 2]
    assert [text for page in pages for text in messages(page)] == [f"n {n}" for n in range(10)]
    for _ in range(3):
        put(client, where, (START + 5, "large" + "x" * 400_000))
    large = client.filter_log_events(logGroupName="app", startTime=START + 1)
    assert len(large["events"]) == 2
    assert "nextToken" in large


def test_the_end_is_included_in_one_operation_and_not_in_the_other(sim: Simulation) -> None:
    """GetLogEvents: endTime is exclusive; FilterLogEvents: events "later than this time are not returned"."""
    client = boto3.client("logs")
    where = made(client)
    put(client, where, *((START + n, str(n)) for n in range(5)))
    times = {"startTime": START + 1, "endTime": START + 3}
    assert messages(client.get_log_events(**where, **times)) == ["1", "2"]
    assert messages(client.filter_log_events(logGroupName="app", **times)) == ["1", "2", "3"]


def test_streams_by_name_and_by_last_event(sim: Simulation) -> None:
    """orderBy, descending, prefix and pages (API_DescribeLogStreams)."""
    client = boto3.client("logs")
    client.create_log_group(logGroupName="app")
    for name, time in (("a1", 3), ("a2", 1), ("b", 2)):
        client.create_log_stream(logGroupName="app", logStreamName=name)
        put(client, {"logGroupName": "app", "logStreamName": name}, (START + time, "x"))

    def names(**options: Any) -> list[str]:
        pages = client.get_paginator("describe_log_streams").paginate(
            logGroupName="app", PaginationConfig={"PageSize": 2}, **options
        )
        return [stream["logStreamName"] for page in pages for stream in page["logStreams"]]

    assert names() == ["a1", "a2", "b"]
    assert names(descending=True) == ["b", "a2", "a1"]
    assert names(logStreamNamePrefix="a") == ["a1", "a2"]
    assert names(orderBy="LastEventTime", descending=True) == ["a1", "b", "a2"]
    with pytest.raises(client.exceptions.InvalidParameterException, match="Cannot order by LastEventTime"):
        names(orderBy="LastEventTime", logStreamNamePrefix="a")


def test_groups_by_prefix_and_pattern_in_pages(sim: Simulation) -> None:
    """Prefix, or a part of the name in any case; at most 50 a page (API_DescribeLogGroups)."""
    client = boto3.client("logs")
    for n in range(52):
        client.create_log_group(logGroupName=f"/app/{n:02}")
    client.create_log_group(logGroupName="/other/APP")

    def names(**options: Any) -> list[str]:
        pages = client.get_paginator("describe_log_groups").paginate(**options)
        return [group["logGroupName"] for page in pages for group in page["logGroups"]]

    assert len(names()) == 53
    assert names(logGroupNamePrefix="/other") == ["/other/APP"]
    assert len(names(logGroupNamePattern="app")) == 53
    assert len(client.describe_log_groups()["logGroups"]) == 50


# --- put, delete, retention ------------------------------------------------------------------------------------------


def test_a_batch_must_be_in_order_and_within_a_day(sim: Simulation) -> None:
    """In the order of time, a day at most, 1 MB with 26 bytes for each event (API_PutLogEvents)."""
    client = boto3.client("logs")
    where = made(client)
    refused = client.exceptions.InvalidParameterException
    with pytest.raises(refused, match="must be in chronological order"):
        put(client, where, (START + 1, "b"), (START, "a"))
    with pytest.raises(refused, match="cannot span more than 24 hours"):
        put(client, where, (START - DAY - 1, "a"), (START, "b"))
    with pytest.raises(refused, match="Upload too large: 1048577 bytes exceeds limit of 1048576"):
        put(client, where, (START, "x" * (1_048_577 - 26)))
    assert client.get_log_events(**where)["events"] == []


def test_events_of_another_time_are_rejected_and_the_rest_is_taken(sim: Simulation) -> None:
    """14 days old, 2 hours ahead, or older than the group's retention (API_PutLogEvents, RejectedLogEventsInfo)."""
    client = boto3.client("logs")
    where = made(client)
    hour = DAY // 24
    answer = put(client, where, (START - 14 * DAY - 1, "old"), (START - 14 * DAY, "just"))
    assert answer["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}
    answer = put(client, where, (START, "now"), (START + 2 * hour, "soon"), (START + 2 * hour + 1, "late"))
    assert answer["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 2}
    assert re.fullmatch(r"\d{49}", answer["nextSequenceToken"])
    assert messages(client.get_log_events(**where)) == ["just", "now", "soon"]
    client.put_retention_policy(logGroupName="app", retentionInDays=1)
    assert messages(client.get_log_events(**where)) == ["now", "soon"]
    answer = put(client, where, (START - 2 * DAY, "gone"))
    assert answer["rejectedLogEventsInfo"] == {"expiredLogEventEndIndex": 1}
    assert "rejectedLogEventsInfo" not in put(client, where, (START, "well"))


def test_what_is_put_is_a_row(sim: Simulation) -> None:
    """With its own timestamp, and the ingestion time of this instant."""
    client = boto3.client("logs")
    where = made(client)
    sim.run(for_="1h")
    put(client, where, (START, "mine"))
    with sim.reader() as reader:
        [row] = reader.log_events()
    assert (row.message, row.timestamp, row.ingestion_time) == ("mine", START, START + DAY // 24)
    assert (row.log_group, row.log_stream) == ("app", "one")


def test_groups_and_streams_are_made_once_and_deleted(sim: Simulation) -> None:
    """ResourceAlreadyExistsException, ResourceNotFoundException; what is deleted comes back empty."""
    client = boto3.client("logs")
    where = made(client)
    exists, absent = client.exceptions.ResourceAlreadyExistsException, client.exceptions.ResourceNotFoundException
    with pytest.raises(exists, match="The specified log group already exists"):
        client.create_log_group(logGroupName="app")
    with pytest.raises(exists, match="The specified log stream already exists"):
        client.create_log_stream(**where)
    put(client, where, (START, "one"))
    client.delete_log_stream(**where)
    with pytest.raises(absent, match="The specified log stream does not exist"):
        client.get_log_events(**where)
    assert [group["logGroupName"] for group in client.describe_log_groups()["logGroups"]] == ["app"]
    client.create_log_stream(**where)
    assert client.get_log_events(**where)["events"] == []
    client.delete_log_group(logGroupName="app")
    for call in (client.get_log_events, client.create_log_stream, client.delete_log_stream):
        with pytest.raises(absent, match="The specified log group does not exist"):
            call(**where)
    with pytest.raises(client.exceptions.InvalidParameterException, match="logGroupName"):
        client.create_log_group(logGroupName="a b")
    with pytest.raises(client.exceptions.InvalidParameterException, match="retentionInDays"):
        client.put_retention_policy(logGroupName=made(client)["logGroupName"], retentionInDays=2)


def test_the_group_of_a_function_can_be_deleted(sim: Simulation) -> None:
    """It comes back with the stream of the next environment."""
    function = sim.function("f", handler=printer)
    function.invoke({"lines": ["before"]})
    client = boto3.client("logs")
    client.delete_log_group(logGroupName="/aws/lambda/f")
    assert client.describe_log_groups()["logGroups"] == []
    sim.run(for_="1h")
    function.invoke({"lines": ["after"]})
    found = client.filter_log_events(logGroupName="/aws/lambda/f", filterPattern="?before ?after")
    assert messages(found) == ["after"]
