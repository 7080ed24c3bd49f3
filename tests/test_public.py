"""What `import sigmaloop` gives: every public name, each loaded only when it is used."""

from __future__ import annotations

import ast
import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest

import sigmaloop

HEAVY = {"aiohttp", "chromadb", "git", "langchain_core", "langchain_openai", "langgraph", "openai", "scipy"}
LIGHT = ("Task", "Certificate", "Settings", "load_settings", "BenchmarkRunner", "EpisodeBenchmark", "BadInput")
"""What a benchmark's file imports, among others: the graph is not needed for it."""


def loaded(code: str) -> set[str]:
    """Modules that a fresh interpreter has after `code` and had not before."""
    after = "new = [*set(sys.modules) - before]; import json; print(json.dumps(new))"
    program = f"import sys; before = set(sys.modules); {code}; {after}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("name", sigmaloop.__all__)
def test_a_public_name_can_be_imported_and_says_what_it_is(name: str) -> None:
    value = getattr(sigmaloop, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        assert (value.__doc__ or "").strip()
        assert value.__name__ == name


def test_a_wrong_name_is_an_attribute_error_that_names_it() -> None:
    with pytest.raises(AttributeError, match="BenchmarkRuner"):
        _ = sigmaloop.BenchmarkRuner  # type: ignore[attr-defined]


def test_public_names_are_listed_without_loading_them() -> None:
    assert set(sigmaloop.__all__) <= set(dir(sigmaloop))


def test_no_public_name_hides_a_package() -> None:
    folder = Path(sigmaloop.__file__).parent
    assert {place.stem for place in folder.iterdir()} & set(sigmaloop.__all__) == set()


def test_what_type_checkers_see_is_what_is_loaded() -> None:
    """The same names, each from the module that defines it."""
    tree = ast.parse(Path(sigmaloop.__file__).read_text(encoding="utf-8"))
    fork = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name: node.module for node in fork.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert sorted(seen) == sorted(sigmaloop.__all__)
    assert seen == sigmaloop._HOME  # type: ignore[attr-defined]


def test_importing_the_package_loads_none_of_it() -> None:
    modules = loaded("import sigmaloop")
    assert {name for name in modules if name.startswith("sigmaloop.")} == set()
    assert len(modules) < 60


@pytest.mark.parametrize("name", LIGHT)
def test_a_light_name_does_not_load_the_graph(name: str) -> None:
    modules = loaded(f"from sigmaloop import {name}")
    assert {module.partition(".")[0] for module in modules} & HEAVY == set()
    assert len(modules) < 500
