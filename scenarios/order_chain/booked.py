"""What the accounts have at the end, read from the run file."""

import json


def share(run):
    """The share of what was ordered that was booked."""
    ordered, balances = 0, {}
    for row in run.query("SELECT source, data FROM events WHERE source LIKE 'dynamodb:%' ORDER BY rowid"):
        image = json.loads(row["data"])["dynamodb"]["NewImage"]
        if row["source"] == "dynamodb:orders":
            ordered += int(image["total"]["N"])
        else:
            balances[image["customer"]["S"]] = int(image["balance"]["N"])
    return sum(balances.values()) / ordered
