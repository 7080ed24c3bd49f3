"""Does each stage of understanding earn its place? Whole runs on helpdesk with one of them disabled, seed by seed.

    python perf/ablation.py --seeds 8                                    every arm (hours on two cores)
    python perf/ablation.py --arms "as is" "shuffled clusters" --seeds 2 --batches 2 --trials 1    a look

Simulated model. All arms share seeds, so traffic, tasks and gate are common; the truth is the final agent against the
first one on 380 tasks of the same kinds that no run has seen. Printed: each arm's mean gain, and its difference to "as
is" over the common seeds with the standard error of that difference. Seeds differ by some 5 points: below 8 of them a
difference of 2 points shows nothing.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from policies import UNSEEN, Truth

from sigmaloop.agents.brief import Brief, EngineerTools
from sigmaloop.agents.filing import Filing, KnownCluster, NewCause, Place
from sigmaloop.eval.benchmarks.helpdesk import Helpdesk
from sigmaloop.gate.statistics import mean_estimate
from sigmaloop.graph import filing
from sigmaloop.graph.run import Run
from sigmaloop.graph.services import Services
from sigmaloop.graph.standalone import engine_for
from sigmaloop.records import FailureRecord, Proposal, Rollout, Task, digest
from sigmaloop.settings import load_settings
from sigmaloop.simulation.specialists.phrasings import PHRASINGS
from sigmaloop.tools.versions import Versions

AS_IS = "as is"
Disable = Callable[[ExitStack], None]


class BlindMiner:
    """Says the same of every failure, or something at random."""

    def __init__(self, services: Services, *, constant: bool) -> None:
        self._seed = services.settings.seed
        self._constant = constant

    def mine(self, *, rollout: Rollout, task: Task, batch: int, **_: Any) -> tuple[FailureRecord, ...]:
        names = sorted(PHRASINGS)
        draw = random.Random(digest("miner", self._seed, rollout.id, size=32))
        said = PHRASINGS[names[0] if self._constant else draw.choice(names)]
        found = FailureRecord(
            rollout_id=rollout.id,
            task_id=task.id,
            request_type=task.request_type,
            batch=batch,
            mechanism="task not done" if self._constant else said.mechanisms[0],
            what_failed="The task was not done.",
            root_cause="The agent does not do what is asked." if self._constant else said.causes[0],
            should_have="Follow the policy and do what is asked." if self._constant else said.remedies[0],
            severity=3,
        )
        return (found,)


class ShufflingClusterer:
    """Throws dice for every cause: one of the clusters, or a new one."""

    def __init__(self, services: Services) -> None:
        self._seed = services.settings.seed

    def file(self, causes: Sequence[NewCause], clusters: Sequence[KnownCluster], **_: Any) -> Filing:
        homes: list[str | None] = [known.cluster.id for known in clusters]
        places = []
        for cause in causes:
            draw = random.Random(digest("shuffle", self._seed, cause.first.id, size=32))
            chosen = draw.choice([*homes, None])
            founder = "" if chosen else cause.label
            places.append(Place(label=cause.label, cluster_id=chosen, founder=founder))
        return Filing(places=tuple(places))


class Forgetful:
    """The engineer without a part of its memory."""

    def __init__(self, engineer: Any, *, learnings: bool, attempts: bool) -> None:
        self._engineer = engineer
        self._learnings = learnings
        self._attempts = attempts

    def propose(self, brief: Brief, tools: EngineerTools, *, scope: str) -> Proposal:
        hidden: dict[str, Any] = {}
        if not self._learnings:
            hidden["learnings"] = ()
            tools = replace(tools, search_learnings=lambda _: ())
        if not self._attempts:
            hidden |= {"attempts": (), "advice": "", "rates": ()}
            tools = replace(tools, search_attempts=lambda _: ())
        proposal: Proposal = self._engineer.propose(brief.model_copy(update=hidden), tools, scope=scope)
        return proposal


def _miner(stack: ExitStack, *, constant: bool) -> None:
    miner = property(lambda services: BlindMiner(services, constant=constant))
    stack.enter_context(mock.patch.object(Services, "miner", miner))


def _shuffled(stack: ExitStack) -> None:
    stack.enter_context(mock.patch.object(Services, "clusterer", property(ShufflingClusterer)))
    stack.enter_context(mock.patch.object(filing, "cluster_of_mechanism", return_value=None))
    stack.enter_context(mock.patch.object(filing, "same_mechanism", lambda failures: [(one,) for one in failures]))


def _forgets(stack: ExitStack, *, learnings: bool = True, attempts: bool = True) -> None:
    whole = Services.__dict__["engineer"]
    assert isinstance(whole, cached_property)
    partial = property(lambda services: Forgetful(whole.func(services), learnings=learnings, attempts=attempts))
    stack.enter_context(mock.patch.object(Services, "engineer", partial))


ARMS: Mapping[str, Disable] = {
    AS_IS: lambda stack: None,
    "constant miner": lambda stack: _miner(stack, constant=True),
    "random miner": lambda stack: _miner(stack, constant=False),
    "shuffled clusters": _shuffled,
    "no learnings": lambda stack: _forgets(stack, learnings=False),
    "no attempts": lambda stack: _forgets(stack, attempts=False),
    "no memory": lambda stack: _forgets(stack, learnings=False, attempts=False),
}


class Outcome(NamedTuple):
    """A finished run of one arm."""

    gain: float
    """On unseen tasks, in points."""
    kept: int
    attempts: int
    rollouts: int


@contextmanager
def disabled(arm: str) -> Iterator[None]:
    """Runs that begin in the block lack a stage."""
    with ExitStack() as stack:
        ARMS[arm](stack)
        yield


def finish(arm: str, seed: int, truth: Truth, home: Path, **flags: Any) -> Outcome:
    """One whole run of an arm."""
    with disabled(arm):
        run = Run.start(load_settings(home=home, seed=seed, upstream="simulated", **flags))
        rollouts = sum(event.event == "rollout" for event in run.follow())
    versions, ledger = Versions(run.paths.versions), run.ledger()
    kept = [entry.commit for entry in ledger if entry.outcome == "kept"]
    last = versions.source(kept[-1]) if kept else versions.source(versions.baseline())
    gain = truth.difference(versions.source(versions.baseline()), last).mean
    return Outcome(100 * gain, len(kept), len(ledger), rollouts)


def compare(arms: Sequence[str], seeds: range, trials: int, **flags: Any) -> None:
    """Run every arm on every seed and print what each stage earns."""
    found: dict[str, list[Outcome]] = {arm: [] for arm in arms}
    settings = load_settings(upstream="simulated")
    with tempfile.TemporaryDirectory() as folder, engine_for(settings, Helpdesk(UNSEEN)) as engine:
        truth = Truth(engine, trials)
        for seed in seeds:
            for number, arm in enumerate(arms):
                one = finish(arm, seed, truth, Path(folder) / f"{number}-{seed}", **flags)
                found[arm].append(one)
                print(
                    f"seed {seed}  {arm:<18} true gain {one.gain:+5.1f}, {one.kept} kept of {one.attempts} attempts, "
                    f"{one.rollouts:,} rollouts",
                    flush=True,
                )
    reference = [one.gain for one in found[arms[0]]]
    for arm in arms:
        gains = [one.gain for one in found[arm]]
        line = f"{arm:<18} mean {sum(gains) / len(gains):+5.1f} points over {len(gains)} seeds"
        if arm != arms[0]:
            difference = mean_estimate([(a - b) / 100 for a, b in zip(gains, reference, strict=True)])
            error = f"{100 * difference.standard_error:.1f}" if len(gains) > 1 else "unknown"
            line += f"; against {arms[0]!r} {100 * difference.mean:+5.1f} +- {error}"
        print(line)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arms", nargs="+", choices=tuple(ARMS), default=list(ARMS), help="the first is the measure")
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--batches", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=10)
    parser.add_argument("--attempts", type=int, default=6)
    parser.add_argument("--trials", type=int, default=1, help="of each unseen task")
    chosen = parser.parse_args()
    print("simulated model")
    compare(
        chosen.arms,
        range(chosen.first, chosen.first + chosen.seeds),
        chosen.trials,
        batches=chosen.batches,
        batch_size=chosen.batch_size,
        attempts=chosen.attempts,
        certify_trials=1,
        canaries=0,
        harmful_canaries=0,
    )


if __name__ == "__main__":
    main()
