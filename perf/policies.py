"""The gate's policies on helpdesk, where the truth can be measured: full runs of each, and what they really gained.

    python perf/policies.py --seeds 3                       every policy, seeds 0, 1, 2 (about an hour on two cores)
    python perf/policies.py --policies paired --seeds 1     one run

Simulated model. The truth is the mean over 380 tasks of the same kinds that were made afresh and that no run has
seen, `--trials` trials each; a keep is harmful when it lowered that mean.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, cast

from sigmaloop.eval.benchmarks.helpdesk import Helpdesk
from sigmaloop.eval.rollouts import RolloutEngine
from sigmaloop.gate.statistics import Estimate, paired_difference, task_means
from sigmaloop.graph.run import Run
from sigmaloop.graph.standalone import engine_for
from sigmaloop.records import PolicyName, Split
from sigmaloop.report.summary import Summary
from sigmaloop.settings import Settings, load_settings
from sigmaloop.tools.versions import Versions

UNSEEN = 7
"""Generation seed of the tasks that stand for the truth."""
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


class Finished(NamedTuple):
    """A run that is over."""

    policy: str
    seed: int
    summary: Summary
    rollouts: int
    """Of the target agent: everything that was paid for."""
    agents: list[str]
    """Texts of the agents on the way, the baseline first, the final one last."""


def finish(settings: Settings) -> Finished:
    """One whole run."""
    run = Run.start(settings)
    rollouts = sum(event.event == "rollout" for event in run.follow())
    versions = Versions(run.paths.versions)
    kept = [entry.commit for entry in run.ledger() if entry.outcome == "kept"]
    agents = [versions.source(commit) for commit in (versions.baseline(), *kept)]
    return Finished(settings.policy, settings.seed, run.summary(), rollouts, agents)


class Truth:
    """Means of agents over the unseen tasks; each agent is measured once."""

    def __init__(self, engine: RolloutEngine, trials: int) -> None:
        self._engine = engine
        tasks = [task.id for split in SPLITS for task in Helpdesk(UNSEEN).tasks(split)]
        self._pairs = [(task, trial) for task in tasks for trial in range(trials)]
        self._means: dict[str, dict[str, float]] = {}

    def difference(self, before: str, after: str) -> Estimate:
        return paired_difference(self._of(before), self._of(after))

    def _of(self, source: str) -> dict[str, float]:
        if source not in self._means:
            self._means[source] = task_means(self._engine.run(source, self._pairs))
        return self._means[source]


def line(run: Finished, truth: Truth) -> tuple[float, float]:
    """Print a run; returns certified minus true, and the true gain."""
    certificate = run.summary.certificate
    assert certificate is not None
    real = truth.difference(run.agents[0], run.agents[-1])
    steps = [truth.difference(a, b).mean for a, b in zip(run.agents, run.agents[1:], strict=False)]
    assert certificate.interval is not None
    low, high = certificate.interval
    print(
        f"{run.policy:<10} seed {run.seed}: certified {100 * certificate.difference:+5.1f} ({100 * low:+.1f} to "
        f"{100 * high:+.1f}), true {100 * real.mean:+5.1f} +- {100 * real.standard_error:.1f}; "
        f"{run.summary.kept} kept of {run.summary.attempts}, {sum(step < 0 for step in steps)} harmful; "
        f"suite {run.summary.suite}, {run.summary.clusters} clusters; {run.rollouts:,} rollouts",
        flush=True,
    )
    return certificate.difference - real.mean, real.mean


def compare(policies: Sequence[PolicyName], seeds: range, trials: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home, settings = Path(folder), load_settings(upstream="simulated")
        with engine_for(settings, Helpdesk(UNSEEN)) as engine:
            truth = Truth(engine, trials)
            for policy in policies:
                found = []
                for seed in seeds:
                    place = home / f"{policy}-{seed}"
                    run = finish(load_settings(home=place, policy=policy, seed=seed, upstream="simulated"))
                    found.append(line(run, truth))
                off, gain = (100 * sum(column) / len(seeds) for column in zip(*found, strict=True))
                print(f"{policy:<10} mean: true gain {gain:+.1f} points, certified minus true {off:+.1f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policies", nargs="+", default=["reference", "paired", "rigorous"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--trials", type=int, default=4, help="of each unseen task")
    chosen = parser.parse_args()
    print("simulated model")
    seeds = range(chosen.first, chosen.first + chosen.seeds)
    compare(cast(Sequence[PolicyName], chosen.policies), seeds, chosen.trials)


if __name__ == "__main__":
    main()
