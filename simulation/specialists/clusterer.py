"""The simulated clusterer: right about five times in six, by what two failures have in common."""

from __future__ import annotations

import re
from typing import NamedTuple

from sigmaloop.simulation.messages import Message
from sigmaloop.simulation.specialists.recognition import recognise, similarity
from sigmaloop.simulation.specialists.request import Request, field

SPLIT, MERGE = 0.15, 0.02
"""Shares of decisions that are wrong: a cause filed as a new one, a failure filed with a neighbour."""
_ALIKE = 0.45
"""Word overlap from which two texts of no known kind count as one cause."""


class Shown(NamedTuple):
    id: str
    text: str


def answer(request: Request) -> Message:
    """An existing cluster's id or "new", with a title and a reason."""
    failure = request.section("failure")
    clusters = _clusters(request.section("clusters"))
    essence = _essence(failure)
    ranked = sorted(clusters, key=lambda c: -similarity(essence, c.text))
    right = _same(essence, ranked)
    slip = request.draw("slip")
    if slip < SPLIT and right is not None:
        right = None
    elif SPLIT <= slip < SPLIT + MERGE:
        right = next((c for c in ranked if c != right), right)
    if right is None:
        title = field(failure, "mechanism")
        return request.answer({"cluster_id": "new", "title": title, "reason": "No listed cause fits."})
    return request.answer({"cluster_id": right.id, "title": "", "reason": "The same change would fix both."})


def _same(essence: str, ranked: list[Shown]) -> Shown | None:
    """The most similar cluster that is about the same habit; among unknown ones, one in nearly the same words."""
    habit = recognise(essence)
    for cluster in ranked:
        if habit is None and similarity(essence, cluster.text) >= _ALIKE:
            return cluster
        if habit is not None and recognise(cluster.text) == habit:
            return cluster
    return None


def _clusters(text: str) -> list[Shown]:
    clusters = []
    for block in re.split(r"\n(?=- C\d)", text):
        head = re.match(r"- (C\d+)[^:]*: *(.*)", block)
        if head:
            parts = [head.group(2), *(field(block, name) for name in ("mechanisms", "root cause", "should have"))]
            clusters.append(Shown(head.group(1), " ".join(parts)))
    return clusters


def _essence(failure: str) -> str:
    return " ".join(field(failure, name) for name in ("mechanism", "root cause", "should have"))
