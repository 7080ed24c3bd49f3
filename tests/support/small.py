"""A small slice of helpdesk, so that a whole run takes seconds; named `small:SmallHelpdesk` by the tests."""

from __future__ import annotations

from collections.abc import Sequence

from sigmaloop.eval.benchmarks.helpdesk import Helpdesk
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


class TinyHelpdesk(Helpdesk):
    """Fewer still, for runs that are begun again and again."""

    name = "tiny-helpdesk"

    def tasks(self, split: Split) -> Sequence[Task]:
        return super().tasks(split)[: SIZES[split] // 2]
