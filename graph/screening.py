"""Screening as the graph does it: merged drafts on training tasks, charged and stored like every other rollout."""

from __future__ import annotations

from collections.abc import Sequence

from sigmaloop.graph.drafting import source_of
from sigmaloop.graph.events import Emit, GroupScreened, PartsMeasured
from sigmaloop.graph.judging import PROMOTION_COVERAGE
from sigmaloop.graph.merging import merged, without
from sigmaloop.graph.rollouts import run_covered
from sigmaloop.graph.search_facts import GroupsScreened, PartsTested
from sigmaloop.graph.searching import Search
from sigmaloop.graph.services import Services
from sigmaloop.records import Rollout, agent_hash
from sigmaloop.search import part_tests
from sigmaloop.search.strategy import Ask, RunGroups
from sigmaloop.search.words import Group, KeptPart, ProbeParts


def measure_groups(services: Services, emit: Emit, search: Search, incumbent: str) -> None:
    """Run what the strategy's screening asks for and write down how each group came out. `incumbent`: commit."""
    stage = search.strategy.screen(search.field)
    own = services.versions.source(incumbent)
    sources = {"": own, **{group.id: merged_source(services, search, group, incumbent) for group in stage.groups}}
    seen: list[tuple[Ask, Rollout]] = []
    while isinstance(step := stage.step(seen), RunGroups):
        for name in sorted({ask.group for ask in step.asks}):
            asks = [ask for ask in step.asks if ask.group == name]
            found = _run(services, emit, search, sources[name], [(ask.task, ask.trial) for ask in asks], "screening")
            seen += zip(asks, found, strict=True)
    search.write(
        GroupsScreened(
            batch=search.batch,
            screenings=step,
            incumbent=agent_hash(own),
            banked=tuple((ask.task, ask.trial) for ask, _ in seen if not ask.group),
            rollouts=len(seen),
        )
    )
    for screening in step:
        emit(
            GroupScreened(
                id=screening.group.id,
                drafts=len(screening.group.drafts),
                passed=screening.passed,
                fell_at=screening.fell_at,
                z=screening.z,
            )
        )


def merged_source(services: Services, search: Search, group: Group, incumbent: str) -> str:
    """The kept agent with a group's drafts; those that a merge must leave out are not in it."""
    text_of = services.versions.source
    drafts = [(name, source_of(services, name)) for name in group.drafts]
    return merged(text_of(search.base), drafts, now=text_of(incumbent)).source


def measure_parts(services: Services, emit: Emit, search: Search, pick: ProbeParts) -> None:
    """Measure what kept parts do, in balanced halves, and write it down."""
    field = search.field
    tasks = [task.id for task in field.training]
    fixed = {part.draft for part in field.parts} - set(pick.parts)
    outcomes: list[part_tests.Outcome] = []
    paid = 0
    seed = (field.seed, field.round, len(field.parts))
    for half in part_tests.design(pick.parts, tasks, pick.rollouts, seed=seed):
        source = agent_of_parts(services, search, fixed | set(half.parts))
        found = _run(services, emit, search, source, half.pairs, "part test")
        paid += len(found)
        outcomes += [
            part_tests.Outcome(task=r.task_id, parts=half.parts, reward=r.reward or 0.0) for r in found if r.valid
        ]
    known: dict[str, KeptPart] = {part.draft: part for part in field.parts}
    fresh = part_tests.effects(pick.parts, outcomes)
    better = {name: part_tests.combined(known[name], effect) for name, effect in fresh.items()}
    search.write(PartsTested(batch=search.batch, effects=better, rollouts=paid))
    emit(PartsMeasured(parts=len(pick.parts), rollouts=paid, harmful=sum(e < -1.3 * s for e, s in better.values())))


def agent_of_parts(services: Services, search: Search, parts: set[str]) -> str:
    """The agent again with only these of its kept parts."""
    return without(
        search.layers, parts, text_of=services.versions.source, source_of=lambda name: source_of(services, name)
    )


def _run(
    services: Services, emit: Emit, search: Search, source: str, pairs: Sequence[tuple[str, int]], stage: str
) -> list[Rollout]:
    return run_covered(
        services,
        emit,
        source,
        pairs,
        stage=stage,
        batch=search.batch,
        coverage=PROMOTION_COVERAGE,
        spare=True,
    )
