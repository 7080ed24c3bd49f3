"""Drafts as one agent: merged on what they were written on, or on what was kept since; and the agent without some."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from sigmaloop.graph.search_facts import Layer
from sigmaloop.tools.changes.merge import Merged, Part, merge

INCUMBENT = "incumbent"
"""Id of what was kept since the drafts were written: it is never left out."""


def merged(base: str, drafts: Sequence[tuple[str, str]], *, now: str = "") -> Merged:
    """Drafts as (id, text), the strongest first, merged on `base`; `now`: the kept agent, where it is another."""
    parts = [Part(name, source) for name, source in drafts]
    if now and now != base:
        parts = [Part(INCUMBENT, now), *parts]
    return merge(base, parts)


def conflicts_of(made: Merged) -> dict[str, str]:
    """Why a draft was left out, by its id."""
    return {conflict.part: conflict.message for conflict in made.conflicts}


def without(
    layers: Sequence[Layer], keep: Collection[str], *, text_of: Callable[[str], str], source_of: Callable[[str], str]
) -> str:
    """The agent again from its layers, with only the parts in `keep`. `text_of`: by commit, `source_of`: by draft."""
    now = text_of(layers[0].base)
    for layer in layers:
        drafts = [(name, source_of(name)) for name in layer.drafts if name in keep]
        if drafts:
            now = merged(text_of(layer.base), drafts, now=now).source
    return now
