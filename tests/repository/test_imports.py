"""The parts of the package, and what each may import."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "currents_export"

GROUND = {
    "_codes",
    "_files",
    "_forms",
    "_json",
    "_logs",
    "_notebook",
    "_redaction",
    "_suggestions",
    "_unicode",
    "_version",
    "errors",
}

#: What each part may import besides itself. A part is a module or a package of `currents_export`;
#: each package inside `simulation` is a separate part.
PARTS: dict[str, set[str]] = {
    **{name: GROUND - {name} for name in GROUND},
    "events": GROUND,
    "payload": GROUND | {"events"},
    "reading": GROUND | {"events"},
    "catalog": GROUND | {"events"},
    "coherence": GROUND | {"catalog", "events"},
    "destinations": GROUND,
    "_form_problems": GROUND | {"catalog", "payload"},
    "current": GROUND | {"_config", "_form_problems", "catalog", "destinations", "payload"},
    "_config": GROUND | {"destinations", "payload"},
    "_toml": GROUND | {"current", "destinations"},
    "delivery": GROUND | {"catalog", "current", "destinations", "events", "payload"},
    "simulation": GROUND
    | {"catalog", "events", "payload", "simulation.disturbances", "simulation.fields"}
    | {"simulation.journeys", "simulation.people", "simulation.stories", "simulation.workspace"},
    "simulation.disturbances": GROUND | {"catalog", "events", "simulation"},
    "simulation.people": GROUND | {"catalog", "simulation", "simulation.workspace"},
    "simulation.workspace": GROUND | {"catalog", "simulation"},
    "simulation.fields": GROUND
    | {"catalog", "simulation", "simulation.people", "simulation.workspace"},
    "simulation.journeys": GROUND
    | {"catalog", "events", "simulation", "simulation.fields"}
    | {"simulation.people", "simulation.workspace"},
    "simulation.stories": GROUND
    | {"catalog", "events", "simulation", "simulation.fields", "simulation.journeys"}
    | {"simulation.people", "simulation.workspace"},
    "receiver": GROUND | {"catalog", "events"},
    "verification": GROUND | {"current", "delivery", "events", "payload", "reading", "receiver"},
    "testing": GROUND | {"current", "delivery", "events", "payload", "receiver"},
    "pytest_plugin": GROUND | {"catalog", "delivery", "receiver", "simulation", "testing"},
    "_locust_shards": {"events", "simulation"},
    "_locust_workers": {"_locust_shards", "current", "events", "simulation"},
    "locust": GROUND | {"_locust_workers", "current", "delivery", "events", "simulation"},
    "cli": GROUND
    | {"_config", "_toml", "catalog", "coherence", "current", "delivery", "destinations"}
    | {"events", "payload", "reading", "receiver", "simulation", "simulation.stories"}
    | {"verification"},
    "__init__": {"_version"},
    "__main__": {"cli"},
}

MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
    for path in sorted(PACKAGE.rglob("*.py"))
}


def part_of(module: str) -> str:
    """Return the part of a module; for `simulation.fields.registry`, `simulation.fields`."""
    parts = module.split(".")
    inner = parts[0] == "simulation" and len(parts) > 1
    if inner and (PACKAGE / parts[0] / parts[1]).is_dir():
        return ".".join(parts[:2])
    return parts[0]


def imports_of(module: str, *, everywhere: bool) -> Iterator[str]:
    """Yield the modules of this package that a module imports.

    Imports for type checkers do not count; those inside functions count only with `everywhere`.
    """
    path = MODULES[module]
    parent = path.parent.relative_to(PACKAGE).parts
    left: list[ast.AST] = [ast.parse(path.read_text("utf-8"))]
    while left:
        node = left.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            left += node.orelse
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            left += ast.iter_child_nodes(node) if everywhere else []
        elif isinstance(node, ast.Import):
            yield from map(module_of, (alias.name.split(".") for alias in node.names))
        elif isinstance(node, ast.ImportFrom):
            base = [PACKAGE.name, *parent[: len(parent) + 1 - node.level]] if node.level else []
            source = base + (node.module.split(".") if node.module else [])
            yield from (module_of([*source, alias.name]) for alias in node.names)
        else:
            left += ast.iter_child_nodes(node)


def module_of(name: list[str]) -> str:
    """Return the module in which a dotted name is found; empty if it is not in this package."""
    if name[0] != PACKAGE.name:
        return ""
    for end in (len(name), len(name) - 1):
        inner = ".".join(name[1:end])
        package = ".".join([*name[1:end], "__init__"])
        if inner in MODULES or package in MODULES:
            return inner if inner in MODULES else package
    raise AssertionError(f"there is no module {'.'.join(name)}")


@pytest.mark.parametrize("module", MODULES)
def test_part_imports_only_what_it_may(module: str) -> None:
    part = part_of(module)
    assert part in PARTS, f"add {part} to the table, with the parts it may import"
    imported = {part_of(each) for each in imports_of(module, everywhere=True) if each}
    assert imported - {part} <= PARTS[part]


def private_imports(module: str) -> set[str]:
    """Return the imported modules that are private to a package the module is not part of."""
    found = set()
    for each in imports_of(module, everywhere=True):
        parts = each.removesuffix("__init__").split(".")
        private = next((at for at, part in enumerate(parts) if part.startswith("_")), 0)
        if module.split(".")[:private] != parts[:private]:
            found.add(each)
    return found


@pytest.mark.parametrize("module", MODULES)
def test_no_private_module_of_another_package_is_imported(module: str) -> None:
    assert not private_imports(module)


def test_imports_have_no_circles() -> None:
    graph = {module: set(imports_of(module, everywhere=False)) for module in MODULES}
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join([*path, module])
        if module not in done:
            for each in graph.get(module, ()):
                visit(each, (*path, module))
            done.add(module)

    for module in graph:
        visit(module, ())


def test_guard_sees_imports() -> None:
    assert "errors" in imports_of("events", everywhere=False)
    assert "delivery._base_sender" in imports_of("delivery.sender", everywhere=False)
    assert "payload" in imports_of("delivery._base_sender", everywhere=False)
    assert "catalog.__init__" in imports_of("receiver.receiver", everywhere=False)
    assert "events" not in imports_of("errors", everywhere=True)


@pytest.mark.parametrize(
    "statement",
    [
        "from .delivery._scheduler import Scheduler",
        "from .delivery import _scheduler",
        "from currents_export.delivery._scheduler import Scheduler",
        "import currents_export.delivery._scheduler",
        "def f():\n    import currents_export.delivery._scheduler as queues",
    ],
)
def test_guard_sees_every_form_of_an_import(
    statement: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / PACKAGE.name / "newcomer.py"
    path.parent.mkdir()
    path.write_text(statement, "utf-8")
    monkeypatch.setitem(MODULES, "newcomer", path)
    monkeypatch.setitem(globals(), "PACKAGE", path.parent)
    assert [*imports_of("newcomer", everywhere=True)] == ["delivery._scheduler"]
    assert private_imports("newcomer") == {"delivery._scheduler"}


@pytest.mark.parametrize("module", sorted(MODULES))
def test_module_is_short(module: str) -> None:
    assert len(MODULES[module].read_text("utf-8").splitlines()) <= 400
