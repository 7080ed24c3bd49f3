"""How long a run's services live: opened by the first who works on the run, closed by the last.

The command line holds them for a whole run; under `langgraph dev` each node opens and closes them, so that a
run can be taken up by another process between any two nodes.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sigmaloop.errors import BadInput, Busy
from sigmaloop.eval.benchmark import BenchmarkRunner, load_benchmark
from sigmaloop.graph.history import started_of
from sigmaloop.graph.prepare import prepare_run
from sigmaloop.graph.services import Services, make_gateway, make_supervisor
from sigmaloop.graph.state import RunContext
from sigmaloop.memory.facts import Promoted
from sigmaloop.memory.journal import Journal
from sigmaloop.memory.lock import HomeLock
from sigmaloop.memory.runs import RunPaths
from sigmaloop.settings import load_settings, restore_settings

_open: dict[str, Services] = {}
_users: Counter[str] = Counter()
_followed: set[str] = set()
_threads: dict[str, tuple[str, int]] = {}
"""Which graph thread works on a run, and in how many nodes at once."""
_guard = threading.RLock()


@contextmanager
def services_for_node(state: Mapping[str, Any], *, thread_id: str, context: RunContext | None) -> Iterator[Services]:
    """The services of the run that a graph thread is, for one node.

    A thread that is not a run yet becomes one: its settings are the context's fields over those of the form in its
    state, over the usual sources.
    """
    run_id = str(state.get("run_id") or thread_id)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", run_id):
        raise BadInput(f"the run's state has run_id = {run_id[:100]!r}: that can name no run; give a thread's own id")
    with _claimed(run_id, thread_id):
        with _guard:
            services = current_services(run_id)
            home = services.settings.home if services else load_settings().home
            if services is None and not RunPaths(home, run_id).exists():
                if "baseline" in state or "task_id" in state:
                    raise BadInput(
                        f"the run's state has run_id = {run_id!r}: there is no such run in {home}; mend that"
                    )
                form = {**(state.get("form") or {}), **(context.given() if context else {})}
                prepare_run(run_id, load_settings(**form))
        with open_services(run_id, home=home) as services:
            yield services


@contextmanager
def open_services(run_id: str, *, home: Path) -> Iterator[Services]:
    """A run's services, with the home's lock, for as long as anybody in this process uses them.

    Raises BadInput for an unknown run or a changed benchmark, Busy when another process works in the home.
    """
    with HomeLock(home, run_id):
        with _guard:
            services = _open.get(run_id) or _open_services(run_id, home)
            _open[run_id] = services
            _users[run_id] += 1
        try:
            yield services
        finally:
            with _guard:
                _users[run_id] -= 1
                if not _users[run_id]:
                    del _users[run_id], _open[run_id]
                    services.close()


@contextmanager
def followed(run_id: str) -> Iterator[None]:
    """The right to follow a run in this process. Raises Busy when somebody else in it does."""
    with _guard:
        if run_id in _followed:
            raise Busy(
                f"run {run_id[:8]} is being followed in this process already; let that end, or close it, before "
                "it is followed again"
            )
        _followed.add(run_id)
    try:
        yield
    finally:
        with _guard:
            _followed.discard(run_id)


def is_followed(run_id: str) -> bool:
    """Whether somebody in this process follows the run; under a server nobody does."""
    return run_id in _followed


@contextmanager
def _claimed(run_id: str, thread_id: str) -> Iterator[None]:
    """A node's right to work on a run, which one graph thread has at a time. Raises Busy for another one."""
    with _guard:
        holder, nodes = _threads.get(run_id, (thread_id, 0))
        if holder != thread_id:
            raise Busy(f"run {run_id[:8]} is being worked on by thread {holder[:8]}; wait until that one stops")
        _threads[run_id] = holder, nodes + 1
    try:
        yield
    finally:
        with _guard:
            holder, nodes = _threads.pop(run_id)
            if nodes > 1:
                _threads[run_id] = holder, nodes - 1


def current_services(run_id: str) -> Services | None:
    """The run's services if this process has them open. Takes no lock: a signal handler may call it."""
    return _open.get(run_id)


def _open_services(run_id: str, home: Path) -> Services:
    paths = RunPaths(home, run_id)
    if not paths.exists():
        raise BadInput(f"no run {run_id} in {home}; see `sigmaloop status --all` for the runs there")
    paths.check()
    journal = Journal(paths.journal)
    try:
        journal.verify_new()
        started = started_of(journal)
        settings = restore_settings(home, started.settings)
        benchmark = load_benchmark(settings.benchmark)
        if benchmark.fingerprint() != started.benchmark:
            raise BadInput(
                f"benchmark {settings.benchmark} has changed since run {run_id} began{_lost(journal, benchmark)}; "
                "its scores cannot be compared: start a new run"
            )
        supervisor = make_supervisor(settings)  # starts nothing yet
        if (supervisor.package.digest if supervisor.package else "") != started.package:
            folders = ", ".join(map(str, settings.agent_packages))
            raise BadInput(
                f"the agent's package {folders} has changed since run {run_id} began: its agents would be others than "
                "those that were measured; put it back as it was, or start a new run"
            )
        gateway = make_gateway(settings, journal=journal)
    except BaseException:
        journal.close()
        raise
    return Services(run_id, settings, paths, journal, benchmark, gateway, supervisor)


def _lost(journal: Journal, benchmark: BenchmarkRunner) -> str:
    """Members of the regression suite that the benchmark does not have any more."""
    there = {task.id for task in benchmark.tasks("train")}
    members = dict.fromkeys(fact.task_id for fact in journal.read(Promoted))
    gone = [task for task in members if task not in there]
    return f", and {', '.join(gone[:5])} of its regression suite no longer exist" if gone else ""
