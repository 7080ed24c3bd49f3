"""What a report is made of: one read of a run's journal, as far as it belongs to the agent that is kept now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sigmaloop.errors import BadInput
from sigmaloop.gate.worlds.power import Foretold
from sigmaloop.memory import overview
from sigmaloop.memory.clusters import ClusterFold
from sigmaloop.memory.events import Event
from sigmaloop.memory.facts import (
    HEARTBEAT,
    MADE_BY,
    ONE,
    PAUSED,
    AttemptEnded,
    BaselineMeasured,
    BatchStarted,
    Certified,
    Heartbeat,
    MadeBy,
    ModelAnswered,
    Promoted,
    RecordKind,
    RunPaused,
    RunStarted,
    facts_in,
)
from sigmaloop.memory.journal import Journal
from sigmaloop.memory.lineage import lineage
from sigmaloop.memory.runs import RunPaths
from sigmaloop.memory.suite import fold_suite
from sigmaloop.records import Certificate, LedgerEntry, Split, SuiteCase, Usage
from sigmaloop.report.rulings import Ruling
from sigmaloop.settings import Settings, restore_settings

FORETOLD = RecordKind("foretold", Foretold)
"""What the plan says of the run's own figures."""
FORETOLD_RUN = "run"
SIMULATED = "simulated"
"""How the names of models begin that are stand-ins."""


@dataclass(frozen=True)
class Material:
    """The facts of a run in the order in which they were written."""

    paths: RunPaths
    condition: str
    agent: str
    """Hash of the kept agent, whose certificates count; empty: its commit tells."""
    incumbent: str
    """Commit of the kept agent; empty: every way that the run went counts."""
    started: RunStarted
    settings: Settings
    events: Sequence[Event]
    """All but the decisions."""
    decisions: Sequence[Ruling]
    results: Sequence[overview.Result]
    spending: Sequence[overview.Spending]
    usage: Mapping[str, Usage]
    changes: Mapping[str, Mapping[str, Any]]
    """Candidates by id."""
    foretold: Foretold | None
    made_by: Sequence[MadeBy]
    pauses: Sequence[RunPaused]
    heartbeat: Heartbeat | None
    beat_age: float
    """Seconds since the heartbeat."""
    times: tuple[float, float] | None
    head: str

    @cached_property
    def ledger(self) -> list[LedgerEntry]:
        return [fact.entry for fact in facts_in(self.events, AttemptEnded)]

    @cached_property
    def batches(self) -> list[BatchStarted]:
        return facts_in(self.events, BatchStarted)

    @cached_property
    def batch(self) -> int:
        return max((fact.batch for fact in self.batches), default=0)

    @cached_property
    def baseline(self) -> BaselineMeasured | None:
        return next(iter(facts_in(self.events, BaselineMeasured)), None)

    @cached_property
    def clusters(self) -> ClusterFold:
        return ClusterFold().extend(self.events)

    @cached_property
    def suite(self) -> tuple[SuiteCase, ...]:
        return fold_suite(self.events, cap=self.settings.suite_cap)

    @cached_property
    def promoted(self) -> list[Promoted]:
        return facts_in(self.events, Promoted)

    @cached_property
    def simulated(self) -> bool:
        """Whether a stand-in answered for the model: as it was set up, or by the name that it answered with."""
        names = [fact.name for fact in facts_in(self.events, ModelAnswered)]
        return self.started.simulated or any(name.startswith(SIMULATED) for name in names)

    @cached_property
    def certificates(self) -> dict[Split, Certificate]:
        """Of the kept agent, by split."""
        own = {}
        for fact in facts_in(self.events, Certified):
            found = fact.certificate
            mine = found.agent == self.agent if self.agent else self.incumbent.startswith(fact.commit)
            if mine:
                own[found.split] = found.model_copy(update={"simulated": found.simulated or self.simulated})
        return own

    @cached_property
    def ruling(self) -> dict[str, Ruling]:
        """The newest decision on each attempt, by its id."""
        return {ruling.subject.candidate_id: ruling for ruling in self.decisions}

    @cached_property
    def training(self) -> frozenset[str]:
        """Tasks that came by in traffic."""
        return frozenset(task for fact in self.batches for task in fact.tasks)


def read_material(
    paths: RunPaths, journal: Journal, *, condition: str, incumbent: str | None, agent: str = ""
) -> Material:
    """Everything that a report tells, from the journal. Raises BadInput for a run that was never fully started."""
    events = [*overview.other_events(journal), *overview.decisions(journal)]
    if incumbent:
        events = lineage(journal, incumbent).of(events)
    started = next(iter(facts_in(events, RunStarted)), None)
    if started is None:
        raise BadInput(
            f"run {paths.run_id} in {paths.home} was never fully started; start another with `sigmaloop run`"
        )
    beat = journal.load(HEARTBEAT, ONE)
    return Material(
        paths=paths,
        condition=condition,
        agent=agent,
        incumbent=incumbent or _newest(events),
        started=started,
        settings=restore_settings(paths.home, started.settings),
        events=[event for event in events if event.kind != overview.DECISION],
        decisions=[Ruling.of(event) for event in events if event.kind == overview.DECISION],
        results=overview.results(journal),
        spending=overview.spending(journal),
        usage=journal.usage(),
        changes=overview.changes(journal),
        foretold=journal.load(FORETOLD, FORETOLD_RUN),
        made_by=journal.load_all(MADE_BY),
        pauses=journal.load_all(PAUSED),
        heartbeat=beat,
        beat_age=journal.seconds_since(beat.at) if beat else 0.0,
        times=journal.times(),
        head=journal.head(),
    )


def _newest(events: Sequence[Event]) -> str:
    """The kept agent, where nobody says which it is: that of the newest keep, or the baseline."""
    kept = [fact.entry.commit for fact in facts_in(events, AttemptEnded) if fact.entry.outcome == "kept"]
    base = next(iter(facts_in(events, BaselineMeasured)), None)
    return kept[-1] if kept else base.commit if base else ""
