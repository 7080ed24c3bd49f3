"""How an attempt gets its change: written down as intended, asked for once, recorded, and admitted or refused."""

from __future__ import annotations

from itertools import count

from sigmaloop.agents.brief import Brief
from sigmaloop.errors import InadmissibleChange
from sigmaloop.graph.briefing import BRIEFING, brief_for, tools_for
from sigmaloop.graph.events import Emit
from sigmaloop.graph.history import PROPOSAL
from sigmaloop.graph.program import read_program
from sigmaloop.graph.rehearsal import rehearse
from sigmaloop.graph.services import Services
from sigmaloop.graph.state import LoopState
from sigmaloop.memory.facts import CANDIDATE, AttemptEnded, AttemptIntended, Briefed
from sigmaloop.records import Candidate, Cluster, Proposal
from sigmaloop.tools.changes.edits import check_change, unified_diff
from sigmaloop.tools.changes.programs import edit_of, same_program


def intend(services: Services, state: LoopState, cluster: Cluster) -> AttemptIntended:
    """Write down what is about to be tried.

    A fork gets an id of its own when it tries something else here, or when the attempt is over; one that was merely
    interrupted is taken up again.
    """
    number, journal = state["attempts_total"] + 1, services.journal
    for fork in count():
        intent = AttemptIntended(
            batch=state["batch"],
            candidate_id=f"A{number:04d}" if fork == 0 else f"A{fork}{number:04d}",
            attempt=state["attempt"] + 1,
            number=number,
            cluster_id=cluster.id,
            parent=state["incumbent"],
            best_micros=state["best_micros"],
        )
        known = journal.find(AttemptIntended, intent.id)
        if known is None:
            journal.write(intent)
            return intent
        if known == intent and not journal.event(f"{AttemptEnded.kind}:{intent.candidate_id}"):
            return intent
    raise AssertionError("there is always another id")


def propose_change(services: Services, emit: Emit, intent: AttemptIntended, cluster: Cluster, parent: str) -> Candidate:
    """The engineer's change as a candidate; `parent`: the incumbent's text. Raises SpecialistError.

    It is asked for once, then read from the journal: an attempt is about one change.
    """
    journal = services.journal
    proposal = journal.load(PROPOSAL, intent.candidate_id)
    if proposal is None:
        brief, shown = _briefed(services, intent, cluster, parent)
        tools = tools_for(services, emit, shown, intent.parent, parent)
        proposal = services.engineer.propose(brief, tools, scope=f"propose:{intent.candidate_id}")
        journal.save(PROPOSAL, intent.candidate_id, proposal, batch=intent.batch)
    return record_candidate(services, intent, cluster, parent, proposal)


def _briefed(services: Services, intent: AttemptIntended, cluster: Cluster, parent: str) -> tuple[Brief, Briefed]:
    """What the engineer is shown: put together once, then read from the journal, whatever was edited meanwhile."""
    journal = services.journal
    brief, shown = journal.load(BRIEFING, intent.candidate_id), services.history.briefed(intent.candidate_id)
    if brief is None or shown is None:
        brief, shown = brief_for(services, intent, cluster, parent, read_program(services.settings))
        with journal.transaction():
            journal.save(BRIEFING, intent.candidate_id, brief, batch=intent.batch)
            journal.write(shown)
    return brief, shown


def admit(services: Services, candidate: Candidate, parent: str) -> None:
    """Free checks before any rollout is paid. Raises InadmissibleChange."""
    source = services.versions.source(candidate.commit)
    _check_text(services, parent, source)
    before = repeated(services, candidate, parent, source)
    if before:
        raise InadmissibleChange("repeated", f"this change was rejected before, as {before}; try a different approach")
    _try_out(services, parent, source)


def check_admissible(services: Services, parent: str, source: str) -> None:
    """The same for a draft, which is no attempt yet. Raises InadmissibleChange."""
    _check_text(services, parent, source)
    _try_out(services, parent, source)


def _check_text(services: Services, parent: str, source: str) -> None:
    texts, policies = services.task_texts
    check_change(
        parent,
        source,
        task_ids=services.tasks.keys(),
        texts=texts,
        public=policies,
        package=services.own_modules,
        **services.form._asdict(),
    )


def _try_out(services: Services, parent: str, source: str) -> None:
    tried = rehearse(services, parent, source)
    if not tried.ok:
        raise InadmissibleChange("smoke_test", f"the changed agent fails its smoke test: {tried.detail}")


def repeated(services: Services, candidate: Candidate, parent: str, source: str) -> str:
    """Id of a rejected attempt that was this change: the same program on the same incumbent, or the same edit of
    another one, comments and layout aside. Empty when there is none."""
    kind, source_of = services.form.kind, services.versions.source
    edit = edit_of(parent, source, kind)
    for entry in (fact.entry for fact in services.journal.read(AttemptEnded)):
        if entry.outcome != "rejected" or not entry.commit or entry.candidate_id == candidate.id:
            continue
        other = source_of(entry.commit)
        if entry.parent == candidate.parent:
            same = same_program(source, other, kind)
        else:
            same = bool(edit) and edit_of(source_of(entry.parent), other, kind) == edit
        if same:
            return entry.candidate_id
    return ""


def record_candidate(
    services: Services, intent: AttemptIntended, cluster: Cluster, parent: str, proposal: Proposal
) -> Candidate:
    """Keep the change as an object of the run's repository, with its evidence in the message."""
    message = (
        f"{intent.candidate_id}: {proposal.summary}\n\n{proposal.hypothesis}\n\n"
        f"Cluster: {cluster.id} {cluster.title}\nFailures: {', '.join(f.id for f in cluster.failures)}\n"
        f"Kind: {proposal.kind}\nBatch: {intent.batch}\nAttempt: {intent.attempt}\n"
        f"Model: {services.settings.model_named}\n"
    )
    candidate = Candidate(
        id=intent.candidate_id,
        batch=intent.batch,
        attempt=intent.attempt,
        cluster_id=cluster.id,
        parent=intent.parent,
        commit=services.versions.record(intent.candidate_id, intent.parent, proposal.source, message),
        agent=services.identity(proposal.source),
        hypothesis=proposal.hypothesis,
        kind=proposal.kind,
        summary=proposal.summary,
        diff=unified_diff(parent, proposal.source, path=services.form.file),
    )
    services.journal.save(CANDIDATE, candidate.id, candidate, batch=intent.batch)
    return candidate
