"""The mutation command changes what it says, one place at a time, and leaves texts alone."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def perf() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mutants", ROOT / "perf" / "mutants.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # named tuples look their module up
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = a < b", ["x = a <= b"]),
        ("x = a == b", ["x = a != b"]),
        ("x = a and b", ["x = a or b"]),
        ("x = not a", ["x = a"]),
        ("x = a + 1", ["x = a - 1", "x = a + 2", "x = a + 0"]),
        ("x = True", ["x = False"]),
        ("x = sorted(a)", ["x = list(reversed(sorted(a)))"]),
        ("x = min(a, b)", ["x = max(a, b)"]),
        ("x = a if b else c", ["x = a if not b else c"]),
        ("x = a if b is c else d", ["x = a if b is not c else d"]),
        ("def f():\n    return a", ["def f():\n    return None"]),
        ("x = f'{a + 1}'", []),
        ("x = 'text'", []),
        ("x: Literal[1] = a", []),
        ("x = Field(ge=0)", []),
    ],
)
def test_a_place_is_changed_as_stated(perf: ModuleType, source: str, expected: list[str]) -> None:
    assert [mutant.after for mutant in perf.mutants("x.py", source)] == expected


def test_each_mutant_differs_in_one_place(perf: ModuleType) -> None:
    every = perf.mutants("gate/promotion.py")
    assert len({mutant.after for mutant in every}) > 5
    for mutant in every:
        before, after = mutant.before.splitlines(), mutant.after.splitlines()
        assert len(before) == len(after)
        assert sum(a != b for a, b in zip(before, after, strict=True)) == 1


def test_every_file_of_the_gate_has_tests_that_are_there(perf: ModuleType) -> None:
    files = {str(path.relative_to(ROOT)) for path in (ROOT / "gate").rglob("*.py") if path.name != "__init__.py"}
    assert files <= perf.TESTS.keys()
    for path in files | {"memory/clusters.py"}:
        assert all((ROOT / test).is_file() for test in perf.TESTS[path]), path
