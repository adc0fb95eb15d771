"""The sandbox in which the user's own, unmodified Python handlers run as Lambda functions in virtual time.

    install(); sandbox = Sandbox(timeline, config, load_code("thumbnails/"), environ=..., identity="resize/1", log=...)
    sandbox.init(deadline, done); sandbox.invoke(invocation, deadline, done); sandbox.discard(); uninstall()

process        the Python process of an environment: init, invoke, the end
threads        a thread of it is a greenlet, which parks; thread_api, thread_locals: Python's threading on top of them
locks, waiting Lock, RLock and SimpleQueue: waiting for one parks
installation   puts the dispatching patches in and out: clock, chance, files, refusals; scan: names taken before
belongings     what is exchanged when another environment runs: modules, search path, logging
code, importer the user's code and its modules
inner_loop     asyncio inside a handler
guard          ends a run whose handler burns CPU time for ever
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simbus.functions.sandbox.belongings import outer_world, settle
    from simbus.functions.sandbox.code import Code, load_code
    from simbus.functions.sandbox.guard import Guard
    from simbus.functions.sandbox.installation import adopt, install, installed, uninstall
    from simbus.functions.sandbox.living import Ending, LogSink, kill_all, parked_for_ever
    from simbus.functions.sandbox.process import Sandbox
    from simbus.functions.sandbox.state import Dead, SandboxRefusal, outside
    from simbus.functions.sandbox.temporary import TemporaryDirectory

__all__ = [
    "Code",
    "Dead",
    "Ending",
    "Guard",
    "LogSink",
    "Sandbox",
    "SandboxRefusal",
    "TemporaryDirectory",
    "adopt",
    "install",
    "installed",
    "kill_all",
    "load_code",
    "outer_world",
    "outside",
    "parked_for_ever",
    "settle",
    "uninstall",
]

_AT = {
    "outer_world": "belongings",
    "settle": "belongings",
    "Code": "code",
    "load_code": "code",
    "Guard": "guard",
    "adopt": "installation",
    "install": "installation",
    "installed": "installation",
    "uninstall": "installation",
    "Ending": "living",
    "LogSink": "living",
    "kill_all": "living",
    "parked_for_ever": "living",
    "Sandbox": "process",
    "Dead": "state",
    "SandboxRefusal": "state",
    "outside": "state",
    "TemporaryDirectory": "temporary",
}


def __getattr__(name: str) -> Any:
    """Load a part when it is asked for: a scenario whose functions are all modelled needs none."""
    if name in _AT:
        return getattr(import_module(f"{__name__}.{_AT[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
