"""What a change may import from the agent's own package, read from the text of its modules; nothing is executed."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable
from typing import NamedTuple

from sigmaloop.tools.changes.static_checks import MODULES

_LARGEST = 1_000_000


class PackageModules(NamedTuple):
    """Names for the static checks."""

    modules: frozenset[str] = frozenset()
    """Modules and packages at the top of a folder: a change may import them."""
    insides: frozenset[str] = frozenset()
    """What these have imported that a change may not: it may not take it out of them either."""


def modules_of(programs: Iterable[tuple[str, str]]) -> PackageModules:
    """`programs`: (path inside its folder, text) of every Python file."""
    files = list(programs)
    tops = {path.partition("/")[0].removesuffix(".py") for path, _ in files} - sys.stdlib_module_names
    insides: set[str] = set()
    for _, text in files:
        try:
            tree = ast.parse(text[:_LARGEST])
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                insides |= {a.asname or a.name.partition(".")[0] for a in node.names if not _open(a.name, tops)}
            elif isinstance(node, ast.ImportFrom) and not node.level and not _open(node.module or "", tops):
                insides |= {alias.asname or alias.name for alias in node.names}
    return PackageModules(frozenset(tops), frozenset(insides - {"*"}))


def _open(name: str, tops: set[str]) -> bool:
    top = name.partition(".")[0]
    return top in MODULES or top in tops
