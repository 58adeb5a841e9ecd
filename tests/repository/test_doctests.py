"""The examples in docstrings do what they show."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

import pytest

import currents_export

PACKAGE = Path(currents_export.__file__).parent
MODULES = {
    ".".join((PACKAGE.name, *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(
        ".__init__"
    )
    for path in PACKAGE.rglob("*.py")
    if ">>> " in path.read_text("utf-8")
}
#: What people call first.
FIRST = (
    "AppTransport",
    "AsyncSender",
    "Catalog",
    "Current",
    "Event",
    "Receiver",
    "Sender",
    "World",
    "WsgiTransport",
    "check_event",
    "check_stream",
    "json_schema",
    "listen",
    "parse_script",
    "read_values",
    "receiver.page.Page",
    "receiver.rudderstack.transform",
    "verification.reconcile",
)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_examples_hold(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    report: list[str] = []
    for each in doctest.DocTestFinder().find(import_module(name)):
        runner.run(each, out=report.append)
    assert not report, "".join(report)
    assert runner.summarize(verbose=False).attempted
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("name", FIRST)
def test_first_names_have_examples(name: str) -> None:
    package, _, attribute = f"{PACKAGE.name}.{name}".rpartition(".")
    assert ">>> " in getattr(import_module(package), attribute).__doc__
