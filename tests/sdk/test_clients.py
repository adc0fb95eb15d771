"""boto3 reaches the simulation in which it is called, and nothing of it is left outside."""

from __future__ import annotations

import os
from typing import Any

import pytest

from simbus import Simulation

boto3 = pytest.importorskip("boto3", reason="needs the extra boto3")
botocore = pytest.importorskip("botocore")

outer_session = boto3.Session()
boto3.DEFAULT_SESSION = outer_session
early = boto3.client("sqs", region_name="us-east-1")  # made at import, where no simulation is and no credentials are


@pytest.fixture(autouse=True)
def _a_machine_with_a_profile(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """A developer's machine: a profile that is not there, a region, no credentials, no metadata service."""
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "absent"))


def test_a_handler_reaches_the_simulation() -> None:
    """A client made in the handler and one made when the test's module was imported send to the same queue."""

    def handler(event: Any, context: Any) -> list[str]:
        late = boto3.client("sqs")
        url = late.get_queue_url(QueueName="jobs")["QueueUrl"]
        return [client.send_message(QueueUrl=url, MessageBody="hi")["MessageId"] for client in (late, early)]

    with Simulation() as sim:
        queue = sim.queue("jobs")
        sent = sim.function("f", handler=handler, timeout=9).invoke({}).json()
        assert sent == [message.message_id for message in queue.messages]


def test_inside_a_simulation_plain_boto3_works_and_outside_it_does_not() -> None:
    """Region and credentials are the simulation's, whatever the machine says; afterwards boto3 is what it was."""
    before = (botocore.session.Session.__init__, boto3._get_default_session, botocore.waiter.time)
    with Simulation(account={"region": "us-west-2"}) as sim:
        sim.queue("jobs")
        client = boto3.client("sqs")
        assert client.meta.region_name == "us-west-2"
        assert client.get_queue_url(QueueName="jobs")["QueueUrl"].startswith("https://sqs.us-west-2.amazonaws.com/")
        assert boto3.Session(profile_name="another").client("sqs").get_queue_url(QueueName="jobs")
    assert (botocore.session.Session.__init__, boto3._get_default_session, botocore.waiter.time) == before
    assert boto3.DEFAULT_SESSION is outer_session
    with pytest.raises(botocore.exceptions.NoCredentialsError):
        early.get_queue_url(QueueName="jobs")
    with pytest.raises(botocore.exceptions.ProfileNotFound):
        boto3.Session().client("sqs")


def test_nothing_leaks_after_an_exception() -> None:
    """An error in the `with` block leaves boto3 untouched, too."""
    with pytest.raises(ZeroDivisionError), Simulation():
        boto3.client("sqs")
        raise ZeroDivisionError
    assert boto3.DEFAULT_SESSION is outer_session
    with pytest.raises(botocore.exceptions.NoCredentialsError):
        early.get_queue_url(QueueName="jobs")


def test_two_simulations_do_not_see_each_other() -> None:
    """A client of `sim.client` stays with its simulation; a plain one goes to the innermost `with`."""
    with Simulation(seed=1) as one, Simulation(seed=2) as two:
        one.queue("first")
        two.queue("second")
        mine = one.client("sqs")
        assert mine.get_queue_url(QueueName="first")
        with pytest.raises(mine.exceptions.QueueDoesNotExist):
            mine.get_queue_url(QueueName="second")
        with pytest.raises(early.exceptions.QueueDoesNotExist):
            early.get_queue_url(QueueName="first")
        assert early.get_queue_url(QueueName="second")


def test_two_functions_have_a_default_session_each() -> None:
    """boto3.setup_default_session in one function does not concern another one: they are two processes."""

    def moved(event: Any, context: Any) -> str:
        boto3.setup_default_session(region_name="eu-central-1")
        return str(boto3.client("sqs").meta.region_name)

    def other(event: Any, context: Any) -> str:
        return str(boto3.client("sqs").meta.region_name)

    with Simulation() as sim:
        assert sim.function("moved", handler=moved).invoke({}).json() == "eu-central-1"
        assert sim.function("other", handler=other).invoke({}).json() == "us-east-1"
    assert os.environ["AWS_DEFAULT_REGION"] == "eu-west-1"


def test_a_call_takes_its_latency() -> None:
    """`simulate.aws_latency` by service; two handlers at once interleave at their calls."""

    def handler(event: Any, context: Any) -> float:
        import time

        before = time.time()
        early.get_queue_url(QueueName="jobs")
        return round(time.time() - before, 3)

    with Simulation() as sim:
        sim.queue("jobs")
        assert sim.function("f", handler=handler).invoke({}).json() == 0.01
        slow = sim.function("g", handler=handler, simulate={"aws_latency": {"sqs": "2s", "s3": "1s"}})
        assert slow.invoke({}).json() == 2
        third = sim.function("h", handler=handler, simulate={"aws_latency": "1s"})
        assert third.invoke({}).json() == 1


def test_what_a_function_registers_for_new_sessions_is_its_own() -> None:
    """botocore.register_initializer, which AWS Lambda Powertools uses: it acts in that environment and nowhere else."""
    made = []

    def handler(event: Any, context: Any) -> int:
        if event:
            botocore.register_initializer(made.append)
        boto3.Session()
        return len(made)

    with Simulation() as sim:
        first, second = (sim.function(name, handler=handler) for name in ("first", "second"))
        assert first.invoke({"register": True}).json() == 1
        assert second.invoke({}).json() == 1
        assert first.invoke({}).json() == 2
        boto3.Session()
    botocore.session.Session()
    assert len(made) == 2
