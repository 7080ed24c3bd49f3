"""The working copy of the agent file, and the tools with which the harness engineer reads and changes it.

Memory, sandbox and traces are reached through the callables of `EngineerTools`, which a graph node gives; this
folder knows none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from langchain_core.tools import BaseTool, StructuredTool

from sigmaloop.agents.brief import REPLAYS, EngineerTools
from sigmaloop.agents.prompt import quoted
from sigmaloop.errors import BadInput
from sigmaloop.tools.changes.edits import replace_text, unified_diff
from sigmaloop.tools.changes.file_kinds import parsed

_SHOWN = 8_000
"""Most characters of a look-up's answer."""


class WorkingCopy:
    """The agent file as an attempt has changed it so far: the only state of an attempt."""

    def __init__(self, tools: EngineerTools) -> None:
        self.parent = tools.source
        self.source = tools.source
        self.replays = 0
        self._tools = tools

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
            self.replay,
            self.dry_run,
        )
        return [StructuredTool.from_function(function) for function in functions]

    def read_agent(self) -> str:
        """Read agent.py as it stands now, with the edits made so far."""
        return self.source

    def replace_text(self, old: str, new: str) -> str:
        """Replace a text of agent.py that occurs exactly once, copied with its spaces and line breaks."""
        self.source = replace_text(self.source, old, new)
        return f"Done. All changes so far:\n{self._diff()}{_warning(self.source, self._tools)}"

    def _diff(self) -> str:
        return unified_diff(self.parent, self.source, path=self._tools.file)

    def search_failures(self, query: str) -> str:
        """Find mined failures by what went wrong; answers with their ids, causes and remedies."""
        return _lines(self._tools.search_failures(query))

    def search_learnings(self, query: str) -> str:
        """Find what earlier attempts taught, on this or on similar causes."""
        return _lines(self._tools.search_learnings(query))

    def search_attempts(self, query: str) -> str:
        """Find earlier changes by what they tried, with their outcome and the gate that rejected them."""
        return _lines(self._tools.search_attempts(query))

    def read_trace(self, failure_id: str) -> str:
        """Read the recorded trace of one failure of this cluster."""
        return quoted(self._tools.read_trace(failure_id), 3 * _SHOWN)

    def replay(self, failure_id: str) -> str:
        """Run the changed agent with its real model on a failure's training task; answers with the recording."""
        if self.replays >= REPLAYS:
            raise BadInput(f"all {REPLAYS} replays of this attempt are used; hand in the change, or edit it once more")
        recording = self._tools.replay(self.source, failure_id)
        self.replays += 1
        return quoted(f"({REPLAYS - self.replays} replays left)\n{recording}", 2 * _SHOWN)

    def dry_run(self) -> str:
        """Run the changed agent once with a scripted model: does it start, and what is the model shown?"""
        return quoted(self._tools.dry_run(self.source), _SHOWN)


def _lines(texts: Sequence[str]) -> str:
    return "\n".join(quoted(f"- {text}", _SHOWN // 4) for text in texts) or "nothing found"


def _warning(source: str, tools: EngineerTools) -> str:
    try:
        if tools.kind == "python":
            compile(source, tools.file, "exec")
        else:
            parsed(source, tools.kind)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError) as error:
        what = "does not compile" if tools.kind == "python" else "cannot be read"
        return f"\nWarning: {tools.file} {what} now: {error or type(error).__name__}"
    return ""
