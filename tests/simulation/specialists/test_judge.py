"""The simulated judge reads a change for what it adds, vetoes clear overfitting, and is off the mark now and then."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from sigmaloop.simulation.habits import HABITS
from sigmaloop.tools.changes.edits import unified_diff


def judge(ask: Any, diff: str, seed: int = 1) -> dict[str, Any]:
    return dict(
        ask(
            "gate_judge",
            "Reading",
            seed=seed,
            title="change made without confirmation",
            root_cause="It does not ask.",
            hypothesis="h",
            verdicts="- validation (held-out tasks): failed",
            diff=diff,
            program="(none)",
            figures="none",
            trace="(none)",
        )
    )


def mostly(ask: Any, line: str) -> str:
    said = Counter(judge(ask, f"--- a\n+++ b\n@@ -1 +1 @@\n+{line}", seed)["classification"] for seed in range(15))
    return said.most_common(1)[0][0]


@pytest.mark.parametrize(
    ("line", "reading"),
    [
        ('    "Before every change list its details and wait for an explicit yes.",', "sound"),
        ('    "For order or_48213: wait for a yes.",', "overfit"),
        ('    "Wait for a yes from ann@example.com.",', "overfit"),
        ('    "When anything is unclear or difficult, transfer to a human.",', "risky"),
        ('    "Be careful and attentive.",', "unclear"),
    ],
)
def test_a_change_is_read_for_what_it_adds(ask: Any, line: str, reading: str) -> None:
    assert mostly(ask, line) == reading


def test_only_clear_overfitting_is_vetoed(ask: Any, attempt: Any, shipped: str) -> None:
    vetoes: Counter[tuple[str, bool]] = Counter()
    for seed in range(120):
        made = attempt(list(HABITS)[seed % len(HABITS)], seed, words=seed)
        said = judge(ask, unified_diff(shipped, made.source), seed)
        vetoes[made.plan.quality, said["veto"]] += 1
    assert vetoes["overfit", True] > vetoes["overfit", False]
    assert not any(veto and quality != "overfit" for quality, veto in vetoes)


def test_the_explanation_names_the_gate_that_rejected(ask: Any) -> None:
    assert "validation gate" in judge(ask, "+x")["failed_because"]


def test_the_judge_is_off_the_mark_now_and_then(ask: Any) -> None:
    said = [judge(ask, '+    "Before every change wait for an explicit yes."', s)["classification"] for s in range(100)]
    assert 0.85 <= said.count("sound") / 100 < 1.0


def test_the_judge_has_an_idea_for_the_next_attempt_mostly_a_remedy(ask: Any) -> None:
    from sigmaloop.simulation.specialists.recognition import recognise

    ideas = [judge(ask, "+x", seed)["next_idea"] for seed in range(60)]
    assert all(0 < len(idea) <= 200 for idea in ideas)
    good = [idea for idea in ideas if recognise(idea) == "skips_confirmation"]
    assert 0.65 < len(good) / len(ideas) < 0.95
