"""A run as an object: start it, follow it, stop and resume it, look at what it found.

The command line and notebooks both work through this class; Studio runs the same graph on the same files.

    run = Run.start(load_settings(batches=3))
    for event in run.follow():
        print(event)
    run.summary().gain
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphDrained
from langgraph.runtime import RunControl
from langgraph.types import Command

from sigmaloop.errors import BadInput
from sigmaloop.eval.rollouts import Drained
from sigmaloop.graph.build import build_graph
from sigmaloop.graph.lifetime import in_use, opened
from sigmaloop.graph.prepare import STARTED, prepare_run
from sigmaloop.graph.spending import set_limits
from sigmaloop.graph.summary import Summary, summarise
from sigmaloop.memory.checkpoints import open_checkpointer
from sigmaloop.memory.clusters import fold_clusters
from sigmaloop.memory.journal import Journal
from sigmaloop.memory.lock import HomeLock
from sigmaloop.memory.runs import RunPaths, checkpoints_path, find_run
from sigmaloop.memory.suite import fold_suite
from sigmaloop.records import (
    Candidate,
    Certificate,
    Cluster,
    FailureRecord,
    Learning,
    LedgerEntry,
    SuiteCase,
    agent_hash,
)
from sigmaloop.settings import Settings, load_settings, restore_settings
from sigmaloop.tools.edits import unified_diff
from sigmaloop.tools.text_form import in_form_of
from sigmaloop.tools.versions import Versions, Written, write_branch

Event = dict[str, Any]
Which = Literal["kept", "certified", "baseline"]
"""Of the agents of a run."""
Condition = Literal["new", "ready", "paused", "finished"]


class Run:
    """One run in a home folder. Reading never needs the lock; following does."""

    def __init__(self, home: Path, run_id: str) -> None:
        self.home = home
        self.id = run_id
        self.paths = RunPaths(home, run_id)
        self._control: RunControl | None = None

    @classmethod
    def start(cls, settings: Settings | None = None) -> Run:
        """Make a run, checked and written but not begun; `follow` begins it.

        Raises BadInput, Busy, ModelUnavailable or SandboxError, and then nothing has been written.
        """
        settings = settings or load_settings()
        run_id = str(uuid.uuid4())
        prepare_run(run_id, settings)
        return cls(settings.home, run_id)

    @classmethod
    def open(cls, run_id: str | None = None, *, home: Path | None = None) -> Run:
        """An existing run by its id, an unambiguous beginning of it, or the newest. Raises BadInput."""
        home = home or load_settings().home
        return cls(home, find_run(home, run_id))

    def follow(self, *, batches: int | None = None, answer: str | None = None) -> Iterator[Event]:
        """Work, yielding what happens as it happens, until finished, paused, or after `batches` batches.

        Resumes wherever the last checkpoint stands. A review that waits for a person needs an `answer`, "approve"
        or "decline"; a pause for a fault needs none. The last event is always `{"event": "stopped", ...}`.
        """
        self._control = RunControl()
        checkpoints = open_checkpointer(checkpoints_path(self.home))
        with in_use(self.id, home=self.home) as services, checkpoints as saver:
            graph = build_graph(saver)
            config = self._config(services.settings)
            remaining = batches
            try:
                while True:
                    snapshot = graph.get_state(config)
                    if _finished(snapshot):
                        break
                    if remaining is not None and snapshot.next == ("simulate",):
                        if remaining == 0:
                            break
                        remaining -= 1
                    given = self._input(snapshot, answer)
                    yield from self._stream(graph, given, config, stepwise=batches is not None)
                    if graph.get_state(config).interrupts:
                        break
            except (GraphDrained, Drained):
                yield {"event": "drained"}
            finally:
                self._control = None
        yield {"event": "stopped", "condition": self.condition}

    def limit(self, *, max_money: float | None = None, max_run_tokens: int | None = None) -> None:
        """New limits from now on; None leaves one as it is. Raises BadInput for one that allows nothing, Busy."""
        for name, limit in (("max_money", max_money), ("max_run_tokens", max_run_tokens)):
            if limit is not None and not limit > 0:
                raise BadInput(f"{name} must be more than 0, not {limit}")
        if max_money is None and max_run_tokens is None:
            return
        self.settings.model_copy(update={"max_money": max_money}).check_prices()
        with HomeLock(self.home), Journal(self.paths.journal) as journal:
            set_limits(journal, max_money=max_money, max_run_tokens=max_run_tokens)

    def drain(self) -> None:
        """Stop at the next safe point; everything finished so far is kept. Safe from a signal handler."""
        if self._control:
            self._control.request_drain("asked to stop")
        services = opened(self.id)
        if services:
            services.engine.drain()

    def go(self, **options: Any) -> Summary:
        """`follow` to the end without looking; returns the summary."""
        for _ in self.follow(**options):
            pass
        return self.summary()

    @property
    def settings(self) -> Settings:
        """What the run was started with."""
        with self._reading() as journal:
            started = journal.event(STARTED)
            if started is None:
                raise BadInput(f"run {self.id} was never fully started; start another with `sigmaloop run`")
            return restore_settings(self.home, started.payload["settings"])

    @property
    def state(self) -> dict[str, Any]:
        """The graph state at the last checkpoint; empty before the first."""
        return dict(self._snapshot().values)

    @property
    def next(self) -> tuple[str, ...]:
        """The nodes that run next."""
        return tuple(self._snapshot().next)

    @property
    def condition(self) -> Condition:
        snapshot = self._snapshot()
        if snapshot.interrupts:
            return "paused"
        if not snapshot.values:
            return "new"
        return "finished" if _finished(snapshot) else "ready"

    @property
    def question(self) -> dict[str, Any] | None:
        """What the run waits for when it is paused."""
        interrupts = self._snapshot().interrupts
        return dict(interrupts[0].value) if interrupts else None

    def summary(self) -> Summary:
        with self._reading() as journal:
            agent = agent_hash(self.agent()) if journal.count("certificate") else ""
            return summarise(self.paths, journal, condition=self.condition, agent=agent)

    def failures(self) -> list[FailureRecord]:
        with self._reading() as journal:
            return [FailureRecord.model_validate(e.payload["failure"]) for e in journal.events("failure_assigned")]

    def clusters(self) -> dict[str, Cluster]:
        with self._reading() as journal:
            return fold_clusters(journal.events())

    def suite(self) -> tuple[SuiteCase, ...]:
        with self._reading() as journal:
            return fold_suite(journal.events("promoted"), cap=self.settings.suite_cap)

    def ledger(self) -> list[LedgerEntry]:
        with self._reading() as journal:
            return [LedgerEntry.model_validate(e.payload) for e in journal.events("ledger")]

    def learnings(self) -> list[Learning]:
        with self._reading() as journal:
            return [Learning.model_validate(e.payload) for e in journal.events("learning")]

    def candidate(self, candidate_id: str) -> Candidate:
        with self._reading() as journal:
            payload = journal.get("candidate", candidate_id)
        if payload is None:
            raise BadInput(f"run {self.id} has no candidate {candidate_id}; `ledger()` lists the attempts")
        return Candidate.model_validate(payload)

    def diff(self, candidate_id: str | None = None) -> str:
        """The unified diff of one attempt; without an id, of the kept agent against the baseline."""
        if candidate_id:
            return self.candidate(candidate_id).diff
        versions = Versions(self.paths.versions)
        return versions.diff(versions.baseline(), self._incumbent(versions))

    def agent(self, which: Which = "kept") -> str:
        """The kept agent's source, the baseline's, or that of the newest agent that was certified not to be worse.

        Raises BadInput when none was.
        """
        versions = Versions(self.paths.versions)
        if which == "kept":
            return versions.source(self._incumbent(versions))
        if which == "baseline":
            return versions.source(versions.baseline())
        with self._reading() as journal:
            certificates = [Certificate.model_validate(event.payload) for event in journal.events("certificate")]
        proven = [found.agent for found in certificates if found.interval and found.interval[0] >= 0]
        sources = {agent_hash(source): source for source in map(versions.source, _commits(versions))}
        certified = [sources[agent] for agent in proven if agent in sources]
        if not certified:
            raise BadInput(
                f"run {self.id[:8]} has certified no agent as better than its baseline; "
                "`sigmaloop status` shows how far it is"
            )
        return certified[-1]

    def patch(self, path: str | None = None, *, which: Which = "kept", original: bytes = b"") -> bytes:
        """A patch from the baseline to an agent, for `git apply` in the folder that holds `path`.

        `original`: the user's file, whose line ends and byte order mark the patch has to fit.
        """
        before = in_form_of(original, self.agent("baseline")).decode()
        after = in_form_of(original, self.agent(which)).decode()
        return unified_diff(before, after, path=path or self.agent_path).encode()

    def write_branch(
        self, repo: Path, *, branch: str, path: str | None = None, which: Which = "kept", force: bool = False
    ) -> Written:
        """A branch in the user's own repository with an agent as one commit, merged with what HEAD changed since."""
        summary = self.summary()
        message = (
            f"Improve the agent with SigmaLoop\n\nRun {self.id}: {summary.kept} changes kept of {summary.attempts}."
        )
        return write_branch(
            repo,
            branch=branch,
            file_path=path or self.agent_path,
            source=self.agent(which),
            base=self.agent("baseline"),
            message=message,
            force=force,
        )

    def _incumbent(self, versions: Versions) -> str:
        """The kept agent of the newest checkpoint; `main` may have gone another way before a fork."""
        return str(self.state.get("incumbent") or versions.main())

    @property
    def agent_path(self) -> str:
        """Where the user's agent file lies, as the run was told, or its name alone."""
        agent = self.settings.agent
        return str(agent) if agent and not agent.is_absolute() else (agent.name if agent else "agent.py")

    def _stream(self, graph: Any, given: Any, config: RunnableConfig, *, stepwise: bool) -> Iterator[Event]:
        yield from graph.stream(
            given,
            config,
            stream_mode="custom",
            durability="sync",
            control=self._control,
            interrupt_before=["simulate"] if stepwise else None,
        )

    def _input(self, snapshot: Any, answer: str | None) -> Any:
        """What the graph is handed to go on from a snapshot."""
        if not snapshot.values:
            return {"run_id": self.id}
        if not snapshot.interrupts:
            return None
        if "answers" in snapshot.interrupts[0].value and answer is None:
            raise BadInput(f"run {self.id[:8]} waits for a person: answer with 'approve' or 'decline'")
        return Command(resume=answer or "resume")

    def _config(self, settings: Settings) -> RunnableConfig:
        steps = 100 + 4 * settings.batches + 12 * settings.max_attempts
        return {
            "configurable": {"thread_id": self.id},
            "recursion_limit": steps,
            "run_name": "sigmaloop",
            "metadata": {"run_id": self.id, "benchmark": settings.benchmark, "seed": settings.seed},
        }

    def _snapshot(self) -> Any:
        with open_checkpointer(checkpoints_path(self.home)) as saver:
            return build_graph(saver).get_state({"configurable": {"thread_id": self.id}})

    @contextmanager
    def _reading(self) -> Iterator[Journal]:
        journal = Journal(self.paths.journal, readonly=True)
        try:
            yield journal
        finally:
            journal.close()

    def __repr__(self) -> str:
        return f"Run({self.id[:8]}, {self.condition}, {self.paths.root})"


def _commits(versions: Versions) -> list[str]:
    """The baseline and every attempt."""
    return [version.commit for version in versions.history()]


def _finished(snapshot: Any) -> bool:
    """Whether nothing is left to do. `next` alone does not tell: it is empty, too, between the last task of a
    step and the checkpoint that follows, which is where a killed process may have stopped."""
    return bool(snapshot.values) and not snapshot.tasks
