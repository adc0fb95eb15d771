"""Parameters in the types of the service model: what a caller of boto3 may give, and what the table is handed."""

from __future__ import annotations

import gc
import io
import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

pytest.importorskip("botocore", reason="needs the extra boto3")

from botocore.model import ServiceModel

from simbus.sdk import shapes

SHAPES = {
    "Request": {
        "type": "structure",
        "members": {"when": {"shape": "When"}, "data": {"shape": "Data"}, "next": {"shape": "Request"}},
    },
    "When": {"type": "timestamp"},
    "Data": {"type": "blob"},
}


def model(**changed: Any) -> Any:
    return ServiceModel({"metadata": {}, "operations": {}, "shapes": SHAPES | changed}, "test")


def when(given: Any) -> Any:
    return shapes.convert({"when": given}, model().shape_for("Request"))["when"]


@pytest.mark.parametrize(
    "given",
    [
        datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        datetime(2026, 1, 2, 3, 4, 5),
        datetime(2026, 1, 2, 5, 4, 5, tzinfo=timezone(timedelta(hours=2))),
        1767323045,
        1767323045.0,
        "1767323045",
        "2026-01-02T03:04:05Z",
        "2026-01-02T03:04:05",
        "Fri, 02 Jan 2026 03:04:05 GMT",
    ],
)
def test_a_timestamp_is_in_utc_whatever_the_zone_of_the_machine(given: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What botocore takes for a timestamp; without a zone it is UTC, Lambda's own."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        found = when(given)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert (found, found.tzinfo) == (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), UTC)


@pytest.mark.parametrize("given", [b"x", bytearray(b"x"), "x", io.BytesIO(b"x"), io.StringIO("x")])
def test_a_blob_is_bytes_at_any_depth(given: Any) -> None:
    """Text is UTF-8, a file is read; a shape may contain itself."""
    params = {"next": {"next": {"data": given}}}
    assert shapes.convert(params, model().shape_for("Request")) == {"next": {"next": {"data": b"x"}}}


def test_what_is_known_of_a_service_model_goes_with_it() -> None:
    """Shapes of two services bear the same name, and the model of a client that is gone may have had the same address:
    CloudWatch has a Timestamp that is a time, CloudWatch Logs one that is a number of milliseconds."""
    gc.collect()
    before = len(shapes._known)
    for _ in range(50):
        assert isinstance(when(0), datetime)
        number = model(When={"type": "long"})
        assert shapes.convert({"when": 1766015999999}, number.shape_for("Request")) == {"when": 1766015999999}
        del number
    gc.collect()
    assert len(shapes._known) == before
