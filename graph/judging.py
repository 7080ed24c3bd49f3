"""How an attempt meets the gate's law: the policy, the incumbent's bank, what an attempt stands on, the log.

The law itself is pure and lies in `eval`; here it is fed with rollouts, and every decision is written down so
that it can be recomputed from the journal alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sigmaloop.eval.controls import CONTROLS, NULL
from sigmaloop.gate.bank import Bank
from sigmaloop.gate.canaries import Canary, canaries, due, progress_of
from sigmaloop.gate.decision import Decision, Subject, bank_after, decision_of
from sigmaloop.gate.finding import Finding, Pair, RunMore
from sigmaloop.gate.judging import STAGES, AttemptInputs, Judged, RunStage, StageName, drive, settle
from sigmaloop.gate.judging import judge as judge_by
from sigmaloop.gate.policies import make_policy
from sigmaloop.gate.policy import Policy
from sigmaloop.gate.rules import CANARY_STEP, CONTROL_TRIALS, GATE_TRIALS, rules_of
from sigmaloop.graph.rollouts import GATE_TRIAL, roll_covered, roll_source
from sigmaloop.graph.services import Services
from sigmaloop.graph.state import LoopState
from sigmaloop.memory.clusters import KINDS, fold_clusters
from sigmaloop.memory.lineage import lineage
from sigmaloop.memory.suite import PROMOTED, fold_suite
from sigmaloop.records import Candidate, Cluster, GateName, Rollout, SuiteCase, agent_hash, digest

Emit = Callable[[dict[str, Any]], None]
DECISION = "decision"
PROMOTION_COVERAGE = 0.5
"""A single fault keeps one task out of the suite; more than so many are an outage, and the run waits."""


def policy_of(services: Services) -> Policy:
    """The law that the run's settings name."""
    return make_policy(rules_of(services.settings))


def measure_incumbent(
    services: Services, emit: Emit, commit: str, bank: Bank, *, suite: Sequence[str] = (), batch: int
) -> Bank:
    """The bank with every rollout of the incumbent that the policy misses; pauses in an outage."""
    policy = policy_of(services)
    missing = policy.missing(bank, validation_ids(services), suite)
    if not missing:
        return bank
    rollouts = roll_covered(services, emit, services.versions.source(commit), missing, stage="incumbent", batch=batch)
    return bank.without(task for task, _ in missing).joined(rollouts, cap=policy.rules.bank_cap)


def bank_of(services: Services, incumbent: str) -> Bank:
    """What is known of an incumbent: a fold over the decisions that led to it."""
    for event in reversed(services.journal.events(DECISION)):
        log = Decision.model_validate(event.payload)
        if not log.subject.canary and incumbent == (log.subject.commit if log.kept else log.subject.parent):
            return bank_after(log)
    return Bank()


def prepare_inputs(services: Services, state: LoopState, emit: Emit, candidate: Candidate) -> AttemptInputs:
    """What this attempt's verdict depends on besides its rollouts; made once, then read from the journal.

    Only holes of the bank are filled in later, after an outage.
    """
    stored = services.journal.get("inputs", candidate.id)
    if stored is None:
        bank = bank_of(services, candidate.parent)
        inputs = _inputs(services, candidate.parent, candidate.cluster_id, bank, candidate.id)
        aimed = {"aimed": True, "control_trial": CONTROL_TRIALS + int(candidate.id[1:])}
        inputs = inputs.model_copy(update=aimed)
    else:
        inputs = AttemptInputs.model_validate(stored)
    bank = measure_incumbent(services, emit, candidate.parent, inputs.bank, suite=inputs.suite, batch=state["batch"])
    inputs = inputs.model_copy(update={"bank": bank})
    services.journal.put("inputs", candidate.id, inputs.model_dump(mode="json"), batch=state["batch"])
    return inputs


