"""The gate judge: explains and classifies a change that the gates have measured, and may veto it.

It is shown which gate decided what, never a validation score, id or text. Its answer has a veto and no
approval: by type it cannot turn a mechanical fail into a pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, Field

from sigmaloop.agents.answers import Words
from sigmaloop.agents.model_access import ModelAccess
from sigmaloop.agents.prompt import SETTING_LIMIT, quoted, render, unbroken
from sigmaloop.agents.specialist import decide
from sigmaloop.errors import SpecialistError
from sigmaloop.records import Candidate, Cluster, Judgement, Verdict

_GATES = {
    "admission": "admission (is it a valid change at all)",
    "cluster_tasks": "cluster tasks (the failing tasks that it was made for)",
    "regression": "regression suite (tasks fixed earlier stay fixed)",
    "validation": "validation (held-out tasks)",
    "judge": "judge",
    "review": "review by a person",
}


class Reading(BaseModel):
    """Hand in the judgement."""

    classification: Literal["sound", "overfit", "risky", "unclear"]
    veto: bool = Field(default=False, description="true only for a clear case of overfit")
    explanation: Words = Field(description="two or three sentences")


class GateJudge:
    """Reads changes, one at a time."""

    def __init__(self, models: ModelAccess, *, setting: str) -> None:
        self._models = models
        self._setting = quoted(setting, SETTING_LIMIT)

    def judge(
        self, *, candidate: Candidate, cluster: Cluster, verdicts: Sequence[Verdict], scope: str = ""
    ) -> Judgement:
        """What the change is. Without a usable answer: unclear, no veto. UpstreamError passes."""
        prompt = render(
            "gate_judge",
            setting=self._setting,
            title=quoted(cluster.title, 200),
            root_cause=quoted(cluster.root_cause, 800),
            hypothesis=quoted(candidate.hypothesis, 1_500),
            verdicts="\n".join(map(_line, verdicts)) or "none yet",
            diff=unbroken(candidate.diff),  # whole: what was cut out of it would be judged unseen
        )
        scope = scope or f"judge:{candidate.id}"
        about = {"candidate_id": candidate.id, "batch": candidate.batch}
        try:
            reading = decide(self._models, "gate_judge", prompt, Reading, scope=scope, about=about)
        except SpecialistError as error:
            explanation = f"The judge gave no usable answer: {error}"
            return Judgement(classification="unclear", explanation=explanation[:800])
        return Judgement(
            classification=reading.classification,
            # A veto is for cheating alone; a judge that merely dislikes a measured change is overruled.
            veto=reading.veto and reading.classification == "overfit",
            explanation=" ".join(reading.explanation.split())[:800],
        )


def _line(verdict: Verdict) -> str:
    """Which gate said what; never on which numbers."""
    return f"- {_GATES[verdict.gate]}: {verdict.outcome}"
