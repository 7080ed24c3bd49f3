"""Screening on training tasks: the targets of a change, then probes, against a bank of the incumbent.

Probes are other training tasks of the request types that fail; where a benchmark has no types, any training task. They
are neither evidence nor members of the suite, and the least used come first. Every group is measured on its own
clusters' probes, in trials of its own; the incumbent's are shared.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Sequence
from math import ceil

from sigmaloop.gate.bank import Bank, Count, added, counted
from sigmaloop.gate.comparison import compare
from sigmaloop.records import REWARD_MICROS, Rollout, digest
from sigmaloop.search.strategy import Ask, Results, RunGroups, SearchRules
from sigmaloop.search.words import Field, Group, OpenCluster, Reason, Screening

SCREEN_TRIALS = 3_000_000
"""First trial number of screening rollouts: above the control, so that no gate has drawn them."""
TRAINING_BANK_TRIALS = 4_000_000
"""First trial number of the incumbent's rollouts on training tasks."""


Looks = tuple[tuple[int, float], ...]
"""Cumulative probe rollouts, and the z below which a group falls."""


def looks_of(field: Field, rules: SearchRules) -> Looks:
    """Of one draft. Without request types probes are any tasks: what they show is fainter, and the bars are lower."""
    return rules.looks if field.typed else rules.untyped


def probes_of(field: Field, clusters: Sequence[OpenCluster], number: int) -> tuple[str, ...]:
    """At most so many tasks, least used first; which of equals come first is drawn from the seed."""
    types = {kind for cluster in clusters for kind in cluster.request_types}
    shut = {*field.suite, *(task for cluster in clusters for task in (*cluster.evidence, *cluster.targets))}
    fitting = [t.id for t in field.training if t.id not in shut and (not field.typed or t.request_type in types)]
    dice = random.Random(digest("probes", field.seed, field.round, *(c.id for c in clusters), size=32))
    dice.shuffle(fitting)
    return tuple(sorted(fitting, key=lambda task: field.used.get(task, 0))[:number])


class NoScreen:
    """Everything passes, nothing is measured."""

    def __init__(self, groups: Iterable[Group]) -> None:
        self.groups = tuple(sorted(groups, key=lambda g: g.id))

    def step(self, results: Results, /) -> RunGroups | tuple[Screening, ...]:
        if results:
            raise ValueError("a screening that measures nothing was given results")
        return tuple(Screening(group=group, passed=True) for group in self.groups)


