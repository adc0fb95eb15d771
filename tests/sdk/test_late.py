"""What boto3's calls load late, in the middle of a handler's call, is loaded in the outer world."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("boto3")

SCENARIO = """
functions: {make: {handler: app.handler, code: code/, timeout: 30}}
workload: [{invoke: {function: make}, at: 0s}]
expect: [{function: make, invocations: 1, errors: 0}]
"""
APP = """
import boto3
import msgspec

def handler(event, context):
    boto3.client("kinesis").create_stream(StreamName="clicks", ShardCount=1)
    boto3.client("s3").create_bucket(Bucket="made")
    boto3.client("sns").create_topic(Name="made")
    return msgspec.MINE
"""
ITS_OWN = """
MINE = "the package's own"

class Codec:
    def __init__(self, *settings, **more): pass
    encode = decode = lambda self, *given: b"{}"

class json:
    Encoder = Decoder = Codec

class DecodeError(Exception): pass
"""


def test_a_package_may_bring_along_a_library_that_simbus_itself_uses(tmp_path: Path) -> None:
    """On AWS nothing but the package is there: its library of that name is no other part's, in no other version."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "app.py").write_text(APP)
    (tmp_path / "code" / "msgspec.py").write_text(ITS_OWN)
    (tmp_path / "late.yaml").write_text(SCENARIO)
    command = [sys.executable, "-m", "simbus", "run", "late.yaml"]
    done = subprocess.run(command, cwd=tmp_path, env=os.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
