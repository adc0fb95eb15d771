"""The pytest plugin as its users meet it: their test file, a run of pytest, what it prints."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

import simbus.functions.sandbox.installation  # loaded with the first handler: the runs inside this process shall not
import simbus.simulation  # import these anew

PLUGIN = ("-p", "simbus.testing", "-p", "no:cacheprovider")
ROOT = Path(__file__).parents[2]


def run(pytester: pytest.Pytester, text: str, *options: str) -> pytest.RunResult:
    """Run a test file in this process, warnings being errors, as in this project itself."""
    pytester.makepyfile(text)
    return pytester.runpytest_inprocess(*PLUGIN, "-W", "error", *options)


def test_each_test_has_a_simulation_of_its_own(pytester: pytest.Pytester) -> None:
    run(
        pytester,
        """
        import pytest

        @pytest.mark.parametrize("n", [1, 2])
        def test_fresh(simulation, n):
            queue = simulation.queue("jobs")
            queue.send_message("x")
            simulation.run()
            assert (simulation.seed, len(queue.messages)) == (0, 1)
        """,
    ).assert_outcomes(passed=2)


def test_the_marker_has_the_settings_of_a_simulation(pytester: pytest.Pytester) -> None:
    """The closest marker wins; a whole module may be marked."""
    run(
        pytester,
        """
        import pytest

        pytestmark = pytest.mark.simbus(seed=5, start="2030-01-01T00:00:00Z", account={"region": "eu-west-1"})

        @pytest.mark.simbus(seed=7)
        def test_settings(simulation):
            assert simulation.seed == 7
            assert simulation.calendar.year == 2030
            assert simulation.queue("q").arn == "arn:aws:sqs:eu-west-1:000000000000:q"

        def test_of_the_module(simulation):
            assert simulation.seed == 5
        """,
    ).assert_outcomes(passed=2)


LOSE = """
import time
import pytest

@pytest.mark.simbus(seeds=100)
def test_nothing_is_lost(simulation):
    bucket = simulation.bucket("state")
    bucket.put_object("count", "0")

    def handler(event, context):
        count = int(bucket.get_object("count")["Body"])
        time.sleep(0.01)
        bucket.put_object("count", str(count + 1))

    add = simulation.function("add", handler=handler, simulate={"init_duration": "0s"})
    rng = simulation.timeline.rng("arrivals")
    for _ in range(3):
        instant = int(rng.random() * 2000)
        simulation.at(f"{instant}ms", lambda: add.invoke({}, invocation_type="Event"))
    simulation.run()
    assert bucket.get_object("count")["Body"] == b"3"
