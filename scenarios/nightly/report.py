"""Writes the report of the day before. On the second of January the warehouse answers nothing for an hour."""

from datetime import date, datetime


def handler(event, context):
    scheduled = datetime.fromisoformat(event["time"])
    if date.today() == date(2026, 1, 2):
        raise ConnectionError("the warehouse does not answer")
    return {"report": f"{scheduled:%Y-%m-%d}"}
