"""Tasks from repositories: every kind of bug in every split, some with a second one beside it, names by chance."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

from sigmaloop.eval.benchmarks.coding.repository import Bug, Case, Repository, broken, repositories
from sigmaloop.records import Record, Split, Task, digest

GENERATION_SEED = 1
SIZES: dict[Split, int] = {"train": 8, "validation": 4, "test": 6}
"""Tasks of each kind of bug."""
WEIGHTS = {
    "integer_division": 1.0,
    "missing_none": 3.0,
    "mutable_default": 1.0,
    "naive_time": 2.0,
    "off_by_one": 3.0,
    "shadowed_variable": 1.0,
    "unhandled_empty": 3.0,
    "wrong_boundary": 2.0,
    "wrong_exception": 1.0,
    "wrong_sort_key": 2.0,
}
"""How often each kind comes, relative to the others."""


class CodingTask(Record):
    """A broken repository, and how it was broken."""

    task: Task
    repository: Repository
    """The right one, with this task's names."""
    files: dict[str, str]
    """The broken one."""
    bugs: tuple[Bug, ...]

    @property
    def cases(self) -> tuple[Case, ...]:
        return self.repository.cases


@lru_cache(maxsize=4)
def all_tasks(seed: int = GENERATION_SEED) -> dict[str, CodingTask]:
    """Every task by id, in an order that mixes the kinds."""
    chance = random.Random(digest("coding", seed))
    made: list[tuple[Split, str, CodingTask]] = []
    seen: set[frozenset[str]] = set()
    for kind in sorted(WEIGHTS):
        splits = [split for split, count in SIZES.items() for _ in range(count)]
        chance.shuffle(splits)
        drawn = islice(_drawn(kind, chance, seen), len(splits))
        made += [(split, kind, task) for split, task in zip(splits, drawn, strict=True)]
    chance.shuffle(made)
    numbered = [_finished(number, *entry) for number, entry in enumerate(made, 1)]
    return {entry.task.id: entry for entry in numbered}


def _drawn(kind: str, chance: random.Random, seen: set[frozenset[str]]) -> Iterator[CodingTask]:
    """Tasks about one kind of bug, each place alone first, then with a second bug; none whose bugs are in `seen`."""
    places = [(whole, bug) for whole in repositories() for bug in whole.bugs if bug.kind == kind]
    chance.shuffle(places)
    for round_number in range(len(repositories()) * 4):
        for whole, bug in places:
            others = [other for other in whole.bugs if other is not bug]
            bugs = (bug,) if round_number == 0 else (bug, chance.choice(others))
            chosen = whole.named({mark: chance.choice(words) for mark, words in whole.words.items()})
            concrete = tuple(chosen.bugs[whole.bugs.index(each)] for each in bugs)
            files = broken(chosen.files, concrete)
            mark = frozenset(digest(each.model_dump()) for each in bugs)
            if files is not None and mark not in seen:
                seen.add(mark)
                empty = Task(id="-", split="train")
                yield CodingTask(task=empty, repository=chosen, files=files, bugs=concrete)


def _finished(number: int, split: Split, kind: str, drawn: CodingTask) -> CodingTask:
    whole = drawn.repository
    task = Task(
        id=f"repair-{number:04d}",
        split=split,
        request_type=kind,
        weight=WEIGHTS[kind],
        fingerprint=digest(drawn.files, whole.setup, [case.model_dump() for case in whole.cases]),
    )
    return drawn.model_copy(update={"task": task})