"""


def test_the_first_seed_that_fails_is_shown_and_can_be_repeated(pytester: pytest.Pytester) -> None:
    """One test, one result, whatever the number of seeds; the command that is printed fails the same way."""
    result = run(pytester, LOSE)
    result.assert_outcomes(failed=1)
    [line] = [line for line in result.outlines if line.startswith("Reproduce with: pytest ")]
    command = line.removeprefix("Reproduce with: pytest ").split()
    seed = int(command[1].removeprefix("--simbus-seed="))
    assert command[0].endswith("::test_nothing_is_lost")
    assert 0 < seed < 100
    result.stdout.fnmatch_lines([f"seed {seed}, after {seed} of 100 seeds passed"])
    again = pytester.runpytest_inprocess(*PLUGIN, *command)
    again.assert_outcomes(failed=1)
    again.stdout.fnmatch_lines([f"seed {seed}", line])
    pytester.runpytest_inprocess(*PLUGIN, f"--simbus-seed={seed - 1}").assert_outcomes(passed=1)


def test_a_plain_test_tells_its_seed_too(pytester: pytest.Pytester) -> None:
    """Also where a fixture that was built on the simulation fails."""
    text = """
        import pytest

        @pytest.fixture
        def shop(simulation):
            if simulation.seed == "monday":
                raise RuntimeError("closed")
            return simulation.queue("orders")

        @pytest.mark.simbus(seed=3)
        def test_orders(shop):
            assert len(shop.messages) == 1
        """
    result = run(pytester, text)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["seed 3", "Reproduce with: pytest *::test_orders --simbus-seed=3"])
    result = pytester.runpytest_inprocess(*PLUGIN, "--simbus-seed=monday")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["Reproduce with: pytest *::test_orders --simbus-seed=monday"])


def test_every_seed_has_its_own_fixtures_and_order(pytester: pytest.Pytester) -> None:
    """What is built on the simulation is built anew; what belongs to the module is made once, and torn down once."""
    text = """
        import pytest

        made = []

        @pytest.fixture(scope="module")
        def shared():
            made.append("shared")
            yield
            made.append("gone")

        @pytest.fixture
        def queue(simulation, shared):
            made.append((simulation.seed, simulation.timeline.ties.number))
            yield simulation.queue("jobs")
            made.append("closed")

        @pytest.mark.simbus(seeds=[4, 9])
        def test_fresh(queue, tmp_path):
            assert queue.messages == []

        class TestLater:
            def test_all_of_it(self):
                assert made == ["shared", (4, 4), "closed", (9, 9), "closed"]
        """
    run(pytester, text).assert_outcomes(passed=2)


def test_a_failure_tears_everything_down(pytester: pytest.Pytester) -> None:
    """The last test of its module fails with its first seed: the module's fixture is not left behind."""
    result = run(
        pytester,
        """
        import pytest

        @pytest.fixture(scope="module")
        def shared():
            yield
            open("gone.txt", "w").close()

        @pytest.mark.simbus(seeds=5)
        def test_fails(simulation, shared):
            assert simulation.seed < 2
        """,
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["seed 2, after 2 of 5 seeds passed"])
    assert (pytester.path / "gone.txt").exists()


def test_more_seeds_from_the_command_line(pytester: pytest.Pytester) -> None:
    """A nightly build looks further; a test without `seeds` stays as it is."""
    text = """
        import pytest

        seeds = []

        @pytest.mark.simbus(seeds=2)
        def test_many(simulation):
            seeds.append(simulation.seed)

        def test_one(simulation):
            assert len(seeds) == COUNT
        """
    run(pytester, text.replace("COUNT", "2")).assert_outcomes(passed=2)
    run(pytester, text.replace("COUNT", "7"), "--simbus-seeds=7").assert_outcomes(passed=2)
    assert run(pytester, text, "--simbus-seeds=0").ret == pytest.ExitCode.USAGE_ERROR


def test_one_seed_and_many_are_refused_together(pytester: pytest.Pytester) -> None:
    """Neither is ignored."""
    found = run(pytester, "def test_it(simulation): pass", "--simbus-seed=3", "--simbus-seeds=5")
    assert found.ret == pytest.ExitCode.USAGE_ERROR
    found.stderr.fnmatch_lines(["*--simbus-seed is one seed, and --simbus-seeds are many. Keep one of them.*"])


def test_a_marker_with_a_wrong_value_says_so(pytester: pytest.Pytester) -> None:
    """In the words of Simulation."""
    text = "import pytest\n\n@pytest.mark.simbus(account={'id': '12'})\ndef test_it(simulation): pass\n"
    found = run(pytester, text)
    found.assert_outcomes(errors=1)
    found.stdout.fnmatch_lines(["*::test_it: its marker simbus: account.id is '12'; it is 12 digits.*"])


