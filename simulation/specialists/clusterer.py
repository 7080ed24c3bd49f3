"""The simulated clusterer: files a batch's causes, right about five times in six, and diagnoses each cluster."""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

from sigmaloop.simulation.messages import JsonObject, Message
from sigmaloop.simulation.specialists.phrasings import PHRASINGS
from sigmaloop.simulation.specialists.recognition import recognise, similarity
from sigmaloop.simulation.specialists.request import Request, field

SPLIT, MERGE = 0.15, 0.02
"""Shares of decisions that are wrong: a cause filed as a new one, a cause filed with a neighbour."""
_ALIKE = 0.45
"""Word overlap from which two texts of no known kind count as one cause."""


class Shown(NamedTuple):
    """A cluster, or a new cause: its name and what is said of it."""

    id: str
    text: str
    of: str = ""
    """Of a cause: the cluster that it belongs to already, by its words."""


def answer(request: Request) -> Message:
    """A place for every cause that is asked about, and a diagnosis of every cluster that gets one."""
    causes, clusters = _shown(request.section("causes"), "N"), _shown(request.section("clusters"), "C")
    places: dict[str, str] = {cause.id: cause.of for cause in causes if cause.of}
    earlier: list[Shown] = []
    said = []
    for cause in causes:
        if cause.of:
            continue
        goes = _place(request, cause, [*clusters, *earlier])
        places[cause.id] = goes.id if goes else cause.id
        title = "" if goes else field(f"mechanism: {cause.text}", "mechanism").split(" | ")[0]
        said.append({"cause": cause.id, "cluster": goes.id if goes else "new", "title": title})
        if goes is None:
            earlier.append(cause)
    return request.answer({"places": said, "diagnoses": _diagnoses(request, causes, clusters, places)})


def _place(request: Request, cause: Shown, known: list[Shown]) -> Shown | None:
    ranked = sorted(known, key=lambda shown: -similarity(cause.text, shown.text))
    right = _same(cause.text, ranked)
    slip = request.draw("slip", cause.id)
    if slip < SPLIT and right is not None:
        return None
    if SPLIT <= slip < SPLIT + MERGE:
        return next((shown for shown in ranked if shown != right), right)
    return right


def _same(essence: str, ranked: list[Shown]) -> Shown | None:
    """The most similar one that is about the same habit; among unknown ones, one in nearly the same words."""
    habit = recognise(essence)
    for shown in ranked:
        if habit is None and similarity(essence, shown.text) >= _ALIKE:
            return shown
        if habit is not None and recognise(shown.text) == habit:
            return shown
    return None


def _diagnoses(
    request: Request, causes: list[Shown], clusters: list[Shown], places: dict[str, str]
) -> list[JsonObject]:
    """What most of a cluster's texts are about; of a mixture, what one of them happens to be about."""
    told = []
    texts = {shown.id: shown.text for shown in clusters}
    for home in dict.fromkeys(places.values()):
        inside = [cause.text for cause in causes if places[cause.id] == home]
        habits = [h for h in map(recognise, [*inside, *([texts[home]] if home in texts else [])]) if h]
        if habits:
            habit, count = Counter(habits).most_common(1)[0]
            habit = habit if 2 * count > len(habits) else request.pick(habits, "mixture", home)
            said = PHRASINGS[habit]
            told.append(
                {
                    "cluster": home,
                    "common_cause": request.pick(said.causes, "common", home),
                    "where": "before the change is made",
                    "missing_instruction": request.pick(said.remedies, "missing", home),
                    "counter_examples": "",
                }
            )
    return told


def _shown(text: str, letter: str) -> list[Shown]:
    found = []
    for block in re.split(rf"\n(?=- {letter}\d)", text):
        head = re.match(rf"- ({letter}\d+)[^\n]*", block)
        if head:
            names = ("mechanism", "mechanisms", "root cause", "should have")
            parts = [part for part in (field(block, name) for name in names) if part]
            of = re.search(r"belongs to (C\d+)", head.group())
            found.append(Shown(head.group(1), " | ".join(parts), of.group(1) if of else ""))
    return found
