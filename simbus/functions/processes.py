"""Starts the Python processes of execution environments: one sandbox for each, none for a modelled function."""

from __future__ import annotations

from simbus.functions import sandbox
from simbus.functions.config import FunctionConfig
from simbus.functions.environment import Environment, Process
from simbus.functions.function import Function
from simbus.functions.sandbox.state import outside
from simbus.functions.variables import runtime_environ
from simbus.functions.version import Spawn
from simbus.functions.wrapper import NoRuntime, bad_wrapper
from simbus.world import World


class Processes:
    """The sandboxes of one simulation. The patches of the sandbox are in place from the first handler to `close`."""

    def __init__(self, world: World, handler_guard: float | None) -> None:
        self._world = world
        self._guard = handler_guard
        self._installed = False

    def spawner(self, function: Function, number: str, config: FunctionConfig) -> Spawn:
        """What starts a process of this version; its code is loaded once. Raises UsageError for code that is not."""
        if config.handler is None:
            return lambda environment: None
        if not self._installed:
            sandbox.install(sandbox.Guard(self._guard))
            self._installed = True
        code: sandbox.Code | None = None
        with outside():  # a handler may have made the function
            if config.code is not None:
                code = sandbox.load_code(config.code)
            elif callable(config.handler):
                sandbox.adopt(config.handler)
            wrapper = bad_wrapper(config, code)

        def spawn(environment: Environment) -> Process:
            if wrapper is not None:
                return NoRuntime(wrapper, environment.stream)
            return self._sandbox(function, number, config, code, environment)

        return spawn

    def _sandbox(
        self,
        function: Function,
        number: str,
        config: FunctionConfig,
        code: sandbox.Code | None,
        environment: Environment,
    ) -> sandbox.Sandbox:
        stream = environment.stream
        environ = runtime_environ(
            config,
            self._world.account,
            version=number,
            log_group=stream.group,
            log_stream=stream.name,
            initialization_type="provisioned-concurrency" if environment.provisioned else "on-demand",
        )
        environment.processes += 1
        made = sandbox.Sandbox(
            self._world.timeline,
            config,
            code,
            environ=environ,
            identity=f"{config.name}/{environment.number}/{environment.processes}",
            log=stream,
            epoch_ns=self._world.epoch_ns,
            function_arn=function.arn,
            tmp=environment.temporary,
        )
        environment.temporary = made.tmp
        return made

    def close(self) -> None:
        """Take the patches away again."""
        if self._installed:
            self._installed = False
            sandbox.uninstall()