def test_skips_and_expected_failures_end_the_seeds(pytester: pytest.Pytester) -> None:
    run(
        pytester,
        """
        import pytest

        @pytest.mark.simbus(seeds=5)
        def test_skipped(simulation):
            if simulation.seed == 1:
                pytest.skip("not today")

        @pytest.mark.xfail(strict=True)
        @pytest.mark.simbus(seeds=5)
        def test_expected(simulation):
            assert False
        """,
    ).assert_outcomes(skipped=1, xfailed=1)


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        ("simbus(seeds=0)", "has seeds=0; that is how many there are, or a list of numbers from 0 on"),
        ("simbus(seeds=[-1])", r"has seeds=\[-1\]; that is how many there are"),
        ("simbus(seed=1, seeds=5)", "has seed and seeds. Keep one of them"),
        ("simbus(5)", "takes keywords only"),
        (
            "simbus(sede=5)",
            r"::test_it: its marker simbus has sede; it takes seed, seeds, .*Did you mean seed\?",
        ),
    ],
)
def test_a_wrong_marker_is_refused(pytester: pytest.Pytester, marker: str, message: str) -> None:
    result = run(
        pytester,
        f"""
        import pytest

        @pytest.mark.{marker}
        def test_it(simulation):
            pass
        """,
    )
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert re.search(message, result.stdout.str() + result.stderr.str())


def test_seeds_of_a_test_without_a_simulation_are_refused(pytester: pytest.Pytester) -> None:
    """It would run once, and look like a thousand seeds. A class may mark tests of which some have no simulation."""
    result = run(
        pytester,
        """
        import pytest

        @pytest.mark.simbus(seeds=1000)
        def test_it():
            pass
        """,
    )
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    text = result.stdout.str() + result.stderr.str()
    assert "::test_it: its marker simbus has seeds, and the test does not use the fixture simulation" in text
    run(
        pytester,
        """
        import pytest

        @pytest.fixture
        def shop(simulation):
            return simulation

        @pytest.mark.simbus(seeds=3)
        class TestAll:
            def test_plain(self):
                pass

            def test_simulated(self, shop):
                assert shop.seed in (0, 1, 2)
        """,
    ).assert_outcomes(passed=2)


def test_nothing_is_left_behind(pytester: pytest.Pytester) -> None:
    """The clock, the streams and the environment are the test runner's own again, also after a failure."""
    before = (time.time, time.sleep, sys.stdout, simbus.simulation.Simulation)
    result = run(
        pytester,
        """
        import os, random, time

        def handler(event, context):
            os.environ["LEFT"] = "behind"
            random.seed(1)
            time.sleep(3600)

        def test_fails(simulation):
            function = simulation.function("f", handler=handler, timeout=900)
            function.invoke({}, invocation_type="Event")
            simulation.run(for_="1s")
            assert False

        def test_clean():
            assert "LEFT" not in os.environ
            assert abs(time.time() - 1767225600) > 1000
        """,
    )
    result.assert_outcomes(passed=1, failed=1)
    assert (time.time, time.sleep, sys.stdout, simbus.simulation.Simulation) == before


def test_it_costs_nothing_where_no_test_asks_for_it() -> None:
    """Every pytest of the machine loads the plugin: it brings nothing of simbus, nor what that is built on."""
    code = (
        "import sys, pytest, _pytest.runner; before = set(sys.modules); import simbus.testing; "
        "print(sorted(set(sys.modules) - before))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert out.strip() == "['simbus', 'simbus.arn', 'simbus.errors', 'simbus.services', 'simbus.testing']"


def test_it_is_announced_to_pytest() -> None:
    """The entry point's name is the module's, so that `-p simbus.testing` is the same plugin."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"simbus.testing": "simbus.testing"}


def test_under_xdist(pytester: pytest.Pytester) -> None:
    """Each worker runs all seeds of its tests; the report that crosses over has the seed."""
    pytest.importorskip("xdist", reason="pytest-xdist is not installed")
    pytester.makepyfile(LOSE + "\n\ndef test_more(simulation):\n    assert simulation.queue('q').messages == []\n")
    result = pytester.runpytest_subprocess(*PLUGIN, "-p", "xdist", "-n", "2")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["Reproduce with: pytest *::test_nothing_is_lost --simbus-seed=*"])
