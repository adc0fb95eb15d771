"""Concurrency: the account's pool, reservations, provisioned concurrency, scaling and request rates."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from simbus import AwsError, Simulation
from simbus.functions.concurrency import TokenBucket
from simbus.kernel import MILLISECOND, SECOND, Timeline

WARM = {"init_duration": "0s", "duration": "1s"}


def invoke_at_once(function: Any, count: int, **options: Any) -> Counter[str]:
    """Invoke synchronously, `count` times at one instant; how many were `ok`, and the reasons of the others."""
    answers: Counter[str] = Counter()

    def done(answer: Any) -> None:
        if isinstance(answer, AwsError):
            assert (answer.code, answer.message, answer.status) == ("TooManyRequestsException", "Rate Exceeded.", 429)
            answers[answer.extra["Reason"]] += 1
        else:
            answers["ok"] += 1

    for n in range(count):
        function.start_invoke(n, done, **options)
    return answers


def at_most_running(function: Any) -> int:
    """The largest number of attempts of a function whose [started_at, ended_at) overlap."""
    edges = sorted(edge for row in function.invocations for edge in ((row.started_at, 1), (row.ended_at, -1)))
    running = most = 0
    for _, change in edges:
        running += change
        most = max(most, running)
    return most


# --- the account's pool and reservations ----------------------------------------------------------------------------


def test_functions_without_a_reservation_share_the_account(sim: Simulation) -> None:
    """The account has 1,000 concurrent executions per Region (Lambda quotas); beyond: ConcurrentInvocationLimitExceeded
    (botocore ThrottleReason)."""
    one, two = (sim.function(name, simulate=WARM) for name in ("one", "two"))
    first, second = invoke_at_once(one, 600), invoke_at_once(two, 600)
    sim.run()
    assert first == {"ok": 600}
    assert second == {"ok": 400, "ConcurrentInvocationLimitExceeded": 200}


def test_a_reservation_is_taken_from_what_the_others_share() -> None:
    """Reserved concurrency is a guarantee: no other function can use it (Developer Guide, "Reserved concurrency")."""
    with Simulation(account={"concurrent_executions": 150}) as sim:
        sim.function("reserved", simulate=WARM, reserved_concurrent_executions=50)
        other = sim.function("other", simulate=WARM)
        answers = invoke_at_once(other, 150)
        sim.run()
        assert answers == {"ok": 100, "ConcurrentInvocationLimitExceeded": 50}


def test_a_reservation_holds_when_the_account_is_full() -> None:
    """... and the others' load takes nothing of it (same page)."""
    with Simulation(account={"concurrent_executions": 150}) as sim:
        reserved = sim.function("reserved", simulate=WARM, reserved_concurrent_executions=50)
        other = sim.function("other", simulate=WARM)
        full, guaranteed = invoke_at_once(other, 150), invoke_at_once(reserved, 50)
        sim.run()
        assert (full["ok"], guaranteed["ok"]) == (100, 50)


def test_a_reservation_is_a_cap_as_well(sim: Simulation) -> None:
    """A function never runs more than its reserved concurrency (recorded reason: test_lambda_concurrency_block)."""
    function = sim.function("f", simulate=WARM, reserved_concurrent_executions=3)
    answers = invoke_at_once(function, 5)
    sim.run()
    assert answers == {"ok": 3, "ReservedFunctionConcurrentInvocationLimitExceeded": 2}
    assert at_most_running(function) == 3


def test_all_versions_count_against_the_reservation(sim: Simulation) -> None:
    """Reserved concurrency applies to the function as a whole, versions and aliases included (Developer Guide)."""
    function = sim.function("f", simulate=WARM, reserved_concurrent_executions=2, versions={"1": {}})
    one, latest = invoke_at_once(function, 2, qualifier="1"), invoke_at_once(function, 1)
    sim.run()
    assert one == {"ok": 2}
    assert latest == {"ReservedFunctionConcurrentInvocationLimitExceeded": 1}


