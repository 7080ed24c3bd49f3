"""Before a run begins: check everything that it needs, then make its folder; all or nothing."""

from __future__ import annotations

import shlex
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from sigmaloop.agents.prompt import prompt_hashes
from sigmaloop.endpoints import RoleName
from sigmaloop.errors import BadInput
from sigmaloop.eval.benchmark import BenchmarkRunner, load_benchmark
from sigmaloop.eval.benchmarks.helpdesk import Helpdesk
from sigmaloop.eval.conformance import check_tasks
from sigmaloop.graph.agent_files import check_own, form_of, package_of, pinned_places
from sigmaloop.graph.endpoints import make_upstreams, probe_roles, roles_of, with_found
from sigmaloop.graph.services import make_supervisor
from sigmaloop.memory.facts import FORM, MADE_BY, EndpointProbed, MadeBy, RunStarted
from sigmaloop.memory.journal import Journal
from sigmaloop.memory.lock import HomeLock
from sigmaloop.memory.runs import RunPaths
from sigmaloop.report.words import masked
from sigmaloop.settings import Settings
from sigmaloop.tools.gateway.prices import check_prices, pinned_prices
from sigmaloop.tools.gateway.probe import Probed
from sigmaloop.tools.sandbox.dry_run import dry_run
from sigmaloop.tools.versions import Versions


def prepare_run(run_id: str, settings: Settings) -> None:
    """Check agent, benchmark, git, home and model; then write the run's first event and commit.

    Raises BadInput, Busy, ModelUnavailable or SandboxError, and then nothing has been written.
    """
    source = settings.agent_source()
    benchmark = load_benchmark(settings.benchmark)
    form = check_own(settings, source, hosted=benchmark.hosts_agent)
    check_model_fits(settings, benchmark, improving=True)
    check_tasks(benchmark)
    Versions.check_git()
    with HomeLock(settings.home):
        tier = smoke_test(settings, source, benchmark)
        found = check_models(settings, *roles_of(settings, benchmark))
        settings = with_found(settings, found)
        check_prices(settings, roles_of(settings, benchmark))
        snapshot = package_of(settings)
        package = snapshot.digest if snapshot else ""
        paths = RunPaths(settings.home, run_id)
        paths.make()
        with Journal(paths.journal) as journal:
            Versions(paths.versions).begin(source, _baseline_message(package), file=form.file)
            journal.write(_first_fact(settings, benchmark, tier, package))
            for one in found:
                journal.write(_probed_fact(one))
            note_program(journal)


def check_model_fits(settings: Settings, benchmark: BenchmarkRunner, *, improving: bool = False) -> None:
    """Refuse a benchmark that the simulated model does not know, unless it was asked for by name.

    A benchmark that hosts the agent itself needs no model to be scored, only to be improved. Raises BadInput.
    """
    if settings.upstream != "auto" or not settings.simulated or isinstance(benchmark, Helpdesk):
        return
    if improving or not benchmark.hosts_agent:
        raise BadInput(
            f"benchmark {settings.benchmark} needs a real model, for the simulated model knows helpdesk only: set "
            "OPENAI_API_KEY or name an endpoint with --base-url; --upstream simulated goes on without, and then its "
            "results say nothing"
        )


def note_program(journal: Journal) -> None:
    """Who works on the run from now on: this version, as it was called; a call that is noted already is no news."""
    command = masked(shlex.join([Path(sys.argv[0] or "python").name, *sys.argv[1:]]))[:500] if sys.argv else "python"
    made = MadeBy(version=_version(), command=command)
    known = journal.load_all(MADE_BY)
    if not any((met.version, met.command) == (made.version, made.command) for met in known):
        journal.stamp(MADE_BY, f"{len(known):04d}", made)


def _version() -> str:
    try:
        return metadata.version("sigmaloop")
    except metadata.PackageNotFoundError:
        return "unknown"


def check_models(settings: Settings, *roles: RoleName) -> list[Probed]:
    """How the endpoints of these roles want to be asked. Raises ModelUnavailable with what to do, BadInput."""
    make_upstreams(settings).close()  # keys and prices, for every role
    return probe_roles(settings, roles)


def probed(settings: Settings, *roles: RoleName) -> Settings:
    """The settings as these roles' endpoints want to be asked."""
    return with_found(settings, check_models(settings, *roles))


def smoke_test(settings: Settings, source: str, benchmark: BenchmarkRunner) -> str:
    """Run the user's agent once against a scripted model; returns the sandbox tier that it ran in.

    Raises BadInput with what went wrong and where, SandboxError when there is no sandbox to run it in.
    """
    check_model_fits(settings, benchmark)
    supervisor = make_supervisor(settings, smoke=True)
    try:
        if form_of(settings, hosted=benchmark.hosts_agent).kind == "foreign":
            return supervisor.tier  # a program that only the benchmark's own runner can start
        tried = dry_run(supervisor, source, **smoke_session(benchmark))
        tier = supervisor.tier
    finally:
        supervisor.stop()
    name = settings.edited or "agent.py"
    if not tried.ok:
        raise BadInput(f"agent file {name} fails its smoke test: {tried.detail}")
    if tried.printed:
        raise BadInput(
            f"agent file {name} prints to standard output ({tried.printed[:80]!r}), where nobody sees it at night; "
            "remove the print, or speak with session.say"
        )
    return tier


def smoke_session(benchmark: BenchmarkRunner) -> dict[str, Any]:
    """What a dry run shows the agent: the benchmark's own policy and tools, from its first training task."""
    briefing = benchmark.briefing(benchmark.tasks("train")[0].id)
    return {
        "instructions": briefing.instructions,
        "tools": list(briefing.tools),
        "opening": "Hello, I need some help.",
    }


def _baseline_message(package: str) -> str:
    trailer = f"\n\nPackage: {package}" if package else ""
    return f"baseline\n\nThe agent that the run began with.{trailer}"


def _first_fact(settings: Settings, benchmark: BenchmarkRunner, tier: str, package: str) -> RunStarted:
    """The settings with model, prices and sandbox pinned: a key that appears, a sandbox that is gone, change no run."""
    upstream = "simulated" if settings.simulated else "openai"
    prices = pinned_prices(settings, roles_of(settings, benchmark))
    pinned = pinned_places(settings).model_copy(update={"upstream": upstream, "sandbox": tier, **prices})
    return RunStarted(
        settings=pinned.stored(),
        benchmark=benchmark.fingerprint(),
        models=settings.models(),
        prompts=prompt_hashes(),
        simulated=settings.simulated,
        tier=tier,
        package=package,
        form=FORM,
    )


def _probed_fact(found: Probed) -> EndpointProbed:
    model = found.model
    return EndpointProbed(
        role=model.role,
        base_url=model.base_url,
        model=model.model,
        changes=(*found.changes, *found.notes),
        left_out=model.left_out,
    )
