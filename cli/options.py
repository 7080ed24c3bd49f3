"""Command-line options made from the settings: every field is a flag, shown in its group."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from sigmaloop.endpoints import ALIASES, FIELDS, TABLES
from sigmaloop.settings import GROUPS, Place, Settings, flag_of, place_of

Command = TypeVar("Command", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
home_option = click.option("--home", type=click.Path(path_type=Path), help="Folder of the runs.  [default: .sigmaloop]")
config_option = click.option(
    "--config", type=click.Path(path_type=Path), help="Settings file.  [default: sigmaloop.toml]"
)


class SettingOption(click.Option):
    """A setting as a flag."""

    def __init__(self, *args: Any, place: Place, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.place = place

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Under its own name; those that it has as a key of a role's table are told once, for all roles."""
        names, self.opts = self.opts, self.opts[:1]
        try:
            return super().get_help_record(ctx)
        finally:
            self.opts = names


class SettingsCommand(click.Command):
    """A command whose help shows the settings in their groups: the common ones, or with `--help-all` every one."""

    everything = False

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        if not any(isinstance(p, SettingOption) and not p.place.common for p in self.params):
            return super().get_params(ctx)
        show = "Show every setting, with the gate's inner numbers, and exit."
        every = click.Option(
            ["--help-all"], is_flag=True, is_eager=True, expose_value=False, callback=self._help_all, help=show
        )
        return [*super().get_params(ctx), every]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {"Options": [], **{title: [] for title in GROUPS.values()}}
        if self.everything:
            sections[GROUPS["models"]] = [(f"--ROLE-{key.replace('_', '-')}", f.text) for key, f in FIELDS.items()]
            sections[GROUPS["models"]].append(("ROLE", f"One of {', '.join(TABLES)}, with - for _."))
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if isinstance(param, SettingOption):
                if record and param.place.group != "models" and (param.place.common or self.everything):
                    sections[GROUPS[param.place.group]].append(record)
            elif record:
                sections["Options"].append(record)
        for title, rows in sections.items():
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)

    def _help_all(self, ctx: click.Context, _param: click.Parameter, value: bool) -> None:
        if value and not ctx.resilient_parsing:
            self.everything = True
            click.echo(ctx.get_help())
            ctx.exit()


def settings_options(*, leave_out: tuple[str, ...] = (), only: tuple[str, ...] = ()) -> Callable[[Command], Command]:
    """A decorator that adds a flag for every setting; or only for those named, which help then shows all."""

    def add(command: Command) -> Command:
        for name, info in reversed(Settings.model_fields.items()):
            if name in leave_out or (only and name not in only and place_of(name).group != "models"):
                continue
            several = typing.get_origin(info.annotation) is tuple
            default = "" if info.default in (None, ()) else f"  [default: {info.default}]"
            place = place_of(name)
            alone = {"is_flag": False, "flag_value": "true"} if info.annotation is bool else {}
            newer = [f"--{role}-{key}".replace("_", "-") for (role, key), old in ALIASES.items() if old == name]
            command = click.option(
                *dict.fromkeys([flag_of(name), *newer]),
                name,
                cls=SettingOption,
                type=_click_type(info.annotation),
                multiple=several,
                callback=(lambda _context, _option, given: given or None) if several else None,
                help=f"{info.description}{default}",
                place=place._replace(common=place.group != "models" and (place.common or bool(only))),
                **alone,
            )(command)
        return command

    return add


def _click_type(annotation: Any) -> Any:
    """Plain types only: ranges are checked by the settings, which name the source of a bad value."""
    arguments = [a for a in typing.get_args(annotation) if a is not type(None)]
    if typing.get_origin(annotation) is typing.Literal:
        return click.Choice([str(a) for a in arguments])
    if len(arguments) > 1 and typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return str  # such as a number or a word: the settings know
    if typing.get_origin(annotation) is not None and arguments:
        return _click_type(arguments[0])
    if annotation is Path:
        return click.Path(path_type=Path)
    return annotation if annotation in (int, float) else str