def test_zero_switches_a_function_off(sim: Simulation) -> None:
    """Reserved 0: every call is refused for its concurrency (recorded: test_reserved_concurrency)."""
    function = sim.function("f", reserved_concurrent_executions=0)
    with pytest.raises(AwsError) as caught:
        function.invoke({})
    assert caught.value.extra["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    function.delete_function_concurrency()
    assert function.invoke({}).status_code == 200


def test_a_hundred_must_stay_unreserved(sim: Simulation) -> None:
    """The exact error of PutFunctionConcurrency (recorded: test_function_concurrency_limits; 100: Developer Guide)."""
    function = sim.function("f")
    function.put_function_concurrency(900)
    with pytest.raises(AwsError) as caught:
        function.put_function_concurrency(901)
    assert caught.value.code == "InvalidParameterValueException"
    assert caught.value.status == 400
    assert caught.value.message == (
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below "
        "its minimum value of [100]."
    )
    assert "minimum value of [100]" in caught.value.message
    other = sim.function("other")
    with pytest.raises(AwsError):
        other.put_function_concurrency(1)
    function.put_function_concurrency(899)
    other.put_function_concurrency(1)


def test_a_small_account_keeps_all_it_has_unreserved() -> None:
    """An account with a limit of 10 is told "below its minimum value of [10]" (seen by users of new accounts)."""
    with Simulation(account={"concurrent_executions": 10}) as sim, pytest.raises(AwsError, match=r"value of \[10\]\."):
        sim.function("f", reserved_concurrent_executions=1)


def test_a_negative_reservation_is_refused(sim: Simulation) -> None:
    """ReservedConcurrentExecutions is at least 0 (botocore)."""
    with pytest.raises(AwsError, match="greater than or equal to 0"):
        sim.function("f").put_function_concurrency(-1)


def test_a_reservation_can_be_made_and_given_back_while_the_function_runs() -> None:
    """What runs counts where its function belongs: PutFunctionConcurrency takes it out of the shared pool."""
    with Simulation(account={"concurrent_executions": 200}) as sim:
        busy, other = sim.function("busy", simulate=WARM), sim.function("other", simulate=WARM)
        invoke_at_once(busy, 50)
        answers: list[Counter[str]] = []
        sim.at("100ms", lambda: busy.put_function_concurrency(60))
        sim.at("200ms", lambda: answers.append(invoke_at_once(other, 150)))
        sim.at("300ms", busy.delete_function_concurrency)
        sim.at("400ms", lambda: answers.append(invoke_at_once(busy, 20)))
        sim.run()
        assert answers[0] == {"ok": 140, "ConcurrentInvocationLimitExceeded": 10}, "140 are unreserved, none is in use"
        assert answers[1] == {"ok": 10, "ConcurrentInvocationLimitExceeded": 10}, "190 of 200 are in use again"
        assert busy.concurrent_executions == 0


def test_asynchronous_invocations_wait_for_concurrency_instead_of_failing(sim: Simulation) -> None:
    """Throttled events return to the queue; none is lost, the cap holds (Developer Guide, asynchronous errors)."""
    function = sim.function("f", simulate=WARM, reserved_concurrent_executions=2)
    for n in range(9):
        function.invoke(n, invocation_type="Event")
    sim.run()
    assert sorted(json.loads(row.payload) for row in function.invocations) == list(range(9))
    assert at_most_running(function) == 2


# --- provisioned concurrency ----------------------------------------------------------------------------------------


def provisioned(sim: Simulation, amount: int, **settings: Any) -> Any:
    settings.setdefault("simulate", {"init_duration": "2s", "duration": "1s"})
    function = sim.function("f", versions={"1": {}}, **settings)
    function.put_provisioned_concurrency_config("1", amount)
    return function


def test_provisioned_environments_serve_after_their_init(sim: Simulation) -> None:
    """IN_PROGRESS until they are initialised, then READY (recorded: test_reserved_provisioned_overlap); invocations
    meanwhile run on demand (test_lambda_provisioned_concurrency_scheduling)."""
    function = provisioned(sim, 2)
    before = function.get_provisioned_concurrency_config("1")
    assert before == {
        "RequestedProvisionedConcurrentExecutions": 2,
        "AvailableProvisionedConcurrentExecutions": 0,
        "AllocatedProvisionedConcurrentExecutions": 0,
        "Status": "IN_PROGRESS",
        "LastModified": "2026-01-01T00:00:00+0000",
    }
    invoke_at_once(function, 1, qualifier="1")
    sim.run(for_="10s")
    after = function.get_provisioned_concurrency_config("1")
    assert (after["Status"], after["AvailableProvisionedConcurrentExecutions"]) == ("READY", 2)
    invoke_at_once(function, 1, qualifier="1")
    sim.run()
    assert [row.init_duration_ms for row in function.invocations] == [2000.0, None]


def test_provisioned_concurrency_spills_over_to_on_demand(sim: Simulation) -> None:
    """More requests than provisioned environments run on demand (recorded: provisioned_concurrency_scheduling)."""
    function = provisioned(sim, 2)
    sim.run(for_="10s")
    answers = invoke_at_once(function, 5, qualifier="1")
    sim.run()
    assert answers == {"ok": 5}
    assert sorted(str(row.init_duration_ms) for row in function.invocations) == ["2000.0"] * 3 + ["None"] * 2


def test_initialization_type_tells_the_two_apart(sim: Simulation) -> None:
    """AWS_LAMBDA_INITIALIZATION_TYPE is on-demand or provisioned-concurrency (recorded: provisioned_concurrency)."""
    import os

    def handler(event: Any, context: Any) -> str:
        return os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]

    function = provisioned(sim, 1, handler=handler, simulate={"init_duration": "1s"})
    sim.run(for_="10s")
    assert function.invoke({}, qualifier="1").json() == "provisioned-concurrency"
    assert function.invoke({}).json() == "on-demand"


