"""What the runtime does around a handler: events, responses, errors, logs (awslambdaric 4.0.1 and recordings)."""

import datetime
import decimal
import json
import logging
import math
import threading
from typing import Any

import pytest
import simplejson
from hypothesis import given
from hypothesis import strategies as st
from sandboxes import REQUEST, Lab

from simbus.functions.handler import Fault
from simbus.functions.runtime import Encoder, decode

FAILING = "def handler(event, context):\n    raise Exception('Handler fails')\n"
JSON = {"log_format": "JSON"}

numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
documents = st.recursive(
    st.none() | st.booleans() | numbers | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


# --- events ----------------------------------------------------------------------------------------------------------


@given(documents, st.booleans())
def test_events_are_what_simplejson_reads(document: Any, ascii_only: bool) -> None:
    """Decoding gives exactly simplejson's values and types, floats to the last bit, big integers included."""
    text = json.dumps(document, ensure_ascii=ascii_only)
    assert repr(decode(text)) == repr(simplejson.loads(text))


@pytest.mark.parametrize(
    "text",
    [
        *('{"a": 1, "b": 2, "a": 3}', "-0", "-0.0", "1e400", "1E5", '"\\ud800"', '"\\ud83d\\ude00"', " [1] "),
        *("123456789012345678901234567890", "0.1", "5e-324", "2.2250738585072011e-308", '"\\u0000"', '"\u2028"'),
    ],
)
def test_odd_events(text: str) -> None:
    """Duplicate keys, negative zero, overflow, surrogates, subnormal numbers."""
    assert repr(decode(text)) == repr(simplejson.loads(text))


@pytest.mark.parametrize("text", ["", "{", "[1,]", "nul", '{"a":1}x', "NaN", "'a'", '"\ud800'])
def test_events_that_are_no_json(text: str) -> None:
    """Runtime.UnmarshalError in simplejson's words."""
    with pytest.raises(simplejson.JSONDecodeError) as expected:
        simplejson.loads(text)
    with pytest.raises(Fault) as found:
        decode(text)
    assert found.value.error_type == "Runtime.UnmarshalError"
    assert found.value.message == f"Unable to unmarshal input: {expected.value}"


# --- responses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("response", "payload"),
    [
        (None, "null"),
        ({}, "{}"),
        ({"a": 1, "b": [True, None]}, '{"a": 1, "b": [true, null]}'),
        ("é", '"é"'),
        ((1, 2), "[1, 2]"),
        (decimal.Decimal("1.10"), "1.10"),
        (decimal.Decimal("-NaN"), "NaN"),
        (math.inf, "Infinity"),
        ({1: 2, None: 3, 2.5: 4}, '{"1": 2, "null": 3, "2.5": 4}'),
        (b"raw", "raw"),
        ({"key": b"text"}, '{"key": "text"}'),
    ],
)
def test_responses(lab: Lab, response: Any, payload: str) -> None:
    """simplejson's formatting, a Decimal as a bare number, bytes as they are (marshal_response)."""
    assert lab.call(lab.sandbox(lambda event, context: response)).payload == payload


def test_letters_are_escaped_before_python_3_12() -> None:
    """ensure_ascii is False from python3.12 on (lambda_runtime_marshaller.Encoder)."""
    assert [Encoder(f"python3.{minor}").encode("é") for minor in (8, 11, 12, 14)] == [
        *('"\\u00e9"', '"\\u00e9"', '"é"', '"é"'),
    ]


@pytest.mark.parametrize(
    ("response", "message"),
    [
        ({1, 2}, "Object of type set is not JSON serializable"),
        (datetime.date(2026, 1, 1), "Object of type date is not JSON serializable"),
        ({(1, 2): 3}, "keys must be str, int, float, bool or None, not tuple"),
    ],
)
def test_responses_that_are_no_json(lab: Lab, response: Any, message: str) -> None:
    """Runtime.MarshalError; the environment goes on."""
    sandbox = lab.sandbox(lambda event, context: response if event else 1)
    outcome = lab.call(sandbox, True)
    assert (outcome.status, outcome.error_type) == ("error", "Runtime.MarshalError")
    assert outcome.error_message == f"Unable to marshal response: {message}"
    assert json.loads(outcome.payload)["stackTrace"] == []
    assert lab.result(sandbox) == 1


