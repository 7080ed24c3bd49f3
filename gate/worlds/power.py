"""Before a run: what a policy can see with this benchmark and this noise, and what it will cost.

Power comes from the normal model of the looks (`keep_probability`); what a whole run keeps and costs comes from
walking the real policy through worlds with the measured noise. A policy is never weakened to fit a budget.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from functools import partial
from math import floor, sqrt
from typing import NamedTuple

import numpy as np
from pydantic import Field

from sigmaloop.errors import BadInput
from sigmaloop.gate.canaries import Canary, CopiesKept, canaries
from sigmaloop.gate.certificate import trials_for
from sigmaloop.gate.policies import make_policy
from sigmaloop.gate.rules import PRIOR_TRIALS, Bound, Rules
from sigmaloop.gate.statistics import Estimate, intraclass_correlation, task_means
from sigmaloop.gate.worlds.figures import Figures, simulate
from sigmaloop.gate.worlds.worlds import Terrain
from sigmaloop.records import PolicyName, Record, Rollout
from sigmaloop.settings import Settings

POWER_80, ALPHA_05 = 0.8416, 1.6449
"""Normal quantiles of a power of .8 and of a one-sided 5 % error."""


USUAL_MEAN, USUAL_CORRELATION = 0.56, 0.60
"""Medians over public leaderboards of agents, where nothing was measured, or nothing twice."""


class Noise(Record):
    """How a benchmark's tasks behave under the baseline."""

    mean: float = Field(gt=0, lt=1)
    correlation: float = Field(gt=0, lt=1)
    """Intraclass correlation of the trials of one task."""
    measured: bool = False
    """From rollouts; otherwise given by the user, or assumed."""

    @property
    def within(self) -> float:
        """E[p (1 - p)]: variance of one trial around its task's own chance."""
        return self.mean * (1 - self.mean) * (1 - self.correlation)


class Costs(Record):
    """What one rollout costs, and how many run at once. None: not known, which is not 0."""

    tokens: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    money: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    seconds: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    concurrency: int = Field(default=1, ge=1)


class Budgeted(Record):
    """What the run is made of, besides the policy."""

    validation: int = Field(ge=2)
    test: int = Field(ge=0)
    batches: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    attempts: int = Field(ge=1)
    certify_trials: int | None = Field(default=None, ge=1)
    """None: by the size of each split."""
    suite_cap: int = Field(ge=1)
    canaries: int = Field(default=0, ge=0)
    """Wished for; how many a run of so few attempts has says `planned_canaries`."""
    harmful_canaries: int = Field(default=0, ge=0)

    @classmethod
    def of(cls, settings: Settings, *, validation: int, test: int) -> Budgeted:
        """The run that these settings describe, on splits of these sizes."""
        named = ("batches", "batch_size", "certify_trials", "suite_cap", "canaries", "harmful_canaries")
        return cls(
            validation=validation,
            test=test,
            attempts=min(settings.max_attempts, settings.batches * settings.attempts),
            **{name: getattr(settings, name) for name in named},
        )

    @property
    def certification(self) -> int:
        """Rollouts of two agents on validation and test."""
        return sum(2 * size * trials_for(size, self.certify_trials) for size in (self.validation, self.test))

    @property
    def planned_canaries(self) -> tuple[Canary, ...]:
        """The canaries of the run."""
        return canaries(self.canaries, self.harmful_canaries, attempts=self.attempts)

    @property
    def traffic(self) -> int:
        return self.batches * self.batch_size


class Foretold(Record):
    """What a run keeps of its plan, to tell beside its own figures."""

    worlds: int
    optimism: Estimate
    """Points by which the running estimate of the gain is too high at the end of such a run."""
    copies_kept: CopiesKept


class PolicyPlan(Record):
    """What one policy sees and costs. Effects are points of score."""

    policy: PolicyName
    worlds: int
    """Synthetic runs behind each estimate."""
    detectable: float
    """Smallest true gain that a test with all looks' rollouts shows at alpha .05 with power .8."""
    kept_at_80: float
    """Smallest true gain that the policy's own looks keep with probability .8."""
    null_kept: float
    """Probability that the validation looks keep a change without any effect."""
    false_keeps: Estimate
    """Kept in a run in which no proposal changes anything."""
    ends_worse: Estimate
    """Probability that the run ends with a worse agent, for the usual mix of proposals."""
    optimism: Estimate
    """Points by which the running estimate of the gain is too high at the end of such a run."""
    copies_kept: CopiesKept
    gate_rollouts: Estimate
    canary_rollouts: float
    rollouts: float
    """With canaries, traffic and certification."""
    least_rollouts: int
    """The least budget that finishes one attempt: bank, batch, full gates, canaries, certification."""
    tokens: float | None
    """Of the target agent; None where it is not known what a rollout uses, and so are the next two."""
    money: float | None
    hours: float | None
    attempts_afforded: int | None
    """Within the budget, if one was given."""

    @property
    def foretold(self) -> Foretold:
        return Foretold(worlds=self.worlds, optimism=self.optimism, copies_kept=self.copies_kept)


