"""Ids as they are typed: completed in the shell, and from any clear beginning when a command runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from sigmaloop.errors import BadInput


def found_id(text: str, known: Iterable[str], what: str) -> str:
    """The one id that is meant: itself, a clear beginning of it, or its letter and number without zeros (A7).

    Raises BadInput that names what there is.
    """
    ids = list(known)
    wanted = text.strip()
    if wanted in ids:
        return wanted
    numbered = [id_ for id_ in ids if _bare(id_) == _bare(wanted)]
    matches = numbered if len(numbered) == 1 else [i for i in ids if wanted and i.lower().startswith(wanted.lower())]
    if len(matches) == 1:
        return matches[0]
    shown = ", ".join(matches[:10] or ids[-10:]) or "none"
    if matches:
        raise BadInput(f"{len(matches)} {what} begin with {text!r}: {shown}; give more of the id")
    raise BadInput(f"no {what} {text!r} in this run; there are {shown}")


def complete_runs(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Runs of the home that is named, the newest first."""
    return _quietly(lambda: [(facts.run_id, f"{facts.attempts} attempts, {facts.kept} kept")
                             for facts, _ in _runs(ctx)], incomplete)  # fmt: skip


def complete_attempts(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Attempts of the run that is named, or the newest."""
    return _quietly(lambda: [(entry.candidate_id, entry.summary) for entry in _run(ctx).ledger()], incomplete)


def complete_clusters(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Clusters of the run that is named, or the newest."""
    return _quietly(lambda: [(found.id, found.title) for found in _run(ctx).clusters().values()], incomplete)


def complete_failures(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Failures of the run that is named, or the newest."""
    return _quietly(lambda: [(found.id, found.mechanism) for found in _run(ctx).failures()], incomplete)


def _bare(id_: str) -> tuple[str, str]:
    letter, number = id_[:1].upper(), id_[1:]
    return (letter, number.lstrip("0")) if number.isdigit() else (id_, "")


def _runs(ctx: click.Context) -> Any:
    from sigmaloop.graph.run import runs_of

    return runs_of(_home(ctx))


def _run(ctx: click.Context) -> Any:
    from sigmaloop.graph.run import Run

    return Run.open(ctx.params.get("run_id"), home=_home(ctx))


def _home(ctx: click.Context) -> Path:
    from sigmaloop.settings import load_settings

    home: Path | None = ctx.params.get("home")
    return home or load_settings().home


def _quietly(read: Callable[[], Iterable[tuple[str, str]]], incomplete: str) -> list[CompletionItem]:
    """What begins as it is typed; nothing at all where the run cannot be read: a shell has no place for errors."""
    from sigmaloop.clean_text import clean_line
    from sigmaloop.errors import SigmaLoopError

    try:
        found = list(read())
    except (SigmaLoopError, OSError, ValueError):
        return []
    return [CompletionItem(id_, help=clean_line(about)[:60]) for id_, about in found if id_.startswith(incomplete)]
