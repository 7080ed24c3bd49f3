"""Which of a customer's matters a sentence is about: what names the thing wins, then its own name, then the topic."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from sigmaloop.eval.benchmarks.helpdesk.plain_text import compiled, numbers
from sigmaloop.eval.benchmarks.helpdesk.requests import Case

_AND = re.compile(r"\b(?:and|or|both|each|respectively|as well as|plus)\b")
_TURN = re.compile(
    r"\b(?:done|now|next|finished|completed?|processed|started|settled|set up|sorted|taken care|refunded|"
    r"moving on|then|"
    r"turn(?:ing)? to|before|after|instead|while|regarding|as for|is|are|was|were|has|have)\b|[.:;!?]"
)
"""What stands between two matters of which the first is only mentioned."""
_ALLOWED = re.compile(r"\byou (?:can|may|could|might|are (?:free|welcome) to)\b[^?]*$")
"""What the customer could do instead: no matter that the agent turns to."""
_OTHER = re.compile(r"\b(?:other|second|next|remaining) (?:matter|request|thing|issue|topic|point|question)\b")


def matters_in(
    sentence: str,
    cases: Sequence[Case],
    *,
    bare: str | None = None,
    settled: Collection[int] = (),
    current: Sequence[int] = (),
) -> tuple[int, ...]:
    """The matters that a sentence (lower case) is about, by their place in `cases`; empty: it names none.

    A sentence that names the thing of a matter, or its sum of money, is about that one; else one that calls it by its
    name; else the last topic that it names wins, and of topics that two share the matter that is not settled, then the
    `current` one. It is about two where it joins them: "for the return and the cancellation".

    `bare`: the sentence without the words that only ask for a fact; topics are looked for in it.
    """
    sentence = _ALLOWED.sub("", sentence)
    rest = [i for i in range(len(cases)) if i not in settled]
    if _OTHER.search(sentence) and rest:
        return tuple(i for i in rest if i not in current)[:1] or tuple(rest[:1])
    pointed = pointed_at(sentence, cases, current=current)
    if pointed:
        return pointed
    names = [_last_called(sentence, case) for case in cases]
    names = [_unless_longer(i, names, cases) for i in range(len(cases))]
    bare = sentence if bare is None else _ALLOWED.sub("", bare)
    topics = [max((match.start() for match in compiled(case.topic).finditer(bare)), default=-1) for case in cases]
    every = range(len(cases))
    told = [] if any(i in rest for i in current) else every  # a word in passing leads away from no open matter
    steps = ((names, rest, sentence), (topics, rest, bare), (names, every, sentence), (topics, told, bare))
    for places, among, text in steps:
        if any(places[i] >= 0 for i in among):
            return _last(text, [place if i in among else -1 for i, place in enumerate(places)], current)
    return ()


def pointed_at(sentence: str, cases: Sequence[Case], *, current: Sequence[int] = ()) -> tuple[int, ...]:
    """The matters whose thing a sentence names, or whose amount of money."""
    things = [max((thing.last_named(sentence) for thing in case.things), default=-1) for case in cases]
    if max(things) >= 0:
        return _last(sentence, things, current)
    sums = set(numbers(sentence))
    wanted = [{float(need.values[0]) for need in case.said if need.kind == "amount"} for case in cases]
    named = tuple(i for i, each in enumerate(wanted) if each & sums)
    return named if len(named) == 1 else ()


def _last_called(sentence: str, case: Case) -> int:
    called = rf"\b(?:the|your|this|my) {re.escape(case.called.split(' ', 1)[-1])}\b"
    return max((match.start() for match in compiled(called).finditer(sentence)), default=-1) if case.called else -1


def _unless_longer(i: int, names: Sequence[int], cases: Sequence[Case]) -> int:
    """Where a matter is called by its name; -1 where the words are the beginning of another one's name."""
    longer = any(names[j] == names[i] and len(cases[j].called) > len(cases[i].called) for j in range(len(cases)))
    return -1 if longer else names[i]


def _last(sentence: str, places: Sequence[int], current: Sequence[int]) -> tuple[int, ...]:
    """The last-named matter, or two that are joined."""
    named = sorted((place, i) for i, place in enumerate(places) if place >= 0)
    if len(named) > 1 and named[0][0] == named[-1][0]:
        return tuple(current) if any(i in current for _, i in named) else tuple(i for _, i in named)
    if len(named) > 1:
        between = sentence[named[-2][0] : named[-1][0]]
        if not _AND.search(between) or _TURN.search(between):
            named = named[-1:]
    return tuple(i for _, i in named)
