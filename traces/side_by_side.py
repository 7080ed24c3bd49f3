"""Two traces beside each other: what is alike stands in one row, and where they part is marked.

Steps are matched by kind, tool, arguments and text, as lines are in a diff; times and numbers do not matter.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import zip_longest

from sigmaloop.records import Step, Trace
from sigmaloop.traces.columns import pad, wrap
from sigmaloop.traces.conversation_text import header, of_step, shortened

SAME, OTHER = " = ", " | "
Pair = tuple[Step | None, Step | None]


def side_by_side(
    left: Trace, right: Trace, *, width: int, names: tuple[str, str] = ("", ""), full: bool = False
) -> list[str]:
    """The lines of both, none longer than `width` columns; between them `=` for a step that both have, else `|`.

    `names`: of their agents.
    """
    half = (width - len(OTHER)) // 2
    heads = (header(trace, width=half, agent=name) for trace, name in zip((left, right), names, strict=True))
    lines = _beside(*heads, between=OTHER, half=half)
    lines.append("-" * half + "-+-" + "-" * half)
    for one, other in aligned(left.steps, right.steps):
        between = SAME if one and other and _content(one) == _content(other) else OTHER
        lines += _beside(_block(one, half, full=full), _block(other, half, full=full), between=between, half=half)
    return lines


def aligned(left: tuple[Step, ...], right: tuple[Step, ...]) -> Iterator[Pair]:
    """Pairs of steps in their order; what only one side has stands beside None."""
    matcher = SequenceMatcher(a=[_content(s) for s in left], b=[_content(s) for s in right], autojunk=False)
    for what, a, b, c, d in matcher.get_opcodes():
        if what == "equal":
            yield from zip(left[a:b], right[c:d], strict=True)
        else:
            yield from zip_longest(left[a:b], right[c:d])


def _content(step: Step) -> str:
    return json.dumps([step.kind, step.tool, step.arguments, step.text], sort_keys=True)


def _block(step: Step | None, width: int, *, full: bool) -> list[str]:
    lines: list[str] = []
    for part in of_step(step) if step else ():
        title = f"{part.number:>3} {part.speaker}" if part.number else f"    {part.speaker}"
        lines += [title, *(f"    {line}" for line in shortened(wrap(part.text, width - 4), full=full))]
    return lines


def _beside(left: list[str], right: list[str], *, between: str, half: int) -> list[str]:
    rows = zip_longest(left, right, fillvalue="")
    return [f"{pad(one, half)}{between}{other}".rstrip() for one, other in rows]
