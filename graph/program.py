"""program.md: what the owner wants the specialists to keep in mind, read beside the agent file.

Editing it in the middle of a run is normal: each batch's mining and each attempt read it afresh, once, and what was
read is kept with them.
"""

from __future__ import annotations

from pathlib import Path

from sigmaloop.agents.prompt import unbroken
from sigmaloop.errors import BadInput
from sigmaloop.memory.facts import RecordKind
from sigmaloop.records import Record, digest
from sigmaloop.settings import Settings

LONGEST = 20_000
"""Characters of it that are shown."""
NAME = "program.md"


class Program(Record):
    """The owner's words, as specialists are shown them."""

    text: str = ""
    """Bounded, and unable to close a section; empty when there is no file."""
    hash: str = ""
    """Of what was read; empty when there is no file."""
    cut: bool = False


PROGRAM = RecordKind("program", Program)


def place_of_program(settings: Settings) -> Path:
    """Where it is looked for: as set, else beside the agent file, else in the current folder."""
    if settings.program is not None:
        return settings.program
    return settings.edited.parent / NAME if settings.edited is not None else Path(NAME)


def read_program(settings: Settings) -> Program:
    """The owner's words as they stand now. Raises BadInput for a file that was named and cannot be read."""
    path = place_of_program(settings)
    if settings.program is None and path == settings.edited:
        return Program()  # the file that changes has this name itself
    try:
        with path.open("rb") as file:
            raw = file.read(4 * LONGEST + 1)  # at most four bytes a character
            size = path.stat().st_size
    except OSError as error:
        if settings.program is None:
            return Program()
        raise BadInput(f"program {path} cannot be read: {error.strerror}; mend that or leave out --program") from None
    text = raw.decode("utf-8-sig", "replace")
    if not text.strip():
        return Program()
    shown, cut = text[:LONGEST], len(text) > LONGEST or size > len(raw)
    if cut:
        shown += f"\n[... {NAME} has {size} bytes; only its first {LONGEST} characters are shown ...]"
    return Program(text=unbroken(shown), hash=digest(text, size), cut=cut)
