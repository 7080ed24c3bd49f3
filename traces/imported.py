"""What an importer makes of somebody else's file: conversations in the loop's own words, and what was missing."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import Field

from sigmaloop.records import Record, Step

Format = Literal["tau-bench", "openai", "langsmith", "otel"]
FORMATS: tuple[Format, ...] = ("tau-bench", "openai", "langsmith", "otel")
ImportedOutcome = Literal["passed", "failed", "unknown"]


class Problem(Record):
    """Something of a file that could not be used, or is not there."""

    file: str
    line: int = Field(ge=1)
    """Where the record begins."""
    said: str
    """What is wrong and, if there is something, what to do."""
    lost: bool = True
    """False: the conversation is used all the same, with less known of it."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.said}"


class Conversation(Record):
    """One conversation of an agent that ran elsewhere."""

    id: str = Field(min_length=1)
    """As the file names it, or its place in the file."""
    file: str
    line: int = Field(ge=1)
    format: Format
    steps: tuple[Step, ...]
    outcome: ImportedOutcome = "unknown"
    reward: float | None = Field(default=None, allow_inf_nan=False)
    """As the file says it, if it does."""
    detail: str = ""
    """Why it ended as it did, in the file's words."""
    task: str = ""
    """Which task it was at; empty when the file does not say."""
    request_type: str = ""
    trial: int = Field(default=0, ge=0)
    instructions: str = ""
    """The system prompt."""
    model: str = ""


Imported: TypeAlias = Conversation | Problem


def place(path: Path) -> str:
    """A file as messages name it."""
    return str(path)
