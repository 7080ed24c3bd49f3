"""What the machinery costs: a rollout bare, through the gateway, and through everything, in one run.

    python perf/machinery.py [--tasks 60]

Bare: the agent in this process, the simulated model called directly. Gateway: the same with the model behind the
gateway. Whole: sandbox, frames, gateway, call journal, SQLite. Ratios are to the bare rollout.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sigmaloop.eval.benchmark import BenchmarkRunner, load_benchmark, open_episode
from sigmaloop.eval.rollouts import RolloutEngine
from sigmaloop.graph.services import make_gateway, make_supervisor
from sigmaloop.memory.journal import Journal
from sigmaloop.settings import load_settings
from sigmaloop.simulation.model import SimulatedModel

Complete = Callable[[dict[str, Any]], dict[str, Any]]


def in_process(source: str, benchmark: BenchmarkRunner, task_id: str, complete: Complete) -> int:
    """One rollout without a wall; returns the number of model calls."""
    namespace: dict[str, Any] = {}
    exec(compile(source, "agent.py", "exec"), namespace)
    episode = open_episode(benchmark, task_id, seed=0)
    calls = 0

    def ask(messages: list[Any], tools: Any = None, **_: Any) -> dict[str, Any]:
        nonlocal calls
        calls += 1
        return complete({"model": "m", "messages": messages, "tools": tools, "seed": 7})

    session = SimpleNamespace(
        instructions=episode.instructions, tools=episode.tools, opening=episode.opening,
        call=episode.act, say=episode.say, submit=episode.submit, complete=ask,
    )  # fmt: skip
    namespace["run"](session)
    episode.score()
    return calls


def timed(work: Callable[[], int]) -> tuple[float, int]:
    """Seconds and the number of model calls."""
    began = time.perf_counter()
    calls = work()
    return time.perf_counter() - began, calls


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=60, help="rollouts a variant")
    count = parser.parse_args().tasks
    settings = load_settings(upstream="simulated", concurrency=1)
    benchmark, source = load_benchmark("helpdesk"), settings.agent_source()
    tasks = [task.id for task in benchmark.tasks("train")][:count]
    model = SimulatedModel()

    def bare() -> int:
        return sum(in_process(source, benchmark, task, model.complete) for task in tasks)

    def gated() -> int:
        gateway = make_gateway(settings, journal=None)
        calls = 0
        for task in tasks:
            with gateway.lease("target", scope=task, seed=7) as lease:
                calls += in_process(source, benchmark, task, lease.complete)
        gateway.stop()
        return calls

    def whole(concurrency: int) -> int:
        with tempfile.TemporaryDirectory() as folder, Journal(Path(folder) / "journal.sqlite") as journal:
            gateway, supervisor = make_gateway(settings, journal=journal), make_supervisor(settings)
            supervisor.start()
            engine = RolloutEngine(
                benchmark, supervisor, gateway, journal, run_seed=0, concurrency=concurrency, max_calls=80
            )
            calls = sum(r.usage.calls for r in engine.run(source, [(task, 0) for task in tasks]))
            engine.close()
            supervisor.stop()
            gateway.stop()
        return calls

    bare()  # warm caches
    variants: list[tuple[str, Callable[[], int]]] = [
        ("bare", bare), ("gateway", gated), ("whole", lambda: whole(1)), ("whole, 4 at once", lambda: whole(4)),
    ]  # fmt: skip
    base = 0.0
    print(f"{count} rollouts each, simulated model")
    for name, work in variants:
        seconds, calls = timed(work)
        base = base or seconds
        print(
            f"{name:<18} {1000 * seconds / count:6.2f} ms a rollout  {1000 * seconds / calls:5.2f} ms a model call"
            f"  ratio {seconds / base:5.2f}"
        )


if __name__ == "__main__":
    main()