class Screen:
    """Targets first, then probes look by look; a group that has fallen costs nothing more."""

    def __init__(self, field: Field, groups: Iterable[Group], rules: SearchRules, looks: Looks = ()) -> None:
        """`looks`: others than the rules say."""
        self.groups = tuple(sorted(groups, key=lambda g: g.id))
        self._rules = rules
        self._bank = field.bank
        self._looks = looks or looks_of(field, rules)
        self._targets: dict[str, list[Ask]] = {}
        self._probes: dict[str, list[Ask]] = {}
        most = self._looks[-1][0]
        for group in self.groups:
            names = {c for name in group.drafts for c in field.draft(name).clusters}
            clusters = [cluster for cluster in field.clusters if cluster.id in names]
            targets = _targets(clusters, rules.targets)
            trials = range(SCREEN_TRIALS, SCREEN_TRIALS + rules.target_trials)
            self._targets[group.id] = [Ask(group=group.id, task=t, trial=k) for k in trials for t in targets]
            tasks = probes_of(field, clusters, most)
            rounds = ceil(most / len(tasks)) if tasks else 0
            rows = [Ask(group=group.id, task=t, trial=SCREEN_TRIALS + k) for k in range(rounds) for t in tasks]
            self._probes[group.id] = rows[:most]
        needed = {ask.task for asks in (*self._targets.values(), *self._probes.values()) for ask in asks}
        self._incumbent = [
            Ask(group="", task=task, trial=TRAINING_BANK_TRIALS + field.bank.used.get(task, 0) + k)
            for task in sorted(needed)
            if not field.bank.count(task).trials
            for k in range(rules.bank_trials)
        ]
        rows = [*self._incumbent, *(a for asks in (*self._targets.values(), *self._probes.values()) for a in asks)]
        self._known = set(rows)

    def step(self, results: Results, /) -> RunGroups | tuple[Screening, ...]:
        return self.step_for(self.groups, results)

    def step_for(
        self, groups: Collection[Group], results: Results, /, *, looks: int | None = None
    ) -> RunGroups | tuple[Screening, ...]:
        """The same for some of the groups, and up to so many looks."""
        seen = dict(results)
        if len(seen) != len(results) or not seen.keys() <= self._known:
            raise ValueError("the screening was given results that it did not ask for, or one twice")
        bank = self._bank.joined((seen[a] for a in self._incumbent if a in seen), cap=12)
        found: list[Screening] = []
        asks: dict[Ask, None] = {}
        for group in sorted(groups, key=lambda g: g.id):
            step = self._group(group, seen, bank, looks)
            if isinstance(step, Screening):
                found.append(step)
            else:
                asks |= dict.fromkeys(step)
        return RunGroups(asks=tuple(asks)) if asks else tuple(found)

    def _group(self, group: Group, seen: dict[Ask, Rollout], bank: Bank, looks: int | None) -> Screening | list[Ask]:
        targets, probes = self._targets[group.id], self._probes[group.id]
        if missing := self._open(targets, seen):
            return missing
        tried = [seen[ask] for ask in targets]
        valid = [r for r in tried if r.valid]
        if valid and sum(r.passed for r in valid) < self._rules.target_floor * len(valid):
            return self._fallen(group, "targets", tried, [], bank, None)
        z, done = None, 0
        for number, bar in self._looks[:looks]:
            if missing := self._open(probes[:number], seen):
                return missing
            shown = [seen[ask] for ask in probes[:number]]
            z = _z(shown, bank) if len(shown) > done else z
            done = len(shown)
            if z is not None and z < bar:
                return self._fallen(group, "probes", tried, shown, bank, z)
        everything = [*tried, *(seen[ask] for ask in probes[:done])]
        return Screening(group=group, passed=True, z=z, rate=_rate(everything), results=_results(everything))

    def _open(self, asks: Sequence[Ask], seen: dict[Ask, Rollout]) -> list[Ask]:
        """Of the group and of the incumbent on the same tasks."""
        tasks = {ask.task for ask in asks}
        beside = [ask for ask in self._incumbent if ask.task in tasks and ask not in seen]
        return [*beside, *(ask for ask in asks if ask not in seen)]

    def _fallen(
        self, group: Group, at: str, tried: Sequence[Rollout], shown: Sequence[Rollout], bank: Bank, z: float | None
    ) -> Screening:
        counts = counted(shown)
        lost = [t for t in sorted(counts) if not counts[t].reward_micros and (bank.pass_rate(t) or 0) > 0]
        failing = next((r.id for r in tried if r.valid and not r.passed), "")
        before = sum(float(bank.pass_rate(r.task_id) or 0) for r in tried)
        reason = Reason(
            draft=group.id,
            code="targets" if at == "targets" else "probes",
            before=round(before),
            after=sum(r.passed for r in tried),
            trials=len(tried),
            still_failing=failing,
            used_to_pass=tuple(lost[:2]),
        )
        everything = [*tried, *shown]
        return Screening(
            group=group,
            passed=False,
            fell_at="targets" if at == "targets" else "probes",
            z=z,
            rate=_rate(everything),
            results=_results(everything),
            reason=reason,
        )


def _targets(clusters: Sequence[OpenCluster], number: int) -> tuple[str, ...]:
    """The latest of each cluster in turn, so that a group's targets are of all its clusters."""
    rows = [list(reversed(cluster.targets)) for cluster in clusters]
    mixed = [row[k] for k in range(max(map(len, rows), default=0)) for row in rows if k < len(row)]
    return tuple(dict.fromkeys(mixed))[:number]


def _z(shown: Collection[Rollout], bank: Bank) -> float | None:
    counts = counted(shown)
    incumbent = bank.counts(counts)
    return compare(counts, incumbent).z if counts.keys() & incumbent.keys() else None


def _rate(rollouts: Collection[Rollout]) -> float:
    valid = [r for r in rollouts if r.valid]
    return sum(r.reward_micros for r in valid) / (REWARD_MICROS * len(valid)) if valid else 0.0


def _results(rollouts: Collection[Rollout]) -> dict[str, tuple[int, int]]:
    sums: dict[str, Count] = {}
    for rollout in rollouts:
        if rollout.valid:
            sums = added(sums, {rollout.task_id: Count(REWARD_MICROS if rollout.passed else 0, 1)})
    return {task: (count.reward_micros // REWARD_MICROS, count.trials) for task, count in sorted(sums.items())}
