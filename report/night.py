"""How the run went: one axis of attempts, with the running score, the suite and the known changes along it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sigmaloop.report.known_changes import KnownChange
from sigmaloop.report.material import Material
from sigmaloop.report.record import Attempt, Night, Score
from sigmaloop.report.words import plural, word


def night_of(material: Material, attempts: Sequence[Attempt], known: Sequence[KnownChange]) -> Night:
    """Everything along the attempts."""
    kept = sum(attempt.group == "kept" for attempt in attempts)
    first: dict[int, int] = {}
    for attempt in attempts:
        first.setdefault(attempt.batch, attempt.number)
    return Night(
        title=f"{plural(len(attempts), 'attempt')} in {plural(material.batch, 'batch', 'batches')}, {word(kept)} kept",
        attempts=len(attempts),
        batches=tuple(first.items()),
        scores=_scores(material, attempts),
        suite=_suite(material, attempts),
        known=_known(attempts, known),
    )


def _scores(material: Material, attempts: Sequence[Attempt]) -> tuple[Score, ...]:
    """The estimate of the agent that was current then: before the first attempt, and after each that was decided."""
    found: list[Score] = []
    for attempt in attempts:
        ruling = material.ruling.get(attempt.id)
        if ruling is None:
            continue
        for number, estimate in ((attempt.number - 1, ruling.before), (attempt.number, ruling.after)):
            if estimate and (number == attempt.number or not found):
                low, high = estimate.interval
                found.append(Score(number=number, mean=estimate.mean, low=max(0.0, low), high=min(1.0, high)))
    return tuple(found)


def _suite(material: Material, attempts: Sequence[Attempt]) -> tuple[tuple[int, int], ...]:
    """Size after every attempt that made it larger, each task counted once."""
    members = {case.task_id for case in material.suite}
    joined = Counter(case.promoted_by for case in material.suite)
    sizes, size = [], 0
    for attempt in attempts:
        more = joined.pop(attempt.id, 0)
        if more:
            size += more
            sizes.append((attempt.number, min(size, len(members))))
    return tuple(sizes)


def _known(attempts: Sequence[Attempt], known: Sequence[KnownChange]) -> tuple[tuple[float, str], ...]:
    """Each known change in the middle of its batch's attempts: it has no place of its own among them."""
    by_batch: dict[int, list[int]] = {}
    for attempt in attempts:
        by_batch.setdefault(attempt.batch, []).append(attempt.number)
    places = []
    waiting = Counter(change.batch for change in known)
    seen: Counter[int] = Counter()
    for change in known:
        numbers = by_batch.get(change.batch)
        if not numbers:
            continue
        seen[change.batch] += 1
        share = seen[change.batch] / (waiting[change.batch] + 1)
        places.append((numbers[0] - 0.5 + share * len(numbers), change.id))
    return tuple(places)
