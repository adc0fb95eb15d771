"""Serves a page; loading the model is what the init phase is long for (see simulate.init_duration)."""

visitors_here = 0


def handler(event, context):
    global visitors_here
    visitors_here += 1
    return {"visitor": event["visitor"], "first_here": visitors_here == 1}
