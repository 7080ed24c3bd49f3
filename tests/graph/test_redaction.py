"""No secret of this process gets into what a run keeps of a rollout."""

from __future__ import annotations

from pathlib import Path

from sigmaloop.graph.services import RedactedStore
from sigmaloop.memory.journal import Journal
from sigmaloop.records import Rollout, RolloutKey, Step
from sigmaloop.tools.redaction import Redactor


def test_a_trace_is_stored_without_the_secrets_of_this_process(tmp_path: Path) -> None:
    secret = 'sk-"12345678'
    rollout = Rollout(
        key=RolloutKey(agent="a", task_id="t", trial=0),
        seed=1,
        status="agent_error",
        reward=0.0,
        detail=f"no {secret}",
        split="train",
    )
    trace = [
        Step(index=0, kind="say", text=f"the key is {secret}"),
        Step(index=1, kind="act", tool="find", text="found", arguments={secret: [{"deep": f"<{secret}>"}], "n": 1}),
    ]
    with Journal(tmp_path / "journal.sqlite") as journal:
        store = RedactedStore(journal, Redactor([secret]))
        store.save_rollout(rollout, trace)
        kept = store.rollout(rollout.key)
        assert kept is not None
        assert kept.detail == "no [secret]"
        first, second = journal.trace(rollout.id)
        assert first.text == "the key is [secret]"
        assert second.arguments == {"[secret]": [{"deep": "<[secret]>"}], "n": 1}
        RedactedStore(journal, Redactor([])).save_rollout(rollout, trace)
    assert b"12345678" not in (tmp_path / "journal.sqlite").read_bytes()
