"""What belongs to an environment: variables, modules, streams, logging, working directory, temporary files."""

import glob
import io
import logging
import os
import shutil
import sqlite3
import sys
import tempfile
import time
from contextvars import ContextVar
from os import environ
from pathlib import Path
from typing import Any

import pytest
from sandboxes import Lab, Log, laboratory

from simbus.errors import AwsError, UsageError
from simbus.functions.sandbox import Code, TemporaryDirectory, load_code, settle
from simbus.functions.sandbox import code as code_module

COUNTER: ContextVar[int] = ContextVar("COUNTER", default=0)


# --- environment variables, context variables ------------------------------------------------------------------------


def test_variables_belong_to_the_environment(lab: Lab) -> None:
    """A function sees its own variables and those of Lambda only, and what it sets stays in its environment."""

    def handler(event: Any, context: Any) -> list[Any]:
        seen = environ.get("OWN"), os.getenv("SET"), os.environb.get(b"OWN", b"").decode(), "HOME" in os.environ
        environ["SET"] = "by me"
        os.putenv("RAW", "x")
        return [*seen, environ["AWS_REGION"], environ["_X_AMZN_TRACE_ID"]]

    first = lab.sandbox(handler, environment={"OWN": "1"})
    second = lab.sandbox(handler, environment={"OWN": "2"})
    trace = "Root=1-6955b900-8f507cfc00004697b07aac58;Parent=b07aac58fc914c95;Sampled=0;Lineage=1:8f507cfc:0"
    assert lab.result(first) == ["1", None, "1", False, "us-east-1", trace]
    assert lab.result(second)[:2] == ["2", None]
    assert lab.result(first)[:2] == ["1", "by me"]
    assert "SET" not in os.environ
    assert "OWN" not in os.environ


def test_context_variables_belong_to_the_environment(lab: Lab) -> None:
    """A context variable set in one environment is unset in another and outside, also across a sleep."""

    def handler(event: Any, context: Any) -> int:
        COUNTER.set(COUNTER.get() + event)
        time.sleep(0.1)
        return COUNTER.get()

    first, second = lab.sandbox(handler), lab.sandbox(handler)
    outcomes = lab.begin(first, 1), lab.begin(second, 10)
    lab.timeline.run()
    assert [o[0].payload for o in outcomes] == ["1", "10"]
    assert COUNTER.get() == 0


# --- modules ---------------------------------------------------------------------------------------------------------


def test_two_functions_both_own_app(lab: Lab, tmp_path: Path) -> None:
    """Modules under `code` are the environment's own: same name, other code, other globals, fresh after a reset."""
    source = "n = 0\ndef handler(event, context):\n    global n\n    n += {step}\n    return n\n"
    folders = []
    for step in (1, 10):
        folders.append(tmp_path / f"f{step}")
        folders[-1].mkdir()
        (folders[-1] / "app.py").write_text(source.format(step=step))
    one, ten, other = (lab.sandbox("app.handler", f) for f in (folders[0], folders[1], folders[0]))
    assert [lab.result(s) for s in (one, ten, one, ten, other)] == [1, 10, 2, 20, 1]
    assert "app" not in sys.modules or lab.sandboxes
    one.kill()
    assert lab.result(lab.sandbox("app.handler", folders[0])) == 1


def test_packages_and_imports_later_on(lab: Lab) -> None:
    """Packages, relative imports, a path added to sys.path and an import inside the handler work; caches stay."""
    code = lab.write(app="import sys\nsys.path.append('/var/task/vendor')\nfrom pkg.inner import late\n")
    for name, text in {
        "pkg/__init__.py": "",
        "pkg/inner.py": "from . import base\ndef late(event, context):\n    import dep, sys\n"
        "    from space.leaf import leaf\n    return [base.x, dep.y, leaf, __file__, sorted(m for m in sys.modules"
        " if m.partition('.')[0] in ('app', 'pkg', 'dep', 'space'))]\n",
        "pkg/base.py": "x = 1\n",
        "vendor/dep.py": "y = 2\n",
        "space/leaf.py": "leaf = 3\n",
    }.items():
        (code / name).parent.mkdir(exist_ok=True)
        (code / name).write_text(text)
    modules = ["app", "dep", "pkg", "pkg.base", "pkg.inner", "space", "space.leaf"]
    assert lab.result(lab.sandbox("app.late", code)) == [1, 2, 3, "/var/task/pkg/inner.py", modules]
    assert not [*code.rglob("__pycache__"), *code.rglob("*.pyc")]


