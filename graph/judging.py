"""How an attempt meets the gate: its inputs, its rollouts, and the log of its decision.

The gate itself is pure and lies in `gate/`. Here it is fed with rollouts, and every decision is written down so that
it can be recomputed from the journal alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sigmaloop.eval.controls import CONTROLS, NULL
from sigmaloop.gate.bank import Bank
from sigmaloop.gate.decision import Subject, decision_of
from sigmaloop.gate.finding import Finding, Pair, RunMore
from sigmaloop.gate.judging import STAGES, AttemptInputs, RunStage, StageName, drive, judge_attempt, settle
from sigmaloop.gate.policies import make_policy
from sigmaloop.gate.policy import Policy
from sigmaloop.gate.rules import CANARY_STEP, CONTROL_TRIALS, GATE_TRIALS, rules_of
from sigmaloop.graph.events import Emit
from sigmaloop.graph.history import INPUTS
from sigmaloop.graph.rollouts import GATE_TRIAL, run_covered, run_rollouts
from sigmaloop.graph.services import Services
from sigmaloop.records import Candidate, GateName, Rollout, digest
from sigmaloop.report.decisions import DecisionMade

PROMOTION_COVERAGE = 0.5
"""A single fault keeps one task out of the suite; more than so many are an outage, and the run waits."""


class AttemptJudge:
    """Takes attempts through the gate of a run's acceptance policy."""

    def __init__(self, services: Services, emit: Emit) -> None:
        self._services = services
        self._emit = emit

    @property
    def policy(self) -> Policy:
        """The acceptance policy that the run's settings name."""
        return make_policy(rules_of(self._services.settings))

    @property
    def validation_tasks(self) -> list[str]:
        return [task.id for task in self._services.benchmark.tasks("validation")]

    def measure_incumbent(self, commit: str, bank: Bank, *, suite: Sequence[str] = (), batch: int) -> Bank:
        """The bank with every rollout of the incumbent that the policy misses; pauses in an outage."""
        policy = self.policy
        missing = policy.missing(bank, self.validation_tasks, suite)
        if not missing:
            return bank
        rollouts = run_covered(
            self._services, self._emit, self._source(commit), missing, stage="incumbent", batch=batch
        )
        return bank.without(task for task, _ in missing).joined(rollouts, cap=policy.rules.bank_cap)

    def prepare_inputs(self, candidate: Candidate, *, batch: int) -> AttemptInputs:
        """What this attempt's verdict depends on besides its rollouts; made once, then read from the journal.

        Only holes of the bank are filled in later, after an outage.
        """
        journal, history = self._services.journal, self._services.history
        inputs = journal.load(INPUTS, candidate.id)
        if inputs is None:
            bank = history.bank(candidate.parent)
            composed = history.composed(candidate.id)
            inputs = self.new_inputs(candidate.parent, candidate.cluster_id, bank, candidate.id)
            trial = CONTROL_TRIALS + int(candidate.id[1:])
            inputs = inputs.model_copy(update={"aimed": True, "control_trial": trial})
            if composed is not None:
                clusters = [part.cluster_id for part in composed.parts]
                failing = self._failing(candidate.parent, clusters)
                inputs = inputs.model_copy(update={"failing": failing, "aimed": not composed.removes})
        bank = self.measure_incumbent(candidate.parent, inputs.bank, suite=inputs.suite, batch=batch)
        inputs = inputs.model_copy(update={"bank": bank})
        journal.save(INPUTS, candidate.id, inputs, batch=batch)
        return inputs

    def new_inputs(self, incumbent: str, cluster_id: str, bank: Bank, candidate_id: str) -> AttemptInputs:
        """The inputs of an attempt, or a canary, that begins now."""
        history, seed = self._services.history, self._services.settings.seed
        return AttemptInputs(
            tasks=tuple(self.validation_tasks),
            bank=bank,
            suite=tuple(case.task_id for case in history.suite(incumbent)),
            failing=self._failing(incumbent, [cluster_id]),
            history=self._earlier_results(),
            seed=digest("attempt", seed, candidate_id),
        )

    def _failing(self, incumbent: str, cluster_ids: Sequence[str]) -> tuple[str, ...]:
        """Failing traffic tasks of the clusters that an attempt is for; of several those that failed last come last."""
        known = self._services.history.clusters(incumbent)
        found = [known[cluster_id] for cluster_id in dict.fromkeys(cluster_ids) if cluster_id in known]
        failures = [f for cluster in found for f in cluster.failures if f.task_id not in cluster.resolved_tasks]
        if len(found) > 1:
            failures.sort(key=lambda failure: failure.batch)
        return tuple(dict.fromkeys(failure.task_id for failure in failures))

    def measure(self, candidate: Candidate, inputs: AttemptInputs, gate: GateName) -> Finding:
        """Run one stage of an attempt until it has decided, with the incumbent beside it where that is in question."""
        source, incumbent = self._source(candidate.commit), self._source(candidate.parent)
        run = self.runner(source, incumbent, batch=candidate.batch)
        settled, finding, _ = settle(self.policy, inputs, gate, run, lambda pairs: run("control", pairs))
        if settled != inputs:
            self._services.journal.save(INPUTS, candidate.id, settled, batch=candidate.batch)
        return finding

    def runner(self, source: str, incumbent: str, *, batch: int) -> RunStage:
        """Runs a stage's rollouts: the incumbent's where the gate asks for a control, else the candidate's."""

        def run(stage: StageName, pairs: Sequence[Pair]) -> list[Rollout]:
            agent = incumbent if stage == "control" else source
            return run_rollouts(self._services, self._emit, agent, pairs, stage=stage, batch=batch)

        return run

    def promotion(self, candidate: Candidate, inputs: AttemptInputs) -> tuple[tuple[str, ...], list[Rollout]]:
        """Who joins the suite after a keep, and the kept agent's rollouts on known tasks, the newest word last.

        Running it again costs nothing.
        """

        def run(pairs: Sequence[Pair]) -> list[Rollout]:
            return self._run_known(self._source(candidate.commit), pairs, stage="promotion", batch=candidate.batch)

        passing, fresh = self._promotion(candidate, inputs, run)
        return self.fails_for_null_agent(passing, batch=candidate.batch), [
            *self._gate_results(candidate, inputs),
            *fresh,
        ]

    def fails_for_null_agent(self, tasks: Sequence[str], *, batch: int) -> tuple[str, ...]:
        """Those of the tasks that an agent which does nothing fails: passing the others proves nothing."""
        pairs = [(task, GATE_TRIAL) for task in tasks]
        idle = self._run_known(CONTROLS[NULL], pairs, stage="null agent", batch=batch)
        return tuple(r.task_id for r in idle if r.valid and not r.passed)

    def log_decision(self, candidate: Candidate, *, kept: bool, batch: int, veto: str, turn: str = "") -> None:
        """Write down everything that the attempt was decided on, as `sigmaloop gate explain` reads it.

        `turn` tells the endings of one attempt apart: empty, unless it ended otherwise before a fork.
        """
        services = self._services
        inputs = services.journal.load(INPUTS, candidate.id)
        if inputs is None or services.journal.event(f"decision:{candidate.id}{turn}"):
            return  # refused at admission: it cost nothing and teaches the bank nothing
        seen = self._stored(candidate)
        fresh: list[Rollout] = []
        if kept:
            fresh = self._promotion(candidate, inputs, lambda pairs: list(seen("cluster_tasks", pairs)))[1]
        subject = self.subject(candidate.parent, candidate.id, candidate.commit, candidate.agent, batch=batch)
        subject = subject.model_copy(
            update={
                "attempt": candidate.attempt,
                "diff_hash": candidate.diff_hash,
                "cluster_id": candidate.cluster_id,
                "hypothesis": candidate.hypothesis,
            }
        )
        decision = decision_of(
            subject,
            self.policy,
            inputs,
            judge_attempt(self.policy, inputs, seen),
            run_seed=services.settings.seed,
            veto=veto,
            promotion=fresh,
        )
        services.journal.write(DecisionMade(batch=batch, decision=decision, turn=turn))

    def subject(self, parent: str, candidate_id: str, commit: str, agent: str, *, batch: int) -> Subject:
        """What is judged; `parent` and `commit`: commits, `agent`: hash of the text."""
        services = self._services
        return Subject(
            # Named by what it is made of, not by its random id: two runs with one seed write the same log.
            run_id=digest(services.versions.baseline(), services.benchmark.fingerprint(), services.settings.seed),
            batch=batch,
            attempt=0,
            candidate_id=candidate_id,
            parent=parent,
            commit=commit,
            agent=agent,
            diff_hash="",
            incumbent=self._services.identity(self._source(parent)),
        )

    def _promotion(
        self, candidate: Candidate, inputs: AttemptInputs, run: Callable[[Sequence[Pair]], list[Rollout]]
    ) -> tuple[tuple[str, ...], list[Rollout]]:
        """Who passes as often as the policy asks; a fault ends a task's row, and says nothing of the others."""
        policy = self.policy
        seen = drive(inputs.stage(policy, "cluster_tasks"), self._stored(candidate))[1]
        fresh: list[Rollout] = []
        aims = [task for task in inputs.failing if task not in inputs.suite]
        promotion = policy.promotion(self._services.history.known_failures(candidate.parent), aims)
        while isinstance(step := promotion.step([*seen, *fresh]), RunMore):
            fresh += run(step.pairs)
        return step, fresh

    def _gate_results(self, candidate: Candidate, inputs: AttemptInputs) -> list[Rollout]:
        """What the gates saw of the kept agent on known tasks: of a cluster task's trials a failure has the last
        word, of a suite case's tries a pass."""
        policy, stored = self.policy, self._stored(candidate)
        cluster_tasks, suite = (drive(inputs.stage(policy, gate), stored)[1] for gate in STAGES[:2])
        return [*sorted(cluster_tasks, key=lambda r: not r.passed), *sorted(suite, key=lambda r: r.passed)]

    def _stored(self, candidate: Candidate) -> RunStage:
        """The attempt's rollouts as the gates saw them, tolerated faults included: nothing is run again."""
        agents = {"": candidate.agent, "control": self._services.identity(self._source(candidate.parent))}
        found = {
            whose: {(r.task_id, r.key.trial): r for r in self._services.journal.rollouts(agent=agent)}
            for whose, agent in agents.items()
        }

        def run(stage: StageName, pairs: Sequence[Pair]) -> list[Rollout]:
            return [found["control" if stage == "control" else ""][pair] for pair in pairs]

        return run

    def _run_known(self, source: str, pairs: Sequence[Pair], *, stage: str, batch: int) -> list[Rollout]:
        """Rollouts on training tasks, of which a few may fault."""
        return run_covered(
            self._services,
            self._emit,
            source,
            pairs,
            stage=stage,
            batch=batch,
            coverage=PROMOTION_COVERAGE,
            spare=True,
        )

    def _earlier_results(self) -> dict[str, tuple[int, int]]:
        """Passes and results by task of the baseline and every finished attempt: only the order of rollouts uses it."""
        services = self._services
        finished = {*services.history.finished_agents(), services.identity(self._source(services.versions.baseline()))}
        counts: dict[str, tuple[int, int]] = {}
        for agent in sorted(finished):
            for rollout in services.journal.rollouts(agent=agent):
                trial = rollout.key.trial
                if rollout.valid and (trial == GATE_TRIAL or GATE_TRIALS <= trial < GATE_TRIALS + CANARY_STEP):
                    passes, results = counts.get(rollout.task_id, (0, 0))
                    counts[rollout.task_id] = (passes + rollout.passed, results + 1)
        return counts

    def _source(self, commit: str) -> str:
        return self._services.versions.source(commit)
