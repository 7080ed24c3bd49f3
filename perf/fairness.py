"""Is helpdesk fair? Scripted agents, without a model, on every task of every split.

    python perf/fairness.py                  the tasks of the benchmark (a minute)
    python perf/fairness.py --seed 7         fresh tasks of the same kinds

A perfect agent in three styles should score .99 and more; each sloppy or lying one what it deserves: the share of tasks
that its fault leaves unharmed.
"""

from __future__ import annotations

import argparse
from statistics import fmean

from sigmaloop.eval.benchmark import SPLITS
from sigmaloop.eval.benchmarks.helpdesk import Helpdesk
from sigmaloop.eval.benchmarks.helpdesk.scripted.agent import ScriptedAgent
from sigmaloop.eval.benchmarks.helpdesk.scripted.sloppy import SLOPPY
from sigmaloop.eval.benchmarks.helpdesk.scripted.styles import STYLES
from sigmaloop.eval.benchmarks.helpdesk.tasks import GENERATION_SEED, all_tasks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=GENERATION_SEED, help="of the tasks")
    seed = parser.parse_args().seed
    tasks = list(all_tasks(seed).values())
    print(
        f"helpdesk version {Helpdesk.version}, fingerprint {Helpdesk(seed).fingerprint()}, {len(tasks)} tasks, no model"
    )
    for style in STYLES:
        scores = {task.task.id: ScriptedAgent(task, style).play().reward for task in tasks}
        shares = ", ".join(
            f"{split} {fmean(scores[task.task.id] for task in tasks if task.task.split == split):.3f}"
            for split in SPLITS
        )
        print(f"perfect, {style.name:<8} {shares}")
    for agent in SLOPPY:
        scored = fmean(agent(task, STYLES[0]).play().reward for task in tasks)
        deserved = fmean(agent.deserves(task) for task in tasks)
        print(f"{agent.__name__:<16} scores {scored:.3f}, deserves {deserved:.3f}")


if __name__ == "__main__":
    main()
