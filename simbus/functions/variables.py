"""The environment variables that a function sees.

Names and values as recorded on AWS on 2026-01-12 (test_introspection_invoke). Credentials are fixed fakes.
"""

from __future__ import annotations

from simbus.arn import Account
from simbus.functions.config import FunctionConfig

ACCESS_KEY_ID = "ASIASIMBUSEXAMPLE000"
SECRET_ACCESS_KEY = "simbus/fake/secret/access/key/0000000000"
SESSION_TOKEN = "simbus-fake-session-token"
_LC_CTYPE_RUNTIMES = ("python3.12", "python3.13", "python3.14")  # recorded for 3.13 and 3.14, absent in 3.8 and 3.10


def handler_name(config: FunctionConfig) -> str:
    """What `_HANDLER` says; for a Python callable its module and qualified name."""
    handler = config.handler
    if handler is None or isinstance(handler, str):
        return handler or ""
    target = getattr(handler, "func", handler)
    name = getattr(target, "__qualname__", type(target).__qualname__)
    return f"{target.__module__}.{name}"


def runtime_environ(
    config: FunctionConfig,
    account: Account,
    *,
    version: str,
    log_stream: str,
    log_group: str | None = None,
    initialization_type: str = "on-demand",
) -> dict[str, str]:
    """All variables of an environment: Lambda's own, and the function's.

    `version` is the executed one (`$LATEST` or a number), `initialization_type` on-demand, provisioned-concurrency or
    snap-start. `_X_AMZN_TRACE_ID` is added for each invocation.
    """
    found = {
        "AWS_LAMBDA_FUNCTION_NAME": config.name,
        "AWS_LAMBDA_FUNCTION_VERSION": version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config.memory_size),
        "AWS_LAMBDA_LOG_GROUP_NAME": log_group or config.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_LAMBDA_INITIALIZATION_TYPE": initialization_type,
        "AWS_LAMBDA_RUNTIME_API": "169.254.100.1:9001",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{config.runtime}",
        "AWS_REGION": account.region,
        "AWS_DEFAULT_REGION": account.region,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_SESSION_TOKEN": SESSION_TOKEN,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": "169.254.100.1:2000",
        "_AWS_XRAY_DAEMON_ADDRESS": "169.254.100.1",
        "_AWS_XRAY_DAEMON_PORT": "2000",
        "_HANDLER": handler_name(config),
        "LAMBDA_TASK_ROOT": "/var/task",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "LANG": "en_US.UTF-8",
        "LD_LIBRARY_PATH": (
            "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"
        ),
        "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
        "PWD": "/var/task",
        "PYTHONPATH": "/var/runtime",
        "SHLVL": "0",
        "TZ": ":UTC",
    }
    if config.runtime in _LC_CTYPE_RUNTIMES:
        found["LC_CTYPE"] = "C.UTF-8"
    if config.logging.log_format == "JSON":
        found["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
        found["AWS_LAMBDA_LOG_LEVEL"] = config.logging.application_log_level or "INFO"
    return found | dict(config.environment or {})


def trace_id(request_id: str, epoch_s: int) -> bytes:
    """`_X_AMZN_TRACE_ID` of an invocation that is not sampled, made from its request id."""
    digits = request_id.replace("-", "")
    return f"Root=1-{epoch_s:x}-{digits[:24]};Parent={digits[16:]};Sampled=0;Lineage=1:{digits[:8]}:0".encode()
