"""Lists, dicts and texts that several changes extended: what each added, united, each element in its author's words."""

from __future__ import annotations

import ast
import io
import json
import tokenize
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sigmaloop.tools.changes.pieces import ClashError, Source, dump

SENTENCE = 3
"""Words from which a text is language: two notes on one tool may follow each other, two model names may not."""


class Element(NamedTuple):
    """One element of a container: what it is, and its text with the comments that belong to it."""

    key: str
    """Of a dict, its key; else what it says."""
    value: ast.expr
    text: str
    comment: str = ""
    """Behind it, on its line."""

    @property
    def same(self) -> tuple[str, str]:
        return self.key, dump(self.value)


def unite(name: str, base: Source, before: ast.expr, sides: Sequence[tuple[Source, ast.expr]]) -> str:
    """The text of the value with everything that the sides added, in their order. Raises ClashError."""
    values = [value for _, value in sides]
    if isinstance(before, ast.Constant) and isinstance(before.value, str):
        texts = [v.value for v in values if isinstance(v, ast.Constant) and isinstance(v.value, str)]
        if len(texts) == len(values):
            return literal(united_text(name, before.value, texts), base.of(before))
    if isinstance(before, (ast.List, ast.Set, ast.Tuple, ast.Dict)) and all(type(v) is type(before) for v in values):
        return _united_container(name, base, before, sides)
    raise ClashError(name, "both changed its value")


def elements(source: Source, value: ast.expr) -> tuple[list[Element], str]:
    """The elements in order, and the comments behind the last one. Raises ClashError for a text without brackets."""
    text = source.of(value)
    if text[:1] not in "[{(" or text[:1] == "":
        raise ClashError(text.split("\n")[0], "a container without brackets")
    chunks, rest = _chunks(text)
    if isinstance(value, ast.Dict):
        pairs = [(dump(k) if k else "**", v) for k, v in zip(value.keys, value.values, strict=True)]
    else:
        assert isinstance(value, (ast.List, ast.Set, ast.Tuple))
        pairs = [(dump(e), e) for e in value.elts]
    if len(pairs) != len(chunks):
        raise ClashError(text.split("\n")[0], "its elements cannot be told apart")
    return [Element(key, v, *chunk) for (key, v), chunk in zip(pairs, chunks, strict=True)], rest


def united_text(name: str, before: str, sides: Sequence[str]) -> str:
    """A text with the lines that the sides put in, or with what they wrote behind it. Raises ClashError."""
    lines = before.split("\n")
    gaps = [_embedded(lines, side.split("\n")) for side in sides]
    if all(gap is not None for gap in gaps):
        united: list[str] = []
        for place in range(len(lines) + 1):
            added: list[str] = []
            for gap in gaps:
                added += [line for line in (gap or {}).get(place, []) if line not in added or not line.strip()]
            united += added + lines[place : place + 1]
        return "\n".join(united)
    if all(side.startswith(before) for side in sides):
        whole = before
        for ending in dict.fromkeys(side[len(before) :] for side in sides):
            apart = whole[-1:].isspace() or ending[:1].isspace()
            whole += ending if apart or not whole else f" {ending}"
        return whole
    raise ClashError(name, "both rewrote the text")


def literal(text: str, like: str) -> str:
    """A literal of a text, over several lines where the one that it replaces was."""
    if "\n" in text and like[:3] in ('"""', "'''"):
        quoted = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
        written = (
            f'"""{quoted[:-1]}\\""""' if quoted.endswith('"') and not quoted.endswith('\\"') else f'"""{quoted}"""'
        )
    else:
        written = json.dumps(text, ensure_ascii=False)
    return written if _reads(written) == text else repr(text)


def _reads(written: str) -> object:
    try:
        return ast.literal_eval(written)
    except (SyntaxError, ValueError):
        return None


def _embedded(before: Sequence[str], after: Sequence[str]) -> dict[int, list[str]] | None:
    """What was put in before each place; None when something is gone or in another order."""
    found: dict[int, list[str]] = {}
    at = 0
    for place, line in enumerate(before):
        while at < len(after) and after[at] != line:
            found.setdefault(place, []).append(after[at])
            at += 1
        if at == len(after):
            return None
        at += 1
    found.setdefault(len(before), []).extend(after[at:])
    return found


def _united_container(name: str, base: Source, before: ast.expr, sides: Sequence[tuple[Source, ast.expr]]) -> str:
    old, rest = elements(base, before)
    gaps = [_additions(name, old, elements(source, value)[0]) for source, value in sides]
    changed = {
        place: _united_value(name, old[place], [gap[1][place] for gap in gaps if place in gap[1]])
        for place in range(len(old))
        if any(place in gap[1] for gap in gaps)
    }
    rows: list[Element] = []
    for place in range(len(old) + 1):
        for gap in gaps:
            for element in gap[0].get(place, []):
                _join(name, rows, element, isinstance(before, ast.Dict))
        rows += [changed.get(place, element) for element in old[place : place + 1]]
    return _written(base, before, rows, rest)


