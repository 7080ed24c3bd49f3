"""What a run did to each request type, from the certificate's own rollouts: no loss hides behind another's gain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sigmaloop.gate.certificate import certificate
from sigmaloop.records import Rollout, Split, TypeResult

FEWEST = 2
"""Tasks of a type below which nothing is said of it."""


def results_by_type(
    baseline: Sequence[Rollout], final: Sequence[Rollout], types: Mapping[str, str], *, split: Split
) -> tuple[TypeResult, ...]:
    """The difference of two agents on each request type, by name; `types`: request type by task id.

    Errors are the certificate's: never below the luck of the trials alone.
    """
    found = []
    for kind in sorted(set(types.values())):
        tasks = {task for task, name in types.items() if name == kind}
        before, after = ([r for r in rollouts if r.task_id in tasks and r.valid] for rollouts in (baseline, final))
        common = {r.task_id for r in before} & {r.task_id for r in after}
        if len(common) < FEWEST:
            continue
        one = certificate(before, after, split=split, simulated=False)
        found.append(
            TypeResult(
                request_type=kind,
                tasks=one.tasks,
                baseline=one.baseline,
                final=one.final,
                difference=one.difference,
                standard_error=one.standard_error,
            )
        )
    return tuple(found)