def noise_of(rollouts: Sequence[Rollout]) -> Noise:
    """From at least two trials of each task. Raises BadInput when they say nothing of the noise."""
    means = task_means(rollouts)
    if len(means) < 2:
        raise BadInput(f"noise needs at least two tasks with a valid result, not {len(means)}; mend the endpoint")
    table: dict[str, list[bool]] = {}
    for rollout in rollouts:
        if rollout.valid:
            table.setdefault(rollout.task_id, []).append(rollout.passed)
    if all(len(trials) < 2 for trials in table.values()):
        raise BadInput("noise needs a second trial of the tasks: measure the baseline twice")
    mean = sum(means.values()) / len(means)
    if not 0 < mean < 1:
        word = "every" if mean else "no"
        raise BadInput(f"the baseline passes {word} trial of {len(means)} tasks: there is nothing to plan with")
    correlation = intraclass_correlation(table)
    return Noise(
        mean=min(0.98, max(0.02, mean)),
        correlation=min(0.98, max(0.02, correlation if correlation is not None else 0.98)),
        measured=True,
    )


def noise_at_hand(rollouts: Sequence[Rollout]) -> Noise:
    """`noise_of`, or with one trial a task the mean alone and the correlation that is usual. Raises BadInput."""
    try:
        return noise_of(rollouts)
    except BadInput:
        means = task_means(rollouts)
        mean = sum(means.values()) / max(1, len(means))
        if len(means) < 2 or not 0 < mean < 1 or max(_trials_of(rollouts)) > 1:
            raise
        return Noise(mean=min(0.98, max(0.02, mean)), correlation=USUAL_CORRELATION)


def costs_of(rollouts: Sequence[Rollout], *, concurrency: int, priced: bool) -> Costs:
    """Means over rollouts; nothing is known without one, nor money where no price is (`priced`)."""
    n = len(rollouts)
    if not n:
        return Costs(concurrency=concurrency)
    return Costs(
        tokens=sum(r.usage.tokens for r in rollouts) / n,
        money=sum(r.usage.cost for r in rollouts) / n if priced else None,
        seconds=sum(r.wall_seconds for r in rollouts) / n,
        concurrency=concurrency,
    )


def priced(settings: Settings) -> bool:
    """Whether it is known what the target agent's tokens cost."""
    return settings.price_input is not None and settings.price_output is not None


def plan(
    rules: Rules, noise: Noise, run: Budgeted, costs: Costs, *, worlds: int = 12, budget: int | None = None
) -> PolicyPlan:
    """The plan of one policy. Raises BadInput when the budget cannot finish one attempt."""
    n, policy = run.validation, make_policy(rules)
    least = least_rollouts(rules, run)
    if budget is not None and budget < least:
        raise BadInput(
            f"a budget of {budget} rollouts cannot finish one attempt of `{rules.policy}` with {n} validation tasks: "
            f"it needs {least}; raise the budget, or choose a smaller split or certification yourself"
        )
    terrain = terrain_of(noise, run)
    walked = simulate(terrain, policy, worlds=worlds)
    nothing = simulate(terrain.model_copy(update={"mix": (1.0, 0.0, 0.0), "churn": 0.0}), policy, worlds=worlds)
    looks = looks_of(rules, n)
    keep = partial(keep_probability, looks, n, noise.within)
    for_canaries = canary_rollouts(rules, noise, run, walked)
    fixed = run.traffic + run.certification + for_canaries
    total = walked.rollouts.mean + fixed
    afforded = None
    if budget is not None:
        afforded = floor(run.attempts * max(0.0, budget - fixed) / walked.rollouts.mean)
    return PolicyPlan(
        policy=rules.policy,
        worlds=worlds,
        detectable=100 * (ALPHA_05 + POWER_80) * sqrt(noise.within * _spread(looks.bounds[-1].rollouts, n, looks.bank)),
        kept_at_80=100 * _least_effect(keep, 0.8),
        null_kept=keep(0.0),
        optimism=walked.reported_minus_true,
        copies_kept=CopiesKept(straight=keep(0.0), whole=walked.no_op_kept.mean if walked.no_op_kept else keep(0.0)),
        canary_rollouts=for_canaries,
        false_keeps=nothing.kept,
        ends_worse=walked.ends_worse,
        gate_rollouts=walked.rollouts,
        rollouts=total,
        least_rollouts=least,
        tokens=_times(total, costs.tokens),
        money=_times(total, costs.money),
        hours=_times(total / costs.concurrency / 3600, costs.seconds),
        attempts_afforded=afforded if afforded is None else min(afforded, run.attempts),
    )


