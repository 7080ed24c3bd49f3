"""What the run can see and will cost, told as soon as its baseline is measured; and the check that it can pay."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log10

from sigmaloop.errors import BadInput, BudgetSpent
from sigmaloop.gate.bank import Bank
from sigmaloop.gate.rules import rules_of
from sigmaloop.gate.worlds.power import (
    Budgeted,
    costs_of,
    first_estimate,
    headlines,
    least_rollouts,
    noise_at_hand,
    plan,
    priced,
)
from sigmaloop.graph.events import Emit, Estimated, Planned
from sigmaloop.graph.judging import AttemptJudge
from sigmaloop.graph.rollouts import run_rollouts
from sigmaloop.graph.services import Services
from sigmaloop.graph.spending import limits
from sigmaloop.records import Rollout
from sigmaloop.report.summary import FORETOLD, FORETOLD_RUN

MARGIN = 1.25
"""For what the specialists cost, and rollouts dearer than the first: part of the limit that is suggested."""
WORLDS = 6
"""Synthetic runs behind the plan's lines: enough for a first idea in a few seconds; `sigmaloop plan` has more."""


def check_budget(services: Services, emit: Emit, commit: str) -> None:
    """Tell what the run will cost, about; raises BadInput when its limits cannot pay for one attempt.

    What a rollout costs is measured on the first few of the baseline, which the run needs anyway.
    """
    most = limits(services.settings, services.journal)
    least = least_rollouts(rules_of(services.settings), _budgeted(services))
    probe = _baseline_pairs(services, emit)[: services.settings.wave]
    try:
        run_rollouts(services, emit, services.versions.source(commit), probe, stage="incumbent")
    except BudgetSpent as spent:
        raise BadInput(
            f"{spent}; but baseline, one attempt, canaries and certification are {least:,} rollouts"
        ) from None
    measured = _measured(services, emit, commit)
    if not measured:
        return  # an outage: the run will pause for it
    each = costs_of(measured, concurrency=services.settings.concurrency, priced=True)
    told = each if priced(services.settings) else each.model_copy(update={"money": None})
    line = first_estimate(rules_of(services.settings), _budgeted(services), told)
    emit(Estimated(text=f"{line} (by {len(measured)} rollouts)"))
    _check(services, "--max-run-tokens", most.max_run_tokens, least, each.tokens)
    _check(services, "--max-money", most.max_money, least, each.money)


def _check(services: Services, flag: str, limit: float | None, least: int, cost: float | None) -> None:
    if limit is None or cost is None or least * cost <= limit:
        return
    home = "" if str(services.settings.home) == ".sigmaloop" else f" --home {services.settings.home}"
    each = f"{cost:,.0f}" if cost >= 100 else f"{cost:.3g}"
    raise BadInput(
        f"{flag} {limit:,} cannot finish one attempt: baseline, one attempt, canaries and certification are {least:,} "
        f"rollouts of about {each}, and the specialists cost something, too. Go on with `sigmaloop resume "
        f"{services.run_id[:8]}{home} {flag} {_generous(MARGIN * least * cost)}` or more; small splits, few "
        f"--certify-trials need less"
    )


def _generous(amount: float) -> str:
    """Rounded up to two significant digits."""
    step = 10.0 ** (floor(log10(amount)) - 1)
    return f"{ceil(amount / step) * step:.12g}"


def tell_plan(services: Services, emit: Emit, commit: str) -> None:
    """Emit the three lines of the plan that matter most, from the baseline's own rollouts."""
    measured = _measured(services, emit, commit)
    try:
        noise = noise_at_hand(measured)
    except BadInput as problem:
        emit(Planned(lines=(f"nothing can be foretold: {problem}",)))
        return
    settings = services.settings
    costs = costs_of(measured, concurrency=settings.concurrency, priced=priced(settings))
    found = plan(rules_of(services.settings), noise, _budgeted(services), costs, worlds=WORLDS)
    services.journal.save(FORETOLD, FORETOLD_RUN, found.foretold)
    assumed = [] if noise.measured else [f"assumed: the usual correlation within a task, {noise.correlation:.2f}"]
    emit(Planned(lines=(*headlines(found), *assumed)))


def _budgeted(services: Services) -> Budgeted:
    benchmark = services.benchmark
    sizes = {"validation": len(benchmark.tasks("validation")), "test": len(benchmark.tasks("test"))}
    return Budgeted.of(services.settings, **sizes)


def _baseline_pairs(services: Services, emit: Emit) -> Sequence[tuple[str, int]]:
    """The rollouts that fill the baseline's bank."""
    judge = AttemptJudge(services, emit)
    return judge.policy.missing(Bank(), judge.validation_tasks)


def _measured(services: Services, emit: Emit, commit: str) -> Sequence[Rollout]:
    """The baseline's valid rollouts that fill the bank, and no others: a run that was forked has more of that agent."""
    wanted = {*_baseline_pairs(services, emit)}
    found = services.journal.rollouts(agent=services.identity(services.versions.source(commit)))
    return [r for r in found if r.valid and (r.task_id, r.key.trial) in wanted]
