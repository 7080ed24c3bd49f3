"""A group of drafts becomes an attempt: merged on the kept agent, written down as intended, admitted or refused."""

from __future__ import annotations

from sigmaloop.errors import InadmissibleChange
from sigmaloop.graph.drafting import source_of
from sigmaloop.graph.events import AttemptStarted, Emit, Proposed
from sigmaloop.graph.merging import conflicts_of, merged
from sigmaloop.graph.proposing import admit, intend, record_candidate
from sigmaloop.graph.screening import agent_of_parts
from sigmaloop.graph.search_facts import COMPOSED, DRAFTED, CandidateChosen, Composed
from sigmaloop.graph.searching import Search
from sigmaloop.graph.services import Services
from sigmaloop.graph.state import LoopState
from sigmaloop.memory.facts import AttemptIntended
from sigmaloop.records import Cluster, LedgerPart, Proposal, Verdict
from sigmaloop.search.words import Candidate as Choice

LONGEST_SUMMARY = 200
LONGEST_MESSAGE = 500


def choose(
    services: Services, emit: Emit, state: LoopState, search: Search, pick: Choice
) -> tuple[AttemptIntended, Verdict | None] | None:
    """The attempt that a choice of the strategy becomes, and the verdict when it is refused at admission.

    None, and the choice is written down all the same, when the merge leaves nothing.
    """
    incumbent = services.versions.source(state["incumbent"])
    if pick.removes:
        stay = {part.draft for part in search.field.parts} - set(pick.removes)
        source, conflicts = agent_of_parts(services, search, stay), dict[str, str]()
    else:
        drafts = [(name, source_of(services, name)) for name in pick.group.drafts]
        made = merged(services.versions.source(search.base), drafts, now=incumbent)
        source, conflicts = made.source, conflicts_of(made)
    names = [name for name in pick.group.drafts if name not in conflicts]
    if not names and not pick.removes:
        search.write(CandidateChosen(batch=search.batch, candidate_id="", candidate=pick, conflicts=conflicts))
        return None
    parts = tuple(_part(services, search, name) for name in (*names, *pick.removes))
    cluster = services.history.clusters(state["incumbent"])[parts[0].cluster_id]
    intent = intend(services, state, cluster)
    composed = Composed(parts=() if pick.removes else parts, removes=pick.removes, ungated=pick.ungated)
    services.journal.save(COMPOSED, intent.candidate_id, composed, batch=intent.batch)
    chosen = CandidateChosen(batch=search.batch, candidate_id=intent.candidate_id, candidate=pick, conflicts=conflicts)
    search.write(chosen)
    emit(AttemptStarted(id=intent.candidate_id, attempt=intent.attempt, cluster_id=cluster.id, title=cluster.title))
    return intent, _admission(services, emit, intent, cluster, incumbent, _proposal(services, parts, pick, source))


def _admission(
    services: Services, emit: Emit, intent: AttemptIntended, cluster: Cluster, incumbent: str, proposal: Proposal
) -> Verdict | None:
    candidate = record_candidate(services, intent, cluster, incumbent, proposal)
    emit(Proposed(id=candidate.id, kind=candidate.kind, summary=candidate.summary))
    try:
        admit(services, candidate, incumbent)
    except InadmissibleChange as problem:
        return Verdict(
            candidate_id=intent.candidate_id,
            gate="admission",
            outcome="failed",
            reason=problem.code,
            message=str(problem)[:LONGEST_MESSAGE],
        )
    return None


def _part(services: Services, search: Search, name: str) -> LedgerPart:
    found = services.journal.load(DRAFTED, name)
    assert found is not None, f"draft {name} was written before it was merged"
    kept = {part.draft: part.clusters for part in search.field.parts}
    clusters = kept[name] if name in kept else search.field.draft(name).clusters
    title = services.history.clusters(search.base)[clusters[0]].title
    return LedgerPart(draft=name, cluster_id=clusters[0], cluster_title=title, kind=found.kind, summary=found.summary)


def _proposal(services: Services, parts: tuple[LedgerPart, ...], pick: Choice, source: str) -> Proposal:
    """One part keeps its own words; of several the first ones are quoted."""
    if pick.removes:
        names = ", ".join(pick.removes)
        said = f"Takes out {len(pick.removes)} kept parts that harm, or do nothing: {names}"
        return Proposal(
            hypothesis="Without them the agent does at least as well.",
            kind=parts[0].kind,
            summary=said[:LONGEST_SUMMARY],
            source=source,
        )
    found = [services.journal.load(DRAFTED, part.draft) for part in parts]
    said = parts[0].summary if len(parts) == 1 else f"{len(parts)} parts: {' '.join(part.summary for part in parts)}"
    reasons = [
        f"{part.draft} ({part.cluster_id}): {one.hypothesis}" for part, one in zip(parts, found, strict=True) if one
    ]
    alone = found[0].hypothesis if len(parts) == 1 and found[0] else ""
    return Proposal(
        hypothesis=(alone or "\n".join(reasons)) or "It helps.",
        kind=parts[0].kind,
        summary=said[:LONGEST_SUMMARY] or "(no words)",
        source=source,
    )
