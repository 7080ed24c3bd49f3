"""A source as its top-level pieces: syntax tree and text side by side, so that comments and layout can be kept."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import NamedTuple

Key = tuple[str, str, int]
"""Sort of a piece, its name or what it says, and which of those that are alike it is."""


class ClashError(Exception):
    """Two changes that cannot both be had."""

    def __init__(self, where: str, why: str, between: frozenset[str] = frozenset()) -> None:
        super().__init__(f"{where}: {why}")
        self.where, self.why, self.between = where, why, between


class Piece(NamedTuple):
    """One top-level statement, with the whole lines that it stands on."""

    key: Key
    node: ast.stmt
    start: int
    """Offset of the first line of the comments right above it, or of its own first line."""
    end: int
    """Offset behind its last line."""


class Source:
    """One agent file. Raises SyntaxError or ValueError for text that is no Python."""

    def __init__(self, text: str) -> None:
        text = text.replace("\r\n", "\n")
        self.text = text if text.endswith("\n") else text + "\n"
        self.tree = ast.parse(self.text)
        self._starts = [0]
        for line in self.text.split("\n")[:-1]:
            self._starts.append(self._starts[-1] + len(line) + 1)

    def line(self, number: int) -> str:
        """A line, counted from 1, with its end."""
        return self.text[self._starts[number - 1] : self._starts[number]]

    def line_start(self, number: int) -> int:
        return self._starts[number - 1]

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """Offsets in characters; the columns of a syntax tree count bytes."""
        return self._offset(node.lineno, node.col_offset), self._offset(node.end_lineno or 1, node.end_col_offset or 0)

    def of(self, node: ast.expr | ast.stmt) -> str:
        start, end = self.span(node)
        return self.text[start:end]

    def _offset(self, line: int, column: int) -> int:
        return self.line_start(line) + len(self.line(line).encode()[:column].decode())

    @cached_property
    def pieces(self) -> dict[Key, Piece]:
        """In order of the file."""
        found: dict[Key, Piece] = {}
        for place, (first, last) in zip(self.tree.body, rows_of(self, self.tree.body), strict=True):
            sort, name = _named(place)
            number = sum(key[:2] == (sort, name) for key in found)
            key = (sort, name, number)
            found[key] = Piece(key, place, self.line_start(first), self.line_start(last) + len(self.line(last)))
        return found


@lru_cache(maxsize=512)
def parsed(text: str) -> Source:
    """The same, remembered. Raises SyntaxError or ValueError."""
    return Source(text)


@lru_cache(maxsize=65536)
def dump(node: ast.AST) -> str:
    """What two equal pieces of syntax have in common."""
    return ast.dump(node)


def first_line(node: ast.stmt) -> int:
    """With its decorators."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(d.lineno for d in decorators)])


def rows_of(source: Source, body: Sequence[ast.stmt], floor: int = 0) -> list[tuple[int, int]]:
    """First and last line of each statement, the first moved up over the comments right above it.

    `floor`: the last line that belongs to something before. Raises ClashError where statements share a line.
    """
    rows: list[tuple[int, int]] = []
    for node in body:
        first, last = first_line(node), node.end_lineno or node.lineno
        if first <= floor:
            raise ClashError(f"line {first}", "two statements share a line")
        while first - 1 > floor and source.line(first - 1).lstrip().startswith("#"):
            first -= 1
        rows.append((first, last))
        floor = last
    return rows


def is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def target_of(node: ast.stmt) -> str:
    """The one name that a statement sets, if it does no more than that."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
    return ""


def _named(node: ast.stmt) -> tuple[str, str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return "def", name
        case ast.Assign(targets=[ast.Subscript() as item]):
            return "item", ast.unparse(item)
    if is_docstring(node):
        return "text", ""
    name = target_of(node)
    return ("name", name) if name else ("do", dump(node))
