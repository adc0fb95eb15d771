"""Finding the handler, with Lambda's own errors (awslambdaric 4.0.1, bootstrap.py `_get_handler`)."""

import json
from typing import Any

import pytest
from sandboxes import Lab

WARNING = (
    "[WARNING]\t2026-01-01T00:00:00.000Z\t\tLAMBDA_WARNING: Unhandled exception. The most likely cause is an issue"
)


def failed(lab: Lab, source: str, handler: str) -> dict[str, Any]:
    """The error object of an init that fails."""
    lab.sandbox(handler, lab.write(app=source))
    assert lab.failure is not None
    found: dict[str, Any] = json.loads(lab.failure.payload)
    assert (lab.failure.status, lab.failure.error_type) == ("error", found["errorType"])
    assert list(found) == ["errorMessage", "errorType", "requestId", "stackTrace"]
    assert found["requestId"] == ""
    return found


@pytest.mark.parametrize(
    ("handler", "source", "error_type", "message"),
    [
        (
            *("app", "", "Runtime.MalformedHandlerName"),
            "Bad handler 'app': not enough values to unpack (expected 2, got 1)",
        ),
        ("sys.exit", "", "Runtime.BuiltInModuleConflict", "Cannot use built-in module sys as a handler module"),
        ("no.f", "", "Runtime.ImportModuleError", "Unable to import module 'no': No module named 'no'"),
        (
            *("app.f", "import nothing_like_it", "Runtime.ImportModuleError"),
            "Unable to import module 'app': No module named 'nothing_like_it'",
        ),
        ("src/no.f", "", "Runtime.ImportModuleError", "Unable to import module 'src/no': No module named 'src'"),
        ("app.f", "", "Runtime.HandlerNotFound", "Handler 'f' missing on module 'app'"),
    ],
)
def test_faults(lab: Lab, handler: str, source: str, error_type: str, message: str) -> None:
    """Each fault has AWS's error type and message, an empty request id and no trace."""
    assert failed(lab, source, handler) == {
        "errorMessage": message,
        "errorType": error_type,
        "requestId": "",
        "stackTrace": [],
    }


def test_syntax_error(lab: Lab) -> None:
    """Runtime.UserCodeSyntaxError names file and line; its trace is one string."""
    found = failed(lab, "x = 1\n\nif x\n    pass\n", "app.f")
    assert found["errorType"] == "Runtime.UserCodeSyntaxError"
    assert found["errorMessage"] == "Syntax error in module 'app': expected ':' (app.py, line 3)"
    assert found["stackTrace"] == ['  File "/var/task/app.py" Line 3\n    if x\n']


def test_other_exceptions_while_importing(lab: Lab) -> None:
    """Any other exception is named by its class; the trace goes through importlib to the line of the code."""
    found = failed(lab, "import os\nraise ValueError('no config')\n", "app.f")
    assert (found["errorMessage"], found["errorType"]) == ("no config", "ValueError")
    trace = found["stackTrace"]
    assert trace[0].startswith('  File "/var/lang/lib/python3.13/importlib/__init__.py", line ')
    assert trace[1].startswith('  File "<frozen importlib._bootstrap>", line ')
    assert trace[-1] == "  File \"/var/task/app.py\", line 2, in <module>\n    raise ValueError('no config')\n"
    assert not [entry for entry in trace if "simbus" in entry]


def test_a_failed_init_is_logged(lab: Lab) -> None:
    """Before the dump of the error the runtime warns (LAMBDA_WARNING); the dump has U+00A0 for leading spaces."""
    failed(lab, "raise ValueError('no config')\n", "app.f")
    warning, dump = (message for message, _, __ in lab.log)
    assert warning.startswith(WARNING)
    assert warning.endswith("https://docs.aws.amazon.com/lambda/latest/dg/runtimes-update.html\r\n")
    lines = dump.split("\n")
    assert lines[:2] == ["[ERROR] ValueError: no config", "Traceback (most recent call last):"]
    end = [
        '\u00a0\u00a0File "/var/task/app.py", line 1, in <module>',
        *["\u00a0" * 4 + "raise ValueError('no config')"],
    ]
    assert lines[-2:] == end


def test_module_in_a_folder(lab: Lab) -> None:
    """`src/app.handler` and `src.app.handler` are the same."""
    code = lab.write(app="")
    (code / "src").mkdir()
    (code / "src" / "app.py").write_text("def handler(event, context):\n    return __name__\n")
    for handler in ("src/app.handler", "src.app.handler"):
        assert lab.result(lab.sandbox(handler, code)) == "src.app"


class Greeter:
    """A handler that is an object, or a method of one."""

    def __call__(self, event: Any, context: Any) -> str:
        return f"called {event}"

    def method(self, event: Any, context: Any) -> str:
        return f"method {event}"


def test_any_callable(lab: Lab) -> None:
    """A handler given in Python may be any callable; _HANDLER names it."""
    import os
    from functools import partial

    def base(prefix: str, event: Any, context: Any) -> str:
        return f"{prefix} {event} {os.environ['_HANDLER'].rpartition('.')[2]}"

    handlers = [Greeter(), Greeter().method, partial(base, "partial")]
    found = [lab.result(lab.sandbox(handler), 1) for handler in handlers]
    assert found == ["called 1", "method 1", "partial 1 base"]
