"""SigmaLoop: a self-improving loop for LLM agents that can be trusted overnight.

Import everything in `__all__` from here. A name is loaded when it is first used: `import sigmaloop` alone reads no
other module of the package, and `from sigmaloop import Task` does not load the graph.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"
__all__ = [
    "BadInput",
    "BenchmarkRunner",
    "BudgetSpent",
    "Busy",
    "Candidate",
    "Certificate",
    "Cluster",
    "ConformanceReport",
    "Episode",
    "EpisodeBenchmark",
    "FailureRecord",
    "Judgement",
    "Learning",
    "LedgerEntry",
    "ModelUnavailable",
    "Rollout",
    "RolloutKey",
    "Run",
    "SandboxError",
    "Score",
    "ScoreSummary",
    "Settings",
    "SigmaLoopError",
    "SpecialistError",
    "Split",
    "Step",
    "StoreError",
    "SuiteCase",
    "Summary",
    "Task",
    "UpstreamError",
    "Usage",
    "Verdict",
    "build_graph",
    "check_named",
    "load_benchmark",
    "load_settings",
    "score_file",
]

if TYPE_CHECKING:
    from sigmaloop.errors import (
        BadInput,
        BudgetSpent,
        Busy,
        ModelUnavailable,
        SandboxError,
        SigmaLoopError,
        SpecialistError,
        StoreError,
        UpstreamError,
    )
    from sigmaloop.eval.benchmark import BenchmarkRunner, Episode, EpisodeBenchmark, Score, load_benchmark
    from sigmaloop.eval.conformance import ConformanceReport
    from sigmaloop.eval.scoring import ScoreSummary
    from sigmaloop.graph.build import build_graph
    from sigmaloop.graph.run import Run
    from sigmaloop.graph.standalone import check_named, score_file
    from sigmaloop.report.summary import Summary
    from sigmaloop.records import (
        Candidate,
        Certificate,
        Cluster,
        FailureRecord,
        Judgement,
        Learning,
        LedgerEntry,
        Rollout,
        RolloutKey,
        Split,
        Step,
        SuiteCase,
        Task,
        Usage,
        Verdict,
    )
    from sigmaloop.settings import Settings, load_settings
else:  # hidden from type checkers, for which a wrong name would be Any
    _MODULES = {
        "sigmaloop.errors": "BadInput BudgetSpent Busy ModelUnavailable "
        "SandboxError SigmaLoopError SpecialistError StoreError UpstreamError",
        "sigmaloop.eval.benchmark": "BenchmarkRunner Episode EpisodeBenchmark Score load_benchmark",
        "sigmaloop.eval.conformance": "ConformanceReport",
        "sigmaloop.eval.scoring": "ScoreSummary",
        "sigmaloop.graph.build": "build_graph",
        "sigmaloop.graph.run": "Run",
        "sigmaloop.graph.standalone": "check_named score_file",
        "sigmaloop.report.summary": "Summary",
        "sigmaloop.records": "Candidate Certificate Cluster FailureRecord Judgement Learning LedgerEntry "
        "Rollout RolloutKey Split Step SuiteCase Task Usage Verdict",
        "sigmaloop.settings": "Settings load_settings",
    }
    _HOME = {name: module for module, names in _MODULES.items() for name in names.split()}

    def __getattr__(name):
        if name not in _HOME:
            raise AttributeError(f"module 'sigmaloop' has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(_HOME[name]), name)
        return value

    def __dir__():
        return sorted({*globals(), *__all__})
