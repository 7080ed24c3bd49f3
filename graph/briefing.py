"""What the harness engineer is told before an attempt, and what it may look up during one.

Nothing of validation gets in: of earlier attempts it learns kept or rejected, and by which gate. Attempts and
learnings are those of the kept agent's lineage: what was kept on a way that was left is not in the file.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sigmaloop.agents.brief import SHOWN_TRACES, Brief, EngineerTools, PastAttempt, ShownTrace
from sigmaloop.agents.brief_text import ATTEMPT_TRACE, SHOWN_LEARNINGS, brief_prompt
from sigmaloop.agents.lessons import training_figures
from sigmaloop.agents.trace_text import trace_text
from sigmaloop.graph.events import Emit
from sigmaloop.graph.program import Program
from sigmaloop.graph.rehearsal import rehearse
from sigmaloop.graph.replaying import replayer
from sigmaloop.graph.services import Services
from sigmaloop.graph.shown import by_type, ending_of, passing_rollout, rollout_of, target_trace
from sigmaloop.graph.targets import DID_NOT_WORK, plateau_step, since_keep, tries_at
from sigmaloop.memory.facts import AttemptIntended, Briefed, RecordKind
from sigmaloop.memory.index import Hit, Kind
from sigmaloop.records import Cluster, FailureRecord, JsonObject, Learning, LedgerEntry, digest

FOUND = 5
"""Results of one search."""
ALIKE = 0.2
"""Cosine below which something is not found: it is about something else."""
TRANSCRIPTS = 2
"""Latest failed attempts of whose targets a recording is shown."""
_TRACE = 12_000
BRIEFING = RecordKind("briefing", Brief)
"""What the engineer was shown, by attempt."""


def brief_for(
    services: Services, intent: AttemptIntended, cluster: Cluster, source: str, program: Program
) -> tuple[Brief, Briefed]:
    """All that an attempt starts from, and the fact that says so; `source`: the text of the incumbent."""
    incumbent, batch = intent.parent, intent.batch
    ledger = services.history.ledger(incumbent)
    query = f"{cluster.title}. {cluster.root_cause}"
    earlier = _earlier(services, incumbent, cluster, query)
    learnings = _learnings(services, incumbent, query)
    failures = _telling(cluster)
    briefings = [services.benchmark.briefing(failure.task_id) for failure in failures]
    brief = Brief(
        cluster=cluster,
        agent=source,
        attempts=tuple(_past(services, entry, cluster, ledger) for entry in earlier),
        learnings=tuple(map(lesson_text, learnings)),
        traces=tuple(_recording(services, failure) for failure in failures),
        passing=_passing(services, incumbent, failures, batch),
        tools="\n".join(dict.fromkeys(_tool(tool) for briefing in briefings for tool in briefing.tools)),
        policy="\n\n".join(dict.fromkeys(briefing.instructions for briefing in briefings)),
        works=tuple(_kept(entry) for entry in ledger if entry.outcome == "kept"),
        rates=services.history.rates(incumbent) + _types(services, source),
        others=_others(services, incumbent, cluster, batch),
        program=program.text,
        advice=_advice(services, cluster, ledger, batch),
        attempt=intent.attempt,
    )
    prompt = brief_prompt(brief, setting=services.benchmark.setting, calls=1)
    shown = Briefed(
        batch=batch,
        candidate_id=intent.candidate_id,
        text=digest(prompt.user),
        failures=tuple(f.id for f in brief.failures),
        attempts=tuple(entry.candidate_id for entry in earlier),
        learnings=tuple(learning.id for learning in learnings),
        program=program.hash,
    )
    return brief, shown


def tools_for(services: Services, emit: Emit, shown: Briefed, incumbent: str, source: str) -> EngineerTools:
    """Look-ups, a rehearsal and replays, as callables; `source`: the text of the incumbent."""

    def read_trace(failure_id: str) -> str:
        return trace_text(services.journal.trace(services.history.failure(failure_id).rollout_id))

    def search(kind: Kind, query: str, known: Collection[str]) -> list[str]:
        hits = services.index.search(kind, query, FOUND + len(known))
        return [f"{hit.id}: {hit.text}" for hit in _near(hits) if hit.id not in known][:FOUND]

    def search_own(kind: Kind, query: str, known: Collection[str]) -> list[str]:
        hits = _own(services, incumbent, kind, query, FOUND + len(known))
        return [f"{hit.id}: {hit.text}" for hit in _near(hits) if hit.id not in known][:FOUND]

    return EngineerTools(
        source=source,
        file=services.form.file,
        kind=services.form.kind,
        search_failures=lambda query: search("failure", query, shown.failures),
        search_learnings=lambda query: search_own("learning", query, shown.learnings),
        search_attempts=lambda query: search_own("attempt", query, shown.attempts),
        read_trace=read_trace,
        dry_run=lambda changed: rehearse(services, source, changed).report(),
        replay=replayer(services, emit, batch=shown.batch),
    )


def lesson_text(learning: Learning) -> str:
    """A lesson in a line, as the engineer reads it."""
    fate = "kept" if learning.outcome == "kept" else f"rejected by {learning.gate or 'the gate'}"
    return (
        f"{learning.id} ({fate}) situation: {learning.situation} tried: {learning.tried} "
        f"observed: {learning.observed} follows: {learning.follows}"
    )


def _telling(cluster: Cluster) -> list[FailureRecord]:
    """The failures whose recordings are shown: what this cause decided first, then the newest, a task once."""
    newest = cluster.failures[::-1]
    ranked = [f for f in newest if f.decisive] + [f for f in newest if not f.decisive]
    by_task: dict[str, FailureRecord] = {}
    for failure in ranked:
        by_task.setdefault(failure.task_id, failure)
    return list(by_task.values())[:SHOWN_TRACES]


def _recording(services: Services, failure: FailureRecord) -> ShownTrace:
    trace = trace_text(services.journal.trace(failure.rollout_id), limit=_TRACE)
    return ShownTrace(name=failure.id, ending=ending_of(rollout_of(services, failure)), text=trace)


def _passing(services: Services, incumbent: str, failures: Sequence[FailureRecord], batch: int) -> ShownTrace | None:
    for kind in dict.fromkeys(failure.request_type for failure in failures):
        rollout = passing_rollout(services, incumbent, kind, batch)
        if rollout is not None:
            return ShownTrace(
                name=kind, ending="passed", text=trace_text(services.journal.trace(rollout.id), limit=8_000)
            )
    return None


def _tool(schema: JsonObject) -> str:
    function = schema.get("function", schema)
    names = ", ".join((function.get("parameters") or {}).get("properties") or {})
    return f"- {function.get('name')}({names}): {function.get('description', '')}"


def _earlier(services: Services, incumbent: str, cluster: Cluster, query: str) -> list[LedgerEntry]:
    """Attempts at this cluster, and those at others that are most like it; in the order in which they ended."""
    ledger = services.history.ledger(incumbent)
    alike = {hit.id for hit in _near(_own(services, incumbent, "attempt", query, FOUND)) if hit.id}
    return [entry for entry in ledger if entry.cluster_id == cluster.id or entry.candidate_id in alike]


def _past(services: Services, entry: LedgerEntry, cluster: Cluster, ledger: Sequence[LedgerEntry]) -> PastAttempt:
    own = entry.cluster_id == cluster.id
    candidate = services.history.candidate(entry.candidate_id)
    failed = [e.candidate_id for e in ledger if e.cluster_id == cluster.id and e.gate in DID_NOT_WORK and e.agent]
    trace = ""
    if entry.candidate_id in failed[-TRANSCRIPTS:]:
        trace = target_trace(services, entry.candidate_id, entry.agent, passed=False, limit=ATTEMPT_TRACE)
    return PastAttempt(
        id=entry.candidate_id,
        kind=entry.kind,
        summary=entry.summary,
        outcome=entry.outcome,
        gate=entry.gate,
        at="" if own else entry.cluster_title,
        diff=_bare(candidate.diff) if candidate and own else "",
        figures=training_figures(entry.verdicts),
        trace=trace,
        because=entry.judgement.explanation if entry.judgement else "",
        next_idea=entry.judgement.next_idea if entry.judgement else "",
    )


def _bare(diff: str) -> str:
    """A diff without file names and places: of one file, whose lines have moved since."""
    rows = diff.splitlines()
    return "\n".join(row for row in rows if not row.startswith(("--- ", "+++ ", "@@")))


def _learnings(services: Services, incumbent: str, query: str) -> list[Learning]:
    """The lessons that hold and are about this, the nearest first; among the near ones those that helped."""
    holding = {learning.id: learning for learning in services.history.lessons(incumbent)}
    hits = _near(_own(services, incumbent, "learning", query, 2 * SHOWN_LEARNINGS))
    found = [holding[hit.id] for hit in hits if hit.id in holding][:SHOWN_LEARNINGS]
    return sorted(found, key=lambda learning: -(learning.helped + 1) / (learning.used + 2))


def _kept(entry: LedgerEntry) -> str:
    return f"{entry.candidate_id} [{entry.kind}] {entry.summary} (mended “{entry.cluster_title}”)"


def _others(services: Services, incumbent: str, cluster: Cluster, batch: int) -> tuple[str, ...]:
    ranked = services.history.ranked(incumbent, batch)
    return tuple(
        f"{other.id} {other.title} ({other.size} failures): {_remedy(other)}"
        for other in ranked
        if other.id != cluster.id
    )


def _remedy(cluster: Cluster) -> str:
    if cluster.diagnosis and cluster.diagnosis.missing_instruction:
        return cluster.diagnosis.missing_instruction
    return cluster.failures[-1].should_have if cluster.failures else cluster.root_cause


def _types(services: Services, source: str) -> tuple[str, ...]:
    """How the kept agent does on training traffic, by request type, the worst first."""
    traffic = [r for r in services.journal.rollouts(agent=services.identity(source)) if r.key.trial < 100_000]
    found = sorted(by_type(services, traffic).items(), key=lambda pair: pair[1][0] / pair[1][1])
    return tuple(
        f"the kept agent on {kind}: {passed} of {total} training rollouts passed" for kind, (passed, total) in found
    )


def _advice(services: Services, cluster: Cluster, ledger: Sequence[LedgerEntry], batch: int) -> str:
    tries = tries_at([entry for entry in ledger if entry.batch == batch], cluster.id)
    said = []
    if tries:
        gate = ledger[-1].gate
        if gate in DID_NOT_WORK:
            said.append(f"The last attempt at this cause did not work (rejected by {gate}): do something else.")
    if plateau_step(since_keep(ledger), services.settings.plateau) == "diversify":
        said.append(
            "Nothing has been kept for long: take another kind of change than those tried, or a larger one that "
            "removes several of the causes at once."
        )
    return " ".join(said)


def _near(hits: Sequence[Hit]) -> list[Hit]:
    return [hit for hit in hits if 1 - hit.distance >= ALIKE]


def _own(services: Services, incumbent: str, kind: Kind, query: str, most: int) -> list[Hit]:
    """Hits among the lineage's own attempts: learning `L0001` is of attempt `A0001`."""
    own = {entry.candidate_id[1:] for entry in services.history.ledger(incumbent)}
    left = services.history.ended_attempts() - len(own)
    return [hit for hit in services.index.search(kind, query, most + left) if hit.id[1:] in own][:most]
