"""Several changes of one agent file as one: merged by syntax tree, each in its author's own words and layout.

A top-level name that one change touched is taken from it. Lists, dicts and texts that several only extended are united,
functions into which several only inserted, too, in order of the changes' ids. Anything else is a conflict: the weaker
change is left out, and the conflict says where and why. Lines are never compared with lines: two rules that are added
behind the same rule are a conflict for `git merge`, here they are two rules.

Comments and layout of the base stay; an addition brings the comments above it and on its line. What differs in comments
or docstrings alone is no change.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

from sigmaloop.records import Record
from sigmaloop.tools.changes.containers import unite
from sigmaloop.tools.changes.insertions import Definition, check_together, insertions, order_of
from sigmaloop.tools.changes.merge_check import lost, unresolved
from sigmaloop.tools.changes.pieces import ClashError, Key, Piece, Source, dump, parsed
from sigmaloop.tools.changes.rename import apart


class Part(NamedTuple):
    """A change to be merged."""

    id: str
    source: str
    """The whole text of the changed file."""


class Conflict(Record):
    """Why a part was left out."""

    part: str
    others: tuple[str, ...]
    """The stronger parts that it does not go with; empty where it is unfit by itself."""
    where: str
    why: str

    @property
    def message(self) -> str:
        beside = f" beside {', '.join(self.others)}" if self.others else ""
        return f"{self.part} is left out{beside}: {self.where}: {self.why}"


class Merged(Record):
    """What came of it."""

    source: str
    parts: tuple[str, ...]
    """Ids of the parts that are in it, sorted."""
    conflicts: tuple[Conflict, ...] = ()


def merge(base: str, parts: Sequence[Part]) -> Merged:
    """Merge changes of one base, the strongest first: where two conflict, the later one is left out.

    One part alone comes back as it is. The order decides who is left out and nothing else. Raises ValueError for an id
    that is given twice, SyntaxError for a base that is no Python.
    """
    if len({part.id for part in parts}) != len(parts):
        raise ValueError("every part needs an id of its own")
    parsed(base)
    taken: list[Part] = []
    text, conflicts = base, []
    for part in parts:
        try:
            text = _together(base, [*taken, part])
            taken.append(part)
        except ClashError as clash:
            others = tuple(p.id for p in taken if p.id in clash.between) or _rivals(base, taken, part)
            conflicts.append(Conflict(part=part.id, others=others, where=clash.where, why=clash.why))
    return Merged(source=text, parts=tuple(sorted(p.id for p in taken)), conflicts=tuple(conflicts))


def _rivals(base: str, taken: Sequence[Part], part: Part) -> tuple[str, ...]:
    """Who of those taken it does not go with, each tried alone; all of them where only their sum does it."""
    alone = []
    for other in taken:
        try:
            _together(base, [other, part])
        except ClashError:
            alone.append(other.id)
    return tuple(sorted(alone or [p.id for p in taken]))


def _together(base: str, parts: Sequence[Part]) -> str:
    """The text with all parts. Raises ClashError."""
    sources = _sources(base, parts)
    if len(parts) == 1:
        _check(base, parts[0].source, [parts[0].source])
        return parts[0].source
    origin = parsed(base)
    edits = sorted(_edits(origin, sources), key=lambda edit: edit[:3])
    text, at = "", 0
    for start, end, _, new in edits:
        text += origin.text[at:start] + new
        at = end
    text += origin.text[at:]
    _check(base, text, [source.text for source in sources.values()])
    return text


def _sources(base: str, parts: Sequence[Part]) -> dict[str, Source]:
    """Parsed, by id in order; new names that two parts give to different things are told apart."""
    texts: dict[str, str] = {}
    for part in sorted(parts, key=lambda p: p.id):
        try:
            texts[part.id] = apart(base, part.source, list(texts.values()))
        except (SyntaxError, ValueError) as error:
            raise ClashError(part.id, f"it is no Python: {error}") from None
    return {name: parsed(text) for name, text in texts.items()}


def _check(base: str, text: str, sources: Sequence[str]) -> None:
    try:
        compile(text, "agent.py", "exec", dont_inherit=True)
        missing = sorted(unresolved(text) - unresolved(base))
        gone = [what for source in sources for what in lost(base, source, text)]
    except (SyntaxError, ValueError, RecursionError) as error:
        raise ClashError("the merged file", f"it does not compile: {error}") from None
    if missing:
        raise ClashError("the merged file", f"nobody defines {missing[0]}")
    if gone:
        raise ClashError("the merged file", f"an addition is lost: {gone[0]}")


_Edit = tuple[int, int, tuple[int, int, int], str]
"""From, to, order among those at one place, new text."""


class _Change(NamedTuple):
    """What one part makes of a piece of the base; no piece: it removes it."""

    part: str
    piece: Piece | None


def _edits(base: Source, sources: dict[str, Source]) -> Iterator[_Edit]:
    changed: dict[Key, list[_Change]] = {}
    for name, source in sources.items():
        for key, old in base.pieces.items():
            new = source.pieces.get(key)
            if key[0] != "text" and (new is None or dump(new.node) != dump(old.node)):
                changed.setdefault(key, []).append(_Change(name, new))
    for key, changes in changed.items():
        yield from _of_piece(base, sources, base.pieces[key], changes)
    _check_settings(base, sources, changed)
    yield from _additions(base, sources)


def _of_piece(base: Source, sources: dict[str, Source], old: Piece, changes: Sequence[_Change]) -> Iterator[_Edit]:
    pieces = {dump(c.piece.node) if c.piece else "": c for c in changes}
    between = frozenset(c.part for c in changes)
    place = old.key[1].split("(")[0]
    if len(pieces) == 1:
        piece = changes[0].piece
        if piece is None:
            yield old.start, old.end, (0, 0, 0), ""
            return
        own = sources[changes[0].part]
        yield old.start, old.end, (0, 0, 0), own.text[piece.start : piece.end]
        return
    if "" in pieces:
        raise ClashError(place, "one removed what the other changed", between)
    sides = [(c.part, sources[c.part], c.piece.node) for c in changes if c.piece is not None]
    try:
        if isinstance(old.node, Definition):
            yield from _inserted(base, old.node, sides)
        else:
            yield _united(base, old.node, [(source, node) for _, source, node in sides])
    except ClashError as clash:
        raise ClashError(clash.where, clash.why, clash.between or between) from None


def _united(base: Source, old: ast.stmt, sides: Sequence[tuple[Source, ast.stmt]]) -> _Edit:
    """A name whose value several extended."""
    heads = {_without_value(node) for node in (old, *(node for _, node in sides))}
    value = getattr(old, "value", None)
    name = ast.unparse(old).split("=")[0].strip()[:60]
    if len(heads) > 1 or value is None:
        raise ClashError(name, "both changed it")
    text = unite(name, base, value, [(source, getattr(node, "value")) for source, node in sides])  # noqa: B009
    start, end = base.span(value)
    return start, end, (0, 0, 0), text


def _without_value(node: ast.stmt) -> str:
    return repr([type(node).__name__, *(dump(v) if isinstance(v, ast.AST) else _all(v) for n, v in ast.iter_fields(node)
                                        if n != "value")])  # fmt: skip


def _all(value: object) -> object:
    return [dump(v) for v in value] if isinstance(value, list) else value


def _inserted(base: Source, old: Definition, sides: Sequence[tuple[str, Source, ast.stmt]]) -> Iterator[_Edit]:
    """A function or class into which several put something."""
    found = {}
    for part, source, node in sides:
        put = insertions(base, source, old, node) if isinstance(node, Definition) else None
        if put is None:
            raise ClashError(old.name, "both changed it, and one of them did more than insert")
        found[part] = put
    for one, two in combinations(found, 2):
        try:
            check_together(old.name, old, found[one], found[two])
        except ClashError as clash:
            raise ClashError(clash.where, clash.why, frozenset((one, two))) from None
    said: set[tuple[int, tuple[str, ...]]] = set()
    for number, put in enumerate(found.values()):
        for insertion in put:
            if (insertion.at, insertion.said) not in said:
                said.add((insertion.at, insertion.said))
                yield insertion.at, insertion.at, (1, int(order_of(insertion)), number), insertion.text


def _check_settings(base: Source, sources: dict[str, Source], changed: dict[Key, list[_Change]]) -> None:
    """A name that one part sets anew, at the end of the file, hides what the others put into it."""
    for part, source in sources.items():
        for key, piece in source.pieces.items():
            if key in base.pieces or key[0] not in ("name", "item"):
                continue
            name = key[1].split("[")[0]
            value = getattr(piece.node, "value", piece.node)
            reads = any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(value))
            others = {c.part for k, cs in changed.items() if k[1] == name for c in cs} - {part}
            others |= {p for p, s in sources.items() for k in s.pieces if k == key and p != part
                       and dump(s.pieces[k].node) != dump(piece.node)}  # fmt: skip
            if others and not reads and (key[0] == "name" or _sets_same_item(sources, others, name, piece)):
                raise ClashError(
                    key[1], "one sets it anew, which hides what the other put there", frozenset(others | {part})
                )


def _sets_same_item(sources: dict[str, Source], others: set[str], name: str, piece: Piece) -> bool:
    """Whether one of the others gives that key of the dict a value, too."""
    assert isinstance(piece.node, ast.Assign)
    item = piece.node.targets[0]
    assert isinstance(item, ast.Subscript)
    for part in others:
        for key, other in sources[part].pieces.items():
            value = getattr(other.node, "value", None)
            if key == piece.key and dump(other.node) != dump(piece.node):
                return True
            keys = value.keys if key[1] == name and isinstance(value, ast.Dict) else []
            if any(k is not None and dump(k) == dump(item.slice) for k in keys):
                return True
    return False


def _additions(base: Source, sources: dict[str, Source]) -> Iterator[_Edit]:
    """New top-level statements, behind the statement of the base that they stood behind."""
    known: dict[Key, str] = {}
    for number, source in enumerate(sources.values()):
        at, place = _top(base), 0
        for key, piece in source.pieces.items():
            place += 1
            if key in base.pieces:
                at = base.pieces[key].end
            elif key[0] == "text":
                continue
            elif key not in known or key[0] == "do" or known[key] != dump(piece.node):
                if key in known and key[0] == "def":
                    raise ClashError(key[1], "both define it")
                if known.get(key) == dump(piece.node):
                    continue
                known[key] = dump(piece.node)
                yield at, at, (2, number, place), _spaced(base, source, piece, at)


def _top(base: Source) -> int:
    """Behind the text that a file begins with, if it does."""
    first = next(iter(base.pieces.values()), None)
    return first.end if first and first.key[0] == "text" else 0


def _spaced(base: Source, source: Source, piece: Piece, at: int) -> str:
    text = source.text[piece.start : piece.end]
    if isinstance(piece.node, Definition):
        return f"\n\n{text}" if at else f"{text}\n\n"
    before = source.text[: piece.start]
    return f"\n{text}" if before.endswith("\n\n") and at else text
