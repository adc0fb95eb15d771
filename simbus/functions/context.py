"""The context object that a Python handler is called with.

Matches `LambdaContext` of AWS's Python runtime interface client (awslambdaric 4.0.1, lambda_context.py).
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any


class CognitoIdentity:
    """The identity of a caller that came through Cognito; both attributes are None for others."""

    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")

    def __init__(self) -> None:
        self.cognito_identity_id: str | None = None
        self.cognito_identity_pool_id: str | None = None

    def __repr__(self) -> str:
        return _show(self)


class Client:
    """The mobile application that a client context speaks of; what it leaves out is None."""

    __slots__ = ("app_package_name", "app_title", "app_version_code", "app_version_name", "installation_id")
    _order = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")

    def __init__(self, given: dict[str, Any]) -> None:
        for name in self._order:
            setattr(self, name, given.get(name))

    def __repr__(self) -> str:
        return _show(self, self._order)


class ClientContext:
    """What the caller sent as ClientContext: `custom`, `env` and `client`; what it left out is None."""

    __slots__ = ("client", "custom", "env")
    _order = ("custom", "env", "client")

    def __init__(self, given: dict[str, Any]) -> None:
        self.custom = given.get("custom")
        self.env = given.get("env")
        client = given.get("client")
        self.client = None if client is None else Client(client)

    def __repr__(self) -> str:
        return _show(self, self._order)


def _show(thing: Any, names: tuple[str, ...] | None = None) -> str:
    fields = ",".join(f"{name}={getattr(thing, name)}" for name in names or thing.__slots__)
    return f"{type(thing).__name__}([{fields}])"


class LambdaContext:
    """What a handler is told about its invocation and its function.

    `memory_limit_in_mb` is text, as on AWS. The deadline is in milliseconds since 1970 (virtual time).
    """

    _clock: Callable[[], int] = staticmethod(lambda: 0)

    def __init__(
        self,
        request_id: str,
        function: tuple[str | None, str | None, str | None, str | None, str | None],
        invoked_function_arn: str,
        deadline_ms: int,
        clock: Callable[[], int],
        client_context: dict[str, Any] | None = None,
        identity: CognitoIdentity | None = None,
    ) -> None:
        self.aws_request_id = request_id
        (
            self.log_group_name,
            self.log_stream_name,
            self.function_name,
            self.memory_limit_in_mb,
            self.function_version,
        ) = function
        self.invoked_function_arn = invoked_function_arn
        self.tenant_id: str | None = None
        self.client_context = None if client_context is None else ClientContext(client_context)
        self.identity = CognitoIdentity() if identity is None else identity
        self._epoch_deadline_time_in_ms = deadline_ms
        self._clock = clock

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds of virtual time until the function's timeout; 0 when it has passed."""
        return max(0, self._epoch_deadline_time_in_ms - self._clock() // 1_000_000)

    def log(self, msg: object) -> None:
        """Write `str(msg)` to the log as it is, as one event."""
        for handler in logging.getLogger().handlers:
            if hasattr(handler, "log_sink"):
                handler.log_sink.log(str(msg))
                return
        sys.stdout.write(str(msg))

    def __repr__(self) -> str:
        names = ("aws_request_id", "log_group_name", "log_stream_name", "function_name", "memory_limit_in_mb")
        names += ("function_version", "invoked_function_arn", "client_context", "identity", "tenant_id")  # type: ignore[assignment]
        return _show(self, names)