def measure(
    services: Services, emit: Emit, candidate: Candidate, inputs: AttemptInputs, gate: GateName
) -> tuple[Finding, tuple[Rollout, ...]]:
    """Run one stage of an attempt until it has decided, with the incumbent beside it where that is in question."""
    source, incumbent = services.versions.source(candidate.commit), services.versions.source(candidate.parent)

    def run(stage: StageName, pairs: Sequence[Pair]) -> list[Rollout]:
        agent = incumbent if stage == "control" else source
        return roll_source(services, emit, agent, pairs, stage=stage, batch=candidate.batch)

    def rival(pairs: Sequence[Pair]) -> list[Rollout]:
        return roll_source(services, emit, incumbent, pairs, stage="control", batch=candidate.batch)

    settled, finding, seen = settle(policy_of(services), inputs, gate, run, rival)
    if settled != inputs:
        services.journal.put("inputs", candidate.id, settled.model_dump(mode="json"), batch=candidate.batch)
    return finding, seen


def promotion_of(
    services: Services, emit: Emit, candidate: Candidate, inputs: AttemptInputs
) -> tuple[tuple[str, ...], list[Rollout]]:
    """Who joins the suite after a keep, and the kept agent's rollouts on known tasks, the newest word last.

    Running it again costs nothing.
    """

    def run(pairs: Sequence[Pair]) -> list[Rollout]:
        source = services.versions.source(candidate.commit)
        return roll_covered(
            services,
            emit,
            source,
            pairs,
            stage="promotion",
            batch=candidate.batch,
            floor=PROMOTION_COVERAGE,
            spare=True,
        )

    passing, fresh = _promotion(services, candidate, inputs, run)
    return fails_for_null_agent(services, emit, passing, batch=candidate.batch), [
        *_shown(services, candidate, inputs),
        *fresh,
    ]


def _shown(services: Services, candidate: Candidate, inputs: AttemptInputs) -> list[Rollout]:
    """What the gates saw of the kept agent on known tasks: of a target's trials a failure has the last word, of a
    suite case's tries a pass."""
    policy, stored = policy_of(services), _stored(services, candidate)
    cluster_tasks, suite = (drive(inputs.stage(policy, gate), stored)[1] for gate in STAGES[:2])
    return [*sorted(cluster_tasks, key=lambda r: not r.passed), *sorted(suite, key=lambda r: r.passed)]


def asked_for(services: Services, candidate_id: str) -> int:
    """Rollouts of a candidate that its gates asked for; 0 when it was refused before them."""
    event = services.journal.event(f"{DECISION}:{candidate_id}")
    rows = event.payload["rows"] if event else ()
    return len({(row["task_id"], row["trial"]) for row in rows if row["stage"] in STAGES})


def _promotion(
    services: Services, candidate: Candidate, inputs: AttemptInputs, run: Callable[[Sequence[Pair]], list[Rollout]]
) -> tuple[tuple[str, ...], list[Rollout]]:
    """Who passes as often as the law asks; a fault ends a task's row, and says nothing of the others."""
    policy, stored = policy_of(services), _stored(services, candidate)
    seen = drive(inputs.stage(policy, "cluster_tasks"), stored)[1]
    fresh: list[Rollout] = []
    aims = [task for task in inputs.failing if task not in inputs.suite]
    promotion = policy.promotion(known_failures(services, candidate.parent), aims)
    while isinstance(step := promotion.step([*seen, *fresh]), RunMore):
        fresh += run(step.pairs)
    return step, fresh


def fails_for_null_agent(services: Services, emit: Emit, tasks: Sequence[str], *, batch: int) -> tuple[str, ...]:
    """Those of the tasks that an agent which does nothing fails: passing the others proves nothing."""
    pairs = [(task, GATE_TRIAL) for task in tasks]
    idle = roll_covered(
        services, emit, CONTROLS[NULL], pairs, stage="null agent", batch=batch, floor=PROMOTION_COVERAGE, spare=True
    )
    return tuple(r.task_id for r in idle if r.valid and not r.passed)


