"""SigmaLoop: a self-improving loop for LLM agents that can be trusted overnight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sigmaloop.eval.benchmark import BenchmarkRunner, Episode
    from sigmaloop.graph.build import build_graph
    from sigmaloop.graph.run import Run
    from sigmaloop.settings import Settings, load_settings

__version__ = "0.1.0"
__all__ = ["BenchmarkRunner", "Episode", "Run", "Settings", "build_graph", "load_settings"]

_PLACES = {
    "BenchmarkRunner": "sigmaloop.eval.benchmark",
    "Episode": "sigmaloop.eval.benchmark",
    "Run": "sigmaloop.graph.run",
    "Settings": "sigmaloop.settings",
    "build_graph": "sigmaloop.graph.build",
    "load_settings": "sigmaloop.settings",
}


def __getattr__(name: str) -> Any:
    """Public names load on first use: `import sigmaloop` costs milliseconds."""
    if name in _PLACES:
        from importlib import import_module

        return getattr(import_module(_PLACES[name]), name)
    raise AttributeError(f"module 'sigmaloop' has no attribute {name!r}")
