"""Makes a thumbnail of each picture; a broken one raises, and Lambda does the rest."""

import logging
import os
import time
from urllib.parse import unquote_plus

logger = logging.getLogger()
logger.setLevel(logging.INFO)

TARGET = os.environ["TARGET"]
seen = 0


def resize(event, context):
    global seen
    record = event["Records"][0]["s3"]
    key = unquote_plus(record["object"]["key"])
    seen += 1
    print(f"picture {seen} of this environment: {key}, {record['object']['size']} bytes")
    if key == "img/broken.jpg":
        raise ValueError(f"cannot decode {key}")
    time.sleep(0.05)  # virtual time: the timeline plays on meanwhile
    logger.info("%s has %d ms left", context.function_name, context.get_remaining_time_in_millis())
    return {"thumbnail": f"{TARGET}/{key}"}
