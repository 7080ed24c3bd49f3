"""When two agent files are the same program, and two changes the same edit: comments and layout do not count.

A rejected change that comes back with another comment, or a few lines further down, is the same change. It has
another hash, so its rollouts would be drawn afresh: whoever insists would be let through by luck in the end.
"""

from __future__ import annotations

import ast
import difflib
from functools import lru_cache

from sigmaloop.records import digest
from sigmaloop.tools.changes.file_kinds import Kind
from sigmaloop.tools.changes.text_checks import same_text, text_edit

Edit = tuple[str, ...]
"""Removed (`-`) and added (`+`) lines of code, in order, without where they stand."""

_HOLDS_DOCSTRING = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def same_program(a: str, b: str, kind: Kind = "python") -> bool:
    """Whether two sources are one program: equal syntax trees, comments, layout and docstrings aside."""
    if a == b:
        return True
    if kind != "python":
        return same_text(a, b, kind)
    first, second = _tree(a), _tree(b)
    return first is not None and second is not None and ast.dump(first) == ast.dump(second)


@lru_cache(maxsize=256)
def edit_of(parent: str, source: str, kind: Kind = "python") -> Edit:
    """What a change does to its parent's code; empty when it does nothing, or when one of the two is no Python."""
    if kind != "python":
        return text_edit(parent, source)
    before, after = _tree(parent), _tree(source)
    if before is None or after is None:
        return ()
    lines = list(difflib.unified_diff(ast.unparse(before).splitlines(), ast.unparse(after).splitlines(), n=0))
    return tuple(line for line in lines[2:] if line[:1] in "+-" and line[1:].strip())


def program_hash(source: str) -> str:
    """The same for two sources that are one program; of what is no Python, of its text."""
    tree = _tree(source)
    return digest(ast.dump(tree) if tree is not None else source)


def _tree(source: str) -> ast.Module | None:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    for node in ast.walk(tree):
        if isinstance(node, _HOLDS_DOCSTRING) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return tree
