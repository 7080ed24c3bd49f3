"""Typed reads of a run: what is known of its attempts, clusters, suite and decisions, folded once.

Every fold is kept until the journal grows. What depends on the kept agent takes its commit, for a run that was
forked has ways that it left (`memory/lineage.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple, TypeVar

from sigmaloop.agents.lessons import current, lesson
from sigmaloop.errors import BadInput
from sigmaloop.gate.bank import Bank
from sigmaloop.gate.decision import bank_after
from sigmaloop.gate.judging import STAGES, AttemptInputs
from sigmaloop.graph.provenance import Line, written_by
from sigmaloop.graph.search_facts import COMPOSED, Composed
from sigmaloop.graph.targets import next_target, plateau_step, since_keep
from sigmaloop.memory.clusters import KINDS, ClusterFold, fold_clusters, next_cluster_id, rank
from sigmaloop.memory.events import Event
from sigmaloop.memory.facts import (
    CANDIDATE,
    FAILURE,
    FORM,
    VERDICT,
    AttemptEnded,
    AttemptIntended,
    BatchStarted,
    Briefed,
    ClusterDiagnosed,
    FailureAssigned,
    RecordKind,
    RunStarted,
    TaskUnusable,
)
from sigmaloop.memory.journal import Journal
from sigmaloop.memory.lineage import Lineage, lineage
from sigmaloop.memory.suite import PROMOTED, fold_suite
from sigmaloop.records import (
    Candidate,
    Cluster,
    FailureRecord,
    InstructionGap,
    Learning,
    LedgerEntry,
    Proposal,
    SuiteCase,
    Verdict,
)
from sigmaloop.report.decisions import DecisionMade

INPUTS = RecordKind("inputs", AttemptInputs)
PROPOSAL = RecordKind("proposal", Proposal)
T = TypeVar("T")


_GAPS: dict[InstructionGap, str] = {
    "missing": "missing",
    "vague": "vague",
    "overlooked": "overlooked",
    "code": "not the cause, but the code",
}


class ClusterState(NamedTuple):
    """How a cluster stands."""

    state: str
    failed: tuple[str, ...]
    """Attempts at it since its last diagnosis that were rejected, the latest two."""


def _failed(entry: LedgerEntry) -> str:
    why = f"; {entry.judgement.explanation}" if entry.judgement else ""
    return f"[{entry.kind}] {entry.summary} -> rejected by {entry.gate}{why}"[:400]


def started_of(journal: Journal) -> RunStarted:
    """What a run is made of. Raises BadInput for one that was never fully started, or written by another version."""
    found = journal.find(RunStarted, RunStarted.kind)
    if found is None:
        raise BadInput("the run was never fully started; start another with `sigmaloop run`")
    if found.form != FORM:
        raise BadInput(
            f"the run was made by another version of SigmaLoop (form {found.form}, this one reads {FORM}): "
            "read it with that version, or start a new run with `sigmaloop run`"
        )
    return found


class History:
    """Reads of one run's journal. Threads may share it: a fold that is made twice is only work done twice."""

    def __init__(self, journal: Journal, *, suite_cap: int) -> None:
        """`suite_cap`: most cases of the regression suite."""
        self._journal = journal
        self._cap = suite_cap
        self._folds: dict[Hashable, Any] = {}
        self._length = -1

    def started(self) -> RunStarted:
        """What the run is made of. Raises BadInput as `started_of` does."""
        return started_of(self._journal)

    # Attempts

    def intent(self, candidate_id: str) -> AttemptIntended:
        """What an attempt set out to do. Raises KeyError for one that was never begun."""
        found = self._journal.find(AttemptIntended, f"{AttemptIntended.kind}:{candidate_id}")
        if found is None:
            raise KeyError(candidate_id)
        return found

    def candidate(self, candidate_id: str | None) -> Candidate | None:
        """The change of an attempt; None before it has handed one in."""
        return self._journal.load(CANDIDATE, str(candidate_id))

    def composed(self, candidate_id: str | None) -> Composed | None:
        """What an attempt was merged from; None for one change that was made by itself."""
        return self._journal.load(COMPOSED, str(candidate_id))

    def verdicts(self, names: Sequence[str]) -> list[Verdict]:
        """The verdicts of these names, in their order."""
        found = [self._journal.load(VERDICT, name) for name in names]
        return [verdict for verdict in found if verdict is not None]

    def ledger(self, incumbent: str) -> list[LedgerEntry]:
        """Every attempt of an agent's lineage, in the order in which they ended."""
        return self._fold(
            ("ledger", incumbent),
            lambda: [AttemptEnded.of(event).entry for event in self._own(incumbent, AttemptEnded.kind)],
        )

    def ended_attempts(self) -> int:
        """Endings of attempts on every way that the run went."""
        return self._journal.count(AttemptEnded.kind)

    def finished_agents(self) -> set[str]:
        """`agent_hash` of every change whose attempt ended, on every way that the run went."""
        agents = {fact.entry.agent for fact in self._journal.read(AttemptEnded)}
        return agents - {""}

    def learnings(self, incumbent: str) -> list[Learning]:
        """What each attempt of an agent's lineage taught, oldest first."""
        return [lesson(entry, entry.judgement) for entry in self.ledger(incumbent)]

    def lessons(self, incumbent: str) -> list[Learning]:
        """Of these what holds now: merged where they say the same, retired where contradicted, with their use."""
        return self._fold(("lessons", incumbent), lambda: current(self._used(incumbent)))

    def briefed(self, candidate_id: str) -> Briefed | None:
        """What the engineer was shown for an attempt."""
        return self._journal.find(Briefed, f"{Briefed.kind}:{candidate_id}")

    def rates(self, incumbent: str) -> tuple[str, ...]:
        """What kind of change was kept on what kind of cause, with counts; a line each."""
        clusters = self.clusters(incumbent)
        tried: Counter[tuple[InstructionGap, str]] = Counter()
        kept: Counter[tuple[InstructionGap, str]] = Counter()
        mended: Counter[tuple[InstructionGap, str]] = Counter()
        for entry in self.ledger(incumbent):
            cluster = clusters.get(entry.cluster_id)
            if entry.kind is None or cluster is None or not cluster.failures:
                continue
            gap = Counter(failure.instruction for failure in cluster.failures).most_common(1)[0][0]
            tried[gap, entry.kind] += 1
            kept[gap, entry.kind] += entry.outcome == "kept"
            mended[gap, entry.kind] += entry.gate == "validation"
        return tuple(
            f"{kind} on an instruction that was {_GAPS[gap]}: {kept[gap, kind]} of {count} kept"
            + (f", {mended[gap, kind]} more mended their targets only" if mended[gap, kind] else "")
            for (gap, kind), count in sorted(tried.items())
        )

    def lines(self, incumbent: str, source_of: Callable[[str], str]) -> list[Line]:
        """The kept agent's lines, each with the kept attempt that wrote it. `source_of`: text by commit."""
        kept = [entry for entry in self.ledger(incumbent) if entry.outcome == "kept"]
        first = [("", source_of(kept[0].parent))] if kept else [("", source_of(incumbent))]
        return written_by([*first, *((entry.candidate_id, source_of(entry.commit)) for entry in kept)])

    def _used(self, incumbent: str) -> list[Learning]:
        """The learnings, with how often they were shown, and to how many attempts that were kept."""
        kept = {entry.candidate_id: entry.outcome == "kept" for entry in self.ledger(incumbent)}
        used: Counter[str] = Counter()
        helped: Counter[str] = Counter()
        for shown in self._journal.read(Briefed):
            if shown.candidate_id in kept:
                used.update(shown.learnings)
                helped.update(shown.learnings if kept[shown.candidate_id] else ())
        return [
            one.model_copy(update={"used": used[one.id], "helped": helped[one.id]}) for one in self.learnings(incumbent)
        ]

    # Failures, clusters, suite

    def failure(self, failure_id: str) -> FailureRecord:
        """A mined failure. Raises BadInput for an unknown one."""
        found = self._journal.load(FAILURE, failure_id)
        if found is None:
            raise BadInput(f"no failure {failure_id}; search_failures lists them")
        return found

    def clusters(self, incumbent: str) -> dict[str, Cluster]:
        """Every cluster, with the attempts and scores of an agent's own lineage."""
        return self._fold(("clusters", incumbent), lambda: fold_clusters(self._own(incumbent, KINDS)))

    def ranked(self, incumbent: str, batch: int) -> list[Cluster]:
        """The open clusters, the one with the highest selection value first."""
        return [c for c in rank(self.clusters(incumbent), batch) if c.selection(batch) > 0]

    def next_target(self, incumbent: str, batch: int, plateau: int) -> Cluster | None:
        """The cluster that the next attempt is for; None when nothing is left to fix. `plateau`: the setting."""
        ended = self.ledger(incumbent)
        step = plateau_step(since_keep(ended), plateau)
        return next_target(self.clusters(incumbent), ended, batch=batch, step=step)

    def cluster_states(self, incumbent: str, batch: int) -> dict[str, ClusterState]:
        """How each cluster stands, and what failed at it since its last diagnosis."""
        fold = ClusterFold().extend(self._own(incumbent, KINDS))
        statuses, diagnosed = fold.statuses(batch=batch), dict[str, int]()
        for fact in self._journal.read(ClusterDiagnosed):
            diagnosed[fold.survivor(fact.cluster_id)] = fact.batch
        states: dict[str, ClusterState] = {}
        for cluster_id, status in statuses.items():
            own = [e for e in self.ledger(incumbent) if fold.survivor(e.cluster_id) == cluster_id]
            kept = next((e for e in reversed(own) if e.outcome == "kept"), None)
            state = {"resolved": "mended", "recurring": "recurring"}.get(status, "open")
            if kept and state != "open":
                state += f"; a change was kept in batch {kept.batch}: {kept.summary}"
            since = [e for e in own if e.outcome == "rejected" and e.batch >= diagnosed.get(cluster_id, 0)]
            states[cluster_id] = ClusterState(state=state, failed=tuple(map(_failed, since[-2:])))
        return states

    def mechanisms(self, incumbent: str, batch: int) -> tuple[tuple[str, str], ...]:
        """Mechanisms in use, with what each means, those of the open clusters first: a miner takes one that fits."""
        clusters = [c for c in rank(self.clusters(incumbent), batch) if c.failures]
        first = {c.id: Counter(f.mechanism for f in c.failures).most_common(1)[0][0] for c in clusters}
        return tuple((first[c.id], c.diagnosis.common_cause if c.diagnosis else c.root_cause) for c in clusters)

    def traffic_agent(self, incumbent: str, batch: int) -> str | None:
        """Commit of the agent that played the newest traffic up to a batch, in a lineage."""
        played = [BatchStarted.of(event) for event in self._own(incumbent, BatchStarted.kind)]
        return next((fact.agent for fact in reversed(played) if fact.batch <= batch), None)

    def next_cluster_id(self) -> str:
        """An id that no cluster ever had."""
        return next_cluster_id(self._journal.events(KINDS))

    def suite(self, incumbent: str) -> tuple[SuiteCase, ...]:
        """The regression suite of an agent: what was promoted on the way to it, not on a way that was left."""
        return self._fold(("suite", incumbent), lambda: fold_suite(self._own(incumbent, PROMOTED), cap=self._cap))

    def known_failures(self, incumbent: str) -> list[str]:
        """Tasks that failed in traffic and are not in the suite of an agent; those that failed last come last."""
        in_suite = {case.task_id for case in self.suite(incumbent)}
        failed = [fact.failure.task_id for fact in self._journal.read(FailureAssigned)]
        latest_first = dict.fromkeys(reversed(failed))
        return [task for task in reversed(latest_first) if task not in in_suite]

    def unusable_tasks(self, *, before: int | None = None) -> frozenset[str]:
        """Training tasks that were found unusable; `before`: in batches before that one."""
        found = self._journal.read(TaskUnusable)
        return frozenset(fact.task_id for fact in found if before is None or fact.batch < before)

    # Decisions

    def decisions(self) -> list[DecisionMade]:
        """Every decision, on every way that the run went, canaries included."""
        return self._fold("decisions", lambda: self._journal.read(DecisionMade))

    def bank(self, incumbent: str) -> Bank:
        """What is known of an agent's scores: a fold over the decisions that led to it."""
        for made in reversed(self.decisions()):
            subject, kept = made.decision.subject, made.decision.kept
            if not subject.canary and incumbent == (subject.commit if kept else subject.parent):
                return bank_after(made.decision)
        return Bank()

    def rollouts_asked_for(self, decision_id: str) -> int:
        """Rollouts of a candidate that its gates asked for; 0 when it was refused before them."""
        made = self._journal.find(DecisionMade, decision_id)
        rows = made.decision.rows if made else ()
        return len({(row.task_id, row.trial) for row in rows if row.stage in STAGES})

    def rollouts_paid(self, decision_id: str) -> int:
        """Rollouts that a decision rests on, the incumbent's beside the candidate's; 0 when there was none."""
        made = self._journal.find(DecisionMade, decision_id)
        return len({(row.stage == "control", row.task_id, row.trial) for row in made.decision.rows}) if made else 0

    # Folds

    def _own(self, incumbent: str, kinds: str | frozenset[str]) -> list[Event]:
        return self._lineage(incumbent).of(self._journal.events(kinds))

    def _lineage(self, incumbent: str) -> Lineage:
        return self._fold(("lineage", incumbent), lambda: lineage(self._journal, incumbent))

    def _fold(self, name: Hashable, make: Callable[[], T]) -> T:
        """A fold as of now; candidates are saved before the event that follows them, so the length tells of all."""
        length = self._journal.length()
        if length != self._length:
            self._folds, self._length = {}, length
        folds = self._folds
        if name not in folds:
            folds[name] = make()
        found: T = folds[name]
        return found
