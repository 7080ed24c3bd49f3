"""Functions and classes into which several changes only inserted: where each did, and whether they can stand together.

Two blocks in one place follow each other. They do not get along where one reads a variable that the other sets, or
where one leaves the function before the other's turn: then nothing is lost in the text, yet something is in effect.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sigmaloop.tools.changes.pieces import ClashError, Source, dump, is_docstring, rows_of

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_JUMPS = (ast.Return, ast.Raise, ast.Continue, ast.Break)
_NESTS = (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Insertion(NamedTuple):
    """Statements that a change put into a place of the base."""

    at: int
    """Offset in the base."""
    text: str
    """Whole lines, indented for the base."""
    statements: tuple[ast.stmt, ...]

    @property
    def said(self) -> tuple[str, ...]:
        return tuple(map(dump, self.statements))


def insertions(base: Source, side: Source, before: Definition, after: Definition) -> list[Insertion] | None:
    """What a change put into a definition; None when it did anything else to it."""
    return _inside(base, side, before, after)


def check_together(name: str, before: Definition, one: Sequence[Insertion], two: Sequence[Insertion]) -> None:
    """Raise ClashError when two changes of one function would not both have their effect."""
    if isinstance(before, ast.ClassDef):
        shared = {n for i in one for n in _defined(i)} & {n for i in two for n in _defined(i)}
        if shared and {i.said for i in one} != {i.said for i in two}:
            raise ClashError(name, f"both define {sorted(shared)[0]}")
        return
    own = {node.arg for node in ast.walk(before.args) if isinstance(node, ast.arg)}
    own |= {n.id for n in ast.walk(before) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    for a, b in ((one, two), (two, one)):
        sets, steps = _sets(a)
        reads = {name for i in b for name in _free(i.statements)}
        spoiled = (sets & reads) - (steps & own)
        if spoiled:
            raise ClashError(name, f"one sets {sorted(spoiled)[0]}, which the other reads")
        if any(isinstance(i.statements[-1], _JUMPS) for i in a):
            raise ClashError(name, "one ends it where the other goes on")
        if any(_leaves(i) and any(other.at > i.at for other in b) for i in a):
            raise ClashError(name, "one leaves it before the other's turn")
    if {i.at for i in one if _leaves(i)} & {i.at for i in two if _leaves(i)}:
        raise ClashError(name, "each leaves it before the other's turn")


def order_of(insertion: Insertion) -> bool:
    """Among those in one place: who may leave quietly comes last."""
    return _leaves(insertion)


def _inside(base: Source, side: Source, before: ast.stmt, after: ast.stmt) -> list[Insertion] | None:
    if type(before) is not type(after) or not isinstance(before, _NESTS) or _head(before) != _head(after):
        return None
    assert isinstance(after, _NESTS)
    if before.body[0].lineno == before.lineno or after.body[0].lineno == after.lineno:
        return None
    old, new = before.body, after.body
    if isinstance(before, Definition):
        old, new = _undocumented(old), _undocumented(new)
    try:
        rows = rows_of(base, old, _floor(before)), rows_of(side, new, _floor(after))
    except ClashError:
        return None
    return _embedded(base, side, (old, rows[0]), (new, rows[1])) if old else None


def _undocumented(body: list[ast.stmt]) -> list[ast.stmt]:
    return body[1:] if is_docstring(body[0]) else body


def _floor(node: ast.stmt) -> int:
    """The last line above the first statement of a body."""
    first = node.body[0]  # type: ignore[attr-defined]
    return int(first.end_lineno if is_docstring(first) else node.lineno)


_Rows = tuple[list[ast.stmt], list[tuple[int, int]]]
"""Statements, and the lines that each stands on."""


def _embedded(base: Source, side: Source, before: _Rows, after: _Rows) -> list[Insertion] | None:
    statements = after[0]
    found: list[Insertion] = []
    at = 0
    for place, statement in enumerate(before[0]):
        stop, inner = _match(base, side, statement, statements, at)
        if stop is None:
            return None
        if stop > at:
            found.append(_insertion(base, side, before, place, after, slice(at, stop)))
        found += inner
        at = stop + 1
    if at < len(statements):
        found.append(_insertion(base, side, before, len(before[0]), after, slice(at, len(statements))))
    return found


def _match(
    base: Source, side: Source, statement: ast.stmt, after: Sequence[ast.stmt], at: int
) -> tuple[int | None, list[Insertion]]:
    """Where a statement of the base is found again, and what was put inside it."""
    for place in range(at, len(after)):
        if dump(after[place]) == dump(statement):
            return place, []
    for place in range(at, len(after)):
        inner = _inside(base, side, statement, after[place])
        if inner is not None:
            return place, inner
    return None, []


def _insertion(base: Source, side: Source, before: _Rows, place: int, after: _Rows, run: slice) -> Insertion:
    """The statements `run` of a change, put in before statement `place` of the base."""
    rows, statements = before[1], after[0][run]
    at = base.line_start(rows[0][0]) if place == 0 else base.line_start(rows[place - 1][1] + 1)
    margin = _margin(base, before[0][0])
    if margin == _margin(side, statements[0]):
        first, last = after[1][run.start][0], after[1][run.stop - 1][1]
        text = "".join(side.line(number) for number in range(first, last + 1))
    else:
        text = "".join(textwrap.indent(ast.unparse(statement), margin) + "\n" for statement in statements)
    return Insertion(at, text, tuple(statements))


def _margin(source: Source, node: ast.stmt) -> str:
    line = source.line(node.lineno)
    return line[: len(line) - len(line.lstrip())]


def _head(node: ast.stmt) -> str:
    """Everything but the body; whoever changes an `else` has changed the statement."""
    fields = {name: value for name, value in ast.iter_fields(node) if name != "body"}
    return repr({name: _shown(value) for name, value in fields.items()})


def _shown(value: object) -> object:
    if isinstance(value, ast.AST):
        return dump(value)
    return [_shown(v) for v in value] if isinstance(value, list) else value


def _defined(insertion: Insertion) -> Iterator[str]:
    for statement in insertion.statements:
        if isinstance(statement, Definition):
            yield statement.name
        yield from _stored(statement)


def _stored(node: ast.AST) -> set[str]:
    """Names that a statement sets, those of comprehensions and inner functions aside."""
    if isinstance(node, Definition):
        return {node.name}
    if isinstance(node, (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
        return {n.target.id for n in ast.walk(node) if isinstance(n, ast.NamedExpr)}
    found = {node.id} if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else set()
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        found |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    return found.union(*(_stored(child) for child in ast.iter_child_nodes(node)))


def _sets(found: Sequence[Insertion]) -> tuple[set[str], set[str]]:
    """Names that are set; and of them those that are only taken further, such as `x = f(x)`."""
    sets: set[str] = set()
    fresh: set[str] = set()
    for insertion in found:
        for statement in insertion.statements:
            for node in ast.walk(statement):
                if isinstance(node, ast.stmt) and not any(isinstance(c, ast.stmt) for c in ast.iter_child_nodes(node)):
                    names = _stored(node)
                    fresh |= names - _loaded(node) if not isinstance(node, ast.AugAssign) else set()
            sets |= _stored(statement)
    return sets, sets - fresh


def _loaded(node: ast.AST) -> set[str]:
    bound = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    comprehended = bound - _stored(node)
    read = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    return read - comprehended


def _free(statements: Sequence[ast.stmt], known: frozenset[str] = frozenset()) -> set[str]:
    """Names that a block reads before it has set them itself."""
    free: set[str] = set()
    held = set(known)
    for statement in statements:
        bodies = [
            getattr(statement, name) for name in ("body", "orelse", "finalbody") if getattr(statement, name, None)
        ]
        bodies += [handler.body for handler in getattr(statement, "handlers", [])]
        if bodies and not isinstance(statement, Definition):
            inner = [n for body in bodies for n in body]
            head = [
                c for c in ast.iter_child_nodes(statement) if c not in inner and not isinstance(c, ast.ExceptHandler)
            ]
            free |= set().union(*(_loaded(c) for c in head)) - held if head else set()
            bound = set().union(*(_stored(c) for c in head)) if head else set()
            for body in bodies:
                free |= _free(body, frozenset(held | bound))
            continue
        free |= _loaded(statement) - held
        if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
            free |= {statement.target.id} - held
        held |= _stored(statement)
    return free


def _leaves(insertion: Insertion) -> bool:
    """Whether a block may end the function or the turn of a loop without a word: what follows is then not asked."""
    return any(_quiet(statement) for statement in insertion.statements)


def _quiet(node: ast.AST, loops: int = 0) -> bool:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.Lambda():
            return False
        case ast.Return(value=None) | ast.Return(value=ast.Constant(value=None)):
            return True
        case ast.Continue() | ast.Break():
            return not loops
    deeper = loops + isinstance(node, (ast.For, ast.While))
    return any(_quiet(child, deeper) for child in ast.iter_child_nodes(node))
