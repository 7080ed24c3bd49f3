"""The specialists' prompts: texts in `prompts/*.md`, filled in here and known to the ledger by their hash.

A prompt file starts with a comment line that names its reader and the values that it takes. Text before the
line `<!-- user -->` becomes the system message, which holds nothing from a rollout or a model: only what the authors of
SigmaLoop and of the benchmark wrote. The rest becomes the user message.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from importlib import resources
from string import Template
from typing import NamedTuple

from sigmaloop.clean_text import clean
from sigmaloop.records import digest

NAMES = ("failure_miner", "clusterer", "harness_engineer", "gate_judge", "repair", "plain")
SETTING_LIMIT = 400
"""Most characters of a benchmark's setting, the one sentence that every specialist is told about it."""
_JOINERS = "\u200c\u200d"
"""Without width, but part of how some languages and emoji are written."""
_USER = "<!-- user -->\n"
_SECTIONS = (
    "traces?|policy|failures?|clusters?|attempts|learnings|hypothesis|verdicts|diff|program|agent|mechanisms|passing|"
    "causes|diagnosis|works|rates|others|figures|tools"
)
_TAG = re.compile(
    rf"<\s*/\s*(?:{_SECTIONS})\b|<\s*(?:{_SECTIONS})\s*>|<(?:{_SECTIONS})\b[^<>]*>"  # the sections of our prompts
    r"|<\s*\|[^<>|]{1,60}\|\s*>|<<\s*/?\s*sys\s*>>|\[\s*/?\s*inst\s*\]|<\s*/?\s*(?:start|end)_of_turn\s*>",  # turns
    re.IGNORECASE,
)
"""What a model may take for the end of a section or the start of a turn."""


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
    """Text of others as data: cut to `limit` characters in its middle, and unable to close a section."""
    text = unbroken(text)
    if len(text) <= limit:
        return text
    half = max(0, (limit - 40) // 2)
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters left out ...]\n{text[-half:]}"


def unbroken(text: str) -> str:
    """Text of others as data, in full length, unable to close a section or to begin a turn.

    A backslash goes into tags of our sections and into markers of turns, whatever they hide behind: spaces,
    attributes, characters without width, other forms of a letter. All other text that can be seen stays.
    """
    text = clean(text, keep=_JOINERS)
    plain, places = _as_models_read(text)
    begins = [places[tag.start()] for tag in _TAG.finditer(plain)]
    for at in reversed(begins):
        text = f"{text[: at + 1]}\\{text[at + 1 :]}"
    return text


def _as_models_read(text: str) -> tuple[str, Sequence[int]]:
    """The text in the plain form of its letters and without joiners, and where in `text` each character stands."""
    if text.isascii():
        return text, range(len(text))
    read = [(plain, at) for at, c in enumerate(text) for plain in unicodedata.normalize("NFKC", c) if c not in _JOINERS]
    return "".join(plain for plain, _ in read), [at for _, at in read]
