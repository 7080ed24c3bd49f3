"""Small benchmarks: slices of helpdesk, and two that play nothing; named `small:SmallHelpdesk` by the tests."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import ClassVar

from sigmaloop.eval.benchmark import BenchmarkRunner
from sigmaloop.eval.benchmarks.helpdesk import Helpdesk
from sigmaloop.eval.executors import EXTRA_TRIES
from sigmaloop.records import Split, Task, digest
from sigmaloop.settings import Settings

SIZES: dict[Split, int] = {"train": 24, "validation": 16, "test": 8}


class SmallHelpdesk(Helpdesk):
    """The first tasks of every split."""

    name = "small-helpdesk"

    def tasks(self, split: Split) -> Sequence[Task]:
        return super().tasks(split)[: SIZES[split]]


class TinyHelpdesk(Helpdesk):
    """Fewer still, for runs that are begun again and again."""

    name = "tiny-helpdesk"

    def tasks(self, split: Split) -> Sequence[Task]:
        return super().tasks(split)[: SIZES[split] // 2]


class Mendable(BenchmarkRunner):
    """Every task fails for the agent that is shipped and passes for any other: the first change is always worth
    keeping, whatever the seed, and a whole run takes a few seconds, for nothing is played."""

    name = "mendable"

    def tasks(self, split: Split) -> Sequence[Task]:
        return [Task(id=f"{split}-{n}", split=split) for n in range(SIZES[split] // 2)]

    def run(self, agent: str, task_ids: Sequence[str], *, seeds: Mapping[str, int]) -> Mapping[str, float | None]:
        return dict.fromkeys(task_ids, float(agent != Settings().agent_source()))


class Noisy(Mendable):
    """Chance decides: the shipped agent passes three tasks of ten, every other agent eight. So the first change is
    very likely kept, and those after it are not."""

    name = "noisy"

    def tasks(self, split: Split) -> Sequence[Task]:
        return [Task(id=f"{split}-{n}", split=split) for n in range(SIZES[split])]

    def run(self, agent: str, task_ids: Sequence[str], *, seeds: Mapping[str, int]) -> Mapping[str, float | None]:
        able = 0.3 if agent == Settings().agent_source() else 0.8
        return {task: float(random.Random(digest(agent, task, seeds[task])).random() < able) for task in task_ids}


class Unsealed(Noisy):
    """The same without a test split."""

    name = "unsealed"

    def tasks(self, split: Split) -> Sequence[Task]:
        return () if split == "test" else super().tasks(split)


class Patchy(Noisy):
    """The same, but every ninth rollout has no result at first: faults that are tolerated, or paused for, and gone
    when the rollout is run again later."""

    name = "patchy"
    asked: ClassVar[Counter[int]] = Counter()

    def run(self, agent: str, task_ids: Sequence[str], *, seeds: Mapping[str, int]) -> Mapping[str, float | None]:
        self.asked.update(seeds.values())
        found = super().run(agent, task_ids, seeds=seeds)
        ill = {task for task in task_ids if seeds[task] % 9 == 0 and self.asked[seeds[task]] <= 1 + EXTRA_TRIES}
        return {task: None if task in ill else reward for task, reward in found.items()}