def test_a_lone_surrogate_ends_the_runtime(lab: Lab) -> None:
    """What cannot be sent as UTF-8 fails outside of every `except` of the runtime: the process exits with 1."""
    outcome = lab.call(lab.sandbox(lambda event, context: "\ud800"))
    assert (outcome.status, outcome.error_message) == (
        "exit",
        f"RequestId: {REQUEST} Error: Runtime exited with error: exit status 1",
    )


def test_a_lone_surrogate_in_an_error_ends_the_runtime_which_says_so(lab: Lab) -> None:
    """Python's stderr shows it with a backslash; the traceback of the runtime's end has it."""

    def handler(event: object, context: object) -> None:
        raise ValueError("\ud83d")

    assert lab.call(lab.sandbox(handler)).status == "exit"
    assert ("ValueError: \\ud83d\n", None, REQUEST) in lab.log


# --- errors ----------------------------------------------------------------------------------------------------------


def test_error_of_current_runtimes(lab: Lab) -> None:
    """The payload to the byte (recorded: test_lambda_handler_error)."""
    outcome = lab.call(lab.app(FAILING))
    trace = "  File \\\"/var/task/app.py\\\", line 2, in handler\\n    raise Exception('Handler fails')\\n"
    assert outcome.payload == (
        f'{{"errorMessage": "Handler fails", "errorType": "Exception", "requestId": "{REQUEST}", '
        f'"stackTrace": ["{trace}"]}}'
    )
    assert (outcome.status, outcome.error_type, outcome.error_message) == ("error", "Exception", "Handler fails")


def test_error_of_python_3_8(lab: Lab) -> None:
    """python3.8 has no requestId (recorded: test_uncaught_exception_invoke[python3.8])."""
    found = json.loads(lab.call(lab.app(FAILING, runtime="python3.8")).payload)
    assert list(found) == ["errorMessage", "errorType", "stackTrace"]


@pytest.mark.parametrize("runtime", ["python2.7", "python3.6", "python3.7"])
def test_error_of_old_runtimes(lab: Lab, runtime: str) -> None:
    """A list of [file, line, function, source] (Developer Guide of 2017, "Function errors")."""
    found = lab.call(lab.app(FAILING, runtime=runtime)).payload
    line = '["/var/task/app.py", 2, "handler", "raise Exception(\'Handler fails\')"]'
    assert found == f'{{"stackTrace": [{line}], "errorType": "Exception", "errorMessage": "Handler fails"}}'


@pytest.mark.parametrize(
    ("runtime", "file", "line"),
    [
        ("python3.12", "/var/lang/lib/python3.12/site-packages/awslambdaric/bootstrap.py", 178),
        ("python3.9", "/var/runtime/bootstrap.py", 127),
    ],
)
def test_a_handler_with_a_wrong_number_of_arguments(lab: Lab, runtime: str, file: str, line: int) -> None:
    """The call itself fails, so the trace has the runtime's own frame (bootstrap.py keeps it where there is no other).
    Seen on AWS in these words; the line moves with the runtime's version."""
    sandbox = lab.app("def handler(event): pass", runtime=runtime)
    found = json.loads(lab.call(sandbox).payload)
    assert found["errorMessage"] == "handler() takes 1 positional argument but 2 were given"
    call = "response = request_handler(event, lambda_context)"
    assert found["stackTrace"] == [f'  File "{file}", line {line}, in handle_event_request\n    {call}\n']


def test_an_error_that_can_not_be_told_ends_the_runtime(lab: Lab) -> None:
    """str() of it fails inside the runtime, which then exits; the traces that Python prints show nothing of simbus."""
    source = """
        class Odd(Exception):
            def __str__(self):
                raise RuntimeError("no")
        def handler(event, context):
            raise Odd
        """
    outcome = lab.call(lab.app(source))
    assert (outcome.status, outcome.error_type) == ("exit", "Runtime.ExitError")
    assert "RuntimeError: no" in lab.log.text
    assert [line for line in lab.log.text.splitlines() if "File" in line] == [
        '  File "/var/task/app.py", line 6, in handler',
        '  File "/var/task/app.py", line 4, in __str__',
    ]


