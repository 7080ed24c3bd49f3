"""A run as an object: start it, follow it, stop and resume it, look at what it found.

The command line and notebooks both work through this class; Studio runs the same graph on the same files.

    run = Run.start(load_settings(batches=3))
    for event in run.follow():
        print(event)
    run.summary().gain
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

from sigmaloop.errors import BadInput
from sigmaloop.gate.decision import Decision
from sigmaloop.graph.checks import check_facts
from sigmaloop.graph.events import Drained as DrainedEvent
from sigmaloop.graph.events import Event, Stopped, read_event
from sigmaloop.graph.history import History, started_of
from sigmaloop.graph.position import Position, position_of_run
from sigmaloop.graph.pulse import Pulse, note_pause
from sigmaloop.graph.rebuild import Stand, rebuilt
from sigmaloop.memory.facts import (
    CANDIDATE,
    HEARTBEAT,
    ONE,
    AttemptEnded,
    Certified,
    EndpointProbed,
    FailureAssigned,
    Heartbeat,
    more_noise,
)
from sigmaloop.memory.journal import Journal
from sigmaloop.memory.lock import HomeLock, working_process
from sigmaloop.memory.runs import RunFacts, RunPaths, checkpoints_path, find_run, list_runs
from sigmaloop.records import (
    Candidate,
    Certificate,
    Cluster,
    FailureRecord,
    Learning,
    LedgerEntry,
    Split,
    SuiteCase,
    agent_hash,
)
from sigmaloop.report.build import build_report
from sigmaloop.report.decisions import DecisionMade
from sigmaloop.report.files import write_page
from sigmaloop.report.material import read_material
from sigmaloop.report.notebook import Drawn, drawn_section
from sigmaloop.report.page import notebook_page
from sigmaloop.report.record import Attempt, Report
from sigmaloop.report.summary import Summary, summarise
from sigmaloop.report.tables import Table
from sigmaloop.settings import Settings, load_settings, restore_settings
from sigmaloop.tools.changes.edits import unified_diff
from sigmaloop.tools.changes.text_form import in_form_of
from sigmaloop.tools.user_branch import Written, write_branch
from sigmaloop.tools.versions import Versions

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.runtime import RunControl

T = TypeVar("T")
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
        from sigmaloop.graph.prepare import prepare_run

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
        or "decline"; a pause for a fault needs none. The last event is always a `Stopped`.
        """
        from langgraph.errors import GraphDrained
        from langgraph.runtime import RunControl

        from sigmaloop.eval.rollouts import Drained
        from sigmaloop.graph.build import build_graph
        from sigmaloop.graph.prepare import note_program
        from sigmaloop.graph.sessions import followed, open_services
        from sigmaloop.graph.settle import settle
        from sigmaloop.graph.tracing import traced
        from sigmaloop.memory.checkpoints import open_checkpointer

        self._control = RunControl()
        checkpoints = open_checkpointer(checkpoints_path(self.home))
        with (
            followed(self.id),
            open_services(self.id, home=self.home) as services,
            checkpoints as saver,
            traced(services, self._config(services.settings)) as config,
        ):
            graph = build_graph(saver)
            note_program(services.journal)
            pulse = Pulse(services.journal)
            remaining = batches
            yield from settle(graph, saver, config, services)
            try:
                while True:
                    snapshot = graph.get_state(config)
                    if snapshot.values and not snapshot.tasks:
                        break
                    if remaining is not None and snapshot.next == ("simulate",):
                        if remaining == 0:
                            break
                        remaining -= 1
                    given = self._input(snapshot, answer)
                    for event in self._stream(graph, given, config, stepwise=batches is not None):
                        pulse.feel(event)
                        yield event
                    if asked := graph.get_state(config).interrupts:
                        note_pause(services.journal, asked[0].value)
                        break
            except (GraphDrained, Drained):
                yield DrainedEvent()
            finally:
                self._control = None
        self.write_report()
        yield Stopped(condition=self.condition)

    def endpoints(self) -> list[str]:
        """How the models have to be asked, as probed before the run; a line for each that does not take everything."""
        with self._reading() as journal:
            found = journal.read(EndpointProbed)
        noise = more_noise(found)
        told = [f"{fact.role} ({fact.model}): {'; '.join(fact.changes)}" for fact in found if fact.changes]
        return [*told, *([noise] if noise else [])]

    def limit(
        self,
        *,
        max_money: float | None = None,
        max_run_tokens: int | None = None,
        max_run_calls: int | None = None,
        max_hours: float | None = None,
    ) -> None:
        """New limits from now on; None leaves one as it is. Raises BadInput for one that allows nothing, Busy."""
        from sigmaloop.graph.spending import set_limits
        from sigmaloop.tools.gateway.prices import check_prices

        for name, limit in (
            *(("max_money", max_money), ("max_run_tokens", max_run_tokens)),
            *(("max_run_calls", max_run_calls), ("max_hours", max_hours)),
        ):
            if limit is not None and not limit > 0:
                raise BadInput(f"{name} must be more than 0, not {limit}")
        if max_money is max_run_tokens is max_run_calls is max_hours is None:
            return
        check_prices(self.settings.model_copy(update={"max_money": max_money}))
        with HomeLock(self.home), Journal(self.paths.journal) as journal:
            set_limits(
                journal,
                max_money=max_money,
                max_run_tokens=max_run_tokens,
                max_run_calls=max_run_calls,
                max_hours=max_hours,
            )

    def drain(self) -> None:
        """Stop at the next safe point; everything finished so far is kept. Safe from a signal handler."""
        from sigmaloop.graph.sessions import current_services

        if self._control:
            self._control.request_drain("asked to stop")
        services = current_services(self.id)
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
            return restore_settings(self.home, started_of(journal).settings)

    @property
    def head(self) -> str:
        """Hash over everything that the journal holds: note it elsewhere to notice a history that was rewritten."""
        with self._reading() as journal:
            return journal.head()

    @property
    def state(self) -> dict[str, Any]:
        """The graph state at the newest checkpoint that can be used, or as the journal gives it; empty before."""
        values = self._position().values
        stand = None if values else self._stand()
        return dict(stand.values) if stand else values

    @property
    def next(self) -> tuple[str, ...]:
        """The nodes that run next."""
        return self._position().next

    @property
    def condition(self) -> Condition:
        position = self._position()
        if position.questions:
            return "paused"
        if not position.values:
            return "ready" if self._stand() else "new"
        return "finished" if position.idle else "ready"

    @property
    def process(self) -> int | None:
        """The process that works on this run now; None when nobody does."""
        return working_process(self.home, self.id)

    @property
    def question(self) -> dict[str, Any] | None:
        """What the run waits for when it is paused."""
        questions = self._position().questions
        return questions[0] if questions else None

    def summary(self) -> Summary:
        """The bare numbers."""
        with self._reading() as journal:
            versions = Versions(self.paths.versions)
            incumbent = self._incumbent(versions)
            agent = self._identity(journal, versions.source(incumbent)) if journal.count("certificate") else ""
            condition = self.condition
            return summarise(read_material(self.paths, journal, condition=condition, incumbent=incumbent, agent=agent))

    def report(self, *, now: bool = False) -> Report:
        """All that is told of the run: state, sentences and rows.

        `now`: as it stands, whoever works on it; otherwise a run that somebody works on is running.
        """
        with self._reading() as journal:
            versions = Versions(self.paths.versions)
            incumbent = self._incumbent(versions)
            return build_report(
                self.paths,
                journal,
                condition=self.condition,
                incumbent=incumbent,
                agent=self._identity(journal, versions.source(incumbent)),
                question=self.question,
                process=None if now else self.process,
                whole_diff=versions.diff(versions.baseline(), incumbent),
            )

    def write_report(self) -> Path:
        """Write report.html as the run stands now, and the state into progress.json; returns the page's path."""
        write_page(self.paths, self.report(now=True))
        return self.paths.report

    def certificates(self) -> dict[Split, Certificate]:
        """Of the kept agent, by split, each with what every task scored."""
        with self._reading() as journal:
            versions = Versions(self.paths.versions)
            agent = self._identity(journal, versions.source(self._incumbent(versions)))
            found = [fact.certificate for fact in journal.read(Certified)]
        return {certificate.split: certificate for certificate in found if certificate.agent == agent}

    def heartbeat(self) -> Heartbeat | None:
        """The newest sign of life of whoever works on the run."""
        with Journal(self.paths.journal, readonly=True) as journal:
            return journal.load(HEARTBEAT, ONE)

    def attempts(self) -> Table[Attempt]:
        """Every attempt of the kept agent's lineage, as rows; `to_frame()` makes a DataFrame of them."""
        return Table(self.report().attempts, leave_out=("diff", "hypothesis", "reviewer_says", "detail"))

    def show(self, section: str) -> Drawn:
        """One section of the report as a picture or table for a notebook, such as `night`, `changes` or `clusters`.

        Raises BadInput that lists the sections.
        """
        return drawn_section(self.report(), section)

    def _repr_html_(self) -> str:
        return notebook_page(self.report())

    def failures(self) -> list[FailureRecord]:
        with self._reading() as journal:
            return [fact.failure for fact in journal.read(FailureAssigned)]

    def clusters(self) -> dict[str, Cluster]:
        """Every cluster, with the attempts and scores of the kept agent's lineage."""
        return self._fold(lambda history, incumbent: history.clusters(incumbent))

    def suite(self) -> tuple[SuiteCase, ...]:
        """The regression suite of the kept agent."""
        return self._fold(lambda history, incumbent: history.suite(incumbent))

    def ledger(self) -> list[LedgerEntry]:
        """Every attempt of the run, those on ways that were left included."""
        with self._reading() as journal:
            return [fact.entry for fact in journal.read(AttemptEnded)]

    def learnings(self) -> list[Learning]:
        """What the attempts of the kept agent's lineage taught."""
        return self._fold(lambda history, incumbent: history.learnings(incumbent))

    def candidate(self, candidate_id: str) -> Candidate:
        with self._reading() as journal:
            found = journal.load(CANDIDATE, candidate_id)
        if found is None:
            raise BadInput(f"run {self.id} has no candidate {candidate_id}; `ledger()` lists the attempts")
        return found

    def decision(self, candidate_id: str) -> Decision:
        """The log of the gate's decision on a candidate or canary. Raises BadInput that names the decisions made."""
        with self._reading() as journal:
            found = journal.find(DecisionMade, f"{DecisionMade.kind}:{candidate_id}")
            if found is None:
                known = [made.id.removeprefix("decision:") for made in journal.read(DecisionMade)]
                raise BadInput(
                    f"run {self.id[:8]} has no decision on {candidate_id!r}; "
                    f"decisions: {', '.join(known[-10:]) or 'none'}"
                )
            return found.decision

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
            certificates = [fact.certificate for fact in journal.read(Certified)]
            texts = map(versions.source, _commits(versions))
            sources = {self._identity(journal, text): text for text in texts} if certificates else {}
        proven = [found.agent for found in certificates if found.interval and found.interval[0] >= 0]
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
            f"Improve the agent with SigmaLoop\n\nRun {self.id}: {summary.kept} changes kept of {summary.attempts}.\n"
            f"Head of its journal: {self.head}"
            + ("\nMade and measured by the simulated model." if summary.simulated else "")
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

    def _fold(self, read: Callable[[History, str], T]) -> T:
        """What the history says of the kept agent's lineage."""
        incumbent, cap = self._incumbent(Versions(self.paths.versions)), self.settings.suite_cap
        with self._reading() as journal:
            return read(History(journal, suite_cap=cap), incumbent)

    def _incumbent(self, versions: Versions) -> str:
        """The kept agent of the newest checkpoint; `main` may have gone another way before a fork."""
        with self._reading():  # an agent is taken only out of a history that is as it was written
            pass
        return str(self.state.get("incumbent") or versions.main())

    def _identity(self, journal: Journal, source: str) -> str:
        return agent_hash(source, started_of(journal).package)

    @property
    def agent_path(self) -> str:
        """Where the user's agent file lies, as the run was told, or its name alone."""
        agent = self.settings.edited
        if agent and agent.is_absolute() and agent.is_relative_to(Path.cwd()):
            agent = agent.relative_to(Path.cwd())
        return str(agent) if agent and not agent.is_absolute() else (agent.name if agent else "agent.py")

    def _stream(self, graph: Any, given: Any, config: RunnableConfig, *, stepwise: bool) -> Iterator[Event]:
        news = graph.stream(
            given,
            config,
            stream_mode="custom",
            durability="sync",
            control=self._control,
            interrupt_before=["simulate"] if stepwise else None,
        )
        yield from map(read_event, news)

    def _input(self, snapshot: Any, answer: str | None) -> Any:
        """What the graph is handed to go on from a snapshot."""
        from langgraph.types import Command

        from sigmaloop.graph.rollouts import RESUME

        if not snapshot.values:
            return {"run_id": self.id}
        if not snapshot.interrupts:
            return None
        if "answers" in snapshot.interrupts[0].value and answer is None:
            raise BadInput(f"run {self.id[:8]} waits for a person: answer with 'approve' or 'decline'")
        asked = "answers" in snapshot.interrupts[0].value
        # By name: parallel miners may wait side by side.
        return Command(resume={waiting.id: answer if asked else RESUME for waiting in snapshot.interrupts})

    def _config(self, settings: Settings) -> RunnableConfig:
        steps = 100 + 4 * settings.batches + 12 * settings.max_attempts
        return {
            "configurable": {"thread_id": self.id},
            "recursion_limit": steps,
            "run_name": "sigmaloop",
            "metadata": {"run_id": self.id, "benchmark": settings.benchmark, "seed": settings.seed},
        }

    def _position(self) -> Position:
        """Where the newest checkpoint that can be used has the run stand; empty where there is none."""
        with self._reading() as journal:
            versions = Versions(self.paths.versions)
            path = checkpoints_path(self.home)
            return position_of_run(path, self.id, lambda values: check_facts(values, journal, versions))

    def _stand(self) -> Stand | None:
        """Where the journal says that the run stands."""
        with self._reading() as journal:
            return rebuilt(journal)

    @contextmanager
    def _reading(self) -> Iterator[Journal]:
        """The journal, once it is seen to be as it was written. Raises StoreError."""
        self.paths.check()
        journal = Journal(self.paths.journal, readonly=True)
        try:
            journal.verify_new()
            started_of(journal)  # a run of another version is refused here, not misread later
            yield journal
        finally:
            journal.close()

    def __repr__(self) -> str:
        return f"Run({self.id[:8]}, {self.condition}, {self.paths.root})"


def _commits(versions: Versions) -> list[str]:
    """The baseline and every attempt."""
    return [version.commit for version in versions.history()]


class RunLine(NamedTuple):
    """A run in a list of runs."""

    facts: RunFacts
    process: int | None
    """The process that works on it now."""


def runs_of(home: Path) -> list[RunLine]:
    """Every run of a home, the newest first."""
    return [RunLine(facts, working_process(home, facts.run_id)) for facts in list_runs(home)]
