"""How a slot gets its draft: asked for once, recorded, admitted or refused. Nothing is appended here: drafts are
written side by side, and the order in which they come back decides nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sigmaloop.agents.brief import Brief
from sigmaloop.errors import InadmissibleChange, SpecialistError
from sigmaloop.graph.briefing import BRIEFING, brief_for, tools_for
from sigmaloop.graph.events import Emit
from sigmaloop.graph.merging import merged
from sigmaloop.graph.program import read_program
from sigmaloop.graph.proposing import check_admissible
from sigmaloop.graph.search_facts import DRAFTED, Drafted
from sigmaloop.graph.searching import Search
from sigmaloop.graph.services import Services
from sigmaloop.graph.shown_drafts import advice_for
from sigmaloop.memory.embedder import HashEmbedder
from sigmaloop.memory.facts import AttemptIntended, Briefed, RecordKind
from sigmaloop.records import Cluster, agent_hash, digest
from sigmaloop.search.words import Draft, Reason, Similar, Slot
from sigmaloop.tools.changes.paste import paste
from sigmaloop.tools.changes.programs import edit_of, program_hash

LIKENESS = 0.9
"""Cosine from which the likeness of two drafts is written down."""
_SHOWN = RecordKind("draft_briefed", Briefed)
"""What a brief was made of, by draft id: a fact that is written once all drafts are there."""


def write_draft(services: Services, emit: Emit, search: Search, slot: Slot) -> Drafted:
    """The draft of a slot, from the journal when it is there already."""
    known = services.journal.load(DRAFTED, slot.draft_id)
    if known is not None:
        return known
    drafted = _admitted(services, search, _made(services, emit, search, slot))
    services.journal.save(DRAFTED, slot.draft_id, drafted, batch=search.batch)
    return drafted


def refuse_draft(services: Services, search: Search, slot: Slot, why: str) -> None:
    """Write down that nothing came of a slot."""
    services.journal.save(DRAFTED, slot.draft_id, Drafted(refused=why), batch=search.batch)


def gather_drafts(services: Services, search: Search) -> tuple[Draft, ...]:
    """Every slot's draft as the search knows it, in order of id. Raises KeyError for one that was never answered."""
    parent = services.versions.source(search.base)
    answers: list[tuple[Slot, Drafted]] = []
    for slot in sorted(search.asked, key=lambda slot: slot.draft_id):
        found = services.journal.load(DRAFTED, slot.draft_id)
        if found is None:
            raise KeyError(slot.draft_id)
        answers.append((slot, found))
        if found.briefed:
            services.journal.write(found.briefed)
    earlier = {d.id: _added(parent, source_of(services, d.id)) for d in search.field.drafts}
    texts = {**earlier, **{slot.draft_id: _added(parent, found.source) for slot, found in answers}}
    return tuple(_draft(slot, found, texts) for slot, found in answers)


def source_of(services: Services, draft_id: str) -> str:
    """The whole text of a draft; empty where none was handed in."""
    found = services.journal.load(DRAFTED, draft_id)
    return found.source if found else ""


def _made(services: Services, emit: Emit, search: Search, slot: Slot) -> Drafted:
    parent = services.versions.source(search.base)
    clusters = services.history.clusters(search.base)
    cluster = clusters[slot.clusters[0]]
    if services.settings.strategy == "paste":
        return _pasted(parent, cluster)
    if len(slot.parents) == 2:
        made = merged(parent, [(name, source_of(services, name)) for name in slot.parents])
        return Drafted(source=made.source, summary=f"Merges {' and '.join(slot.parents)}.", hypothesis="Both help.")
    start = source_of(services, slot.parents[0]) if slot.parents else parent
    brief, shown = _briefed(services, search, slot, cluster, start or parent)
    tools = tools_for(services, emit, shown, search.base, start or parent)
    try:
        with services.miners:
            proposal = services.engineer.propose(brief, tools, scope=f"draft:{slot.draft_id}")
    except SpecialistError as problem:
        return Drafted(refused=str(problem)[:500], briefed=shown)
    return Drafted(
        source=proposal.source,
        kind=proposal.kind,
        summary=proposal.summary,
        hypothesis=proposal.hypothesis,
        briefed=shown,
    )


def _briefed(services: Services, search: Search, slot: Slot, cluster: Cluster, source: str) -> tuple[Brief, Briefed]:
    """What the engineer is shown: put together once, then read from the journal."""
    journal = services.journal
    brief, shown = journal.load(BRIEFING, slot.draft_id), journal.load(_SHOWN, slot.draft_id)
    if brief is not None and shown is not None:
        return brief, shown
    intent = AttemptIntended(  # the words of an attempt, for a draft that is none yet: never written
        batch=search.batch,
        candidate_id=slot.draft_id,
        attempt=slot.attempt,
        number=1,
        cluster_id=cluster.id,
        parent=search.base,
        best_micros=0,
    )
    brief, shown = brief_for(services, intent, cluster, source, read_program(services.settings))
    said = [text for text in (brief.advice, advice_for(services, search, slot)) if text]
    brief = brief.model_copy(update={"advice": " ".join(said)})
    journal.save(_SHOWN, slot.draft_id, shown, batch=search.batch)
    journal.save(BRIEFING, slot.draft_id, brief, batch=search.batch)
    return brief, shown


def _pasted(parent: str, cluster: Cluster) -> Drafted:
    """The miner's own words of the cluster's first failure: no model is asked."""
    words = cluster.failures[0].should_have if cluster.failures else cluster.root_cause
    source, kind = paste(parent, words)
    return Drafted(source=source, kind=kind, summary=f"Pastes: {words}"[:200], hypothesis=words)


def _admitted(services: Services, search: Search, drafted: Drafted) -> Drafted:
    """With the reason when it does not get through the free checks."""
    if drafted.refused:
        return drafted
    try:
        check_admissible(services, services.versions.source(search.base), drafted.source)
    except InadmissibleChange as problem:
        return drafted.model_copy(update={"refused": str(problem)[:500]})
    return drafted


def _draft(slot: Slot, found: Drafted, texts: dict[str, str]) -> Draft:
    name = slot.draft_id
    draft = Draft(
        slot=slot,
        agent=agent_hash(found.source),
        tree=program_hash(found.source) if found.source else digest("no draft", name),
        kind=found.kind,
        added=len(texts[name]),
        similar=_similar(name, texts),
    )
    if not found.refused:
        return draft
    reason = Reason(draft=name, code="screen", message=found.refused)
    return draft.model_copy(update={"fate": "fallen", "reason": reason, "tree": digest(draft.tree, name)})


def _similar(name: str, texts: dict[str, str]) -> tuple[Similar, ...]:
    """Drafts with a lower id that say nearly the same: of two, the later one is asked for again."""
    others = [other for other in sorted(texts) if other < name and texts[other] and texts[name]]
    if not others:
        return ()
    rows = HashEmbedder().embed([texts[name], *(texts[other] for other in others)])
    cosines = np.round((rows[1:] @ rows[0]).astype(float), 4).tolist()
    return tuple(Similar(draft=o, cosine=c) for o, c in zip(others, cosines, strict=True) if c >= LIKENESS)


def _added(parent: str, source: str) -> str:
    """The lines that a draft adds to its base."""
    return "\n".join(line[1:].strip() for line in edit_of(parent, source) if line.startswith("+"))


def summaries(services: Services, names: Sequence[str]) -> list[Drafted]:
    """What was handed in for these drafts, in their order."""
    found = [services.journal.load(DRAFTED, name) for name in names]
    return [one for one in found if one is not None]
