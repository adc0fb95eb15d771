"""AWS CodeCommit: what a trigger sends, and to whom; what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simbus import AwsError, Simulation, UsageError

# Lambda developer guide, "Using AWS Lambda with AWS CodeCommit".
DOCUMENTED = """
{
    "Records": [
        {
            "awsRegion": "us-east-2",
            "codecommit": {
                "references": [
                    {
                        "commit": "5e493c6f3067653f3d04eca608b4901eb227078e",
                        "ref": "refs/heads/master"
                    }
                ]
            },
            "eventId": "31ade2c7-f889-47c5-a937-1cf99e2790e9",
            "eventName": "ReferenceChanges",
            "eventPartNumber": 1,
            "eventSource": "aws:codecommit",
            "eventSourceARN": "arn:aws:codecommit:us-east-2:123456789012:lambda-pipeline-repo",
            "eventTime": "2019-03-12T20:58:25.400+0000",
            "eventTotalParts": 1,
            "eventTriggerConfigId": "0d17d6a4-efeb-46f3-b3ab-a63741badeb8",
            "eventTriggerName": "index.handler",
            "eventVersion": "1.0",
            "userIdentityARN": "arn:aws:iam::123456789012:root"
        }
    ]
}
"""
COMMIT = "5e493c6f3067653f3d04eca608b4901eb227078e"


def trigger(name: str, destination: Any, *events: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "destination_arn": destination, "events": list(events or ("all",)), **more}


def told(function: Any) -> list[tuple[str, dict[str, Any]]]:
    """Trigger and reference of each event that a function got."""
    records = [json.loads(row.payload)["Records"][0] for row in function.invocations]
    return [(record["eventTriggerName"], record["codecommit"]["references"][0]) for record in records]


def test_the_event_of_a_push() -> None:
    """Field for field that of the developer guide; the two ids are drawn anew."""
    account = {"id": "123456789012", "region": "us-east-2"}
    with Simulation(seed=1, start="2019-03-12T20:58:25.400Z", account=account) as sim:
        deploy = sim.function("deploy")
        repository = sim.repository("lambda-pipeline-repo")
        repository.push("master")
        answer = repository.put_repository_triggers([trigger("index.handler", deploy)])
        assert repository.push("master", COMMIT) == COMMIT
        sim.run()
        [row] = deploy.invocations
        found, documented = json.loads(row.payload), json.loads(DOCUMENTED)
        assert list(found["Records"][0]) == list(documented["Records"][0]), "in AWS's order"
        assert found["Records"][0]["eventTriggerConfigId"] == answer["configurationId"]
        for name in ("eventId", "eventTriggerConfigId"):
            assert len(found["Records"][0].pop(name)) == len(documented["Records"][0].pop(name))
        assert found == documented
        assert row.source_arn == repository.arn


def test_created_updated_deleted() -> None:
    """`CodeCommitReference` of aws-lambda-go: `created` and `deleted`, left out where false. A push that changes
    nothing is no event, nor is the deletion of what is not there (DeleteBranch has no error for it)."""
    with Simulation() as sim:
        f = sim.function("f")
        repository = sim.repository("site", triggers=[trigger("t", "lambda:f")])
        first = repository.push("main")
        repository.push("main", first)
        second = repository.push("main")
        repository.push("idea", first)
        assert repository.delete_branch("idea") == {"deletedBranch": {"branchName": "idea", "commitId": first}}
        assert repository.delete_branch("idea") == {}
        repository.push("refs/tags/v1", second)
        sim.run()
        references = [reference for _, reference in told(f)]
        assert sorted(references, key=str) == sorted(
            [
                {"commit": first, "created": True, "ref": "refs/heads/main"},
                {"commit": second, "ref": "refs/heads/main"},
                {"commit": first, "created": True, "ref": "refs/heads/idea"},
                {"commit": first, "deleted": True, "ref": "refs/heads/idea"},
                {"commit": second, "created": True, "ref": "refs/tags/v1"},
            ],
            key=str,
        )
        with sim.reader() as rows:
            types = [row["type"] for row in rows.query("SELECT type FROM events ORDER BY rowid")]
        assert types == ["createReference", "updateReference", "createReference", "deleteReference", "createReference"]


def test_a_trigger_wants_its_events_and_branches_only() -> None:
    """API reference, RepositoryTrigger: events, branches (none: all), customData goes along."""
    with Simulation() as sim:
        f, topic, queue = sim.function("f"), sim.topic("news"), sim.queue("kept")
        topic.subscribe(queue, raw_message_delivery=True)
        triggers = [
            trigger("new", f, "createReference", custom_data="hello"),
            trigger("main", f, "updateReference", "createReference", branches=["main"]),
            trigger("gone", topic, "deleteReference"),
        ]
        repository = sim.repository("site", triggers=triggers)
        repository.push("main")
        sim.run()
        repository.push("idea")
        sim.run()
        repository.push("main")
        repository.delete_branch("idea")
        sim.run()
        assert [name for name, _ in told(f)] == ["new", "main", "new", "main"]
        data = [json.loads(row.payload)["Records"][0].get("customData") for row in f.invocations]
        assert data == ["hello", None, "hello", None]
        [message] = queue.messages
        assert json.loads(message.body)["Records"][0]["codecommit"]["references"][0]["deleted"] is True


def test_new_triggers_replace_the_old() -> None:
    """PutRepositoryTriggers replaces all triggers; a set that is refused leaves the old."""
    with Simulation() as sim:
        f, g = sim.function("f"), sim.function("g")
        repository = sim.repository("site", triggers=[trigger("old", f)])
        with pytest.raises(UsageError, match="there is no lambda:h"):
            repository.put_repository_triggers([trigger("a", g), trigger("b", "lambda:h")])
        repository.push("main")
        sim.run()
        repository.put_repository_triggers([trigger("new", g)])
        repository.push("main")
        repository.put_repository_triggers([])
        repository.push("main")
        sim.run()
        assert ([name for name, _ in told(f)], [name for name, _ in told(g)]) == (["old"], ["new"])


def test_a_topic_out_of_service_gets_it_later() -> None:
    """A 5xx is tried again, after 1 s and ever longer pauses; the delivery is settled once."""
    with Simulation() as sim:
        topic, queue = sim.topic("news"), sim.queue("kept")
        topic.subscribe(queue)
        repository = sim.repository("site", triggers=[trigger("t", topic)])
        topic.outage(10 * 10**9)
        repository.push("main")
        sim.run()
        assert len(queue.messages) == 1
        with sim.reader() as rows:
            assert [row["kind"] for row in rows.query("SELECT kind FROM hops")] == ["delivery_retry"] * 4
            outcomes = rows.query("SELECT outcome, settled_at FROM deliveries WHERE subscription = 'sns:news'")
            assert [(row["outcome"], row["settled_at"] % 60_000) for row in outcomes] == [("ok", 15_000)]


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda sim, r: sim.repository("no spaces"), "InvalidRepositoryNameException"),
        (lambda sim, r: sim.repository("site.git"), "InvalidRepositoryNameException"),
        (lambda sim, r: r.push("two..dots"), "InvalidReferenceNameException"),
        (lambda sim, r: r.push("a" * 40), "InvalidReferenceNameException"),
        (lambda sim, r: r.push("main", "HEAD"), "InvalidCommitIdException"),
        (lambda sim, r: r.delete_branch("main"), "DefaultBranchCannotBeDeletedException"),
        (
            lambda sim, r: r.put_repository_triggers([trigger(str(n), "lambda:f") for n in range(11)]),
            "MaximumRepositoryTriggersExceededException",
        ),
        (
            lambda sim, r: r.put_repository_triggers([trigger("a", "lambda:f"), trigger("a", "lambda:f")]),
            "InvalidRepositoryTriggerNameException",
        ),
        (
            lambda sim, r: r.put_repository_triggers([trigger("a", "lambda:f", "all", "createReference")]),
            "InvalidRepositoryTriggerEventsException",
        ),
        (
            lambda sim, r: r.put_repository_triggers([trigger("a", "lambda:f", custom_data="x" * 1001)]),
            "InvalidRepositoryTriggerCustomDataException",
        ),
    ],
)
def test_what_aws_refuses(call: Any, code: str) -> None:
    """The error codes of the API reference; names and limits of the user guide, "Quotas in AWS CodeCommit"."""
    with Simulation() as sim:
        sim.function("f")
        repository = sim.repository("site")
        repository.push("main")
        with pytest.raises(AwsError) as caught:
            call(sim, repository)
        assert caught.value.code == code


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": "t", "destination_arn": "lambda:f", "events": ["pushed"]}, "Invalid enum value 'pushed'"),
        ({"name": "t", "destination_arn": "lambda:f", "events": ["all"], "branch": []}, "unknown field `branch`"),
        ({"name": "t", "destination_arn": "sqs:q", "events": ["all"]}, "to lambda:name, sns:name"),
        ({"name": "t", "destination_arn": "sns:t.fifo", "events": ["all"]}, "to no FIFO queue or topic"),
    ],
)
def test_what_can_be_no_trigger(given: dict[str, Any], message: str) -> None:
    """Refused, never ignored."""
    with Simulation() as sim:
        sim.function("f")
        sim.queue("q")
        sim.topic("t.fifo", fifo_topic=True)
        with pytest.raises(UsageError, match=message):
            sim.repository("site", triggers=[given])


def test_a_handler_that_pushes_is_the_cause() -> None:
    """The change event's parent is the request that pushed."""
    with Simulation() as sim:

        async def bot(event: Any, context: Any) -> None:
            await repository.apush("bot")

        f = sim.function("bot", handler=bot)
        repository = sim.repository("site")
        f.invoke({}, invocation_type="Event")
        sim.run()
        with sim.reader() as rows:
            [parent] = [row["parent"] for row in rows.query("SELECT parent FROM events WHERE type = 'createReference'")]
        assert parent == f.invocations[0].request_id