def log_decision(services: Services, state: LoopState, candidate: Candidate, *, veto: str, turn: str = "") -> None:
    """Append everything that the attempt was decided on, as `sigmaloop gate explain` reads it.

    `turn` tells the endings of one attempt apart: empty, unless it ended otherwise before a fork.
    """
    stored = services.journal.get("inputs", candidate.id)
    if stored is None or services.journal.event(f"decision:{candidate.id}{turn}"):
        return  # refused at admission: it cost nothing and teaches the bank nothing
    inputs = AttemptInputs.model_validate(stored)
    seen = _stored(services, candidate)
    judged = judge_by(policy_of(services), inputs, seen)
    fresh: list[Rollout] = []
    if state["kept"]:
        fresh = _promotion(services, candidate, inputs, lambda pairs: list(seen("cluster_tasks", pairs)))[1]
    subject = _subject(services, state, candidate_id=candidate.id, commit=candidate.commit, agent=candidate.agent)
    subject = subject.model_copy(
        update={
            "attempt": candidate.attempt,
            "parent": candidate.parent,
            "diff_hash": candidate.diff_hash,
            "cluster_id": candidate.cluster_id,
            "hypothesis": candidate.hypothesis,
            "incumbent": agent_hash(services.versions.source(candidate.parent)),
        }
    )
    log = decision_of(
        subject, policy_of(services), inputs, judged, run_seed=services.settings.seed, veto=veto, promotion=fresh
    )
    services.journal.append(
        DECISION, f"decision:{candidate.id}{turn}", log.model_dump(mode="json"), batch=state["batch"]
    )


def run_due_canaries(services: Services, state: LoopState, emit: Emit) -> None:
    """Send the canaries whose turn it is through the real gates; none is ever kept."""
    settings = services.settings
    most = min(settings.max_attempts, settings.batches * settings.attempts)
    planned = canaries(settings.canaries, settings.harmful_canaries, attempts=most)
    progress = progress_of(
        attempts=state["attempts_total"], most_attempts=most, batch=state["batch"], batches=settings.batches
    )
    while True:
        done = [e.payload["subject"]["candidate_id"] for e in services.journal.events(DECISION)]
        canary = due(planned, done, progress=progress)
        if canary is None:
            return
        _run_canary(services, state, emit, canary)


def _run_canary(services: Services, state: LoopState, emit: Emit, canary: Canary) -> None:
    incumbent = state["incumbent"]
    current = services.versions.source(incumbent)
    source = canary.source(current)
    inputs = _inputs(services, incumbent, str(state["cluster_id"]), bank_of(services, incumbent), canary.id)
    bank = measure_incumbent(services, emit, incumbent, inputs.bank, suite=inputs.suite, batch=state["batch"])
    trials = {"first_trial": canary.first_trial, "control_trial": canary.control_trial, "stages": canary.stages}
    inputs = inputs.model_copy(update={"bank": bank, **trials})
    judged = _judged(services, emit, source, current, inputs, batch=state["batch"])
    subject = _subject(services, state, candidate_id=canary.id, commit=incumbent, agent=agent_hash(source))
    log = decision_of(
        subject.model_copy(update={"canary": canary.worth, "incumbent": agent_hash(current)}),
        policy_of(services),
        inputs,
        judged,
        run_seed=services.settings.seed,
    )
    services.journal.append(DECISION, f"decision:{canary.id}", log.model_dump(mode="json"), batch=state["batch"])
    emit({"event": "canary", "id": canary.id, "worth": canary.worth, "outcome": log.outcome, "stage": log.stage})


def suite_of(services: Services, incumbent: str) -> tuple[SuiteCase, ...]:
    """The regression suite of an agent: what was promoted on the way to it, not on a way that was left."""
    own = lineage(services.journal, incumbent).of(services.journal.events(PROMOTED))
    return fold_suite(own, cap=services.settings.suite_cap)


