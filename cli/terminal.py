"""What commands print: nothing that a model, an agent or an endpoint wrote can operate the terminal."""

from __future__ import annotations

import click

from sigmaloop.clean_text import clean


def tell(text: str, *, err: bool = False, fg: str | None = None) -> None:
    """Print a text, on standard error with `err`, in a colour with `fg`."""
    click.secho(clean(text), err=err, fg=fg)
