"""The pytest plugin, as pytest loads it."""

from __future__ import annotations

import re

import pytest

from tests.support.processes import run_python

FAILING = """
def test_one(braze_world):
    assert braze_world.sample("users.messages.email.Open").id == ""
"""


def seeds(result: pytest.RunResult) -> list[str]:
    """Return the seeds that a run printed."""
    return re.findall(r"The seed of the world is (\d+)", result.stdout.str())


def test_importing_the_plugin_imports_little() -> None:
    code = """
import sys, pytest, currents_export.pytest_plugin
heavy = {"attrs", "faker", "httpx", "starlette", "typer", "orjson", "tenacity"}
print(sorted(heavy & set(sys.modules)))
print(sorted(each for each in sys.modules if each.startswith("currents_export.")))
"""
    run = run_python(code)
    assert run.stdout.splitlines() == [
        "[]",
        "['currents_export._version', 'currents_export.pytest_plugin']",
    ]


def test_seed_follows_from_the_name(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(FAILING + FAILING.replace("test_one", "test_other"))
    first, second = seeds(pytester.runpytest()), seeds(pytester.runpytest())
    assert len(set(first)) == 2
    assert first == second


def test_failed_test_says_how_to_repeat_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(FAILING)
    result = pytester.runpytest("--braze-seed=7")
    result.stdout.fnmatch_lines(
        [
            "*- currents-export -*",
            "The seed of the world is 7. To repeat it:",
            "  pytest *.py::test_one --braze-seed=7",
        ]
    )


def test_passed_test_prints_no_seed(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_one(braze_world): pass")
    result = pytester.runpytest("-rA")
    result.assert_outcomes(passed=1)
    assert not seeds(result)


def test_random_seeds(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(FAILING)
    drawn = {seeds(pytester.runpytest("--braze-seed=random"))[0] for _ in range(2)}
    assert len(drawn) == 2


def test_options_of_the_world(pytester: pytest.Pytester) -> None:
    pytester.makeini(
        """
        [pytest]
        braze_seed = 5
        braze_users = 20
        braze_schema_version = 4
        """
    )
    pytester.makepyfile(
        """
        import pytest

        def test_ini(braze_world):
            assert repr(braze_world) == "World(5, users=20, catalog=Catalog.load(4))"

        @pytest.mark.currents(seed=6, users=30)
        class TestMarked:
            def test_class(self, braze_world):
                assert repr(braze_world) == "World(6, users=30, catalog=Catalog.load(4))"

            @pytest.mark.currents(users=40, schema_version=5)
            def test_method(self, braze_world):
                assert repr(braze_world) == "World(6, users=40, catalog=Catalog.load(5))"
        """
    )
    pytester.runpytest().assert_outcomes(passed=3)
    result = pytester.runpytest("--braze-seed=9")
    result.assert_outcomes(failed=3)
    assert set(seeds(result)) == {"9"}


def test_scenario(pytester: pytest.Pytester) -> None:
    pytester.path.joinpath("small.toml").write_text("users = 12\nseed = 3\n")
    pytester.path.joinpath("other.toml").write_text("users = 13\n")
    pytester.makeini("[pytest]\nbraze_scenario = small.toml")
    pytester.makepyfile(
        """
        import pytest

        def test_ini(braze_world):
            assert len(braze_world.users) == 12

        @pytest.mark.currents(scenario="other.toml")
        def test_marked(braze_world):
            assert len(braze_world.users) == 13
        """
    )
    pytester.runpytest().assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        ("script_=['503']", "has no argument 'script_'; did you mean 'script'?"),
        ("zzz=1", "has no argument 'zzz'; it takes seed, users"),
        ("5", "takes only names: seed, users"),
    ],
)
def test_wrong_marker(pytester: pytest.Pytester, marker: str, message: str) -> None:
    pytester.makepyfile(
        f"""
        import pytest

        @pytest.mark.currents({marker})
        def test_one(currents_receiver): pass
        """
    )
    result = pytester.runpytest("--strict-markers")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*the marker currents {message}*"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--braze-seed=x"], "braze_seed is 'x'; it must be a whole number or random"),
        (["-o", "braze_users=many"], "braze_users is 'many'; it must be a whole number"),
    ],
)
def test_wrong_option(pytester: pytest.Pytester, options: list[str], message: str) -> None:
    pytester.makepyfile("def test_one(braze_world): pass")
    result = pytester.runpytest(*options)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*{message}"])