def test_a_shared_module_of_the_same_name_is_hidden(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' own module `app` is not the function's, and is there again outside."""
    ours: Any = type(sys)("app")
    monkeypatch.setitem(sys.modules, "app", ours)
    sandbox = lab.app("import sys\ndef handler(event, context):\n    return sys.modules['app'].__file__\n")
    assert lab.result(sandbox) == "/var/task/app.py"
    lab.sandboxes.clear()
    sandbox.discard()
    assert sys.modules["app"] is ours


def test_isolated_library(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library named in `simulate.isolate` is loaded per environment: its cold-start flag is true once for each."""
    (tmp_path / "flagged.py").write_text("cold = True\n")
    (tmp_path / "shared.py").write_text("cold = True\n")
    monkeypatch.syspath_prepend(tmp_path)
    source = """
        import flagged, shared
        def handler(event, context):
            seen = [flagged.cold, shared.cold]
            flagged.cold = shared.cold = False
            return seen
        """
    first, second = (lab.app(source, isolate=("flagged",)) for _ in range(2))
    got = [lab.result(s) for s in (first, second, first)]
    assert got == [[True, True], [True, False], [False, False]]
    assert "shared" in sys.modules
    del sys.modules["shared"]


def test_cold_starts_compile_once(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Byte code is kept in memory by path and modification time: many cold starts compile a file once."""
    compiled = []
    real = compile
    monkeypatch.setattr(code_module, "compile", lambda *a, **k: compiled.append(a[1]) or real(*a, **k), raising=False)
    code = lab.write(app="def handler(event, context):\n    return 1\n")
    for _ in range(5):
        assert lab.result(lab.sandbox("app.handler", code)) == 1
    assert compiled == ["/var/task/app.py"]
    (code / "app.py").write_text("def handler(event, context):\n    return 22\n")
    assert lab.result(lab.sandbox("app.handler", code)) == 22


# --- where the code comes from ---------------------------------------------------------------------------------------


def test_code_of_one_file(lab: Lab) -> None:
    """`code: app.py` is that module alone."""
    code = lab.write(app="import other\n", other="")
    lab.sandbox("app.handler", code / "app.py")
    assert lab.failure is not None
    assert lab.failure.error_message == "Unable to import module 'app': No module named 'other'"


def test_code_of_a_zip(lab: Lab, tmp_path: Path) -> None:
    """A .zip is unpacked into a private directory."""
    code = lab.write(app="import sub.mod\ndef handler(event, context):\n    return sub.mod.x\n")
    (code / "sub").mkdir()
    (code / "sub" / "mod.py").write_text("x = 5\n")
    archive = shutil.make_archive(str(tmp_path / "packed"), "zip", code)
    assert lab.result(lab.sandbox("app.handler", Path(archive))) == 5


@pytest.mark.parametrize("name", ["../evil.py", "/evil.py", "a/../../evil.py", "..\\evil.py", "link"])
def test_a_zip_that_climbs_out_is_refused(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Members with '..', an absolute path or a symbolic link are refused before anything is written."""
    import zipfile

    member = zipfile.ZipInfo(name)
    if name == "link":
        member.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr("app.py", "")
        archive.writestr(member, "/etc/passwd")
    unpacked = tmp_path / "unpacked"
    unpacked.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(unpacked))
    with pytest.raises(UsageError, match=r"bad\.zip: its member .* is .*Nothing was unpacked"):
        load_code(tmp_path / "bad.zip")
    assert list(unpacked.iterdir()) == []


def test_a_zip_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`Unzipped size must be smaller than 262144000 bytes` (recorded: TestLambdaSizeLimits)."""
    import zipfile

    with zipfile.ZipFile(tmp_path / "big.zip", "w") as archive:
        archive.writestr("app.py", "x" * 100)
    assert code_module.UNZIPPED_LIMIT == 262_144_000
    monkeypatch.setattr(code_module, "UNZIPPED_LIMIT", 99)
    with pytest.raises(AwsError, match="Unzipped size must be smaller than 99 bytes"):
        load_code(tmp_path / "big.zip")


def test_code_that_is_not_there(tmp_path: Path) -> None:
    """A path that names nothing, or no archive, is a usage error."""
    with pytest.raises(UsageError, match="there is no such file"):
        load_code(tmp_path / "nothing")
    (tmp_path / "app.txt").write_text("no")
    with pytest.raises(UsageError, match="neither a directory"):
        load_code(tmp_path / "app.txt")


def test_module_file(tmp_path: Path) -> None:
    """`Code.module_file` finds the file behind `module.function`, or None."""
    (tmp_path / "pkg").mkdir()
    for name in ("app.py", "pkg/__init__.py", "pkg/inner.py"):
        (tmp_path / name).write_text("")
    code = load_code(tmp_path)
    found = {h: code.module_file(h) for h in ("app.f", "pkg.f", "pkg.inner.f", "pkg/inner.f", "no.f", "app", "")}
    names = {h: f and str(f.relative_to(tmp_path)) for h, f in found.items()}
    inner = "pkg/inner.py"
    assert names == {
        "app.f": "app.py",
        "pkg.f": "pkg/__init__.py",
        "pkg.inner.f": inner,
        "pkg/inner.f": inner,
        "no.f": None,
        "app": None,
        "": None,
    }
    assert isinstance(load_code(tmp_path / "app.py"), Code)
    assert load_code(tmp_path / "app.py").module_file("pkg.f") is None


# --- streams and logging ---------------------------------------------------------------------------------------------


def test_printed_lines(lab: Lab) -> None:
    """Each line is one event, blank ones are dropped, a carriage return does not split (test_multi_line_prints)."""

    def handler(event: Any, context: Any) -> None:
        print("one\n\ntwo", end="\n\n")
        print("another\rline")
        print("half ", end="")
        print("and half", file=sys.stdout)
        sys.stderr.write("err\n")
        sys.stdout.buffer.write("bytes é\n".encode())
        os.write(1, b"raw\n")
        print("rest", end="", flush=True)

    lab.result(lab.sandbox(handler))
    lines = ["one\n", "two\n", "another\rline\n", "half and half\n", "err\n", "bytes é\n", "raw\n", "rest"]
    assert [message for message, _, __ in lab.log] == lines


def test_streams_outside_are_untouched(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """What the machinery prints while a handler is parked goes where it went before."""

    def handler(event: Any, context: Any) -> None:
        print("inside")
        time.sleep(1)
        print("inside")

    lab.timeline.after(500_000_000, lambda _: print("outside"))
    lab.result(lab.sandbox(handler))
    assert capsys.readouterr().out == "outside\n"
    assert lab.log.text == "inside\ninside\n"


def test_standard_input_is_empty(lab: Lab) -> None:
    """input() meets the end of file."""
    outcome = lab.call(lab.sandbox(lambda event, context: input()))
    assert (outcome.error_type, outcome.error_message) == ("EOFError", "EOF when reading a line")


def test_logging_belongs_to_the_environment(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    """Root handlers, levels and named loggers are each environment's own; basicConfig is a no-op."""
    source = """
        import logging, sys
        logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)
        root, named = logging.getLogger(), logging.getLogger("thumbs")
        named.addHandler(logging.StreamHandler(sys.stdout))
        def handler(event, context):
            root.setLevel(event)
            named.info("named")
            root.debug("deep")
            return [len(root.handlers), len(named.handlers), root.level]
        """
    logs = Log(), Log()
    first, second = (lab.app(source, log=log) for log in logs)
    settle()
    before = logging.getLogger().handlers[:]
    assert lab.result(first, "INFO") == [1, 1, 20]
    assert lab.result(second, "DEBUG") == [1, 1, 10]
    assert lab.result(first, "WARNING") == [1, 1, 30]
    first.kill()
    second.kill()
    stamp = "\t2026-01-01T00:00:00.000Z\t8f507cfc-0000-4697-b07a-ac58fc914c95\t"
    assert [m for m, _, __ in logs[0]] == ["named\n", f"[INFO]{stamp}named\n"]
    assert [m for m, _, __ in logs[1]] == ["named\n", f"[INFO]{stamp}named\n", f"[DEBUG]{stamp}deep\n"]
    assert logging.getLogger().handlers == before
    assert logging.getLogger("thumbs").handlers == []
    assert caplog.messages == []


def test_what_a_library_notes_at_a_logger_belongs_to_the_environment(lab: Lab) -> None:
    """Powertools marks the logger of a service as set up (`logger.init = True`); each environment sets up its own."""
    source = """
        import logging
        logger = logging.getLogger("service")
        set_up = getattr(logger, "init", False)
        logger.init = True
        def handler(event, context):
            return [set_up, logger.init]
        """
    first, second = lab.app(source), lab.app(source)
    assert lab.result(first) == [False, True]
    assert lab.result(second) == [False, True]
    assert lab.result(first) == [False, True]
    settle()
    assert not hasattr(logging.getLogger("service"), "init")


def test_loggers_that_a_shared_library_declares_are_not_exchanged(lab: Lab) -> None:
    """A module that asks for the logger of its own name changes no setting; a hundred do so when boto3 is imported."""
    source = """
        import logging
        exec("import logging; logging.getLogger(__name__)", {"__name__": "some.library"})
        logging.getLogger("mine").setLevel(10)
        def handler(event, context):
            return 1
        """
    sandbox = lab.app(source)
    assert lab.result(sandbox) == 1
    assert [logger.name for logger in sandbox.belongings.loggers] == ["mine"]


def test_logging_of_the_machinery_goes_outside(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    """While an environment rests, records of the machinery reach the outer handlers, not the function's log."""
    sandbox = lab.app("def handler(event, context):\n    return 1\n")
    lab.result(sandbox)
    logging.getLogger("simbus.test").warning("from outside")
    assert caplog.messages == ["from outside"]
    assert len(lab.log) == 0


# --- files -----------------------------------------------------------------------------------------------------------


def test_tmp_is_private_and_survives_a_reset(lab: Lab) -> None:
    """/tmp is the environment's own; after a reset it is still there, globals are not (test_..._environment_reuse)."""
    note = f"/tmp/simbus-test-{os.getpid()}.txt"
    source = """
        import os
        number = 0
        def handler(event, context):
            global number
            if event == "write":
                number = 42
                with open("/tmp/NOTE", "w") as file:
                    file.write("some-content")
            found = open("/tmp/NOTE").read() if os.path.exists("/tmp/NOTE") else None
            return [found, number]
        """.replace("/tmp/NOTE", note)
    tmp = TemporaryDirectory()
    first, stranger = lab.app(source, tmp=tmp), lab.app(source)
    assert lab.result(first, "write") == ["some-content", 42]
    assert lab.result(stranger) == [None, 0]
    first.kill()
    again = lab.app(source, tmp=tmp)
    assert lab.result(again) == ["some-content", 0]
    real = tmp.path
    again.discard()
    assert not os.path.exists(real)
    assert not os.path.exists(note)


def test_every_way_to_a_file(lab: Lab) -> None:
    """os, pathlib, shutil, glob, tempfile, sqlite3 and zipfile all see the private /tmp under its usual name."""

    def handler(event: Any, context: Any) -> list[Any]:
        root = Path("/tmp/a/b")
        root.mkdir(parents=True)
        (root / "x.txt").write_text("x")
        shutil.copy(root / "x.txt", "/tmp/a/y.txt")
        os.rename("/tmp/a/y.txt", "/tmp/a/z.txt")
        os.symlink("/tmp/a/z.txt", "/tmp/a/link")
        with sqlite3.connect("/tmp/a/data.db") as db:
            db.execute("CREATE TABLE t (n)")
        db.close()
        archive = shutil.make_archive("/tmp/packed", "zip", "/tmp/a/b")
        descriptor = os.open("/tmp/raw", os.O_CREAT | os.O_WRONLY)
        os.write(descriptor, b"raw")
        os.close(descriptor)
        with tempfile.NamedTemporaryFile("w", suffix=".t") as named, tempfile.TemporaryDirectory() as folder:
            named.write("q")
            inside = [os.path.exists(named.name), named.name.startswith("/tmp/tmp"), os.path.isdir(folder)]
        gone = [os.path.exists(named.name), os.path.exists(folder)]
        walked = [(top, sorted(dirs), sorted(files)) for top, dirs, files in os.walk("/tmp/a")]
        entries = sorted(entry.path for entry in os.scandir("/tmp/a"))
        with open("/tmp/raw", "rb") as file:
            name = file.name
        shutil.rmtree("/tmp/a")
        return [inside, gone, walked, entries, sorted(glob.glob("/tmp/*")), archive, name, tempfile.gettempdir()]

    inside, gone, walked, entries, rest, archive, name, folder = lab.result(lab.sandbox(handler))
    assert (inside, gone) == ([True] * 3, [False] * 2)
    assert walked == [["/tmp/a", ["b"], ["data.db", "link", "z.txt"]], ["/tmp/a/b", [], ["x.txt"]]]
    assert entries == ["/tmp/a/b", "/tmp/a/data.db", "/tmp/a/link", "/tmp/a/z.txt"]
    assert rest == ["/tmp/packed.zip", "/tmp/raw"]
    assert (archive, name, folder) == ("/tmp/packed.zip", "/tmp/raw", "/tmp")


def test_files_tell_virtual_time(lab: Lab) -> None:
    """No clock of the machine reaches a handler: what is in /tmp was changed at an instant of the timeline."""

    def handler(event: Any, context: Any) -> list[Any]:
        def age(path: str) -> float:
            found = os.stat(path)
            assert found.st_mtime == found.st_ctime == os.path.getmtime(path) == Path(path).stat().st_mtime
            return round(time.time() - found.st_mtime, 3)

        Path("/tmp/cache").write_text("x")
        opened = open("/tmp/log", "w")  # noqa: SIM115
        number = os.open("/tmp/raw", os.O_CREAT | os.O_WRONLY)
        os.mkdir("/tmp/folder")
        time.sleep(1.5)
        ages = [age("/tmp/cache"), age("/tmp/log"), age("/tmp/raw"), age("/tmp/folder")]
        opened.close()
        os.close(number)
        os.rename("/tmp/cache", "/tmp/moved")
        time.sleep(0.5)
        ages += [age("/tmp/moved"), age("/tmp/log"), age("/tmp")]
        os.utime("/tmp/moved", (5, 5))
        shutil.copy2("/tmp/moved", "/tmp/copied")
        entries = {entry.name: entry.stat().st_mtime for entry in os.scandir("/tmp")}
        return [*ages, os.stat("/tmp/moved").st_mtime, entries["copied"], os.stat("/tmp/moved").st_size]

    assert lab.result(lab.sandbox(handler)) == [1.5, 0, 0, 1.5, 2.0, 0.5, 0.5, 5.0, 5.0, 1]


def test_times_of_other_files_are_left_alone(lab: Lab, tmp_path: Path) -> None:
    """Links in /tmp to what lies outside change nothing there."""
    (tmp_path / "outside").write_text("x")
    os.utime(tmp_path / "outside", (7, 7))
    os.utime(tmp_path, (8, 8))

    def handler(event: Any, context: Any) -> list[Any]:
        os.symlink(event, "/tmp/symbolic")
        os.symlink("symbolic", "/tmp/relative")
        time.sleep(1)
        return [Path("/tmp/symbolic").stat().st_mtime, time.time() - os.stat("/tmp").st_mtime]

    assert lab.result(lab.sandbox(handler), str(tmp_path / "outside")) == [7, 1]
    assert [path.stat().st_mtime for path in (tmp_path / "outside", tmp_path)] == [7, 8]


def test_directories_are_listed_in_order(lab: Lab) -> None:
    """The order of a file system is another one on each machine, and a run must not depend on it."""

    def handler(event: Any, context: Any) -> list[Any]:
        for name in event:
            open(f"/tmp/{name}", "w").close()
        return [os.listdir("/tmp"), [entry.name for entry in os.scandir("/tmp")], next(os.walk("/tmp"))[2]]

    names = ["zebra", "apple", "mango", "kiwi", "fig"]
    assert lab.result(lab.sandbox(handler), names) == [sorted(names)] * 3


def test_errors_name_the_path_that_was_given(lab: Lab) -> None:
    """An OSError speaks of /tmp/none, not of a private directory, and its trace shows the user's line alone."""
    sandbox = lab.app("def handler(event, context):\n    open('/tmp/none')\n")
    outcome = lab.call(sandbox)
    assert outcome.error_message == "[Errno 2] No such file or directory: '/tmp/none'"
    trace = '["  File \\"/var/task/app.py\\", line 2, in handler\\n    open(\'/tmp/none\')\\n"]'
    assert outcome.payload.endswith(f'"stackTrace": {trace}}}')


def test_the_code_directory_is_read_only(lab: Lab) -> None:
    """The working directory is /var/task; it can be read, also relatively, and nothing but /tmp can be written."""
    sandbox = lab.app(
        """
        import os
        from pathlib import Path
        def refused(call, *args):
            try:
                call(*args)
            except OSError as error:
                return str(error)
        def handler(event, context):
            seen = [os.getcwd(), open("data.txt").read(), open("/var/task/data.txt").read()]
            seen += [Path(__file__).parent.joinpath("data.txt").read_text(), sorted(os.listdir())]
            seen += [refused(open, "data.txt", "a"), refused(os.mkdir, "/var/task/x"), refused(os.remove, "app.py")]
            os.chdir("/tmp")
            Path("here.txt").write_text("1")
            return [*seen, os.getcwd(), os.listdir("/tmp"), str(Path.cwd()), refused(os.chdir, "/tmp/no")]
        """
    )
    (lab.folder / "code" / "data.txt").write_text("data")
    read_only = "[Errno 30] Read-only file system: "
    assert lab.result(sandbox) == [
        *("/var/task", "data", "data", "data", ["app.py", "data.txt"]),
        *(f"{read_only}'data.txt'", f"{read_only}'/var/task/x'", f"{read_only}'app.py'"),
        *("/tmp", ["here.txt"], "/tmp", "[Errno 2] No such file or directory: '/tmp/no'"),
    ]
    assert (lab.folder / "code" / "data.txt").read_text() == "data"


def test_callables_keep_the_real_directory(lab: Lab, tmp_path: Path) -> None:
    """A Python callable works where the test works, and may use pytest's own temporary directory."""

    def handler(event: Any, context: Any) -> str:
        (tmp_path / "mark").write_text("made")
        with io.open(tmp_path / "mark") as file:  # noqa: UP020 - io.open is what is tested
            return os.getcwd() + file.read()

    assert lab.result(lab.sandbox(handler)) == os.getcwd() + "made"
    assert (tmp_path / "mark").read_text() == "made"


def test_callables_write_nowhere_but_in_tmp(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on AWS, where /tmp is the only directory that can be written; what lies elsewhere can be read."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as project:
        beside = Path(project) / "data.txt"
        beside.write_text("data")

        def handler(event: Any, context: Any) -> list[str | None]:
            said: list[str | None] = []
            for call in (
                lambda: beside.write_text("gone"),
                lambda: Path("cache.json").write_text("{}"),
                lambda: os.makedirs(f"{project}/cache"),
                lambda: os.rename(beside, "/tmp/moved.txt"),
                lambda: os.mkdir(f"{Path(__file__).parent}/cache"),  # that of a library, wherever it lies
            ):
                try:
                    call()
                except OSError as error:
                    said.append(error.strerror)
            Path("/tmp/cache.json").write_text(beside.read_text())
            return [*said, Path("/tmp/cache.json").read_text()]

        assert lab.result(lab.sandbox(handler)) == [*["Read-only file system"] * 5, "data"]
        assert os.listdir(project) == ["data.txt"]
    monkeypatch.chdir(tmp_path)  # a test's own directory is real, by its relative paths, too
    assert lab.result(lab.sandbox(lambda event, context: Path("mark").write_text("made"))) == 4
    assert (tmp_path / "mark").read_text() == "made"


# --- growth ----------------------------------------------------------------------------------------------------------


def test_environments_leave_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sandboxes that were made, used and discarded leave no greenlets, modules, directories or generators."""
    import gc

    from greenlet import greenlet

    from simbus.functions.sandbox import living

    own = tmp_path / "tmp"
    own.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(own))

    def counts() -> list[int]:
        gc.collect()
        alive = sum(isinstance(thing, greenlet) for thing in gc.get_objects())
        return [alive, len(sys.modules), len(living.alive), len(os.listdir(own))]

    with laboratory(tmp_path) as lab:
        source = "import time\ndef handler(e, c):\n    open('/tmp/x', 'w').close()\n    time.sleep(e)\n"

        def use(number: int) -> None:
            for _ in range(number):
                sandbox = lab.app(source)
                lab.call(sandbox, 5 if lab.made % 2 else 0)
                sandbox.discard()
                lab.sandboxes.clear()

        use(5)
        before = counts()
        names = len(lab.timeline._rngs)
        use(200)
        assert counts() == before
        assert len(lab.timeline._rngs) == names
