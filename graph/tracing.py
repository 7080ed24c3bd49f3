"""What a node decided, put where LangSmith shows it: on the node's own run; with tracing off, nothing."""

from __future__ import annotations

from typing import Any

from langsmith.run_helpers import get_current_run_tree


def note(**metadata: Any) -> None:
    """Add metadata to the run of the node that is working now."""
    run = get_current_run_tree()
    if run is not None:
        run.add_metadata(metadata)
