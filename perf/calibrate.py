"""Is the stand-in calibrated? Baseline and noise of the shipped agent on helpdesk, and full default runs.

    python perf/calibrate.py                 baseline and intraclass correlation (a minute)
    python perf/calibrate.py --runs 3        the same, and three full default runs with seeds 0, 1, 2

Everything here is measured with the simulated model.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from sigmaloop.eval.benchmark import load_benchmark
from sigmaloop.gate.statistics import intraclass_correlation
from sigmaloop.graph.run import Run
from sigmaloop.graph.standalone import engine_for
from sigmaloop.records import Split
from sigmaloop.settings import load_settings

BASELINE = (0.50, 0.62)
CORRELATION = (0.4, 0.8)


def baseline(trials: int) -> None:
    """Mean reward and intraclass correlation on train and validation, `trials` trials a task."""
    settings = load_settings(upstream="simulated")
    benchmark = load_benchmark("helpdesk")
    splits: tuple[Split, ...] = ("train", "validation")
    with engine_for(settings, benchmark) as engine:
        for split in splits:
            pairs = [(task.id, k) for task in benchmark.tasks(split) for k in range(trials)]
            table: dict[str, list[bool]] = defaultdict(list)
            for rollout in engine.run(settings.agent_source(), pairs):
                table[rollout.task_id].append(rollout.passed)
            mean = sum(map(sum, table.values())) / len(pairs)
            correlation = intraclass_correlation(table)
            print(
                f"{split:<11} {len(table)} tasks x {trials}: mean {mean:.3f} (wanted {BASELINE[0]} to {BASELINE[1]}), "
                f"intraclass correlation {correlation:.2f} (wanted {CORRELATION[0]} to {CORRELATION[1]})"
            )


def full_run(seed: int) -> None:
    """One run with the default settings."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        run = Run.start(load_settings(home=Path(folder), seed=seed, upstream="simulated"))
        s = run.go()
        seconds = time.perf_counter() - began
        assert s.certificate is not None
        assert s.certificate.interval is not None
        low, high = s.certificate.interval
        rejected = sum(s.rejected.values())
        print(
            f"seed {seed}: certified {s.certificate.baseline:.3f} -> {s.certificate.final:.3f} "
            f"({100 * s.certificate.difference:+.1f} points, {100 * low:+.1f} to {100 * high:+.1f}); "
            f"{s.batches} batches, {s.attempts} attempts, {s.kept} kept, {100 * rejected / max(1, s.attempts):.0f} % "
            f"rejected {s.rejected}; {s.failures} failures, {s.clusters} clusters, suite {s.suite}; {seconds:.0f} s"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=8, help="trials of each task")
    parser.add_argument("--runs", type=int, default=0, help="full default runs, seeds from 0 on")
    chosen = parser.parse_args()
    print("simulated model, shipped agent")
    baseline(chosen.trials)
    for seed in range(chosen.runs):
        full_run(seed)


if __name__ == "__main__":
    main()