def test_provisioned_lies_inside_the_reservation(sim: Simulation) -> None:
    """Reserved 2 and provisioned 2 on version 1: $LATEST is refused although all is idle, version 1 works (recorded:
    test_reserved_provisioned_overlap, test_lambda_concurrency_block)."""
    function = provisioned(sim, 2, reserved_concurrent_executions=2)
    sim.run(for_="10s")
    latest, one = invoke_at_once(function, 1), invoke_at_once(function, 3, qualifier="1")
    sim.run()
    assert latest == {"ReservedFunctionConcurrentInvocationLimitExceeded": 1}
    assert one == {"ok": 2, "ReservedFunctionConcurrentInvocationLimitExceeded": 1}


def test_a_reservation_below_what_is_provisioned_is_refused(sim: Simulation) -> None:
    """The exact text, its odd blanks included (recorded: test_reserved_provisioned_overlap)."""
    function = provisioned(sim, 2)
    with pytest.raises(AwsError) as caught:
        function.put_function_concurrency(1)
    assert caught.value.code == "InvalidParameterValueException"
    assert caught.value.message == (
        " ReservedConcurrentExecutions  1 should not be lower than function's total provisioned concurrency [2]."
    )


def test_provisioning_more_than_is_reserved_is_refused(sim: Simulation) -> None:
    """The exact text (recorded: test_reserved_provisioned_overlap)."""
    with pytest.raises(AwsError) as caught:
        provisioned(sim, 3, reserved_concurrent_executions=2)
    assert caught.value.message == (
        "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function"
    )


@pytest.mark.parametrize(("qualifier", "text"), [("7", "Function not found"), ("nope", "Cannot find alias arn")])
def test_provisioned_concurrency_of_what_does_not_exist(sim: Simulation, qualifier: str, text: str) -> None:
    """404, of a version and of an alias each in its words (LocalStack, test_provisioned_concurrency_exceptions)."""
    function = sim.function("f")
    with pytest.raises(AwsError) as caught:
        function.put_provisioned_concurrency_config(qualifier, 1)
    assert (caught.value.status, caught.value.message) == (404, f"{text}: {function.arn}:{qualifier}")


def test_provisioned_concurrency_of_latest_is_refused(sim: Simulation) -> None:
    """The exact text (recorded: test_provisioned_concurrency_exceptions)."""
    function = sim.function("f")
    with pytest.raises(AwsError) as caught:
        function.put_provisioned_concurrency_config("$LATEST", 1)
    assert caught.value.message == (
        "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
    )
    with pytest.raises(AwsError) as caught:
        function.put_provisioned_concurrency_config("7", 1)
    assert (caught.value.code, caught.value.status) == ("ResourceNotFoundException", 404)


@pytest.mark.parametrize("amount", [0, -1])
def test_at_least_one_is_provisioned(sim: Simulation, amount: int) -> None:
    """ProvisionedConcurrentExecutions is at least 1 (botocore)."""
    with pytest.raises(AwsError, match="greater than or equal to 1"):
        provisioned(sim, amount)


def test_provisioned_concurrency_comes_out_of_the_account() -> None:
    """Provisioned environments count against the account's concurrency whether used or not (Developer Guide)."""
    with Simulation(account={"concurrent_executions": 150}) as sim:
        provisioned(sim, 50)
        other = sim.function("other", simulate=WARM)
        answers = invoke_at_once(other, 150)
        sim.run(for_="5s")
        assert answers["ok"] == 100
        with pytest.raises(AwsError, match=r"minimum value of \[100\]"):
            sim.function("third", versions={"1": {}}).put_provisioned_concurrency_config("1", 1)