def test_trace_of_several_files(lab: Lab) -> None:
    """Python's own files are shown under /var/lang, nothing of simbus is; a cause is not represented."""
    code = lab.write(
        app="import json, helper\ndef handler(event, context):\n    helper.work('{')\n",
        helper="import json\ndef work(text):\n    try:\n        json.loads(text)\n    except ValueError as e:\n"
        "        raise KeyError('bad') from e\n",
    )
    found = json.loads(lab.call(lab.sandbox("app.handler", code)).payload)
    files = [entry.split('"')[1] for entry in found["stackTrace"]]
    assert (files, found["errorMessage"]) == (["/var/task/app.py", "/var/task/helper.py"], "'bad'")
    code = lab.write(app="import json\ndef handler(event, context):\n    json.loads('{')\n")
    found = json.loads(lab.call(lab.sandbox("app.handler", code)).payload)
    files = [entry.split('"')[1] for entry in found["stackTrace"]]
    library = "/var/lang/lib/python3.13/json"
    assert files == ["/var/task/app.py", f"{library}/__init__.py", f"{library}/decoder.py", f"{library}/decoder.py"]


def test_recursion_is_an_ordinary_error(lab: Lab) -> None:
    """RecursionError; repeated frames are folded as traceback.format_list does, and the environment goes on."""
    sandbox = lab.app("def handler(event, context):\n    return handler(event, context) if event else 1\n")
    outcome = lab.call(sandbox, True)
    assert outcome.error_type == "RecursionError"
    assert "[Previous line repeated" in outcome.payload
    assert lab.result(sandbox) == 1


def test_globals_survive_an_error(lab: Lab) -> None:
    """A handler's exception does not reset the environment."""
    sandbox = lab.app("n = 0\ndef handler(event, context):\n    global n\n    n += 1\n    return 1 / (n - 1)\n")
    assert lab.call(sandbox).error_type == "ZeroDivisionError"
    assert lab.result(sandbox) == 1.0


def test_error_dump_in_text(lab: Lab) -> None:
    """One event without a newline at its end, leading spaces as U+00A0 (recorded: test_invocation_type_event_error)."""
    lab.call(lab.app(FAILING))
    s = "\u00a0"
    assert lab.log == [
        (
            "[ERROR] Exception: Handler fails\nTraceback (most recent call last):\n"
            f"{s}{s}File \"/var/task/app.py\", line 2, in handler\n{s}{s}{s}{s}raise Exception('Handler fails')",
            "ERROR",
            REQUEST,
        )
    ]


# --- logs ------------------------------------------------------------------------------------------------------------


def test_log_records_in_text(lab: Lab) -> None:
    """`[INFO]<TAB>time<TAB>request id<TAB>message`; the root logger stays at WARNING unless the code says otherwise."""
    source = """
        import logging, time
        logging.info("not shown")
        logging.warning("at init")
        def handler(event, context):
            logging.getLogger("x.y").info("not shown")
            time.sleep(1.5)
            logging.getLogger("x.y").error("two\\nlines")
            try:
                1 / 0
            except ZeroDivisionError:
                logging.exception("failed")
        """
    lab.result(lab.app(source))
    init, lines, failed = lab.log
    assert init == ("[WARNING]\t2026-01-01T00:00:00.000Z\t\tat init\n", "WARNING", None)
    assert lines == (f"[ERROR]\t2026-01-01T00:00:01.500Z\t{REQUEST}\ttwo\nlines\n", "ERROR", REQUEST)
    assert failed[0].startswith(
        f"[ERROR]\t2026-01-01T00:00:01.500Z\t{REQUEST}\tfailed\nTraceback (most recent call last):"
    )
    assert '  File "/var/task/app.py", line 10, in handler\n' in failed[0]


