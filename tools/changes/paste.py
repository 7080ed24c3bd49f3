"""A sentence put into an agent file as it stands: an example, else a rule, else a line of its longest text."""

from __future__ import annotations

import ast
from typing import NamedTuple

from sigmaloop.records import ChangeKind

_LISTS: tuple[tuple[str, ChangeKind], ...] = (("EXAMPLE", "example"), ("RULE", "prompt"), ("", "prompt"))
"""Words in the name of a list, and what an entry of it is."""


class Pasted(NamedTuple):
    """The changed text, and the kind of change; the text is the old one where there is no place for words."""

    source: str
    kind: ChangeKind


def paste(source: str, words: str) -> Pasted:
    """Put `words` at the end of the first list of examples, of rules, or of texts; else into the longest text.

    Raises SyntaxError for a source that is no Python.
    """
    settings = [node for node in ast.parse(source).body if isinstance(node, ast.Assign | ast.AnnAssign)]
    for word, kind in _LISTS:
        for node in settings:
            if word in _name(node).upper() and isinstance(node.value, ast.List) and _texts(node.value):
                return Pasted(_into_list(source, node.value, words), kind)
    texts = [n.value for n in settings if isinstance(n.value, ast.Constant) and isinstance(n.value.value, str)]
    if not texts:
        return Pasted(source, "prompt")
    longest = max(texts, key=lambda node: len(str(node.value)))
    start, end = _span(source, longest)
    return Pasted(source[:start] + repr(f"{longest.value!s}\n{words}") + source[end:], "prompt")


def _name(node: ast.Assign | ast.AnnAssign) -> str:
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    return target.id if isinstance(target, ast.Name) else ""


def _texts(value: ast.List) -> bool:
    """Whether a list holds texts alone; an empty one may."""
    return all(isinstance(e, ast.Constant) and isinstance(e.value, str) for e in value.elts)


def _into_list(source: str, value: ast.List, words: str) -> str:
    if not value.elts:
        start, end = _span(source, value)
        return f"{source[:start]}[\n    {words!r},\n]{source[end:]}"
    end = _span(source, value.elts[-1])[1]
    return f"{source[:end]},\n    {words!r}{source[end:]}"


def _span(source: str, node: ast.expr) -> tuple[int, int]:
    """Places of an expression in the text; the parser counts columns in bytes."""
    lines = source.splitlines(keepends=True)

    def place(line: int, column: int) -> int:
        return sum(map(len, lines[: line - 1])) + len(lines[line - 1].encode()[:column].decode())

    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return place(node.lineno, node.col_offset), place(node.end_lineno, node.end_col_offset)
