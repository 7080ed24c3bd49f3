"""A full default run: wall time, peak memory, and how its files grow from batch to batch.

    python perf/full_run.py [--batches 18] [--seed 0]

Simulated model. Growth is printed per batch, and as the ratio of the last third's growth to the first third's: about
1 when it is linear.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

from sigmaloop.graph.run import Run
from sigmaloop.settings import load_settings


def size(home: Path, *patterns: str) -> int:
    """Bytes in the files of a home that match."""
    return sum(path.stat().st_size for pattern in patterns for path in home.rglob(pattern) if path.is_file())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, default=18)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        settings = load_settings(home=home, seed=chosen.seed, batches=chosen.batches, upstream="simulated")
        began = time.perf_counter()
        run = Run.start(settings)
        grown: list[tuple[int, int, int]] = []
        rollouts = 0
        for event in run.follow():
            rollouts += event.event == "rollout"
            if event.event == "batch_started":
                journal = size(home, "journal.sqlite*")
                grown.append((journal, size(home, "checkpoints.sqlite*"), rollouts))
        seconds = time.perf_counter() - began
        summary = run.summary()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"simulated model, seed {chosen.seed}, {summary.batches} batches, {summary.attempts} attempts")
        print(f"wall {seconds:.0f} s for {rollouts} rollouts: {1000 * seconds / rollouts:.1f} ms a rollout")
        print(f"peak memory {peak:.0f} MB")
        print("batch  journal kB  checkpoints kB  rollouts")
        for batch, (journal, checkpoints, done) in enumerate(grown, 1):
            print(f"{batch:>5}  {journal / 1024:>10.0f}  {checkpoints / 1024:>14.0f}  {done:>8}")
        third = max(1, len(grown) // 3)
        for name, column in (("journal", 0), ("checkpoints", 1)):
            first = grown[third][column] - grown[0][column]
            last = grown[-1][column] - grown[-1 - third][column]
            print(f"{name}: the last third grew {last / max(1, first):.2f} times as much as the first")


if __name__ == "__main__":
    main()
