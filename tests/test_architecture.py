"""The layer rule: which folder may import which, read from the code itself."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOOR = {"records", "errors", "settings"}
MAY_IMPORT = {
    "cli": {"graph", "agents", "eval", "simulation", "tools", "memory"},
    "graph": {"agents", "eval", "simulation", "tools", "memory"},
    "agents": {"tools"},
    "eval": {"tools"},
    "tools": set(),
    "memory": set(),
    "simulation": set(),
    "target_agent": set(),
    "sigmaloop": {"graph", "eval"},
}
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


RUNS_ALONE = {"tools/sandbox/child/worker.py", "tools/sandbox/child/session.py"}
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
            parts = name.split(".")
            if parts[0] == "sigmaloop" and len(parts) > 1 and parts[1] not in FLOOR | MAY_IMPORT[folder] | {folder}:
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
