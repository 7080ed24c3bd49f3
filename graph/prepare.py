"""Before a run begins: check everything that it needs, then make its folder; all or nothing."""

from __future__ import annotations

from typing import Any

from sigmaloop.agents.prompt import prompt_hashes
from sigmaloop.errors import BadInput
from sigmaloop.eval.benchmark import BenchmarkRunner, load_benchmark
from sigmaloop.eval.conformance import check_tasks
from sigmaloop.graph.agent_files import check_own, form_of, package_of, pinned_places
from sigmaloop.graph.services import make_supervisor, make_upstream
from sigmaloop.memory.facts import FORM, RunStarted
from sigmaloop.memory.journal import Journal
from sigmaloop.memory.lock import HomeLock
from sigmaloop.memory.runs import RunPaths
from sigmaloop.settings import Settings
from sigmaloop.tools.gateway.prices import pinned_prices
from sigmaloop.tools.sandbox.dry_run import dry_run
from sigmaloop.tools.versions import Versions


def prepare_run(run_id: str, settings: Settings) -> None:
    """Check agent, benchmark, git, home and model; then write the run's first event and commit.

    Raises BadInput, Busy, ModelUnavailable or SandboxError, and then nothing has been written.
    """
    source = settings.agent_source()
    benchmark = load_benchmark(settings.benchmark)
    form = check_own(settings, source, hosted=benchmark.hosts_agent)
    check_tasks(benchmark)
    Versions.check_git()
    with HomeLock(settings.home):
        tier = smoke_test(settings, source, benchmark)
        check_models(settings, *settings.models())
        snapshot = package_of(settings)
        package = snapshot.digest if snapshot else ""
        paths = RunPaths(settings.home, run_id)
        paths.make()
        with Journal(paths.journal) as journal:
            Versions(paths.versions).begin(source, _baseline_message(package), file=form.file)
            journal.write(_first_fact(settings, benchmark, tier, package))


def check_models(settings: Settings, *models: str) -> None:
    """Ask the endpoint one small thing. Raises ModelUnavailable with what to do."""
    upstream = make_upstream(settings)
    try:
        upstream.check(models)
    finally:
        upstream.close()


def smoke_test(settings: Settings, source: str, benchmark: BenchmarkRunner) -> str:
    """Run the user's agent once against a scripted model; returns the sandbox tier that it ran in.

    Raises BadInput with what went wrong and where, SandboxError when there is no sandbox to run it in.
    """
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
    pinned = pinned_places(settings).model_copy(
        update={"upstream": upstream, "sandbox": tier, **pinned_prices(settings)}
    )
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