def plans(
    rules: Sequence[Rules], noise: Noise, run: Budgeted, costs: Costs, *, worlds: int, budget: int | None
) -> tuple[PolicyPlan, ...]:
    """Several policies side by side; one that the budget cannot pay for is left out.

    Raises BadInput when it can pay for none.
    """
    affordable: list[PolicyPlan] = []
    refused: list[BadInput] = []
    for each in rules:
        try:
            affordable.append(plan(each, noise, run, costs, worlds=worlds, budget=budget))
        except BadInput as problem:
            refused.append(problem)
    if not affordable:
        raise refused[0]
    return tuple(affordable)


def headlines(plan: PolicyPlan) -> tuple[str, str, str]:
    """The three lines of a plan that matter most."""
    return (
        f"policy {plan.policy}: keeps a true gain of {plan.kept_at_80:.1f} points in 4 of 5 cases",
        f"if no change helped at all, it would still keep {plan.false_keeps.mean:.1f} "
        f"+- {plan.false_keeps.standard_error:.1f}; of {plan.worlds} synthetic runs with the usual changes "
        f"{round(plan.ends_worse.mean * plan.worlds)} ended worse than they began",
        price_of(plan.rollouts, plan.tokens, plan.money, plan.hours),
    )


def first_estimate(rules: Rules, run: Budgeted, costs: Costs) -> str:
    """What the run costs, before its baseline is paid for: for a benchmark of the usual mean and noise."""
    usual = Noise(mean=USUAL_MEAN, correlation=USUAL_CORRELATION)
    walked = simulate(terrain_of(usual, run), make_policy(rules), worlds=2)
    total = walked.rollouts.mean + run.traffic + run.certification + canary_rollouts(rules, usual, run, walked)
    return f"a first estimate: {_priced(total, costs)}"


def _priced(rollouts: float, costs: Costs) -> str:
    hours = _times(rollouts / costs.concurrency / 3600, costs.seconds)
    return price_of(rollouts, _times(rollouts, costs.tokens), _times(rollouts, costs.money), hours)


def price_of(rollouts: float, tokens: float | None, money: float | None, hours: float | None) -> str:
    """What a run costs, for people; what is not known is called so."""
    used = "tokens unknown" if tokens is None else f"{tokens:,.0f} tokens"
    paid = "money unknown (no prices are set)" if money is None else f"{money:,.2f} in money"
    time = "" if hours is None else f", {hours:.1f} h"
    return f"about {rollouts:,.0f} rollouts{time}, {used}, {paid}; the specialists come on top"


def canary_rollouts(rules: Rules, noise: Noise, run: Budgeted, walked: Figures) -> float:
    """What the canaries of a run are expected to need.

    A copy needs as much as one in the synthetic worlds; one that is sent straight to the comparison as much as its
    looks; a harmful one is stopped by its cluster tasks or at the first look.
    """
    looks, aimed = looks_of(rules, run.validation), _cluster_rollouts(rules)
    straight = expected_rollouts(looks, run.validation, noise.within, 0.0)
    whole = walked.no_op_rollouts.mean if walked.no_op_rollouts else aimed + straight
    harmful = aimed + looks.bounds[0].rollouts
    return sum(
        harmful if canary.worth == "harmful" else straight if len(canary.stages) == 1 else whole
        for canary in run.planned_canaries
    )


def least_rollouts(rules: Rules, run: Budgeted) -> int:
    """Bank, a batch, the longest way through the gates for one attempt with an empty suite, canaries, certificates."""
    n = run.validation
    looks, aimed = looks_of(rules, n), _cluster_rollouts(rules)
    gates = looks.bounds[-1].rollouts + (looks.control.rollouts if looks.control else 0)
    canary_part = sum(
        aimed + looks.bounds[0].rollouts if canary.worth == "harmful" else (len(canary.stages) > 1) * aimed + gates
        for canary in run.planned_canaries
    )
    return n * looks.bank + run.batch_size + aimed + gates + canary_part + run.certification


def _cluster_rollouts(rules: Rules) -> int:
    """What an attempt needs for the tasks of its cluster."""
    return rules.cluster_tasks * rules.cluster_trials if rules.looks else 0


