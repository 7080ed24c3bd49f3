"""Whether a merged agent is what it should be, read afresh from the texts: nothing here knows how it was merged.

It compiles, every name in it resolves, and every element that any of its parts added is there: rules, examples, notes,
lines of a prompt, statements of a function, top-level statements.
"""

from __future__ import annotations

import ast
import builtins
import symtable
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from sigmaloop.tools.changes.pieces import dump, is_docstring, target_of

Atom = tuple[str, ...]
"""Where it stands and what it says: the smallest thing that a change adds."""


def lost(base: str, part: str, merged: str) -> list[str]:
    """What a part added to the base and the merged agent does not hold, as short texts. Empty when all is there."""
    had, has, kept = _atoms(base), _atoms(part), _atoms(merged)
    texts = [atom for atom in kept if atom[0] == "text"]
    missing = []
    for atom, number in has.items():
        if number > had[atom] and kept[atom] < number and not _held_in_a_longer(atom, had, texts):
            missing.append(" ".join(atom)[:120])
    return missing


def unresolved(text: str) -> set[str]:
    """Names that some function or the module reads and nobody defines."""
    table = symtable.symtable(text, "agent.py", "exec")
    known = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported() or s.is_namespace()}
    known |= set(dir(builtins)) | {"__file__", "__name__", "__doc__"}
    for inner in _tables(table):
        known |= {s.get_name() for s in inner.get_symbols() if s.is_declared_global() and s.is_assigned()}
    return {
        s.get_name()
        for inner in _tables(table)
        for s in inner.get_symbols()
        if s.is_referenced() and (s.is_global() or inner is table) and s.get_name() not in known
    }


def _tables(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for child in table.get_children():
        yield from _tables(child)


def _held_in_a_longer(atom: Atom, had: Counter[Atom], texts: list[Atom]) -> bool:
    """A text under a name or key may be there as part of a longer one; what counts is what was added to it."""
    if atom[0] != "text":
        return False
    sort, place, said = atom
    before = max((old[2] for old in had if old[:2] == (sort, place) and said.startswith(old[2])), key=len, default="")
    added = said[len(before) :].strip()
    return any(other[:2] == (sort, place) and added in other[2] for other in texts)


@lru_cache(maxsize=256)
def _atoms(text: str) -> Counter[Atom]:
    """To be read only: it is remembered."""
    found: Counter[Atom] = Counter()
    for node in ast.parse(text).body:
        found.update(_of(node))
    return found


def _of(node: ast.stmt) -> Iterator[Atom]:
    name, value = target_of(node), getattr(node, "value", None)
    if name and isinstance(value, ast.Dict):
        for key, held in zip(value.keys, value.values, strict=True):
            yield from _item(f"{name}[{dump(key) if key else '**'}]", held)
    elif name and isinstance(value, (ast.List, ast.Set, ast.Tuple)):
        for element in value.elts:
            yield name, dump(element)
    elif name and isinstance(value, ast.Constant) and isinstance(value.value, str):
        for line in value.value.split("\n"):
            yield "text", name, line.strip()
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield from _statements(node, node.name)
    elif not is_docstring(node):
        yield "", dump(node)


def _item(place: str, held: ast.expr) -> Iterator[Atom]:
    if isinstance(held, ast.Constant) and isinstance(held.value, str):
        yield "text", place, held.value
    else:
        yield place, dump(held)


def _statements(node: ast.stmt, place: str) -> Iterator[Atom]:
    """Every statement without what is inside it, by the definition that it stands in."""
    for number, inner in enumerate(ast.walk(node)):
        if isinstance(inner, ast.stmt) and not (number and is_docstring(inner)):
            fields = [(name, value) for name, value in ast.iter_fields(inner) if name not in _BODIES]
            yield place, type(inner).__name__, *(f"{name}={_shown(value)}" for name, value in fields)


_BODIES = {"body", "orelse", "finalbody", "handlers"}


def _shown(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_shown(v) for v in value) + "]"
    return dump(value) if isinstance(value, ast.AST) else repr(value)
