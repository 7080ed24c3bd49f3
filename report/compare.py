"""Two agents on the same tasks: the paired difference with its interval, and whose tasks flipped."""

from __future__ import annotations

from collections.abc import Mapping

from sigmaloop.errors import BadInput
from sigmaloop.gate.statistics import paired_difference
from sigmaloop.records import FEWEST_TASKS, Record, TaskScores, student_t
from sigmaloop.report.flips import flips
from sigmaloop.report.record import Flips
from sigmaloop.report.words import percent, plural, points


class Comparison(Record):
    """What the second scores against the first; shares and differences in [-1, 1]."""

    first: str
    second: str
    where: str
    tasks: int
    before: float
    after: float
    difference: float
    low: float | None
    """Of its 95 % interval (Student's t over tasks); None for too few tasks."""
    high: float | None
    flips: Flips

    @property
    def sentence(self) -> str:
        said = f"{percent(self.before)} against {percent(self.after)} of {plural(self.tasks, 'task')}"
        if self.low is None or self.high is None:
            return f"{said}: {points(self.difference)} points, too few tasks for an interval."
        certain = "" if self.low > 0 or self.high < 0 else " Chance alone could explain that."
        between = f"with 95% confidence between {points(self.low)} and {points(self.high)}"
        return f"{said}: {points(self.difference)} points, {between}.{certain}"


def compared(
    first: str,
    second: str,
    before: Mapping[str, float],
    after: Mapping[str, float],
    *,
    where: str,
    request_types: Mapping[str, str],
) -> Comparison:
    """Mean rewards by task of two agents, on the tasks that both have. Raises BadInput when they share none."""
    common = sorted(before.keys() & after.keys())
    if not common:
        raise BadInput(f"{first} and {second} were measured on no task in common; compare runs of one benchmark")
    found = paired_difference(before, after)
    half = student_t(found.tasks - 1) * found.standard_error if found.tasks >= FEWEST_TASKS else None
    scores = [
        TaskScores(task_id=task, request_type=request_types.get(task, ""), baseline=before[task], final=after[task])
        for task in common
    ]
    return Comparison(
        first=first,
        second=second,
        where=where,
        tasks=found.tasks,
        before=sum(before[task] for task in common) / len(common),
        after=sum(after[task] for task in common) / len(common),
        difference=found.mean,
        low=None if half is None else found.mean - half,
        high=None if half is None else found.mean + half,
        flips=flips(scores, where=where),
    )
