"""Any file: how its form is found out, what is wrong in it, which resource is meant, which part is wanted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from recording.forms import KINESIS, broken, done, message, read, times

from simbus import Simulation, UsageError
from simbus.recording.operations import Operation


def test_an_unknown_form_is_an_error_that_names_the_known_ones(shop: Simulation, tmp_path: Path) -> None:
    """Nothing is guessed."""
    for text in ("hello", "", '{"a": 1}', "[]"):
        assert "its form is not known; a replay reads simbus (a recording of simbus)" in broken(
            shop, tmp_path / "a", text
        )
    assert broken(shop, tmp_path / "a", "{}", format="nope").startswith(
        "--format nope: is none; known are simbus, sqs-"
    )


LINES = [json.dumps({"Item": {"id": {"S": str(n)}}}) for n in range(5)]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('{"Item": {"id": ', ":3: is no JSON"),
        ('{"Key": 1}', ":3: Item is missing"),
        ('{"Item": 5}', ":3: Item is 5"),
        ("\udcff".encode("utf-8", "surrogateescape"), ":3: is no JSON"),
    ],
)
def test_a_broken_line_has_its_number(line: str | bytes, found: str, shop: Simulation, tmp_path: Path) -> None:
    """An error with the line; with skip_invalid the others are there, and a count."""
    lines = [each.encode() for each in LINES]
    lines[2] = line.encode() if isinstance(line, str) else line
    text = b"\n".join(lines)
    assert broken(shop, tmp_path / "a.json", text, format="dynamodb-export").startswith(found)
    source = read(shop, tmp_path / "a.json", text, skip_invalid=True)
    assert len(done(source)) == 4
    assert list(source.notes()) == ["1 broken entry left out."]


def test_a_broken_first_line(shop: Simulation, tmp_path: Path) -> None:
    """The form is found out from the next one."""
    source = read(shop, tmp_path / "a.json", "\n".join(["{", *LINES]), skip_invalid=True)
    assert (len(done(source)), source.invalid) == (5, 1)


def test_times_that_are_out_of_order_are_put_in_order(shop: Simulation, tmp_path: Path) -> None:
    """A queue hands its messages out in any order."""
    dump = {"Messages": [message("c", sent=3000), message("a"), message("b", sent=2000)]}
    source = read(shop, tmp_path / "dlq.json", dump)
    assert [each.arguments["message_body"] for each in source.operations()] == ["a", "b", "c"]
    assert times(source) == [0, 2, 3]


def test_another_name_in_the_scenario(shop: Simulation, tmp_path: Path) -> None:
    """`NAME=RESOURCE` for one name of the file, `RESOURCE` for all that it names; the error names the candidates."""
    dump = message("a", DeadLetterQueueSourceArn="arn:aws:sqs:eu-west-1:9:prod-jobs-1A2B")
    text = broken(shop, tmp_path / "dlq.json", dump)
    assert text.startswith(
        ":1: sqs:prod-jobs-1A2B is not in the scenario; candidates are sqs:dead, sqs:jobs, sqs:jobs.fifo"
    )
    assert "--target prod-jobs-1A2B=RESOURCE" in text
    for target in ("prod-jobs-1A2B=sqs:jobs", "sqs:prod-jobs-1A2B=sqs:jobs", "sqs:jobs"):
        assert done(read(shop, tmp_path / "dlq.json", dump, targets=[target]))[0][0] == "sqs:jobs"
    with pytest.raises(UsageError, match="--target sqs:nope: the scenario has no sqs:nope; candidates are sqs:dead"):
        read(shop, tmp_path / "dlq.json", dump, targets=["sqs:nope"])
    with pytest.raises(UsageError, match="--target sqs:dead: sqs:jobs is a target too"):
        read(shop, tmp_path / "dlq.json", dump, targets=["sqs:jobs", "sqs:dead"])


def test_a_window_and_one_source(shop: Simulation, tmp_path: Path) -> None:
    """From (part of it) to (not part of it), by duration or time; only one resource, or those of a service; what is not
    wanted need not be in the scenario."""
    about: Any = KINESIS["kinesis"]
    records = [{"Records": [{**KINESIS, "kinesis": {**about, "approximateArrivalTimestamp": 1.7e9 + n}}]}
               for n in range(5)]  # fmt: skip
    other = {"Records": [{**KINESIS, "eventSourceARN": "arn:aws:kinesis:us-east-1:9:stream/nowhere"}]}
    text = "\n".join(json.dumps(each) for each in records)
    path = tmp_path / "a.jsonl"
    assert times(read(shop, path, text, begin="1s", end="3s")) == [1, 2]
    assert times(read(shop, path, text, begin="2023-11-14T22:13:22Z")) == [2, 3, 4]
    more = f"{text}\n{json.dumps(other)}"
    assert len(done(read(shop, path, more, only="kinesis:clicks"))) == 5
    assert len(done(read(shop, path, more, only="s3"))) == 0
    with pytest.raises(
        UsageError, match="--from soon: is no time; it is a duration since the recording began, or a time"
    ):
        read(shop, path, text, begin="soon")


def test_operations_of_a_file_are_those_of_a_client_that_tries_again(shop: Simulation, tmp_path: Path) -> None:
    """As a workload's are: what a file of AWS says was done, some client did."""
    [operation] = read(shop, tmp_path / "a.json", message("a")).operations()
    assert isinstance(operation, Operation)
    assert operation.client == "replay"
