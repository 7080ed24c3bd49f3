"""The failure miner: reads the trace of one failed rollout and says why it failed, as a FailureRecord."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field

from sigmaloop.agents.answers import Words
from sigmaloop.agents.model_access import ModelAccess
from sigmaloop.agents.prompt import SETTING_LIMIT, quoted, render
from sigmaloop.agents.specialist import decide
from sigmaloop.agents.trace_text import step_text, trace_text
from sigmaloop.clean_text import clean_line
from sigmaloop.errors import SpecialistError
from sigmaloop.records import Evidence, FailureRecord, Rollout, Step, Task

UNEXPLAINED = "unexplained failure"
_TEXT, _POLICY, _TRACE = 600, 12_000, 40_000
"""Most characters of a field, of the policy and of the trace."""


class Quote(BaseModel):
    """Words copied from one step."""

    step: int
    quote: str


def _items(value: object) -> object:
    """A single quote where a list was asked for, or none at all."""
    return [] if value is None else [value] if isinstance(value, dict) else value


class MinedFailure(BaseModel):
    """Hand in the explanation of the failure."""

    mechanism: Words = Field(description="how it went wrong, in two to six general words")
    what_failed: Words = Field(description="what should have come out and did not")
    root_cause: Words = Field(description="the agent's habit or gap behind it, in general terms")
    should_have: Words = Field(description="an instruction that would have prevented it")
    severity: int = Field(ge=1, le=5, description="1 cosmetic to 5 policy broken")
    evidence: Annotated[list[Quote], BeforeValidator(_items)] = Field(
        default_factory=list, description="one to three quotes, copied letter by letter"
    )


class FailureMiner:
    """Explains failed rollouts, one at a time."""

    def __init__(self, models: ModelAccess, *, setting: str) -> None:
        self._models = models
        self._setting = quoted(setting, SETTING_LIMIT)

    def mine(
        self, *, rollout: Rollout, trace: Sequence[Step], task: Task, batch: int, instructions: str = ""
    ) -> FailureRecord:
        """Why this rollout failed. `instructions` is the policy that the agent was given, if it is at hand.

        Quotes that are not in the trace are dropped. A miner without a usable answer leaves a generic record
        behind, so that the failure is not lost; UpstreamError and ModelUnavailable pass.
        """
        ending = rollout.detail or f"reward {rollout.reward}"
        prompt = render(
            "failure_miner",
            setting=self._setting,
            request_type=task.request_type,
            ending=quoted(ending, _TEXT),
            policy=quoted(instructions, _POLICY) or "(not shown)",
            trace=quoted(trace_text(trace, limit=_TRACE), _TRACE + 2_000),
        )
        scope = f"mine:{rollout.id}"
        about = {"rollout_id": rollout.id, "task_id": task.id, "batch": batch}
        try:
            mined = decide(self._models, "failure_miner", prompt, MinedFailure, scope=scope, about=about)
        except SpecialistError as error:
            mined = _unexplained(ending, str(error))
        return FailureRecord(
            rollout_id=rollout.id,
            task_id=task.id,
            request_type=task.request_type,
            batch=batch,
            mechanism=_general(mined.mechanism),
            what_failed=_cut(mined.what_failed),
            root_cause=_cut(mined.root_cause),
            should_have=_cut(mined.should_have),
            severity=mined.severity,
            evidence=verified(mined.evidence, trace),
        )


def verified(quotes: Sequence[Quote], trace: Sequence[Step]) -> tuple[Evidence, ...]:
    """The quotes that really occur in the trace, each with its step; at most three."""
    texts = {step.index: clean_line(step_text(step)) for step in trace}
    evidence: list[Evidence] = []
    for quote in quotes:
        words = clean_line(quote.quote).strip(" \"'.…")[:400].strip()
        if len(words) < 4:
            continue
        where = [index for index, text in texts.items() if words in text]
        if where:
            step = quote.step if quote.step in where else where[0]
            evidence.append(Evidence(step=step, quote=words))
    return tuple(dict.fromkeys(evidence))[:3]


def _unexplained(ending: str, reason: str) -> MinedFailure:
    return MinedFailure(
        mechanism=UNEXPLAINED,
        what_failed=_cut(ending) or "the rollout failed",
        root_cause=f"The failure miner gave no usable explanation ({_cut(reason)}).",
        should_have="Read the trace by hand.",
        severity=2,
    )


def _general(mechanism: str) -> str:
    """The mechanism without words that name an instance: any with a digit or an @."""
    words = [w for w in mechanism.strip(" .\"'").split() if not re.search(r"[\d@]", w)]
    return " ".join(words[:8])[:80].strip() or UNEXPLAINED


def _cut(text: str) -> str:
    flat = clean_line(text)
    return flat if len(flat) <= _TEXT else flat[: _TEXT - 4] + " ..."
