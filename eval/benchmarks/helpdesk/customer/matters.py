"""Which of a customer's matters a sentence is about: what names the thing wins, else what names the topic."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sigmaloop.eval.benchmarks.helpdesk.requests import Case

_AND = re.compile(r"\b(?:and|or|both|each|respectively|as well as|plus)\b")
_TURN = re.compile(
    r"\b(?:done|now|next|finished|completed?|processed|started|settled|set up|sorted|taken care|refunded|moving on|then|"
    r"turn(?:ing)? to|before|after|instead|while|regarding|as for|is|are|was|were|has|have)\b|[.:;!?]"
)
"""What stands between two matters of which the first is only mentioned."""


def matters_in(sentence: str, cases: Sequence[Case]) -> tuple[int, ...]:
    """The matters that a sentence (lower case) is about, by their place in `cases`; empty: it names none.

    A sentence that names the thing of a matter is about that one; else the last topic that it names wins. It is about
    two where it joins them: "for the return and the cancellation".
    """
    things = [max((thing.last_named(sentence) for thing in case.things), default=-1) for case in cases]
    topics = [max((match.start() for match in re.finditer(case.topic, sentence)), default=-1) for case in cases]
    places = things if max(things) >= 0 else topics
    named = sorted((place, i) for i, place in enumerate(places) if place >= 0)
    if len(named) > 1 and named[0][0] == named[-1][0]:
        return tuple(i for _, i in named)
    if len(named) > 1:
        between = sentence[named[-2][0] : named[-1][0]]
        if not _AND.search(between) or _TURN.search(between):
            named = named[-1:]
    return tuple(i for _, i in named)
