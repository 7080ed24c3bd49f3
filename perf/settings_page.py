"""Write docs/settings.md from the settings model: `make docs`."""

from __future__ import annotations

import typing
from pathlib import Path
from typing import Any

from sigmaloop.settings import PREFIX, TOML, Settings

PAGE = Path(__file__).parent.parent / "docs" / "settings.md"
GROUPS = {
    "Run": "home benchmark agent seed batches batch_size attempts max_attempts concurrency review",
    "Gate": "policy target_tasks target_trials target_floor suite_tries promotion_passes promotion_tasks "
    "quarantine_floor recheck_trials bank_trials bank_cap join_below canaries harmful_canaries regression_floor "
    "coverage_floor suite_cap wave certify_trials",
    "Model": "upstream base_url target_model specialist_model temperature max_tokens model_timeout model_tries "
    "record_calls",
    "Budget": "price_input price_output specialist_price_input specialist_price_output max_money max_run_tokens "
    "max_rollout_money max_rollout_tokens",
    "Sandbox": "sandbox step_seconds rollout_seconds cpu_seconds max_steps max_calls",
    "Memory": "embedder embedding_model",
}
"""Settings by heading; one that is in no group stands under "Other"."""
HEAD = f"""# Settings

<!-- Written by `make docs` from `sigmaloop/settings.py`; do not edit. -->

Every setting is a flag of `sigmaloop run`, an environment variable, a key of `{TOML}` and an argument of
`load_settings`. A flag beats a variable, a variable beats the file, the file beats the default. An unknown name is an
error that says what is close to it.

Keys for model endpoints are no settings: `OPENAI_API_KEY` is read from the environment and written nowhere.
"""


def page() -> str:
    """The whole page, as Markdown."""
    return "\n".join([HEAD, *(_table(group, names) for group, names in groups().items() if names)])


def groups() -> dict[str, list[str]]:
    """Every setting once, by heading, in the order of the page."""
    fields = Settings.model_fields
    known = {group: [name for name in names.split() if name in fields] for group, names in GROUPS.items()}
    grouped = {name for names in known.values() for name in names}
    return known | {"Other": [name for name in fields if name not in grouped]}


def _table(group: str, names: list[str]) -> str:
    head = "| setting | meaning | default | allowed |\n|---|---|---|---|\n"
    return f"## {group}\n\n{head}" + "".join(_row(name) for name in names)


def _row(name: str) -> str:
    field = Settings.model_fields[name]
    spellings = f"`--{name.replace('_', '-')}`<br>`{PREFIX}{name.upper()}`<br>`{name}`"
    default = "" if field.default is None else f"`{field.default}`"
    meaning = (field.description or "").replace("|", r"\|")
    return f"| {spellings} | {meaning} | {default} | {_allowed(field.annotation, field.metadata)} |\n"


def _allowed(annotation: Any, limits: list[Any]) -> str:
    """A type and its bounds in words: `whole number, 1 to 10`."""
    kinds = [kind for kind in typing.get_args(annotation) if kind is not type(None)]
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
