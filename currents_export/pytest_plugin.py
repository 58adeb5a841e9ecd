"""The pytest plugin: fixtures, options and a marker for tests of receivers.

pytest loads it by itself. Everything else is imported when a test uses it, so that it does not slow
down test runs that do not use it.

Fixtures:
    braze_world: a `World` whose seed follows from the name of the test.
    currents_receiver: a `CurrentsReceiver`, cleared for each test.
    make_currents_receiver: a function that makes further ones.
    current_for: a function that returns a `Current` to an application, a URL or a receiver.
    currents_sender: a function that returns a `Sender` which is quick and gives up soon.
    rudderstack: a new `RudderStack`, the stand-in for RudderStack.
    manual_clock: a `ManualClock` that does not wait between attempts.

The marker `currents` sets the seed, users, scenario and schema version of the world, and options of
the receiver, such as `script`: `@pytest.mark.currents(users=50, script=["503x2"])`.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import shlex
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .catalog import Catalog
    from .current import Current
    from .delivery import ManualClock, Sender
    from .receiver import RudderStack
    from .simulation import World
    from .testing import CurrentsReceiver, Targets

__all__ = [
    "braze_world",
    "current_for",
    "currents_receiver",
    "currents_sender",
    "make_currents_receiver",
    "manual_clock",
    "rudderstack",
]

#: The arguments of the marker that are about the world.
_WORLD = ("seed", "users", "scenario", "schema_version")
#: Those that are passed on to the receiver.
_RECEIVER = (
    "script",
    "write_keys",
    "bearer_tokens",
    "strict",
    "check",
    "max_body_bytes",
    "request_timeout",
)
#: The longest wait between two attempts that a manual clock skips, in seconds.
_SKIP = 3600.0

_seed = pytest.StashKey[int]()
_failed = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("currents-export", "worlds of currents-export")
    group.addoption(
        "--braze-seed",
        metavar="N",
        default=None,
        help="The seed of every world; random for another one in each test. By default, it follows "
        "from the name of the test.",
    )
    parser.addini("braze_seed", "The default of --braze-seed.", default="")
    parser.addini("braze_users", "How many users a world has; 1000 by default.", default="")
    parser.addini("braze_schema_version", "The schema version; the newest by default.", default="")
    parser.addini("braze_scenario", "The TOML file of the worlds' scenario.", default="")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers",
        "currents(*, seed, users, scenario, schema_version, script, strict, write_keys, "
        "bearer_tokens, ...): the world and the receiver of currents-export in a test.",
    )


@pytest.hookimpl(hookwrapper=True)  # older versions of pytest do not know `wrapper`
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, None]:
    """Keep whether the test failed, and add its seed to the report of a failure."""
    outcome = yield
    if call.excinfo is not None:
        item.stash[_failed] = True
    report: pytest.TestReport = outcome.get_result()
    seed = item.stash.get(_seed, None)
    if report.failed and seed is not None:
        repeat = f"pytest {shlex.quote(item.nodeid)} --braze-seed={seed}"
        report.sections.append(
            ("currents-export", f"The seed of the world is {seed}. To repeat it:\n  {repeat}")
        )


@pytest.fixture
def braze_world(request: pytest.FixtureRequest) -> World:
    """Return a world whose seed follows from the name of the test.

    It differs between tests, and is the same in each run. A failed test prints it.
    """
    from .simulation import World, load_scenario  # noqa: PLC0415 - see above

    marked, config = _marked(request), request.config
    seed = _seed_of(request, marked)
    request.node.stash[_seed] = seed
    users = marked.get("users")
    if users is None and (text := config.getini("braze_users")):
        users = _whole("braze_users", text)
    scenario = marked.get("scenario")
    if scenario is None and (text := config.getini("braze_scenario")):
        scenario = config.rootpath / text
    if isinstance(scenario, str | Path):
        scenario = load_scenario(request.path.parent / scenario)
    return World(seed, users=users, catalog=_catalog(request, marked), scenario=scenario)


@pytest.fixture(scope="session")
def make_currents_receiver() -> Iterator[Callable[..., CurrentsReceiver]]:
    """Return a function that makes a `CurrentsReceiver`; its arguments are those of `Receiver`.

    The receivers are closed at the end of the session.
    """
    from .testing import CurrentsReceiver  # noqa: PLC0415 - see above

    with contextlib.ExitStack() as stack:
        yield lambda **options: stack.enter_context(CurrentsReceiver(**options))


@pytest.fixture(scope="session")
def _currents_session_receiver(
    make_currents_receiver: Callable[..., CurrentsReceiver],
) -> CurrentsReceiver:
    return make_currents_receiver()


@pytest.fixture
def currents_receiver(
    request: pytest.FixtureRequest, _currents_session_receiver: CurrentsReceiver
) -> Iterator[CurrentsReceiver]:
    """Return a receiver without events; it keeps its port from test to test."""
    marked = _marked(request)
    options = {name: value for name, value in marked.items() if name in _RECEIVER}
    _currents_session_receiver.clear(catalog=_catalog(request, marked), **options)
    yield _currents_session_receiver
    _currents_session_receiver.clear()


@pytest.fixture
def rudderstack() -> Iterator[RudderStack]:
    """Return a stand-in for RudderStack, which accepts every write key."""
    from .receiver import RudderStack  # noqa: PLC0415 - see above

    with contextlib.closing(RudderStack()) as made:
        yield made


@pytest.fixture
def manual_clock() -> ManualClock:
    """Return a clock that stands still, except for waits between attempts, which end at once."""
    from .delivery import ManualClock  # noqa: PLC0415 - see above

    return ManualClock(skip=_SKIP)


@pytest.fixture
def _currents_targets(request: pytest.FixtureRequest) -> Iterator[Targets]:
    from .testing import Targets  # noqa: PLC0415 - see above

    targets = Targets()
    yield targets
    targets.close(failed=request.node.stash.get(_failed, False))


@pytest.fixture
def current_for(_currents_targets: Targets) -> Callable[..., Current]:
    """Return `current_for(target, path="/", **fields)`: a Current to what is under test.

    The target is an ASGI or WSGI application, a URL, a `CurrentsReceiver`, a `RudderStack`, or a
    transport of httpx; the fields are those of `Current`.
    """
    return _currents_targets.current


@pytest.fixture
def currents_sender(_currents_targets: Targets) -> Callable[..., Sender]:
    """Return `currents_sender(target, **options)`: a sender to a Current, or to a target.

    It sends again after about 0.01 s, and gives up after 8 attempts or 5 s. After a failed test,
    it does not wait for anything.
    """
    return _currents_targets.sender


def _marked(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return the arguments of the markers; the closest marker counts.

    Raises:
        pytest.UsageError: an argument is unknown.
    """
    from ._suggestions import did_you_mean  # noqa: PLC0415 - see above

    found: dict[str, Any] = {}
    known = (*_WORLD, *_RECEIVER)
    for marker in request.node.iter_markers("currents"):
        if marker.args:
            raise pytest.UsageError(f"the marker currents takes only names: {', '.join(known)}")
        for name, value in marker.kwargs.items():
            if name not in known:
                hint = did_you_mean(name, known) or f"; it takes {', '.join(known)}"
                raise pytest.UsageError(f"the marker currents has no argument {name!r}{hint}")
            found.setdefault(name, value)
    return found


def _seed_of(request: pytest.FixtureRequest, marked: dict[str, Any]) -> int:
    given = request.config.getoption("braze_seed")
    if given is None:
        given = marked.get("seed")
    if given is None:
        given = request.config.getini("braze_seed") or None
    if given == "random":
        return secrets.randbits(32)
    if given is not None:
        return given if isinstance(given, int) else _whole("braze_seed", given)
    digest = hashlib.blake2b(request.node.nodeid.encode(), digest_size=4).digest()
    return int.from_bytes(digest)


def _whole(name: str, text: str) -> int:
    if not text.strip().isdecimal():
        other = " or random" if name == "braze_seed" else ""
        raise pytest.UsageError(f"{name} is {text!r}; it must be a whole number{other}")
    return int(text)


def _catalog(request: pytest.FixtureRequest, marked: dict[str, Any]) -> Catalog:
    from .catalog import Catalog  # noqa: PLC0415 - see above

    version = marked.get("schema_version")
    if version is None and (text := request.config.getini("braze_schema_version")):
        version = _whole("braze_schema_version", text)
    return Catalog.load(version)
