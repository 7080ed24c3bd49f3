"""New names that two changes give to different things: the later one's is told apart by a number."""

from __future__ import annotations

import ast
import re
import symtable
from collections.abc import Iterator, Sequence

from sigmaloop.tools.changes.pieces import Source, dump, parsed


def apart(base: str, text: str, others: Sequence[str]) -> str:
    """The text, with every new top-level name of another text's that means something else here renamed.

    A name stays as it is where it cannot be renamed safely: it is also a local name, part of a quoted text, or used
    inside an f-string. Raises SyntaxError or ValueError for a text that is no Python.
    """
    own = _new(parsed(base), parsed(text))
    taken = [_new(parsed(base), parsed(other)) for other in others]
    for name in [name for name in own if any(name in new and new[name] != own[name] for new in taken)]:
        fresh = _free_name(name, [base, text, *others])
        if _movable(text, name):
            text = _renamed(parsed(text), name, fresh)
    return text


def _new(base: Source, source: Source) -> dict[str, str]:
    """Names that a change defines for the first time, and what they mean."""
    old = {key[1] for key in base.pieces if key[0] in ("def", "name")}
    return {
        key[1]: dump(piece.node)
        for key, piece in source.pieces.items()
        if key[0] in ("def", "name") and key[1] not in old and key[2] == 0
    }


def _free_name(name: str, texts: Sequence[str]) -> str:
    number = 2
    while any(f"{name}_{number}" in text for text in texts):
        number += 1
    return f"{name}_{number}"


def _movable(text: str, name: str) -> bool:
    """Whether every use of the name is the one top-level thing."""
    tree = parsed(text).tree
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value == name:
            return False
        if isinstance(node, ast.JoinedStr) and any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(node)):
            return False
        if isinstance(node, (ast.Global, ast.Nonlocal)) and name in node.names:
            return False
    return not any(
        table.get_type() != "module" and _local(table, name)
        for table in _tables(symtable.symtable(text, "agent.py", "exec"))
    )


def _local(table: symtable.SymbolTable, name: str) -> bool:
    try:
        return not table.lookup(name).is_global()
    except KeyError:
        return False


def _tables(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for child in table.get_children():
        yield from _tables(child)


def _renamed(source: Source, name: str, fresh: str) -> str:
    places = [source.span(n)[0] for n in ast.walk(source.tree) if isinstance(n, ast.Name) and n.id == name]
    for node in source.tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and node.name == name:
            header = re.compile(rf"\b(?:def|class)\s+({re.escape(name)})\b").search(source.text, source.span(node)[0])
            places += [header.start(1)] if header else []
    text = source.text
    for place in sorted(set(places), reverse=True):
        text = text[:place] + fresh + text[place + len(name) :]
    return text
