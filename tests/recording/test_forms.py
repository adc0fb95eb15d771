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
        ('{"Item": 5}', ":3: Item is 5. Correct it"),
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


def test_a_part_that_can_not_be(shop: Simulation, tmp_path: Path) -> None:
    """A slip of the pen is told, where it can be known; it would look like a replay in which all went well."""
    text, path = "\n".join(LINES), tmp_path / "a.jsonl"
    for options, found in (
        ({"begin": "5m", "end": "3m"}, "--to 3m: is not after --from 5m; "),
        ({"end": "0s"}, "--to 0s: is not after the beginning; "),
        (
            {"only": "dynamodbb"},
            "--only dynamodbb: is no service; .* Did you mean dynamodb?",
        ),
        (
            {"only": "dynamodb:order"},
            "--only dynamodb:order: the scenario has no dynamodb:order; candidates",
        ),
        ({"only": "lambda:work:live"}, "--only lambda:work:live: has the qualifier live; it names the whole."),
        ({"targets": ["=sqs:jobs"]}, "--target =sqs:jobs: has no name before the =. Write NAME=RESOURCE"),
    ):
        with pytest.raises(UsageError, match=found):
            read(shop, path, text, **options)


def test_a_part_in_which_nothing_is(shop: Simulation, tmp_path: Path) -> None:
    """It may be right, and is said."""
    text, path = "\n".join(LINES), tmp_path / "a.jsonl"
    source = read(shop, path, text, only="s3", begin="5m", end="6m")
    assert list(source.notes()) == [
        "nothing is replayed: none of its 5 operations is of s3 and at 5m or later and before 6m."
    ]
    assert list(read(shop, path, text).notes()) == []


def test_a_target_that_the_file_does_not_ask_for(shop: Simulation, tmp_path: Path) -> None:
    """`NAME=RESOURCE` of a name that is not there, or `RESOURCE` where everything says itself where it belongs."""
    dump = message("a", DeadLetterQueueSourceArn="arn:aws:sqs:eu-west-1:9:prod-jobs")
    path = tmp_path / "a.json"
    text = broken(shop, path, dump, targets=["sqs:jobs", "prodjobs=sqs:dead"])
    assert text == (f"--target prodjobs=sqs:dead: nothing that is replayed of {path} names prodjobs. Leave it out.")
    text = broken(shop, path, dump, targets=["prod-jobs=sqs:jobs", "prod-job=sqs:dead"])
    assert text.endswith("names prod-job. Did you mean prod-jobs?")


@pytest.mark.parametrize(
    ("target", "words"),
    [("sqs:jobs", "put_item, which goes to a table"), ("lambda:work", "put_item, which goes to a table")],
)
def test_a_target_of_another_kind(target: str, words: str, shop: Simulation, tmp_path: Path) -> None:
    """What can't be done with the resource is refused before anything is; the entry itself is not broken."""
    text = broken(shop, tmp_path / "a.jsonl", "\n".join(LINES), targets=[target])
    assert text == (
        f":1: {target} is named as the target, and this is {words}. Name such a one: --target RESOURCE, or leave such "
        "entries out with --skip-invalid."
    )
    source = read(shop, tmp_path / "a.jsonl", "\n".join([*LINES, "{"]), targets=[target], skip_invalid=True)
    assert (source.invalid, sum(source.skipped.values())) == (1, 5)
    assert f"5 entries left out: {target} is named as the target" in "\n".join(source.notes())


def test_operations_of_a_file_are_those_of_a_client_that_tries_again(shop: Simulation, tmp_path: Path) -> None:
    """As a workload's are: what a file of AWS says was done, some client did."""
    [operation] = read(shop, tmp_path / "a.json", message("a")).operations()
    assert isinstance(operation, Operation)
    assert operation.client == "replay"