def clusters_of(services: Services, incumbent: str) -> dict[str, Cluster]:
    """Every cluster, with the attempts and scores of an agent's own lineage."""
    own = lineage(services.journal, incumbent).of(services.journal.events(KINDS))
    return fold_clusters(own)


def known_failures(services: Services, incumbent: str) -> list[str]:
    """Tasks that failed in traffic and are not in the suite of an incumbent; those that failed last come last."""
    in_suite = {case.task_id for case in suite_of(services, incumbent)}
    failed = [event.payload["failure"]["task_id"] for event in services.journal.events("failure_assigned")]
    latest_first = dict.fromkeys(reversed(failed))
    return [task for task in reversed(latest_first) if task not in in_suite]


def validation_ids(services: Services) -> list[str]:
    return [task.id for task in services.benchmark.tasks("validation")]


def _inputs(services: Services, incumbent: str, cluster_id: str, bank: Bank, candidate_id: str) -> AttemptInputs:
    suite = [case.task_id for case in suite_of(services, incumbent)]
    cluster = clusters_of(services, incumbent).get(cluster_id)
    open_tasks = [f.task_id for f in cluster.failures if f.task_id not in cluster.resolved_tasks] if cluster else []
    return AttemptInputs(
        tasks=tuple(validation_ids(services)),
        bank=bank,
        suite=tuple(suite),
        failing=tuple(dict.fromkeys(open_tasks)),
        history=_history(services),
        seed=digest("attempt", services.settings.seed, candidate_id),
    )


def _stored(services: Services, candidate: Candidate) -> RunStage:
    """The candidate's rollouts as the gates saw them, tolerated faults included: nothing is run again."""
    agents = {"": candidate.agent, "control": agent_hash(services.versions.source(candidate.parent))}
    found = {
        whose: {(r.task_id, r.key.trial): r for r in services.journal.rollouts(agent=agent)}
        for whose, agent in agents.items()
    }

    def run(stage: StageName, pairs: Sequence[Pair]) -> list[Rollout]:
        return [found["control" if stage == "control" else ""][pair] for pair in pairs]

    return run


def _judged(
    services: Services, emit: Emit, source: str, incumbent: str, inputs: AttemptInputs, *, batch: int
) -> Judged:
    def run(stage: StageName, pairs: Sequence[Pair]) -> list[Rollout]:
        agent = incumbent if stage == "control" else source
        return roll_source(services, emit, agent, pairs, stage=stage, batch=batch)

    return judge_by(policy_of(services), inputs, run)


def _subject(services: Services, state: LoopState, *, candidate_id: str, commit: str, agent: str) -> Subject:
    return Subject(
        # Named by what it is made of, not by its random id: two runs with one seed write the same log.
        run_id=digest(services.versions.baseline(), services.benchmark.fingerprint(), services.settings.seed),
        batch=state["batch"],
        attempt=0,
        candidate_id=candidate_id,
        parent=state["incumbent"],
        commit=commit,
        agent=agent,
        diff_hash="",
    )


def _history(services: Services) -> dict[str, tuple[int, int]]:
    """Passes and results by task of the baseline and every finished attempt: only the order of rollouts uses it."""
    finished = {e.payload["agent"] for e in services.journal.events("ledger")}
    finished.add(agent_hash(services.versions.source(services.versions.baseline())))
    counts: dict[str, tuple[int, int]] = {}
    for agent in sorted(finished - {""}):
        for rollout in services.journal.rollouts(agent=agent):
            trial = rollout.key.trial
            if rollout.valid and (trial == GATE_TRIAL or GATE_TRIALS <= trial < GATE_TRIALS + CANARY_STEP):
                passes, results = counts.get(rollout.task_id, (0, 0))
                counts[rollout.task_id] = (passes + rollout.passed, results + 1)
    return counts
