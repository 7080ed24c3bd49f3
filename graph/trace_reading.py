"""Stored traces for people: those of every run and of every recorded scoring of a home, found by id or by filter.

Traces of validation and test come through this file alone, and nothing that a specialist is shown comes through it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sigmaloop.errors import BadInput, StoreError
from sigmaloop.memory.evals import eval_journals
from sigmaloop.memory.facts import CANDIDATE, BaselineMeasured, RunStarted
from sigmaloop.memory.journal import Journal
from sigmaloop.memory.runs import CALLS, RunPaths, find_run, list_runs
from sigmaloop.memory.traces import Traces
from sigmaloop.records import JsonObject, Trace, TraceFilter, agent_hash
from sigmaloop.tools.gateway.call_log import read_calls
from sigmaloop.tools.versions import Versions

BASELINE = "baseline"


@dataclass(frozen=True)
class TracePlace:
    """A run or a recorded scoring: whatever has a journal of rollouts."""

    name: str
    """The run's id, or the scoring's name."""
    journal: Path
    versions: Path | None = None
    """Of a run."""

    @property
    def short(self) -> str:
        return self.name if self.versions is None else self.name[:8]

    @property
    def calls(self) -> Path:
        """Its recorded model calls, if they were recorded."""
        return self.journal.with_name(CALLS)


class FoundTrace(NamedTuple):
    """A trace, where it stands, and what its agent is called there."""

    trace: Trace
    place: TracePlace
    agent: str


class FoundTraces(NamedTuple):
    """Traces without their steps, of one place; names of agents by their hash."""

    traces: list[Trace]
    place: TracePlace
    agents: Mapping[str, str]


class RecordedCall(NamedTuple):
    """A model call with its text."""

    number: int
    request: JsonObject
    answer: JsonObject


def places(home: Path) -> list[TracePlace]:
    """Runs, then recorded scorings, the newest of each first."""
    runs = [_run(home, facts.run_id) for facts in list_runs(home) if not facts.problem]
    return [*runs, *(TracePlace(name, path) for name, path in eval_journals(home).items())]


def place_of(home: Path, name: str | None) -> TracePlace:
    """The run that begins so, or the recorded scoring of that name; None: the newest run, else the newest scoring.

    Raises BadInput that says what there is.
    """
    evals = eval_journals(home)
    if name is not None and name in evals:
        return TracePlace(name, evals[name])
    if name is None and evals and not list_runs(home):
        return TracePlace(*next(iter(evals.items())))
    try:
        return _run(home, find_run(home, name))
    except BadInput as error:
        known = f"; recorded scorings: {', '.join(list(evals)[:10])}" if evals else ""
        raise BadInput(f"{error}{known}") from None


def read_traces(journal: Path, rollout_ids: Iterable[str]) -> list[Trace]:
    """These traces of a journal, whole. Raises StoreError when one is not there."""
    with Traces(journal) as traces:
        return [traces.read(rollout_id) for rollout_id in rollout_ids]


def list_traces(
    home: Path, wanted: TraceFilter, *, run: str | None = None, agent: str | None = None, attempt: str | None = None
) -> FoundTraces:
    """Rollouts of a place that fit; `agent` is `baseline`, an attempt, or the beginning of an agent's hash.

    Raises BadInput for an attempt or an agent that is not there.
    """
    place = place_of(home, run)
    names = _agents(place)
    with Traces(place.journal) as traces:
        if agent or attempt:
            there = {trace.rollout.key.agent for trace in traces.find()} | set(names)
            chosen = [_named(value, names, there, place) for value in (agent, attempt) if value]
            wanted = wanted.model_copy(update={"agents": tuple(set(chosen[0]).intersection(*chosen[1:]))})
        return FoundTraces(traces.find(wanted), place, names)


def find_trace(home: Path, prefix: str, *, run: str | None = None) -> FoundTrace:
    """The trace whose id begins so, or that of a failure `F...`: in a place, or else in the newest that has one.

    Raises BadInput when none or several begin so.
    """
    wanted = prefix.removeprefix("F").lower()
    searched = [place_of(home, run)] if run else places(home)
    for place in searched if wanted else ():
        try:
            with Traces(place.journal) as traces:
                ids = traces.ids(wanted)
                if len(ids) == 1 or wanted in ids:
                    found = traces.read(wanted if wanted in ids else ids[0])
                    return FoundTrace(found, place, _agents(place).get(found.rollout.key.agent, ""))
        except StoreError:
            if run:
                raise
            continue  # one damaged run hides no trace of another
        if ids:
            more = ", ".join(ids[:5])
            raise BadInput(f"several traces of {place.short} begin with {prefix!r}: {more}; give more of the id")
    where = f"run {searched[0].short}" if run else f"{home}"
    raise BadInput(f"no trace {prefix!r} in {where}; `sigmaloop trace` lists those of the newest run")


def recorded_calls(found: FoundTrace) -> list[RecordedCall]:
    """The model calls of a rollout with their texts. Raises BadInput when they were not recorded."""
    if not found.place.calls.is_file():
        raise BadInput(
            f"{found.place.short} has no record of its model calls: run or score again with --record-calls "
            "(without it, only their hashes and tokens are kept)"
        )
    scope = f"rollout:{found.trace.rollout.id}"
    calls = [RecordedCall(c.index, c.request, c.answer) for c in read_calls(found.place.calls, scope=scope)]
    return sorted(calls, key=lambda call: call.number)


def _run(home: Path, run_id: str) -> TracePlace:
    paths = RunPaths(home, run_id)
    paths.check()
    return TracePlace(run_id, paths.journal, paths.versions)


def _agents(place: TracePlace) -> dict[str, str]:
    """Names of a place's agents by hash; raises StoreError for a history that was altered."""
    with Journal(place.journal, readonly=True) as journal:
        journal.verify_new()
        names = {c.agent: c.id for c in journal.load_all(CANDIDATE)}
        baseline = next(iter(journal.read(BaselineMeasured)), None)
        package = next((started.package for started in journal.read(RunStarted)), "")
    if place.versions is not None and baseline is not None:
        names[agent_hash(Versions(place.versions).source(baseline.commit), package)] = BASELINE
    return names


def _named(value: str, names: Mapping[str, str], there: set[str], place: TracePlace) -> list[str]:
    exact = [agent for agent, name in names.items() if name.lower() == value.lower()]
    found = exact or [agent for agent in there if agent.startswith(value.lower())]
    if not found:
        known = ", ".join([*sorted(set(names.values())), *sorted(a[:8] for a in there - set(names))][:20])
        raise BadInput(f"{place.short} has no agent {value!r}; its agents: {known or 'none'}")
    return found
