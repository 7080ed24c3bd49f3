"""A unified diff as HTML: added and removed lines marked by sign and colour, at most so many lines."""

from __future__ import annotations

from sigmaloop.report.markup import Markup, el, join, shown, text

MOST_LINES = 120
LONGEST_LINE = 300
"""Characters of a line; what is longer is cut, and says so."""


def diff_block(diff: str, *, most: int = MOST_LINES) -> Markup:
    """The lines without the file's header; empty for an empty diff."""
    lines = [line for line in diff.split("\n") if not line.startswith(("--- ", "+++ "))]
    while lines and not lines[-1]:
        lines.pop()
    if not lines:
        return Markup("")
    left = len(lines) - most
    rows = [_line(line) for line in lines[:most]]
    if left > 0:
        rows.append(el("span", f"⋯ {left:,} more lines: see the whole with sigmaloop diff"))
    return el("pre", join(rows), class_="diff", tabindex=0, role="group", aria_label="change to the agent file")


def _line(line: str) -> Markup:
    sign, rest = line[:1], line[1:]
    if len(rest) > LONGEST_LINE:
        rest = f"{rest[:LONGEST_LINE]}⋯ {len(rest) - LONGEST_LINE:,} more characters"
    body = shown(rest.rstrip("\r"))
    if sign == "+":
        return el("ins", text("+ "), body)
    if sign == "-":
        return el("del", text("− "), body)
    if sign == "@":
        return el("span", "⋯")
    return el("span", text("  "), body)
