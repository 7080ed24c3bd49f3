"""A benchmark that changes while a run lies still: its scores cannot be compared any more, and the run says so."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from sigmaloop.errors import BadInput
from sigmaloop.graph.run import Run
from sigmaloop.memory.facts import Promoted
from sigmaloop.memory.journal import Journal
from sigmaloop.records import Split, Task
from sigmaloop.settings import load_settings


def test_a_changed_benchmark_and_lost_suite_members_are_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from small import SmallHelpdesk

    run = Run.start(load_settings(home=home, benchmark="small:SmallHelpdesk", upstream="simulated"))
    whole = SmallHelpdesk.tasks
    member = SmallHelpdesk().tasks("train")[3].id
    with Journal(run.paths.journal) as journal:
        journal.write(Promoted(batch=1, task_id=member, candidate_id="A0001", cluster_id="C001", passes=3))

    def tasks(self: SmallHelpdesk, split: Split) -> Sequence[Task]:
        return [task for task in whole(self, split) if task.id != member]

    monkeypatch.setattr(SmallHelpdesk, "tasks", tasks)
    with pytest.raises(BadInput, match=f"has changed since .* {member} of its regression suite no longer exist"):
        run.go()
