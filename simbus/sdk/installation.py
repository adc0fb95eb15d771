"""What is another one in botocore and boto3 while a simulation is open. `undo` puts every original back.

botocore: a client's first call hooks it; sessions have the simulation's Region, fixed fake credentials and an empty
configuration, whatever the machine has; what sleeps or draws numbers outside of a handler plays the timeline and draws
from the seed; S3's hosts are reached in process (`http`). boto3: a default session for each execution environment,
transfers of a test without threads.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any
from weakref import WeakKeyDictionary

from simbus.functions.sandbox import state
from simbus.functions.variables import ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN
from simbus.sdk import accounts, hooks, http, waiting
from simbus.sdk.waiting import Module

_undo: list[Callable[[], Any]] = []
_loaded: dict[Any, Any] = {}  # what loaders have read; reading a service model takes longer than a hundred calls
_ABSENT = object()


def install(name: str) -> None:
    """`name` (`botocore.session`, `boto3`) has just been imported, or was already when the simulation was opened."""
    if name == "botocore.session":
        _install_botocore()
    else:
        _install_boto3()


def undo() -> None:
    """Put everything back, and take the handlers out of every client."""
    hooks.unhook_all()
    while _undo:
        _undo.pop()()


def _put(owner: Any, name: str, new: Any) -> None:
    before = vars(owner).get(name, _ABSENT)
    setattr(owner, name, new)
    if before is _ABSENT:
        _undo.append(lambda: delattr(owner, name))
    else:
        _undo.append(lambda: setattr(owner, name, before))


# --- botocore --------------------------------------------------------------------------------------------------------


def _install_botocore() -> None:
    # by import_module: a module that is just being imported is no attribute of its package yet
    client, endpoint, loaders, regions, retryhandler, session, signers, waiter, bucket, standard = (
        import_module(f"botocore.{name}")
        for name in (
            "client", "endpoint", "loaders", "regions", "retryhandler", "session", "signers", "waiter",
            "retries.bucket", "retries.standard",
        )
    )  # fmt: skip
    _put_client(client.BaseClient)
    botocore = sys.modules["botocore"]
    _put(botocore, "_INITIALIZERS", _Initializers(botocore._INITIALIZERS))
    _put_session(session.Session)
    _put_signer(signers.RequestSigner)
    _put_loader(loaders.Loader)
    _put(regions, "EndpointProvider", _shared_provider(regions.EndpointProvider))
    time, random = Module("time", sleep=waiting.sleep, time=waiting.time), Module("random", random=waiting.random)
    for module in (endpoint, waiter, bucket, standard):
        _put(module, "time", time)
    for module in (retryhandler, standard):
        _put(module, "random", random)
    _put(bucket, "threading", Module("threading", Condition=waiting.Condition))
    _put_defaults(standard.RetryHandler.__init__, "sleep", waiting.sleep)
    _put_defaults(standard.ExponentialBackoff.__init__, "random", waiting.random)
    http.install(_put)


def _put_client(base: Any) -> None:
    real = base._make_api_call

    def make_api_call(client: Any, operation_name: str, api_params: Any) -> Any:
        if accounts.current() is not None:
            hooks.hook(client)
        return real(client, operation_name, api_params)

    _put(base, "_make_api_call", make_api_call)


class _Initializers:
    """What is called for each new session (`botocore.register_initializer`): an environment has a list of its own."""

    def __init__(self, outside: list[Any]) -> None:
        self._outside = outside
        self._inside: WeakKeyDictionary[Any, list[Any]] = WeakKeyDictionary()

    def _list(self) -> list[Any]:
        sandbox = state.here()
        return self._outside if sandbox is None else self._inside.setdefault(sandbox, [])

    def append(self, callback: Any) -> None:
        self._list().append(callback)

    def remove(self, callback: Any) -> None:
        self._list().remove(callback)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._list())


def _put_session(session_class: Any) -> None:
    real = session_class.__init__

    def init(session: Any, *args: Any, **kwargs: Any) -> None:
        real(session, *args, **kwargs)
        account = accounts.current()
        if account is not None:
            session._credentials = _credentials()
            session._config = {"profiles": {}}
            session._profile_map = _AnyProfile()
            if state.here() is None:  # in a handler its own variables say the Region
                session._session_instance_vars.setdefault("region", account.world.account.region)

    _put(session_class, "__init__", init)


class _AnyProfile(dict[str, Any]):
    """Every profile is there, and empty: nothing is read from the machine."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> dict[str, Any]:
        return {}