def test_less_provisioned_concurrency_ends_environments_and_busy_ones_after_their_invocation(sim: Simulation) -> None:
    """What is given back can be used by others at once; a running invocation is never cut off."""
    function = provisioned(sim, 3)
    sim.run(for_="10s")
    answers = invoke_at_once(function, 3, qualifier="1")
    sim.run(for_="500ms")
    function.put_provisioned_concurrency_config("1", 1)
    sim.run(for_="10s")
    assert answers == {"ok": 3}
    assert function.get_provisioned_concurrency_config("1")["AvailableProvisionedConcurrentExecutions"] == 1
    function.delete_provisioned_concurrency_config("1")
    with pytest.raises(AwsError, match="No Provisioned Concurrency Config found"):
        function.get_provisioned_concurrency_config("1")
    invoke_at_once(function, 1, qualifier="1")
    sim.run()
    assert function.invocations[-1].init_duration_ms == 2000, "on demand again"


def test_six_failed_inits_end_in_failed(sim: Simulation, tmp_path: Path) -> None:
    """Status FAILED, StatusReason FUNCTION_ERROR_INIT_FAILURE after six attempts, each with a log stream of its own
    (recorded: test_provisioned_concurrency_init_failure)."""
    (tmp_path / "app.py").write_text("raise ValueError('no')\n")
    function = sim.function(
        "f", handler="app.handler", code=tmp_path, versions={"1": {}}, simulate={"init_duration": "1s"}
    )
    function.put_provisioned_concurrency_config("1", 1)
    assert function.get_provisioned_concurrency_config("1")["Status"] == "IN_PROGRESS"
    sim.run()
    assert function.get_provisioned_concurrency_config("1") == {
        "RequestedProvisionedConcurrentExecutions": 1,
        "AvailableProvisionedConcurrentExecutions": 0,
        "AllocatedProvisionedConcurrentExecutions": 0,
        "Status": "FAILED",
        "StatusReason": "FUNCTION_ERROR_INIT_FAILURE",
        "LastModified": "2026-01-01T00:00:00+0000",
    }
    with sim.reader() as reader:
        [streams] = reader.query("SELECT count(*) AS n FROM log_streams")
        reports = [row.message for row in reader.log_events(filter="INIT_REPORT")]
    assert streams["n"] == 6
    assert (
        reports == ["INIT_REPORT Init Duration: 1000.00 ms\tPhase: init\tStatus: error\tError Type: ValueError\n"] * 6
    )
    assert sim.function("other", reserved_concurrent_executions=900), "its concurrency was given back"


def test_provisioned_init_may_take_130_seconds(sim: Simulation) -> None:
    """Its init limit is 130 s, or the function's timeout where that is longer, not 10 s (Developer Guide)."""
    function = provisioned(sim, 1, simulate={"init_duration": "129s"})
    sim.run()
    assert function.get_provisioned_concurrency_config("1")["Status"] == "READY"
    assert sim.now == 129 * SECOND


def test_provisioned_concurrency_of_an_alias_moves_with_it(sim: Simulation) -> None:
    """It serves calls of the version that the alias points at, and goes where the alias goes (recorded:
    test_lambda_provisioned_concurrency_moves_with_alias)."""
    function = sim.function(
        "f",
        versions={"1": {}, "2": {}},
        aliases={"live": {"function_version": "1", "provisioned_concurrent_executions": 1}},
        simulate={"init_duration": "2s"},
    )
    sim.run(for_="10s")
    assert function.invoke({}, qualifier="1").executed_version == "1"
    function.update_alias("live", "2")
    sim.run(for_="10s")
    assert function.get_provisioned_concurrency_config("live")["Status"] == "READY"
    assert function.invoke({}, qualifier="live").executed_version == "2"
    assert function.invoke({}, qualifier="1").executed_version == "1"
    assert [row.init_duration_ms for row in function.invocations] == [None, None, 2000.0]


def test_a_version_and_its_alias_cannot_both_be_provisioned(sim: Simulation) -> None:
    """409, two texts (recorded: test_lambda_provisioned_lifecycle)."""
    function = sim.function("f", versions={"1": {}, "2": {}}, aliases={"live": {"function_version": "1"}})
    function.put_provisioned_concurrency_config("1", 1)
    with pytest.raises(AwsError) as caught:
        function.put_provisioned_concurrency_config("live", 1)
    assert caught.value.status == 409
    assert caught.value.message == (
        "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"
    )
    function.delete_provisioned_concurrency_config("1")
    function.put_provisioned_concurrency_config("live", 1)
    with pytest.raises(AwsError, match="Version is pointed by a Provisioned Concurrency alias"):
        function.put_provisioned_concurrency_config("1", 1)


