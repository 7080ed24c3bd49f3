"""Mutation test: break one line at a time, and see whether a test notices.

    python perf/mutants.py [--sample 60] [--seed 0] [--only gate/bank.py,memory/clusters.py]

Works in a copy of the tree. A mutant is killed when one of the tests that cover its file fails, or does not end in
time. Those that survive are shown as diffs: for each, either a test is missing or the code says nothing.
Not mutated: texts, annotations, and the bounds of record fields.
"""

from __future__ import annotations

import argparse
import ast
import copy
import difflib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
HANGS = 3
"""Times as long as all the tests together take without a mutant, and the tests of one count as hanging."""

GATES = (
    "tests/gate/test_policies.py",
    "tests/gate/test_one_trial.py",
    "tests/gate/test_decision.py",
    "tests/gate/test_outage.py",
    "tests/gate/test_canaries.py",
    "tests/gate/test_graded.py",
    "tests/gate/test_recorded.py",
)
WORLDS = ("tests/gate/test_recorded.py", "tests/gate/test_worlds.py", "tests/gate/test_power.py")
TESTS: dict[str, tuple[str, ...]] = {
    "gate/bank.py": GATES,
    "gate/by_type.py": ("tests/gate/test_by_type.py",),
    "gate/canaries.py": ("tests/gate/test_canaries.py", "tests/gate/test_decision.py"),
    "gate/cases.py": GATES,
    "gate/certificate.py": ("tests/gate/test_certificate.py",),
    "gate/comparison.py": GATES,
    "gate/decision.py": ("tests/gate/test_decision.py", "tests/gate/test_outage.py", "tests/gate/test_canaries.py"),
    "gate/evalue.py": ("tests/gate/test_hypotheses.py", "tests/gate/test_decision.py"),
    "gate/explain.py": ("tests/gate/test_decision.py",),
    "gate/finding.py": GATES,
    "gate/hypotheses.py": (
        "tests/gate/test_recorded.py",
        "tests/gate/test_hypotheses.py",
    ),
    "gate/judging.py": GATES,
    "gate/measured.py": GATES,
    "gate/one_trial.py": ("tests/gate/test_one_trial.py", "tests/gate/test_one_trial_economy.py"),
    "gate/outage.py": ("tests/gate/test_outage.py",),
    "gate/policies.py": GATES,
    "gate/policy.py": GATES,
    "gate/promotion.py": GATES,
    "gate/reference.py": GATES,
    "gate/rules.py": (*GATES, "tests/gate/test_power.py"),
    "gate/sequential.py": GATES,
    "gate/statistics.py": ("tests/gate/test_statistics.py", "tests/gate/test_certificate.py"),
    "gate/tally.py": (
        "tests/gate/test_recorded.py",
        "tests/gate/test_one_trial.py",
        "tests/gate/test_one_trial_economy.py",
    ),
    "gate/worlds/figures.py": WORLDS,
    "gate/worlds/power.py": ("tests/gate/test_recorded.py", "tests/gate/test_power.py"),
    "gate/worlds/selftest.py": WORLDS,
    "gate/worlds/typed.py": ("tests/search/test_search_worlds.py",),
    "gate/worlds/worlds.py": WORLDS,
    "graph/nodes/observe.py": ("tests/graph/nodes/test_observe.py",),
    "graph/nodes/attempt.py": ("tests/graph/nodes/test_attempt.py",),
    "graph/nodes/conclude.py": ("tests/graph/nodes/test_conclude.py",),
    "graph/nodes/certify.py": ("tests/graph/nodes/test_certify.py",),
    "memory/clusters.py": ("tests/memory/test_clusters.py",),
}
"""The fast tests that cover a file, the likeliest to notice first. A file whose tests are missing is left out."""

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
}  # fmt: skip
CALLS = {"min": "max", "max": "min", "any": "all", "all": "any"}


class Mutant(NamedTuple):
    """One file with one change."""

    path: str
    line: int
    before: str
    after: str

    def diff(self) -> str:
        """The changed lines, with what the formatter of syntax trees made of them."""
        lines = difflib.unified_diff(self.before.splitlines(), self.after.splitlines(), lineterm="", n=1)
        return "\n".join(["", f"{self.path}:{self.line}", *list(lines)[3:]])


def variants(node: ast.AST) -> Iterator[ast.AST]:
    """What may stand in a node's place."""
    match node:
        case ast.Compare(left=left, ops=[op, *ops], comparators=right) if type(op) in COMPARISONS:
            yield ast.Compare(left, [COMPARISONS[type(op)](), *ops], right)
        case ast.BoolOp(op=op, values=values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield operand
        case ast.BinOp(left=left, op=op, right=right) if type(op) in ARITHMETIC:
            yield ast.BinOp(left, ARITHMETIC[type(op)](), right)
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=int() | float() as value):
            yield ast.Constant(value + 1)
            yield ast.Constant(value - 1)
        case ast.Call(func=ast.Name(id="sorted")):
            yield ast.Call(ast.Name("list"), [ast.Call(ast.Name("reversed"), [node], [])], [])
        case ast.Call(func=ast.Name(id="reversed"), args=[values]):
            yield values
        case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords) if name in CALLS:
            yield ast.Call(ast.Name(CALLS[name]), args, keywords)
        case ast.Return(value=ast.expr()):
            yield ast.Return(ast.Constant(None))
        case ast.If(test=test, body=body, orelse=orelse) if not _negated_already(test):
            yield ast.If(ast.UnaryOp(ast.Not(), test), body, orelse)
        case ast.IfExp(test=test, body=then, orelse=other) if not _negated_already(test):
            yield ast.IfExp(ast.UnaryOp(ast.Not(), test), then, other)