def _times(amount: float, each: float | None) -> float | None:
    return None if each is None else amount * each


def _trials_of(rollouts: Sequence[Rollout]) -> Collection[int]:
    return Counter(r.task_id for r in rollouts if r.valid).values()


def terrain_of(noise: Noise, run: Budgeted) -> Terrain:
    """Worlds with this noise and these sizes."""
    return Terrain(
        validation=run.validation,
        traffic=run.traffic,
        test=max(2, run.test),
        batches=run.batches,
        proposals=run.attempts,
        suite_cap=run.suite_cap,
        mean=noise.mean,
        correlation=noise.correlation,
    )


class Looks(NamedTuple):
    """When a candidate is compared, with how many trials a task of the incumbent, and with how many made beside it."""

    bounds: tuple[Bound, ...]
    bank: int
    control: Bound | None = None


def looks_of(rules: Rules, tasks: int) -> Looks:
    """The reference looks once, at one trial against one trial; it keeps a tie."""
    if not rules.looks:
        return Looks((Bound(rollouts=tasks, z=0.0),), 1)
    beside = rules.control and rules.control.model_copy(update={"rollouts": min(tasks, rules.control.rollouts)})
    return Looks(rules.looks_for(tasks), rules.bank_trials_for(tasks), beside)


def keep_probability(looks: Looks, tasks: int, within: float, effect: float, *, draws: int = 20_000) -> float:
    """Probability that a change with a true effect (share of score) passes looks and control, for a fresh bank.

    Looks are jointly normal with independent increments of information; the gate's own standard error is larger
    than the true one by the shrinking of its rates, and so is it here. The draws are always the same.
    Source: Jennison & Turnbull 2000, Group Sequential Methods with Applications to Clinical Trials, chapter 3.
    """
    return float(_alive(looks, tasks, within, effect, draws)[-1])


def expected_rollouts(looks: Looks, tasks: int, within: float, effect: float, *, draws: int = 20_000) -> float:
    """Rollouts that such a change is expected to need until it is rejected or past the control."""
    reach = [1.0, *_alive(looks, tasks, within, effect, draws)]
    planned = [0, *(bound.rollouts for bound in looks.bounds)]
    run = sum(reach[i] * (planned[i + 1] - planned[i]) for i in range(len(looks.bounds)))
    return float(run + (reach[len(looks.bounds)] * looks.control.rollouts if looks.control else 0))


def _alive(looks: Looks, tasks: int, within: float, effect: float, draws: int) -> list[float]:
    """Share of the draws that are still there after each look, and last after the control."""
    dice = np.random.default_rng(0)
    normal = dice.standard_normal((draws, len(looks.bounds)))
    alive, shares = np.ones(draws, dtype=bool), []
    score, information = np.zeros(draws), 0.0
    for column, bound in enumerate(looks.bounds):
        variance = within * _spread(bound.rollouts, tasks, looks.bank)
        step = max(0.0, 1 / variance - information)
        score += effect * step + normal[:, column] * sqrt(step)
        information += step
        results = bound.rollouts / min(tasks, bound.rollouts) + looks.bank + PRIOR_TRIALS
        shown = sqrt(variance * (results + 1) / results)
        alive &= score / information / shown >= bound.z
        shares.append(float(alive.mean()))
    if looks.control:
        # Of the last difference one part is the candidate's own luck: the control meets that part alone.
        last = looks.bounds[-1].rollouts
        bank = within / looks.bank / min(tasks, last)
        own = 1 / information - bank
        luck = (score / information - effect) * own * information + sqrt(own * bank * information) * (
            dice.standard_normal(draws)
        )
        beside = within / looks.control.rollouts
        against = effect + luck - sqrt(beside) * dice.standard_normal(draws)
        alive &= against >= looks.control.z * sqrt(own + beside)
        shares.append(float(alive.mean()))
    return shares


def _spread(rollouts: int, tasks: int, bank: int) -> float:
    """Mean over the m evaluated tasks of 1/k1 + 1/k0, divided by m."""
    m = min(tasks, rollouts)
    whole, more = divmod(rollouts, tasks) if rollouts >= tasks else (1, 0)
    candidate = (more / (whole + 1) + (m - more) / whole) / m
    return (candidate + 1 / bank) / m


def _least_effect(keep: partial[float], chance: float) -> float:
    """The smallest effect that is kept with this chance, by halving."""
    low, high = 0.0, 1.0
    if keep(low) >= chance:
        return 0.0
    for _ in range(14):
        middle = (low + high) / 2
        low, high = (low, middle) if keep(middle) >= chance else (middle, high)
    return high
