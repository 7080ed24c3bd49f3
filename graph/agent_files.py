"""The agent as the settings name it: the one file that changes, its kind, and the package that stays."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from sigmaloop.errors import BadInput
from sigmaloop.graph.program import place_of_program
from sigmaloop.settings import Settings
from sigmaloop.tools.changes.edits import check_agent
from sigmaloop.tools.changes.file_kinds import Kind, kind_of
from sigmaloop.tools.sandbox.agent_package import AgentPackage, take_package
from sigmaloop.tools.sandbox.readable_paths import files_of_modules


class AgentForm(NamedTuple):
    """What the checks have to know of the file that changes."""

    file: str = "agent.py"
    """Its name."""
    kind: Kind = "python"
    main: bool = True
    """Whether it holds `run(session)` itself."""


def form_of(settings: Settings, *, hosted: bool = False) -> AgentForm:
    """`hosted`: whether the benchmark runs the agent itself. Raises BadInput for what does not go together."""
    edited, driver, packages = settings.edited, settings.driver, settings.agent_packages
    if edited is None:
        if driver is not None:
            raise BadInput("--driver runs beside a file that changes; name that one with --edit")
        return AgentForm()
    kind = kind_of(str(edited), hosted=hosted)
    inside = any(edited.resolve().is_relative_to(folder.resolve()) for folder in packages)
    if (settings.edit is not None or driver is not None) and not inside:
        raise BadInput(f"{edited} lies outside of the agent's package; give the folder with --agent-package")
    if kind not in ("python", "foreign") and driver is None and not hosted:
        raise BadInput(
            f"{edited} is no program; name the file of the package that has `def run(session)` with --driver FILE"
        )
    return AgentForm(edited.name, kind, driver is None)


def described(form: AgentForm) -> str:
    """What the harness engineer is told of a file that is not the usual one; empty for that."""
    if form.main and form.kind == "python":
        return ""
    what = (
        "a module beside a fixed program that calls it: keep the names and arguments of what it defines"
        if form.kind == "python"
        else "a text that a fixed program reads: it has no code and no `run`; keep the structure that it expects"
    )
    return f" Wherever agent.py is said here, the file {form.file} is meant, {what}."


def check_own(settings: Settings, source: str, *, hosted: bool = False) -> AgentForm:
    """Check the user's agent and its driver before anything runs; returns its form. Raises BadInput."""
    form = form_of(settings, hosted=hosted)
    check_agent(source, str(settings.edited or "the shipped agent.py"), kind=form.kind, main=form.main)
    if settings.driver is not None:
        check_agent(_text(settings.driver), f"{settings.driver} (the driver)")
    return form


def package_of(settings: Settings) -> AgentPackage | None:
    """A fresh copy of the agent's package; None when it has none. Raises BadInput."""
    if not settings.agent_packages:
        return None
    own = [settings.benchmark.partition(":")[0]] if ":" in settings.benchmark else []
    # The owner's words are for the specialists, and may be edited in the middle of a run.
    without = [*files_of_modules(own), str(settings.home), str(place_of_program(settings))]
    return take_package(settings.agent_packages, edited=settings.edited, driver=settings.driver, without=without)


def pinned_places(settings: Settings) -> Settings:
    """The settings with the places of the package's files whole: a run is resumed from any folder."""
    if not settings.agent_packages:
        return settings
    places: dict[str, object] = {"agent_packages": tuple(folder.resolve() for folder in settings.agent_packages)}
    for name in ("agent", "edit", "driver"):
        path: Path | None = getattr(settings, name)
        if path is not None:
            places[name] = path.resolve()
    return settings.model_copy(update=places)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"driver {path} cannot be read: {error}; give --driver a Python file of the package") from None
