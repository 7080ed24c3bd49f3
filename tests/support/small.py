"""A small slice of helpdesk, so that a whole run takes seconds; named `small:SmallHelpdesk` by the tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

from sigmaloop.eval.benchmarks.helpdesk import Helpdesk
from sigmaloop.eval.benchmarks.helpdesk.episode import HelpdeskEpisode
from sigmaloop.eval.executors import EXTRA_TRIES
from sigmaloop.records import Split, Task

SIZES: dict[Split, int] = {"train": 24, "validation": 16, "test": 8}


class SmallHelpdesk(Helpdesk):
    """The first tasks of every split."""

    name = "small-helpdesk"

    def tasks(self, split: Split) -> Sequence[Task]:
        return super().tasks(split)[: SIZES[split]]


class Unsealed(SmallHelpdesk):
    """The same without a test split."""

    name = "unsealed-helpdesk"

    def tasks(self, split: Split) -> Sequence[Task]:
        return () if split == "test" else super().tasks(split)


class Patchy(SmallHelpdesk):
    """The same, but every ninth rollout of a validation or training task cannot be opened at first: faults that are
    tolerated, or paused for, and gone when the rollout is run again later."""

    name = "patchy-helpdesk"
    opened: ClassVar[Counter[int]] = Counter()

    def open(self, task_id: str, *, seed: int) -> HelpdeskEpisode:
        self.opened[seed] += 1
        if seed and seed % 9 == 0 and self.opened[seed] <= 1 + EXTRA_TRIES:
            raise ConnectionError("the desk is closed")
        return super().open(task_id, seed=seed)


class TinyHelpdesk(Helpdesk):
    """Fewer still, for runs that are begun again and again."""

    name = "tiny-helpdesk"

    def tasks(self, split: Split) -> Sequence[Task]:
        return super().tasks(split)[: SIZES[split] // 2]
