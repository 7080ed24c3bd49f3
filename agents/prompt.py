"""The specialists' prompts: texts in `prompts/*.md`, filled in here and known to the ledger by their hash.

A prompt file starts with a comment line that names its reader and the values that it takes. Text before the
line `<!-- user -->` becomes the system message, which never holds data; the rest becomes the user message.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from string import Template
from typing import NamedTuple

from sigmaloop.records import digest

NAMES = ("failure_miner", "clusterer", "harness_engineer", "gate_judge", "repair", "plain")
_USER = "<!-- user -->\n"
_SECTION = re.compile(
    r"<(/?(?:trace|policy|failures?|clusters?|attempts|learnings|hypothesis|verdicts|diff)\s*>)",
    re.IGNORECASE,
)


class Prompt(NamedTuple):
    """A rendered prompt; `user` is empty for a prompt of one part."""

    system: str
    user: str


@cache
def _text(name: str) -> str:
    return resources.files("sigmaloop.agents.prompts").joinpath(f"{name}.md").read_text(encoding="utf-8")


def render(name: str, **values: object) -> Prompt:
    """The prompt called `name` with its values filled in; a missing value raises KeyError."""
    _, _, body = _text(name).partition("\n")
    system, _, user = body.partition(_USER)
    filled = {key: str(value) for key, value in values.items()}
    return Prompt(Template(system).substitute(filled).strip(), Template(user).substitute(filled).strip())


def prompt_hash(name: str) -> str:
    """16 hex digits of the prompt's text, comment line included: what the ledger stores."""
    return digest(_text(name))


def prompt_hashes() -> dict[str, str]:
    """Hash by name for every prompt."""
    return {name: prompt_hash(name) for name in NAMES}


def quoted(text: str, limit: int) -> str:
    """Text of others as data: cut to `limit` characters in its middle, and unable to close a section.

    Angle brackets of our own section names are the only thing that is changed.
    """
    text = _SECTION.sub(r"<\\\1", text)
    if len(text) <= limit:
        return text
    half = max(0, (limit - 40) // 2)
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters left out ...]\n{text[-half:]}"
