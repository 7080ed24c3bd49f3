"""Several metrics: one is the objective, the others may not get much worse, task by task and over the whole run.

Cost, latency and size are ratios. L = mean over tasks of ln(candidate / incumbent); the constraint holds when
L + 1.28 SE <= ln(1 + m). All must hold; nothing is corrected for their number, for each alone must hold. Margins
compound over keeps, so one more, against the baseline, is for the whole run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import fsum, log, sqrt
from typing import Literal

from pydantic import Field

from sigmaloop.errors import BadInput
from sigmaloop.gate.statistics import Estimate
from sigmaloop.records import Record

ONE_SIDED = 1.28
"""90 %."""
POWER = 0.84
"""With this added, an agent that is no worse passes 8 times in 10."""
Metric = Literal["cost", "latency", "size", "style"]


class Margin(Record):
    """How much worse a metric may get, as a share: .15 is 15 %."""

    metric: Metric
    change: float = Field(default=0.15, gt=0)
    """By one change, against the incumbent."""
    run: float = Field(default=0.5, gt=0)
    """By the whole run, against the baseline."""


class Held(Record):
    """Whether a constraint holds, and the numbers that say so."""

    metric: Metric
    against: Literal["incumbent", "baseline"]
    log_ratio: float
    error: float
    bound: float
    """ln(1 + margin)."""
    tasks: int

    @property
    def passed(self) -> bool:
        return self.log_ratio + ONE_SIDED * self.error <= self.bound

    @property
    def message(self) -> str:
        word = "within" if self.passed else "beyond"
        return (
            f"{self.metric} {100 * (2.718281828459045**self.log_ratio - 1):+.1f} % against the {self.against} over "
            f"{self.tasks} tasks, {word} the margin of {100 * (2.718281828459045**self.bound - 1):.0f} %"
        )


def log_ratio(candidate: Mapping[str, Sequence[float]], incumbent: Mapping[str, Sequence[float]]) -> Estimate:
    """L with its standard error over the tasks that both were measured on; trials of a task are averaged first.

    Raises BadInput for an amount that is not above 0: a ratio has none.
    """
    found = []
    for task in sorted(candidate.keys() & incumbent.keys()):
        one, other = fsum(candidate[task]) / len(candidate[task]), fsum(incumbent[task]) / len(incumbent[task])
        if one <= 0 or other <= 0:
            raise BadInput(f"task {task}: a metric of {min(one, other):g} has no ratio; count from 1, or leave it out")
        found.append(log(one / other))
    if len(found) < 2:
        raise BadInput("fewer than two tasks were measured for both agents; run both on the same tasks")
    n, mean = len(found), fsum(found) / len(found)
    return Estimate(mean=mean, standard_error=sqrt(fsum((x - mean) ** 2 for x in found) / (n * (n - 1))), tasks=n)


def check(
    margin: Margin,
    candidate: Mapping[str, Sequence[float]],
    incumbent: Mapping[str, Sequence[float]],
    baseline: Mapping[str, Sequence[float]],
) -> tuple[Held, Held]:
    """The constraint of one change, and that of the whole run."""

    def held(against: Literal["incumbent", "baseline"], share: float) -> Held:
        table = incumbent if against == "incumbent" else baseline
        found = log_ratio(candidate, table)
        return Held(
            metric=margin.metric,
            against=against,
            log_ratio=found.mean,
            error=found.standard_error,
            bound=log(1 + share),
            tasks=found.tasks,
        )

    return held("incumbent", margin.change), held("baseline", margin.run)


def check_resolvable(margin: Margin, *, deviation: float, tasks: int) -> None:
    """Refuse a margin that so many tasks cannot tell from none. `deviation`: of a task's log ratio, no change made.

    Raises BadInput that names the smallest margin, and how many tasks this one needs.
    """
    error = deviation / sqrt(tasks)
    needed = (ONE_SIDED + POWER) * error
    if log(1 + margin.change) < needed:
        enough = (deviation * (ONE_SIDED + POWER) / log(1 + margin.change)) ** 2
        raise BadInput(
            f"a margin of {margin.change:g} on {margin.metric} cannot be seen with {tasks} tasks: an agent that is no "
            f"worse would often fail it; allow {2.718281828459045**needed - 1:.2f}, or measure {int(enough) + 1} tasks"
        )


def check_success_margin(margin: float, *, variance: float, tasks: int, trials: int) -> None:
    """The same for `--objective cost --within success=M`. `variance`: E[p (1 - p)] of the benchmark.

    Raises BadInput for a margin below 2.49 sqrt(2 variance / (tasks trials)): 95 % against harm, power .8.
    """
    least = 2.49 * sqrt(2 * variance / (tasks * trials))
    if margin < least:
        enough = int((2.49 / margin) ** 2 * 2 * variance / tasks) + 1 if margin > 0 else 0
        wanted = f", or give {enough} trials a task" if enough else ""
        raise BadInput(
            f"success within {margin:g} cannot be seen with {tasks} tasks x {trials} trials; allow {least:.3f}{wanted}"
        )


def success_not_inferior(difference: Estimate, margin: float) -> bool:
    """Accept iff (D + margin) / SE > 1.28: whoever could be worse than the margin must show that it is not."""
    return difference.mean + margin > ONE_SIDED * difference.standard_error