def _additions(
    name: str, old: Sequence[Element], new: Sequence[Element]
) -> tuple[dict[int, list[Element]], dict[int, Element]]:
    """Elements put in before each place, and those whose text was made longer. Raises ClashError."""
    found: dict[int, list[Element]] = {}
    longer: dict[int, Element] = {}
    at = 0
    for place, element in enumerate(old):
        while at < len(new) and new[at].same != element.same and not _extends(new[at], element):
            found.setdefault(place, []).append(new[at])
            at += 1
        if at == len(new):
            raise ClashError(name, "one removed or reworded an element that the other needs")
        if new[at].same != element.same:
            longer[place] = new[at]
        at += 1
    found.setdefault(len(old), []).extend(new[at:])
    return found, longer


def _extends(new: Element, old: Element) -> bool:
    """The same key of a dict with a longer text."""
    a, b = _text(old.value), _text(new.value)
    return new.key == old.key and a is not None and b is not None and b.startswith(a)


def _united_value(name: str, old: Element, longer: Sequence[Element]) -> Element:
    whole = united_text(name, _text(old.value) or "", [_text(e.value) or "" for e in longer])
    return _with_text(longer[0], whole)


def _join(name: str, rows: list[Element], element: Element, keyed: bool) -> None:
    """Put an element in, unless it is there; under one key of a dict two sentences follow each other."""
    for place, other in enumerate(rows):
        if other.same == element.same:
            return
        if keyed and other.key == element.key and element.key != "**":
            a, b = _text(other.value), _text(element.value)
            if a is None or b is None or min(len(a.split()), len(b.split())) < SENTENCE:
                raise ClashError(name, f"both set {element.text.split(':')[0].strip()}")
            rows[place] = _with_text(other, a if b in a else b if a in b else f"{a} {b}")
            return
    rows.append(element)


def _with_text(element: Element, whole: str) -> Element:
    """The element of a dict with another text. Only its key's own text is kept."""
    head = element.text[: element.text.index(":") + 1] if _plain_key(element) else ""
    if not head:
        raise ClashError(element.text, "its key is no plain text")
    return element._replace(value=ast.Constant(whole), text=f"{head} {literal(whole, '')}")


def _plain_key(element: Element) -> bool:
    """A key that holds no colon itself, with no comment above it."""
    return element.text[:1] in "\"'" and element.text.split(":")[0].rstrip()[-1:] == element.text[:1]


def _text(value: ast.expr) -> str | None:
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None


def _written(base: Source, before: ast.expr, rows: Sequence[Element], rest: str) -> str:
    text = base.of(before)
    margin = " " * (len(base.line(before.lineno)) - len(base.line(before.lineno).lstrip()))
    inner = margin + "    "
    lines = [f"{inner}{row.text},{row.comment and '  ' + row.comment}" for row in rows]
    lines += [f"{inner}{line}" for line in rest.splitlines() if line]
    return "\n".join([text[0], *lines, margin + text[-1]]) if lines else text


def _chunks(text: str) -> tuple[list[tuple[str, str]], str]:
    """(text with the comments above it, comment on its line) of each element between commas; comments at the end."""
    chunks: list[tuple[str, str]] = []
    start: tuple[int, int] | None = None
    end = (1, 1)
    depth = 0
    above: list[str] = []
    held = ""
    for token in _tokens(text):
        if token.type in (tokenize.NL, tokenize.NEWLINE, tokenize.ENDMARKER, tokenize.INDENT, tokenize.DEDENT):
            continue
        if token.type == tokenize.COMMENT:
            if depth > 1 or start is not None:
                held = token.string if depth == 1 and token.start[0] == end[0] else held
                if depth == 1 and token.start[0] != end[0]:
                    above.append(token.string)
                continue
            if chunks and token.start[0] == end[0]:
                chunks[-1] = (chunks[-1][0], token.string)
            else:
                above.append(token.string)
            continue
        opened = token.type == tokenize.OP and token.string in "([{"
        closed = token.type == tokenize.OP and token.string in ")]}"
        depth += opened - closed
        if (depth == 1 and token.type == tokenize.OP and token.string == ",") or depth == 0:
            if start is not None:
                body = _cut(text, start, end)
                chunks.append(("".join(f"{line}\n    " for line in above) + body, held))
                start, above, held = None, [], ""
            end = token.end
            continue
        if depth == 1 and opened and token.start == (1, 0):
            continue
        start = start or token.start
        end = token.end
    return chunks, "\n".join(above)


def _tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    return tokenize.generate_tokens(io.StringIO(text).readline)


def _cut(text: str, start: tuple[int, int], end: tuple[int, int]) -> str:
    lines = text.split("\n")
    if start[0] == end[0]:
        return lines[start[0] - 1][start[1] : end[1]]
    return "\n".join([lines[start[0] - 1][start[1] :], *lines[start[0] : end[0] - 1], lines[end[0] - 1][: end[1]]])
