"""A change made by hand before the loop's own gates: two agent files, one policy, one decision."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sigmaloop.errors import SigmaLoopError
from sigmaloop.eval.rollouts import RolloutEngine
from sigmaloop.gate.bank import Bank
from sigmaloop.gate.decision import Decision, Subject, decision_of
from sigmaloop.gate.finding import Pair
from sigmaloop.gate.judging import STAGES, AttemptInputs, StageName, answered, judge_attempt, recall, settle
from sigmaloop.gate.policy import Policy
from sigmaloop.records import Rollout, digest

OnStageRollout = Callable[[str, Rollout], None]
"""Called with the stage and each rollout as it comes in."""


def judge_change(
    engine: RolloutEngine,
    policy: Policy,
    *,
    incumbent: str,
    candidate: str,
    tasks: Sequence[str],
    suite: Sequence[str] = (),
    cluster_tasks: Sequence[str] = (),
    run_seed: int = 0,
    on_rollout: OnStageRollout = lambda _stage, _rollout: None,
) -> Decision:
    """May the agent whose text is `candidate` replace `incumbent`? The incumbent is measured first.

    `cluster_tasks`: tasks that the change is meant to mend. Raises BadInput for tasks that are too few, named twice or
    shared, and SigmaLoopError when not one rollout of the incumbent gave a result.
    """
    subject = Subject(
        run_id="",
        batch=0,
        attempt=0,
        candidate_id="A0000",
        parent=engine.identity(incumbent),
        commit=engine.identity(candidate),
        agent=engine.identity(candidate),
        incumbent=engine.identity(incumbent),
        diff_hash=digest(incumbent, candidate),
    )
    inputs = AttemptInputs(
        tasks=tuple(tasks),
        bank=Bank(),
        suite=tuple(suite),
        failing=tuple(cluster_tasks),
        seed=digest("check", run_seed, subject.parent, subject.agent),
    )
    bank = _measure_incumbent(engine, policy, incumbent, inputs.tasks, on_rollout)
    inputs = inputs.model_copy(update={"bank": bank})

    seen: dict[str, list[Rollout]] = {}

    def run(stage: StageName, pairs: Sequence[Pair]) -> Sequence[Rollout]:
        agent = incumbent if stage == "control" else candidate
        results = engine.run(agent, pairs, on_done=lambda rollout: on_rollout(stage, rollout))
        seen.setdefault(stage, []).extend(results)
        return results

    def rival(pairs: Sequence[Pair]) -> Sequence[Rollout]:
        return engine.run(incumbent, pairs, on_done=lambda rollout: on_rollout("control", rollout))

    for gate in STAGES:
        inputs, finding, _ = settle(policy, inputs, gate, run, rival)
        if finding.outcome != "passed":
            break
    judged = judge_attempt(policy, inputs, recall(seen))
    return decision_of(subject, policy, inputs, judged, run_seed=run_seed)


def _measure_incumbent(
    engine: RolloutEngine, policy: Policy, incumbent: str, tasks: Sequence[str], on_rollout: OnStageRollout
) -> Bank:
    """The bank of an incumbent of which nothing is known yet."""
    missing = policy.missing(Bank(), tasks)
    rollouts = engine.run(incumbent, missing, on_done=lambda rollout: on_rollout("bank", rollout))
    bank = Bank().joined(answered(missing, rollouts), cap=policy.rules.bank_cap)
    if not bank.held:
        raise SigmaLoopError(
            f"the incumbent could not be measured: all {len(rollouts)} rollouts ended in an infrastructure fault "
            f"(the first: {rollouts[0].detail}); mend that and check again"
        )
    return bank
