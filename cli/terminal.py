"""What commands print: nothing that a model, an agent or an endpoint wrote can operate the terminal."""

from __future__ import annotations

import shutil

import click

from sigmaloop.clean_text import clean


def tell(text: str, *, err: bool = False, fg: str | None = None) -> None:
    """Print a text, on standard error with `err`, in a colour with `fg`."""
    click.secho(clean(text), err=err, fg=fg)


def width() -> int:
    """Columns of the terminal, or COLUMNS, or 80 where there is none; never fewer than 40."""
    return max(40, shutil.get_terminal_size((80, 24)).columns)
