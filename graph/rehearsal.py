"""A changed agent's dry run, with a fault of the change told from one of the sandbox: by trying the kept agent."""

from __future__ import annotations

from collections.abc import Callable

from sigmaloop.errors import SandboxError
from sigmaloop.graph.prepare import smoke_session
from sigmaloop.graph.services import Services
from sigmaloop.tools.sandbox.dry_run import DryRun, dry_run


def rehearse(services: Services, parent: str, source: str) -> DryRun:
    """A dry run of an agent's text; `parent`: the text that it was made from, which is known to run.

    Raises SandboxError when the sandbox runs neither.
    """
    if services.form.kind == "foreign":
        return DryRun(ok=True, transcript=("nothing: only the benchmark itself can run this program",))
    told = smoke_session(services.benchmark)
    return rehearsed(lambda text: dry_run(services.supervisor, text, **told), parent, source)


def rehearsed(run: Callable[[str], DryRun], parent: str, source: str) -> DryRun:
    """The same with any way to run a text. A change that twice cannot be run, while its parent can, has failed."""
    try:
        return run(source)
    except SandboxError:
        run(parent)  # an unusable sandbox stops here
    try:
        return run(source)
    except SandboxError as fault:
        return DryRun(ok=False, detail=f"it cannot be run, while the agent that it changes can: {fault}"[:500])
