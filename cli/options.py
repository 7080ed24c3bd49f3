"""Command-line options made from the settings: every field is a flag."""

from __future__ import annotations

import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from sigmaloop.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
home_option = click.option("--home", type=click.Path(path_type=Path), help="Folder of the runs [.sigmaloop].")
config_option = click.option("--config", type=click.Path(path_type=Path), help="Settings file [sigmaloop.toml].")


def settings_options(*, leave_out: tuple[str, ...] = (), only: tuple[str, ...] = ()) -> Callable[[Command], Command]:
    """A decorator that adds a flag for every setting (or only for those named)."""

    def add(command: Command) -> Command:
        for name, info in reversed(Settings.model_fields.items()):
            if name in leave_out or (only and name not in only):
                continue
            default = "" if info.default is None else f" [{info.default}]"
            command = click.option(
                f"--{name.replace('_', '-')}",
                name,
                type=_click_type(info.annotation),
                help=f"{info.description}{default}",
            )(command)
        return command

    return add


def _click_type(annotation: Any) -> Any:
    """Plain types only: ranges are checked by the settings, which name the source of a bad value."""
    arguments = [a for a in typing.get_args(annotation) if a is not type(None)]
    if typing.get_origin(annotation) is typing.Literal:
        return click.Choice([str(a) for a in arguments])
    if typing.get_origin(annotation) is not None and arguments:
        return _click_type(arguments[0])
    if annotation is Path:
        return click.Path(path_type=Path)
    return annotation if annotation in (int, float) else str