# --- scaling and request rates --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_function_adds_a_thousand_environments_in_ten_seconds(kind: str) -> None:
    """3,000 at once, account limit 5,000: 1,000 start, the others are throttled (Developer Guide, "scaling rate")."""
    with Simulation(account={"concurrent_executions": 5000}) as sim:
        function = sim.function("f", timeout=900, simulate={"init_duration": "0s", "duration": "5m"})
        if kind == "sync":
            answers = invoke_at_once(function, 3000)
            sim.run()
            assert answers == {"ok": 1000, "ConcurrentInvocationLimitExceeded": 2000}
            return
        for n in range(3000):
            function.invoke(n, invocation_type="Event")
        sim.run(for_="0s")
        assert function.concurrent_executions == 1000
        sim.run(for_="1s")
        assert function.concurrent_executions == 1100, "100 a second, refilled continuously"
        sim.run()
        rows = function.invocations
        assert len(rows) == 3000
        assert {row.status for row in rows} == {"ok"}


def test_scaling_refills_continuously_and_never_above_a_thousand() -> None:
    """1,000 per 10 s: one more every 10 ms, and what was not used is not carried over (same page)."""
    timeline = Timeline()
    bucket = TokenBucket(timeline, 1000, 10 * SECOND)
    assert sum(bucket.take() for _ in range(1500)) == 1000
    timeline.now += 10 * MILLISECOND - 1
    assert not bucket.take()
    timeline.now += 1
    assert [bucket.take(), bucket.take()] == [True, False]
    timeline.now += 3600 * SECOND
    assert sum(bucket.take() for _ in range(1500)) == 1000


def test_each_function_scales_by_itself() -> None:
    """The scaling rate is per function (same page)."""
    with Simulation(account={"concurrent_executions": 5000}) as sim:
        both = [invoke_at_once(sim.function(name, simulate=WARM), 1200) for name in ("one", "two")]
        sim.run()
        assert [answers["ok"] for answers in both] == [1000, 1000]


def test_warm_environments_need_no_scaling() -> None:
    """The rate limits new environments; those that are idle are used besides (same page)."""
    with Simulation(account={"concurrent_executions": 5000}) as sim:
        function = sim.function("f", simulate=WARM)
        function.preload(500)
        answers = invoke_at_once(function, 2000)
        sim.run()
        assert answers["ok"] == 1500


def test_ten_synchronous_requests_a_second_for_each_unit_of_concurrency(sim: Simulation) -> None:
    """Invocation requests per second: 10 x reserved concurrency for synchronous calls (Lambda quotas)."""
    function = sim.function("f", reserved_concurrent_executions=2, simulate={"init_duration": "0s", "duration": "1ms"})
    answers: Counter[str] = Counter()
    for n in range(40):  # one every 2 ms: never more than one at a time
        sim.at(f"{2 * n}ms", lambda: function.start_invoke({}, lambda a: answers.update([type(a).__name__])))
    sim.run()
    assert answers == {"InvokeResponse": 21, "AwsError": 19}, "20, and the one that came back after 50 ms"
    answers = invoke_at_once(function, 1)
    sim.run(for_="10ms")
    assert answers == {"ReservedFunctionInvocationRateLimitExceeded": 1}
    sim.run(for_="50ms")
    assert function.invoke({}).status_code == 200, "20 a second come back one every 50 ms"


def test_the_account_has_a_rate_of_its_own() -> None:
    """10 x the account's concurrency where nothing is reserved (Lambda quotas)."""
    with Simulation(account={"concurrent_executions": 1}) as sim:
        function = sim.function("f", simulate={"init_duration": "0s", "duration": "0s"})
        for _ in range(10):
            function.invoke({})
        with pytest.raises(AwsError) as caught:
            function.invoke({})
        assert caught.value.extra["Reason"] == "FunctionInvocationRateLimitExceeded"


def test_asynchronous_requests_have_no_rate(sim: Simulation) -> None:
    """Asynchronous invocations: unlimited requests per second (Lambda quotas)."""
    function = sim.function("f", reserved_concurrent_executions=2, simulate={"init_duration": "0s", "duration": "1ms"})
    for n in range(100):
        sim.at(f"{2 * n}ms", lambda: function.invoke({}, invocation_type="Event"))
    sim.run()
    assert len(function.invocations) == 100
    with sim.reader() as reader:
        assert list(reader.query("SELECT * FROM hops WHERE kind = 'throttled'")) == []