def _negated_already(test: ast.expr) -> bool:
    """Whether a variant of the test itself is its negation."""
    pure = (ast.Eq, ast.NotEq, ast.In, ast.NotIn, ast.Is, ast.IsNot)
    return isinstance(test, ast.UnaryOp) or (isinstance(test, ast.Compare) and isinstance(test.ops[0], pure))


def children(node: ast.AST) -> Iterator[tuple[str, int | None, ast.AST]]:
    """Field, place in it and child, for every child that may be mutated."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for place, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.AST) and not _untouched(child):
                yield name, place, child


def _untouched(node: ast.AST) -> bool:
    """Texts, and the bounds of record fields."""
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Call) and ast.unparse(node.func) == "Field")


def mutants(path: str, source: str | None = None) -> list[Mutant]:
    """Every mutant of a file, or of a text in its place, in order of place."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8") if source is None else source)
    before = ast.unparse(tree)
    found: list[Mutant] = []

    def visit(node: ast.AST) -> None:
        for name, place, child in children(node):
            for variant in variants(child):
                _put(node, name, place, ast.fix_missing_locations(ast.copy_location(copy.copy(variant), child)))
                found.append(Mutant(path, getattr(child, "lineno", 0), before, ast.unparse(tree)))
            _put(node, name, place, child)
            visit(child)

    visit(tree)
    return [mutant for mutant in found if mutant.after != before]


def _put(parent: ast.AST, name: str, place: int | None, child: ast.AST) -> None:
    if place is None:
        setattr(parent, name, child)
    else:
        getattr(parent, name)[place] = child


def killed(tree: Path, mutant: Mutant, stamp: int, seconds: float) -> bool:
    """Whether a test of the mutant's file fails, or does not end in time."""
    file = tree / mutant.path
    original = file.read_bytes()
    try:
        _write(file, mutant.after.encode(), stamp)
        return not passes(tree, TESTS[mutant.path], seconds)
    finally:
        _write(file, original, stamp + 1)


def _write(file: Path, content: bytes, stamp: int) -> None:
    """With a time of its own: Python takes compiled code of the same second and size for current."""
    file.write_bytes(content)
    os.utime(file, (stamp, stamp))


def passes(tree: Path, tests: Iterable[str], seconds: float | None = None) -> bool:
    """Whether all of these tests pass in time."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--hypothesis-seed=0", *tests]
    try:
        ended = subprocess.run(
            command, cwd=tree, env={**os.environ, "PYTHONPATH": str(tree)}, timeout=seconds, capture_output=True
        )
    except subprocess.TimeoutExpired:
        return False
    return ended.returncode == 0


def covered(only: str | None) -> list[str]:
    """The files to mutate: those named, or below a folder that is named, whose tests are there."""
    wanted = only.split(",") if only else ["gate", "graph/nodes", "memory/clusters.py"]
    paths = [path for path in TESTS if any(path == name or path.startswith(f"{name}/") for name in wanted)]
    if not paths:
        sys.exit(f"nothing to mutate in {', '.join(wanted)}; there are {', '.join(TESTS)}")
    missing = [path for path in paths if not all((ROOT / test).is_file() for test in TESTS[path])]
    for path in missing:
        print(f"{path}: left out, {', '.join(TESTS[path])} not found")
    return [path for path in paths if path not in missing]


def main() -> None:
    parser = argparse.ArgumentParser(description="Break one line at a time, and see whether a test notices.")
    parser.add_argument("--sample", type=int, default=60, help="How many mutants to try; 0 means all.")
    parser.add_argument("--seed", type=int, default=0, help="Seed that the sample is drawn with.")
    parser.add_argument("--only", help="Files or folders to mutate, separated by commas.")
    given = parser.parse_args()
    paths = covered(given.only)
    every = [mutant for path in paths for mutant in mutants(path)]
    sample = random.Random(given.seed).sample(every, min(given.sample or len(every), len(every)))
    print(f"{len(sample)} of {len(every)} mutants of {len(paths)} files", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(ROOT, tree, symlinks=True, ignore=shutil.ignore_patterns(".git", ".venv", "__pycache__"))
        tests = dict.fromkeys(test for mutant in sample for test in TESTS[mutant.path])
        began = time.perf_counter()
        if not passes(tree, tests):
            sys.exit("the tests fail without any mutant: mend that first")
        survivors = report(tree, sample, HANGS * (time.perf_counter() - began))
    dead = len(sample) - len(survivors)
    print(*(mutant.diff() for mutant in survivors), sep="\n")
    print(f"\nkilled {dead} of {len(sample)}: {dead / len(sample):.0%}")


def report(tree: Path, sample: list[Mutant], seconds: float) -> list[Mutant]:
    """Try every mutant and say how it went; returns the survivors."""
    survivors: list[Mutant] = []
    for number, mutant in enumerate(sample):
        began = time.perf_counter()
        dead = killed(tree, mutant, 1_000_000_000 + 2 * number, seconds)
        if not dead:
            survivors.append(mutant)
        word = "killed" if dead else "SURVIVED"
        print(f"{word:<8} {mutant.path}:{mutant.line} ({time.perf_counter() - began:.0f} s)", flush=True)
    return survivors


if __name__ == "__main__":
    main()
