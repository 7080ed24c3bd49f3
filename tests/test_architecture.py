"""The layer rule: which folder may import which, read from the code itself."""

from __future__ import annotations

import ast
import functools
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOOR = {"records", "errors", "endpoints", "settings", "clean_text"}
"""The words: every folder may import them."""
MAY_IMPORT = {
    "gate": set(),
    "tools": set(),
    "memory": set(),
    "traces": set(),
    "simulation": set(),
    "eval": {"gate", "tools"},
    "agents": {"tools.changes"},
    "report": {"gate", "memory"},
    "search": {"gate"},
    "graph": {"gate", "tools", "memory", "simulation", "eval", "agents", "report", "search", "traces"},
    "cli": {"graph", "report", "eval", "gate", "tools", "traces"},
    "target_agent": set(),
    "sigmaloop": {"graph", "eval", "report"},
}
"""Folder to the folders, or parts of one, below it."""
AT_HOME = {
    "sqlite3": {"memory"},
    "git": {"tools/versions.py"},
    "chromadb": {"memory/index.py"},
    "aiohttp": {"tools"},
    "starlette": {"tools"},
    "uvicorn": {"tools"},
}


def sources(folder: str) -> list[Path]:
    return [p for p in sorted((ROOT / folder).rglob("*.py")) if not any(q.is_symlink() for q in p.parents)]


CHILD = "tools/sandbox/child"
RUNS_ALONE = {f"{CHILD}/worker.py", f"{CHILD}/session.py"}
"""Run as a program inside the sandbox: they import their neighbours by bare name, and empty the environment."""


@functools.cache
def imported(path: Path) -> set[str]:
    """Dotted names that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("folder", sorted(MAY_IMPORT))
def test_a_folder_imports_only_the_folders_below_it(folder: str) -> None:
    wrong = []
    for path in sources(folder):
        for name in imported(path):
            inner = name.removeprefix("sigmaloop.")
            below = FLOOR | MAY_IMPORT[folder] | {folder}
            if inner != name and not any(inner == known or inner.startswith(f"{known}.") for known in below):
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong


@pytest.mark.parametrize("library", sorted(AT_HOME))
def test_each_outside_world_is_touched_in_one_place(library: str) -> None:
    wrong = []
    for folder in MAY_IMPORT:
        for path in sources(folder):
            place = str(path.relative_to(ROOT))
            if any(name.split(".")[0] == library for name in imported(path)) and not any(
                place == home or place.startswith(home + "/") for home in AT_HOME[library]
            ):
                wrong.append(f"{place} imports {library}")
    assert not wrong


def test_only_the_settings_read_the_environment() -> None:
    readers = [
        str(path.relative_to(ROOT))
        for folder in MAY_IMPORT
        for path in sources(folder)
        if str(path.relative_to(ROOT)) not in RUNS_ALONE
        and any(word in path.read_text(encoding="utf-8") for word in ("os.environ", "os.getenv"))
    ]
    assert readers == ["sigmaloop/settings.py"]


def test_no_deadline_or_decision_depends_on_the_clock_on_the_wall() -> None:
    """A clock that jumps changes nothing: only the journal notes the time, beside what it hashes."""
    readers = [
        str(path.relative_to(ROOT))
        for folder in MAY_IMPORT
        for path in sources(folder)
        if any(word in path.read_text(encoding="utf-8") for word in ("time.time(", "datetime.now(", "datetime.today("))
    ]
    assert readers == ["memory/journal.py"]


def test_the_target_agent_knows_nothing_of_ours() -> None:
    assert not any(name.startswith("sigmaloop") for name in imported(ROOT / "target_agent" / "agent.py"))
    importers = [
        str(path.relative_to(ROOT))
        for folder in MAY_IMPORT
        for path in sources(folder)
        if any(name.startswith("sigmaloop.target_agent") for name in imported(path))
    ]
    assert importers == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for folder in MAY_IMPORT
        for path in sources(folder)
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not silent


def test_no_file_imports_itself_through_others() -> None:
    """No circle between files, not even inside a function or for a type: nobody knows its importer."""
    edges = {module_of(path): imports_of(path) for folder in MAY_IMPORT for path in sources(folder)}
    known = edges.keys()
    left = {module: {name for name in found if name in known and name != module} for module, found in edges.items()}
    while leaves := {module for module, found in left.items() if not found & left.keys()}:
        left = {module: found for module, found in left.items() if module not in leaves}
    assert not left, f"these files import each other: {sorted(left)}"


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    inner = parts[1:] if parts[0] == "sigmaloop" else parts
    return ".".join(("sigmaloop", *inner)).removesuffix(".__init__")


def imports_of(path: Path) -> set[str]:
    """Modules of ours that a file imports, for types alone as well; `from package import module` is the module."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] == "sigmaloop"}
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "sigmaloop":
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if is_module(name) else node.module for name in whole}
    return found


def is_module(name: str) -> bool:
    inner = Path(*name.split(".")[1:])
    return any((ROOT / top / inner).with_suffix(".py").exists() for top in (".", "sigmaloop"))


CLIENTS = {"openai", "langchain_openai"}
"""Imported only when an agent asks its session for one."""


def test_what_runs_inside_the_sandbox_imports_the_standard_library_only() -> None:
    neighbours = {path.stem for path in sources(CHILD)} | {"wall"} | CLIENTS
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources(CHILD)
        for name in imported(path)
        if name.split(".")[0] not in sys.stdlib_module_names | neighbours
        and not name.startswith("sigmaloop.tools.sandbox.child")
    ]
    assert not wrong


def test_nodes_do_not_import_each_other() -> None:
    wrong = [
        f"{path.name} imports {name}"
        for path in sources("graph/nodes")
        for name in imports_of(path)
        if name.startswith("sigmaloop.graph.nodes")
    ]
    assert not wrong
