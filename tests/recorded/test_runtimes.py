"""Every recorded case of runtimes.json against simbus, field for field (see aws_recorded.py)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from aws_recorded import equal, load_case, load_cases
from recorded_lambda import Stage, answer, invoke

COMMON = "TestLambdaRuntimesCommon::"
INTROSPECTION = [COMMON + f"test_introspection_invoke[python3.{minor}]" for minor in (8, 10, 13, 14)]
UNCAUGHT = [COMMON + f"test_uncaught_exception_invoke[python3.{minor}]" for minor in (8, 10, 13)]

# case -> (verdict, why): all of them are equal.
CASES = dict.fromkeys((*INTROSPECTION, *UNCAUGHT), ("equal", ""))


def test_every_recorded_case_is_in_the_table() -> None:
    """The table names every case of runtimes.json and nothing else."""
    names = [case["name"] for case in load_cases("runtimes")]
    assert not names or sorted(names) == sorted(CASES)


@pytest.mark.parametrize("name", INTROSPECTION)
def test_context_and_environment_variables(tmp_path: Path, name: str) -> None:
    """What the handler finds in its context and in os.environ, unqualified and as $LATEST, runtime by runtime."""
    case = load_case("runtimes", name)
    with Stage(case, tmp_path) as stage:
        function = stage.function()
        plain, qualified = (invoke(function, params).json() for params in stage.inputs)
        actual = {"invocation_result_payload": plain, "invocation_result_payload_qualified": qualified}
        equal(case["recorded"], actual)


@pytest.mark.parametrize("name", UNCAUGHT)
def test_the_payload_of_an_uncaught_exception(tmp_path: Path, name: str) -> None:
    """From python3.9 on the payload has the request id; python3.8 has none."""
    case = load_case("runtimes", name)
    with Stage(case, tmp_path) as stage:
        result = answer(invoke(stage.function(), stage.inputs[0]))
        payload = json.loads(result["Payload"])
        trace = payload["stackTrace"] = "".join(payload["stackTrace"])  # the recording has one placeholder for it
        assert trace.startswith('  File "/var/task/handler.py", line 3, in handler\n    raise Exception(')
        equal(case["recorded"], {"error_result": {**result, "Payload": payload}})