def test_help(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest("--help")
    result.stdout.fnmatch_lines(["worlds of currents-export:", "  --braze-seed=N *"])
    pytester.runpytest("--markers").stdout.fnmatch_lines(["@pytest.mark.currents(*"])
    pytester.runpytest("--fixtures").stdout.fnmatch_lines(["braze_world *", "current_for *"])


def test_receiver_is_cleared_and_keeps_its_port(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        urls = set()

        @pytest.mark.parametrize("number", range(3))
        def test_one(currents_receiver, currents_sender, current_for, braze_world, number):
            urls.add(currents_receiver.url)
            assert len(urls) == 1
            sender = currents_sender(current_for(currents_receiver.url))
            event = braze_world.sample("users.messages.email.Open")
            sender.send(event)
            sender.flush()
            currents_receiver.assert_received(event)

        @pytest.mark.currents(script=["503", "401"], bearer_tokens=["a"])
        def test_marked(currents_receiver, currents_sender, current_for):
            current = current_for(currents_receiver, bearer_token="a")
            sender = currents_sender(current)
            assert [sender.check_credentials().status for _ in range(3)] == [503, 401, 200]

        def test_unmarked(currents_receiver, currents_sender):
            assert currents_sender(currents_receiver).check_credentials().status == 200
        """
    )
    pytester.runpytest().assert_outcomes(passed=5)


def test_further_receivers(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture(scope="session")
        def strict(make_currents_receiver):
            return make_currents_receiver(strict=True, script=["503"])

        def test_one(strict, currents_sender, braze_world):
            sender = currents_sender(strict)
            sender.send(braze_world.sample("users.messages.email.Open", email_address=5))
            assert sender.flush().dropped == 1
            assert set(strict.counts.by_status) == {"503", "400"}
        """
    )
    pytester.runpytest().assert_outcomes(passed=1)


def test_failing_receiver_ends_the_test_soon(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_flush(currents_receiver, currents_sender, braze_world):
            currents_receiver.respond("503x*")
            sender = currents_sender(currents_receiver)
            sender.send(braze_world.sample("users.messages.email.Open"))
            assert sender.flush().complete

        def test_nothing_waits(currents_receiver, currents_sender, braze_world):
            currents_receiver.respond("503,retry-after=600")
            sender = currents_sender(currents_receiver, max_age=300, max_retry_after=600)
            sender.send(braze_world.sample("users.messages.email.Open"))
            assert False
        """
    )
    result = pytester.runpytest("--durations=0", "-vv")
    result.assert_outcomes(failed=2)
    took = [float(each) for each in re.findall(r"([\d.]+)s (?:call|teardown)", result.stdout.str())]
    assert took
    # What the sender itself would wait is 300 seconds and more.
    assert max(took) < 20


def test_pending_events_are_delivered_in_the_end(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture
        def check(currents_receiver):
            yield
            assert currents_receiver.counts.events == 1

        def test_one(check, currents_receiver, currents_sender, braze_world):
            sender = currents_sender(currents_receiver, max_age=300)
            sender.send(braze_world.sample("users.messages.email.Open"))
        """
    )
    pytester.runpytest().assert_outcomes(passed=1)


def test_manual_clock(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_one(currents_receiver, currents_sender, manual_clock, braze_world):
            currents_receiver.respond("429,retry-after=600", "503")
            sender = currents_sender(currents_receiver, clock=manual_clock)
            began = manual_clock.now()
            sender.send(braze_world.sample("users.messages.email.Open"))
            assert sender.flush().complete
            assert manual_clock.now() - began >= 600
            assert currents_receiver.counts.by_status == {"429": 1, "503": 1, "200": 1}
        """
    )
    pytester.runpytest().assert_outcomes(passed=1)


def test_rudderstack(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_one(rudderstack, current_for, currents_sender, braze_world):
            sender = currents_sender(current_for(rudderstack))
            sender.send(braze_world.sample("users.behaviors.Purchase"))
            assert sender.flush().complete
            assert rudderstack.counts.messages == 1
            assert sender.check_credentials().holds
        """
    )
    pytester.runpytest().assert_outcomes(passed=1)


def test_exception_has_the_traceback_of_the_application(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        async def app(scope, receive, send):
            table = {}
            table["the missing key"]

        def test_flush(currents_sender, braze_world):
            sender = currents_sender(app)
            sender.send(braze_world.sample("users.behaviors.Purchase"))
            sender.flush()

        def test_teardown(currents_sender, braze_world):
            currents_sender(app).send(braze_world.sample("users.behaviors.Purchase"))
        """
    )
    result = pytester.runpytest()
    result.assert_outcomes(failed=1, passed=1, errors=1)
    lines = [each for each in result.stdout.lines if each.startswith('>       table["the missing')]
    assert len(lines) == 2


def test_several_workers(pytester: pytest.Pytester) -> None:
    pytest.importorskip("xdist", reason="pytest-xdist is not installed")
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("number", range(4))
        def test_one(currents_receiver, currents_sender, current_for, braze_world, number):
            sender = currents_sender(current_for(currents_receiver.url))
            sender.send(braze_world.sample("users.behaviors.Purchase"))
            sender.flush()
            assert currents_receiver.counts.events == 1
            assert number < 2
        """
    )
    alone = pytester.runpytest()
    together = pytester.runpytest_subprocess("-n2")
    together.assert_outcomes(passed=2, failed=2)
    assert sorted(seeds(together)) == sorted(seeds(alone))
