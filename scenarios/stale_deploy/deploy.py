"""Puts the commit of a push live. In the first 30 seconds after midnight the web servers can't be reached."""

from datetime import datetime, time


def handler(event, context):
    reference = event["Records"][0]["codecommit"]["references"][0]
    if datetime.now().time() < time(0, 0, 30):
        raise ConnectionError("the web servers can't be reached")
    print("live", reference["commit"])
    return {"live": reference["commit"]}
