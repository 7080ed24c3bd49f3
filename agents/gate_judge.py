"""The gate judge: explains and classifies a change that the gates have measured, and may veto it.

It is shown which gate decided what, the figures of the training side, and the recording of one training task with the
change; never a validation score, id or text. Its answer has a veto and no approval: by type it cannot turn a mechanical
fail into a pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, Field

from sigmaloop.agents.model_access import ModelAccess
from sigmaloop.agents.prompt import SETTING_LIMIT, quoted, render, unbroken
from sigmaloop.agents.specialist import decide
from sigmaloop.clean_text import clean_line
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
_BECAUSE, _IDEA, _TRACE = 800, 200, 16_000
"""Most characters of an explanation, of an idea and of the recording."""


class Reading(BaseModel):
    """Hand in the judgement."""

    classification: Literal["sound", "overfit", "risky", "unclear"]
    veto: bool = Field(default=False, description="true only for a clear case of overfit")
    helped_because: str = Field(default="", description="if it helped: why")
    failed_because: str = Field(default="", description="if it did not: why, by the step of the recording")
    next_idea: str = Field(default="", description="at most 200 characters: what to try next")


class GateJudge:
    """Reads changes, one at a time."""

    def __init__(self, models: ModelAccess, *, setting: str) -> None:
        self._models = models
        self._setting = quoted(setting, SETTING_LIMIT)

    def judge(
        self,
        *,
        candidate: Candidate,
        cluster: Cluster,
        verdicts: Sequence[Verdict],
        figures: Sequence[str] = (),
        trace: str = "",
        program: str = "",
        scope: str = "",
    ) -> Judgement:
        """What the change is. `figures`: of training tasks; `trace`: of a training task with the change.

        Without a usable answer: unclear, no veto. UpstreamError passes.
        """
        prompt = render(
            "gate_judge",
            setting=self._setting,
            program=program or "(none)",
            title=quoted(cluster.title, 200),
            root_cause=quoted(cluster.root_cause, 800),
            hypothesis=quoted(candidate.hypothesis, 1_500),
            verdicts="\n".join(map(_line, verdicts)) or "none yet",
            figures="\n".join(quoted(f"- {text}", 300) for text in figures) or "none",
            trace=quoted(trace, _TRACE) or "(none)",
            diff=unbroken(candidate.diff),  # whole: what was cut out of it would be judged unseen
        )
        failed = any(verdict.outcome == "failed" for verdict in verdicts)

        def says_why(reading: Reading) -> None:
            if not _because(reading, failed):
                raise ValueError(f"{'failed_because' if failed else 'helped_because'} is empty; say why in a sentence")

        scope = scope or f"judge:{candidate.id}"
        about = {"candidate_id": candidate.id, "batch": candidate.batch}
        try:
            reading = decide(self._models, "gate_judge", prompt, Reading, scope=scope, about=about, check=says_why)
        except SpecialistError as error:
            explanation = f"The judge gave no usable answer: {error}"
            return Judgement(classification="unclear", explanation=explanation[:_BECAUSE])
        return Judgement(
            classification=reading.classification,
            # A veto is for cheating alone; a judge that merely dislikes a measured change is overruled.
            veto=reading.veto and reading.classification == "overfit",
            explanation=_because(reading, failed)[:_BECAUSE],
            next_idea=clean_line(reading.next_idea)[:_IDEA].strip(),
        )


def _because(reading: Reading, failed: bool) -> str:
    first, second = reading.helped_because, reading.failed_because
    first, second = clean_line(first), clean_line(second)
    return (second or first) if failed else (first or second)


def _line(verdict: Verdict) -> str:
    """Which gate said what; never on which numbers."""
    return f"- {_GATES[verdict.gate]}: {verdict.outcome}"
