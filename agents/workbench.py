"""The harness engineer's tools: a working copy of the agent file, and what the graph lets it look up.

Everything that is not this file's business comes in as `Hands`: callables given by a graph node, so that the
engineer reaches memory, sandbox and traces without the agents knowing any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from langchain_core.tools import BaseTool, StructuredTool

from sigmaloop.agents.prompt import quoted
from sigmaloop.tools.changes.edits import replace_text, unified_diff

_SHOWN = 8_000
"""Most characters that a look-up puts before the engineer."""


@dataclass(frozen=True)
class EngineerTools:
    """What the engineer may look up and try; each takes a text.

    A question that cannot be answered raises BadInput, whose message goes back to the engineer; every other
    error ends the attempt. None of them may show anything of validation but kept or rejected.
    """

    source: str
    """Text of the kept agent, which the change starts from."""
    search_failures: Callable[[str], Sequence[str]]
    search_learnings: Callable[[str], Sequence[str]]
    search_attempts: Callable[[str], Sequence[str]]
    read_trace: Callable[[str], str]
    """Takes a failure id."""
    dry_run: Callable[[str], str]
    """Takes the text of an agent file."""


class WorkingCopy:
    """A working copy that tools read and change; the only state of an attempt."""

    def __init__(self, hands: EngineerTools) -> None:
        self.parent = hands.source
        self.source = hands.source
        self._hands = hands

    @property
    def changed(self) -> bool:
        return self.source != self.parent

    def tools(self) -> list[BaseTool]:
        """The tools as the model sees them; their docstrings are their descriptions."""
        functions: tuple[Callable[..., str], ...] = (
            self.read_agent,
            self.replace_text,
            self.search_failures,
            self.search_learnings,
            self.search_attempts,
            self.read_trace,
            self.dry_run,
        )
        return [StructuredTool.from_function(function) for function in functions]

    def read_agent(self) -> str:
        """Read agent.py as it stands now, with the edits made so far."""
        return self.source

    def replace_text(self, old: str, new: str) -> str:
        """Replace a text of agent.py that occurs exactly once, copied with its spaces and line breaks."""
        self.source = replace_text(self.source, old, new)
        return f"Done. All changes so far:\n{unified_diff(self.parent, self.source)}{_warning(self.source)}"

    def search_failures(self, query: str) -> str:
        """Find mined failures by what went wrong; answers with their ids, causes and remedies."""
        return _found(self._hands.search_failures(query))

    def search_learnings(self, query: str) -> str:
        """Find what earlier attempts taught, on this or on similar causes."""
        return _found(self._hands.search_learnings(query))

    def search_attempts(self, query: str) -> str:
        """Find earlier changes by what they tried, with their outcome and the gate that rejected them."""
        return _found(self._hands.search_attempts(query))

    def read_trace(self, failure_id: str) -> str:
        """Read the recorded conversation of one failure of this cluster."""
        return quoted(self._hands.read_trace(failure_id), 3 * _SHOWN)

    def dry_run(self) -> str:
        """Run the changed agent on a scripted conversation: does it start, and what is the model shown?"""
        return quoted(self._hands.dry_run(self.source), _SHOWN)


def _found(texts: Sequence[str]) -> str:
    return "\n".join(quoted(f"- {text}", _SHOWN // 4) for text in texts) or "nothing found"


def _warning(source: str) -> str:
    try:
        compile(source, "agent.py", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError) as error:
        return f"\nWarning: agent.py does not compile now: {error or type(error).__name__}"
    return ""
