"""learnings.md: what the attempts taught, by cluster, for people. A view of bounded size: rebuilt at will."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable

from sigmaloop.records import Learning

LONGEST = 600
"""Characters of one quoted text."""
MOST = 120
"""Lessons in the file; of more, those that served nobody and the oldest are left out."""

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|!~$&])")


def render_learnings(
    learnings: Iterable[Learning], *, survivor: Callable[[str], str] = str, simulated: bool = False
) -> str:
    """Markdown of all learnings: the cluster with the newest one first, and in it the newest first.

    `survivor` gives the id under which a merged cluster lives on. `simulated`: the simulated model wrote them.
    """
    groups: dict[str, list[Learning]] = {}
    every = list(learnings)
    shown = _worth_most(every)
    for learning in reversed(shown):
        groups.setdefault(survivor(learning.cluster_id), []).append(learning)
    lines = [
        "# Learnings",
        "",
        "What the attempts taught, newest first; the same said twice is told once. Rewritten after each attempt: what",
        "you want to say to the specialists goes into program.md.",
    ]
    if len(shown) < len(every):
        lines += ["", f"{len(every) - len(shown)} older ones that helped nobody are left out."]
    if simulated:
        lines += [
            "",
            "Written by the *simulated model*: it shows that the machine works, and teaches nothing about models.",
        ]
    if not groups:
        lines += ["", "Nothing yet: no attempt has ended."]
    for cluster_id, group in groups.items():
        kept = sum(learning.outcome == "kept" for learning in group)
        number = sum(learning.same for learning in group)
        count = f"{number} attempt{'s' if number > 1 else ''}, {kept} kept"
        lines += ["", f"## {cluster_id}: {quoted(group[0].cluster_title, 120)} ({count})"]
        for learning in group:
            lines += ["", *_entry(learning)]
    return "\n".join(lines) + "\n"


def quoted(text: str, longest: int = LONGEST) -> str:
    """A model's words as harmless Markdown: one line, no markup, no invisible characters, capped."""
    return _MARKUP.sub(r"\\\1", plain(text, longest))


def plain(text: str, longest: int = LONGEST) -> str:
    """A model's words as one capped line of visible characters."""
    # Every control, format, surrogate and private character: line ends, escapes, direction marks.
    visible = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text[: 4 * longest])
    line = " ".join(visible.split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def _entry(learning: Learning) -> list[str]:
    how = "kept" if learning.outcome == "kept" else f"rejected by {learning.gate or 'its form'}"
    return [
        f"### {learning.candidate_id}: {how} (batch {learning.batch}, attempt {learning.attempt})",
        "",
        f"- Situation: {quoted(learning.situation)}",
        f"- Tried: {quoted(learning.tried)}",
        f"- Observed: {quoted(learning.observed)}",
        f"- Follows: {quoted(learning.follows)}",
        *([f"- Told by {learning.same} attempts."] if learning.same > 1 else []),
        *([f"- Shown to {learning.used} later attempts, {learning.helped} of them kept."] if learning.used else []),
    ]


def _worth_most(learnings: list[Learning]) -> list[Learning]:
    """At most `MOST`, in their order: those that helped before those that did not, the newer before the older."""
    ranked = sorted(enumerate(learnings), key=lambda pair: (pair[1].helped, pair[0]), reverse=True)
    return [learning for _, learning in sorted(ranked[:MOST])]