def _put_signer(signer_class: Any) -> None:
    real = signer_class.get_auth_instance

    def get_auth_instance(signer: Any, *args: Any, request_credentials: Any = None, **kwargs: Any) -> Any:
        """A client that was made where there are no credentials can still make presigned URLs."""
        if request_credentials is None and signer._credentials is None and accounts.current() is not None:
            request_credentials = _credentials()
        return real(signer, *args, request_credentials=request_credentials, **kwargs)

    _put(signer_class, "get_auth_instance", get_auth_instance)


def _credentials() -> Any:
    from botocore.credentials import Credentials

    return Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN, method="simbus")


def _put_loader(loader_class: Any) -> None:
    """Sessions share what they read of the service models: one is made for every environment."""
    for name in ("list_available_services", "load_service_model", "load_data_with_path"):
        _put(loader_class, name, _shared(getattr(loader_class, name)))


def _shared(real: Any) -> Any:
    def load(loader: Any, *args: Any, **kwargs: Any) -> Any:
        key = (real, tuple(loader.search_paths), args, tuple(kwargs.items()))
        found = _loaded.get(key)
        if found is None:
            with state.outside():
                found = _loaded[key] = real(loader, *args, **kwargs)
        return found

    return load


def _shared_provider(real: Any) -> Any:
    """The rules for a service's endpoints are compiled once: they depend on what a loader has read, on nothing else."""

    def provider(ruleset_data: Any, partition_data: Any, **more: Any) -> Any:
        settings = tuple((name, tuple(sorted(value or ()))) for name, value in more.items())  # S3: excluded_params
        key = (real, id(ruleset_data), id(partition_data), settings)
        if key not in _loaded:  # kept with its data, so that the identities stay theirs
            made = real(ruleset_data=ruleset_data, partition_data=partition_data, **more)
            _loaded[key] = made, ruleset_data, partition_data
        return _loaded[key][0]

    return provider


def _put_defaults(function: Any, name: str, new: Any) -> None:
    """Another default of one parameter, where this version of botocore has it."""
    code = function.__code__
    before = function.__defaults__ or ()
    names = code.co_varnames[code.co_argcount - len(before) : code.co_argcount]
    function.__defaults__ = tuple(new if name == n else value for n, value in zip(names, before, strict=True))
    _undo.append(lambda: setattr(function, "__defaults__", before))


# --- boto3 -----------------------------------------------------------------------------------------------------------

_sessions: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()


def _install_boto3() -> None:
    boto3, transfer, inject = map(import_module, ("boto3", "boto3.s3.transfer", "boto3.s3.inject"))
    _put(boto3, "DEFAULT_SESSION", None)
    real_setup, real_get = boto3.setup_default_session, boto3._get_default_session

    def setup_default_session(**kwargs: Any) -> None:
        sandbox = state.here()
        if sandbox is None:
            real_setup(**kwargs)
        else:
            _sessions[sandbox] = boto3.Session(**kwargs)

    def get_default_session() -> Any:
        sandbox = state.here()
        if sandbox is None:
            return real_get()
        if sandbox not in _sessions:
            setup_default_session()
        return _sessions[sandbox]

    _put(boto3, "setup_default_session", setup_default_session)
    _put(boto3, "_get_default_session", get_default_session)
    _undo.append(_sessions.clear)
    _put_transfers(transfer, inject)


def _put_transfers(transfer: Any, inject: Any) -> None:
    real = transfer.create_transfer_manager

    def create_transfer_manager(client: Any, config: Any, osutil: Any = None) -> Any:
        if state.here() is None and accounts.current() is not None:
            config.use_threads = False
        return real(client, config, osutil)

    _put(transfer, "create_transfer_manager", create_transfer_manager)
    _put(inject, "create_transfer_manager", create_transfer_manager)