def test_log_records_in_json(lab: Lab) -> None:
    """The fields of a record, those of an exception, `extra`; without nulls (JsonFormatter)."""
    source = """
        import logging
        def handler(event, context):
            logging.info("hello %s", "you", extra={"order": 7})
            logging.debug("not shown")
            try:
                raise ValueError("bad")
            except ValueError:
                logging.exception("failed")
        """
    lab.result(lab.app(source, logging=JSON))
    hello, failed = (json.loads(message) for message, _, __ in lab.log)
    stamp = "2026-01-01T00:00:00Z"
    assert list(hello.items()) == [
        *(("timestamp", stamp), ("level", "INFO"), ("message", "hello you"), ("logger", "root")),
        *(("requestId", REQUEST), ("order", 7)),
    ]
    assert list(failed) == [
        *(
            "timestamp",
            "level",
            "message",
            "logger",
            "stackTrace",
            "errorType",
            "errorMessage",
            "requestId",
            "location",
        ),
    ]
    assert (failed["errorType"], failed["errorMessage"]) == ("ValueError", "bad")
    assert failed["location"] == "/var/task/app.py:handler:9"
    assert failed["stackTrace"] == ['  File "/var/task/app.py", line 7, in handler\n    raise ValueError("bad")\n']
    assert lab.log[0][0].endswith("}\n")


def test_error_dump_in_json(lab: Lab) -> None:
    """`log_level` in place of `level`, and the fields of the payload (bootstrap.log_error)."""
    lab.call(lab.app(FAILING, logging=JSON))
    ((message, level, _),) = lab.log
    found = json.loads(message)
    assert list(found) == ["timestamp", "log_level", "errorMessage", "errorType", "requestId", "stackTrace"]
    assert (found["timestamp"], found["log_level"], level) == ("2026-01-01T00:00:00Z", "ERROR", "ERROR")


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        ("TRACE", ["plain", "debug", "warn", "odd", "DEBUG", "INFO", "ERROR"]),
        ("INFO", ["plain", "warn", "odd", "INFO", "ERROR"]),
        ("WARN", ["warn", "ERROR"]),
        ("FATAL", []),
    ],
)
def test_level_filter_of_json(lab: Lab, level: str, shown: list[str]) -> None:
    """A printed line is INFO, one of JSON with a level has that one; records go by the root level (Developer Guide)."""

    def handler(event: Any, context: Any) -> None:
        print("plain")
        print('{"level": "debug"}')
        print('{"level": "WARN", "a": 1}')
        print('{"level": 5, "odd": 1}')
        for name in ("DEBUG", "INFO", "ERROR"):
            logging.log(getattr(logging, name), name)

    lab.result(lab.sandbox(handler, logging={"log_format": "JSON", "application_log_level": level}))
    seen = []
    for message, _, __ in lab.log:
        found = json.loads(message) if message.startswith("{") else {}
        seen.append(
            found.get("message") or next((w for w in ("debug", "WARN", "odd") if w in message), "plain").lower()
        )
    assert seen == shown


def test_text_logs_are_never_filtered(lab: Lab) -> None:
    """Levels only apply to JSON; in Text even an application level does nothing."""

    def handler(event: Any, context: Any) -> None:
        print("plain")
        logging.getLogger().setLevel(logging.DEBUG)
        logging.debug("deep")

    lab.result(lab.sandbox(handler, logging={"application_log_level": "ERROR"}))
    assert [message.split("\t")[-1] for message, _, __ in lab.log] == ["plain\n", "deep\n"]


def test_code_overrides_the_level(lab: Lab) -> None:
    """setLevel in the code wins over ApplicationLogLevel."""

    def handler(event: Any, context: Any) -> None:
        logging.getLogger().setLevel(logging.DEBUG)
        logging.debug("deep")

    lab.result(lab.sandbox(handler, logging=JSON))
    assert json.loads(lab.log[0][0])["level"] == "DEBUG"


def test_printing_what_is_not_utf_8(lab: Lab) -> None:
    """stdout of the runtime is strict UTF-8."""
    assert lab.call(lab.sandbox(lambda event, context: print("\ud800"))).error_type == "UnicodeEncodeError"


def test_locks_of_concurrent_handlers(lab: Lab) -> None:
    """A lock that a handler made and another environment wants parks that one, in place of blocking everything."""
    import time

    made: list[Any] = []

    def handler(event: Any, context: Any) -> float:
        if not made:
            made.append(threading.Lock())
        with made[0]:
            time.sleep(1)
            return time.monotonic()

    outcomes = [lab.begin(lab.sandbox(handler)) for _ in range(2)]
    lab.timeline.run()
    assert [outcome[0].payload for outcome in outcomes] == ["1.0", "2.0"]
