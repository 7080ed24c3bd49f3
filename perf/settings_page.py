"""Write docs/settings.md from the settings model: `make docs`."""

from __future__ import annotations

import typing
from pathlib import Path
from typing import Any

from sigmaloop.endpoints import FIELDS, TABLES
from sigmaloop.settings import GROUPS, PREFIX, TOML, Settings, flag_of, place_of

PAGE = Path(__file__).parent.parent / "docs" / "settings.md"
HEAD = f"""# Settings

<!-- Written by `make docs` from `sigmaloop/settings.py`; do not edit. -->

Every setting is a flag of `sigmaloop run`, an environment variable, a key of `{TOML}` and an argument of
`load_settings`. A flag beats a variable, a variable beats the file, the file beats the default. An unknown name is an
error that suggests the closest setting.

In `{TOML}` a setting may stand in the section of its group, or at the top without one:

```toml
batches = 6

[gate]
policy = "rigorous"
```

`sigmaloop run --help` shows the settings that most runs need; `--help-all` shows every one.

API keys are not settings: they are read from the environment (`OPENAI_API_KEY`, and the variables that `key_env` names)
and never written.
"""


def page() -> str:
    """The whole page, as Markdown."""
    return "\n".join([HEAD, *(_table(group, names) for group, names in groups().items())])


def groups() -> dict[str, list[str]]:
    """Every setting once, by group, in the order of the page."""
    return {group: [name for name in Settings.model_fields if place_of(name).group == group] for group in GROUPS}


def _table(group: str, names: list[str]) -> str:
    if group == "models":
        return _role_tables()
    head = "| setting | meaning | default | allowed |\n|---|---|---|---|\n"
    return f"## {GROUPS[group]}\n\nSection `[{group}]`.\n\n{head}" + "".join(_row(name) for name in names)


def _role_tables() -> str:
    """The keys that every role's table has, once."""
    roles = ", ".join(f"`{role}`" for role in TABLES)
    text = (
        f"One section `[models.ROLE]` for each of {roles}; in a flag `-` stands for `_`. What a role does not set "
        "comes from its parent (`user` and `judge`: `target`; the four specialists: `specialist`), then from the "
        "general settings. See [endpoints](endpoints.md).\n\n"
    )
    head = "| setting | meaning | allowed |\n|---|---|---|\n"
    rows = [
        f"| `--ROLE-{key.replace('_', '-')}`<br>`{PREFIX}ROLE_{key.upper()}`<br>`{key}` | {field.text} "
        f"| {_allowed(field.type, [])} |\n"
        for key, field in FIELDS.items()
    ]
    return f"## {GROUPS['models']}\n\n{text}{head}{''.join(rows)}"


def _row(name: str) -> str:
    field = Settings.model_fields[name]
    spellings = f"`{flag_of(name)}`<br>`{PREFIX}{name.upper()}`<br>`{name}`"
    default = "" if field.default in (None, ()) else f"`{field.default}`"
    meaning = (field.description or "").replace("|", r"\|")
    return f"| {spellings} | {meaning} | {default} | {_allowed(field.annotation, field.metadata)} |\n"


def _allowed(annotation: Any, limits: list[Any]) -> str:
    """A type and its bounds in words: `whole number, 1 to 10`."""
    if typing.get_origin(annotation) is typing.Annotated:
        inner, *more = typing.get_args(annotation)
        return _allowed(inner, [limit for part in more for limit in getattr(part, "metadata", [])] + limits)
    kinds = [kind for kind in typing.get_args(annotation) if kind not in (type(None), ...)]
    if typing.get_origin(annotation) is dict:
        return "table"
    if len(kinds) > 1 and typing.get_origin(annotation) is not typing.Literal:
        return ", ".join(_allowed(kind, []) for kind in kinds)
    if len(kinds) == 1 and typing.get_origin(kinds[0]) is typing.Annotated:
        return _allowed(kinds[0], limits)
    if len(kinds) == 1 and typing.get_origin(kinds[0]) is typing.Literal:  # and None
        return _allowed(kinds[0], limits)
    if typing.get_origin(annotation) is typing.Literal:
        return ", ".join(f"`{kind}`" for kind in kinds)
    names = {int: "whole number", float: "number", bool: "`true`, `false`", Path: "path", str: "text"}
    words = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    bounds = {name: f"{getattr(limit, name):,}" for limit in limits for name in words if hasattr(limit, name)}
    if bounds.keys() == {"ge", "le"}:
        limited = [f"{bounds['ge']} to {bounds['le']}"]
    else:
        limited = [f"{words[name]} {bound}" for name, bound in bounds.items()]
    return ", ".join([names[kinds[0] if kinds else annotation], *limited])


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote the settings into {PAGE.name}")


if __name__ == "__main__":
    main()
