"""A sandbox and what it needs around it: a timeline, a log, the patches. Used by the tests of the sandbox."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from simbus.arn import Account
from simbus.functions.config import FunctionConfig, LoggingConfig, Simulate
from simbus.functions.runtime import runtime_environ
from simbus.functions.sandbox import Guard, Sandbox, TemporaryDirectory, installed, load_code
from simbus.functions.sandbox.installation import adopt
from simbus.kernel import SECOND, Timeline
from simbus.model import Invocation, Outcome

EPOCH = 1_767_225_600 * SECOND  # 2026-01-01T00:00:00Z
ARN = "arn:aws:lambda:us-east-1:000000000000:function:resize"
REQUEST = "8f507cfc-0000-4697-b07a-ac58fc914c95"


class Log(list[tuple[str, str | None, str | None]]):
    """The lines of one environment: (message, level, request id)."""

    def emit(self, message: str, level: str | None, request_id: str | None) -> None:
        self.append((message, level, request_id))

    @property
    def text(self) -> str:
        return "".join(message for message, _, __ in self)


def no_one(*_: object) -> None:
    """Nobody wants to know."""


class Lab:
    """Makes sandboxes on one timeline and runs invocations to their end."""

    def __init__(self, folder: Path, seed: int = 1) -> None:
        self.folder = folder
        self.timeline = Timeline(seed)
        self.log = Log()
        self.sandboxes: list[Sandbox] = []
        self.made = 0
        self.failure: Outcome | None = None

    def write(self, **files: str) -> Path:
        """Write modules into the code directory: `write(app="...")` is app.py."""
        code = self.folder / "code"
        code.mkdir(exist_ok=True)
        for name, text in files.items():
            (code / f"{name}.py").write_text(textwrap.dedent(text))
        return code

    def config(self, handler: Any, **options: Any) -> FunctionConfig:
        simulate = Simulate(**{k: options.pop(k) for k in list(options) if k in Simulate.__struct_fields__})
        logging = LoggingConfig(**options.pop("logging", {}))
        return FunctionConfig("resize", handler, simulate=simulate, logging=logging, **options)

    def sandbox(
        self,
        handler: str | Callable[..., Any],
        code: Path | None = None,
        *,
        identity: str | None = None,
        log: Log | None = None,
        tmp: TemporaryDirectory | None = None,
        **options: Any,
    ) -> Sandbox:
        """A sandbox that is initialised (`self.failure` says how its init failed)."""
        self.made += 1
        config = self.config(handler, **options)
        if callable(handler):
            adopt(handler)
        sandbox = Sandbox(
            self.timeline,
            config,
            None if code is None else load_code(code),
            environ=runtime_environ(config, Account(), version="$LATEST", log_stream="2026/01/01/[$LATEST]abc"),
            identity=identity or f"resize/{self.made}",
            log=self.log if log is None else log,
            epoch_ns=EPOCH,
            function_arn=ARN,
            tmp=tmp,
        )
        self.sandboxes.append(sandbox)
        answers: list[Outcome | None] = []
        sandbox.init(self.timeline.now + 10 * SECOND, answers.append)
        self.timeline.run()
        (self.failure,) = answers
        return sandbox

    def app(self, source: str, handler: str = "app.handler", **options: Any) -> Sandbox:
        """A sandbox of one module, app.py."""
        return self.sandbox(handler, self.write(app=source), **options)

    def begin(self, sandbox: Sandbox, event: Any = None, request_id: str = REQUEST, **options: Any) -> list[Outcome]:
        """Begin an invocation; its outcome is put into the list, once the timeline has run far enough."""
        outcomes: list[Outcome] = []
        payload = options.pop("payload", None) or msgspec.json.encode(event).decode()
        timeout = options.pop("timeout", sandbox.config.timeout)
        invocation = Invocation(request_id, payload, no_one, no_one, **options)
        sandbox.invoke(invocation, self.timeline.now + int(timeout * SECOND), outcomes.append)
        return outcomes

    def call(self, sandbox: Sandbox, event: Any = None, **options: Any) -> Outcome:
        """Invoke and let the timeline run until nothing is pending."""
        outcomes = self.begin(sandbox, event, **options)
        self.timeline.run()
        (outcome,) = outcomes
        return outcome

    def result(self, sandbox: Sandbox, event: Any = None, **options: Any) -> Any:
        """The handler's response; fails where there is none."""
        outcome = self.call(sandbox, event, **options)
        assert outcome.status == "ok", outcome
        return msgspec.json.decode(outcome.payload)


@contextmanager
def laboratory(folder: Path, seed: int = 1, guard: float | None = 30.0) -> Iterator[Lab]:
    """A lab with the patches in place."""
    with installed(Guard(guard)):
        lab = Lab(folder, seed)
        yield lab
        for sandbox in lab.sandboxes:
            sandbox.discard()


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with laboratory(tmp_path) as made:
        yield made
