"""The failure miner: reads the trace of one failed rollout and says why it failed, a FailureRecord for each cause."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, model_validator

from sigmaloop.agents.answers import Words
from sigmaloop.agents.model_access import ModelAccess
from sigmaloop.agents.prompt import SETTING_LIMIT, quoted, render
from sigmaloop.agents.specialist import decide
from sigmaloop.agents.trace_text import step_text, trace_text
from sigmaloop.clean_text import clean_line
from sigmaloop.errors import SpecialistError
from sigmaloop.records import Evidence, FailureRecord, InstructionGap, Rollout, Step, Task

UNEXPLAINED = "unexplained failure"
BLIND = "no recording was handed over"
MOST_CAUSES = 3
_TEXT, _POLICY, _TRACE, _AGENT, _PASSING = 600, 12_000, 40_000, 40_000, 12_000
"""Most characters of a field, of the policy, of the trace, of the agent file and of the passing trace."""
_MECHANISMS = 60
"""Mechanisms in use that are shown."""
_SHORT = 4
"""A quote of fewer characters proves nothing."""


class Quote(BaseModel):
    """Words copied from one step."""

    step: int
    quote: str


def _items(value: object) -> object:
    """A single one where a list was asked for, or none at all."""
    return [] if value is None else [value] if isinstance(value, dict) else value


class Cause(BaseModel):
    """One cause of the failure."""

    mechanism: Words = Field(description="how it went wrong, in two to six general words")
    root_cause: Words = Field(description="the agent's habit or gap behind it, in general terms")
    should_have: Words = Field(description="an instruction that would have prevented it")
    decisive: bool = Field(default=True, description="whether this cause made the task fail")
    instruction: InstructionGap = Field(
        default="missing", description="what the agent file says of it: missing, vague, overlooked, or its code"
    )
    severity: int = Field(default=3, ge=1, le=5, description="3 is normal; 5 only for harm to somebody else")
    evidence: Annotated[list[Quote], BeforeValidator(_items)] = Field(
        default_factory=list, description="one to three quotes, copied letter by letter"
    )


class MinedFailure(BaseModel):
    """Hand in the explanation of the failure."""

    what_failed: Words = Field(description="what should have come out and did not")
    causes: Annotated[list[Cause], BeforeValidator(_items)] = Field(
        min_length=1, description="one to three causes, the decisive one first"
    )

    @model_validator(mode="before")
    @classmethod
    def _one_cause_alone(cls, data: Any) -> Any:
        """The fields of one cause where the list should be: small models write them so."""
        if isinstance(data, dict) and "causes" not in data and "mechanism" in data:
            return {"what_failed": data.get("what_failed"), "causes": [data]}
        return data


@dataclass(frozen=True)
class Known:
    """What a miner is shown beside the rollout."""

    instructions: str = ""
    """The policy that the agent was given, if it is at hand."""
    agent: str = ""
    """Text of the agent file that ran."""
    passing: Sequence[Step] = ()
    """A rollout of the same request type that went well, if there is one."""
    mechanisms: Sequence[tuple[str, str]] = ()
    """Mechanisms in use, with what each means."""
    program: str = ""
    """The owner's words."""


class FailureMiner:
    """Explains failed rollouts, one at a time."""

    def __init__(self, models: ModelAccess, *, setting: str) -> None:
        self._models = models
        self._setting = quoted(setting, SETTING_LIMIT)

    def mine(
        self, *, rollout: Rollout, trace: Sequence[Step], task: Task, batch: int, known: Known | None = None
    ) -> tuple[FailureRecord, ...]:
        """Why this rollout failed: its causes, the decisive one first.

        Quotes that are not in the trace are named in one repair turn, and dropped if they come again. A miner without
        a usable answer, or without anything to read, leaves a generic record behind, so that the failure is not lost;
        UpstreamError and ModelUnavailable pass.
        """
        ending = rollout.explanation or rollout.detail or f"reward {rollout.reward}"
        mined = self._ask(rollout, trace, task, batch, ending, known or Known()) if trace else _blind(ending)
        what_failed = _cut(mined.what_failed)
        # A model that marks none as decisive has still put the first one first.
        causes = sorted(mined.causes[:MOST_CAUSES], key=lambda cause: not cause.decisive)
        return tuple(
            FailureRecord(
                rollout_id=rollout.id,
                task_id=task.id,
                request_type=task.request_type,
                batch=batch,
                mechanism=_general(cause.mechanism),
                what_failed=what_failed,
                root_cause=_cut(cause.root_cause),
                should_have=_cut(cause.should_have),
                severity=cause.severity,
                evidence=verified(cause.evidence, trace),
                cause=number,
                decisive=cause.decisive or number == 0,
                instruction=cause.instruction,
            )
            for number, cause in enumerate(_distinct(causes))
        )

    def _ask(
        self, rollout: Rollout, trace: Sequence[Step], task: Task, batch: int, ending: str, known: Known
    ) -> MinedFailure:
        prompt = render(
            "failure_miner",
            setting=self._setting,
            request_type=quoted(task.request_type, 200),
            ending=quoted(ending, 2 * _TEXT),
            program=known.program or "(none)",
            policy=quoted(known.instructions, _POLICY) or "(not shown)",
            agent=quoted(known.agent, _AGENT) or "(not shown)",
            mechanisms="\n".join(
                quoted(f"- {clean_line(name)}: {_cut(meaning)}", 400)
                for name, meaning in known.mechanisms[:_MECHANISMS]
            )
            or "none yet",
            passing=quoted(trace_text(known.passing, limit=_PASSING), _PASSING + 2_000) or "(none)",
            trace=quoted(trace_text(trace, limit=_TRACE), _TRACE + 2_000),
        )

        def quotes_occur(mined: MinedFailure) -> None:
            missing = [q.quote[:200] for cause in mined.causes for q in cause.evidence if not verified([q], trace)]
            if missing:
                listed = "\n".join(f"- {quote}" for quote in missing)
                raise ValueError(f"these quotes do not occur in the trace; copy them letter by letter:\n{listed}")

        scope = f"mine:{rollout.id}"
        about = {"rollout_id": rollout.id, "task_id": task.id, "batch": batch}
        try:
            return decide(
                self._models, "failure_miner", prompt, MinedFailure, scope=scope, about=about, wish=quotes_occur
            )
        except SpecialistError as error:
            return _unexplained(ending, str(error))


def verified(quotes: Sequence[Quote], trace: Sequence[Step]) -> tuple[Evidence, ...]:
    """The quotes that really occur in the trace, each with its step; at most three."""
    texts = {step.index: clean_line(step_text(step)) for step in trace}
    evidence: list[Evidence] = []
    for quote in quotes:
        words = clean_line(quote.quote).strip(" \"'.…")[:400].strip()
        if len(words) < _SHORT:
            continue
        where = [index for index, text in texts.items() if words in text]
        if where:
            step = quote.step if quote.step in where else where[0]
            evidence.append(Evidence(step=step, quote=words))
    return tuple(dict.fromkeys(evidence))[:3]


def _distinct(causes: Sequence[Cause]) -> list[Cause]:
    """One cause of each mechanism: the same one twice would count twice."""
    return list({_general(cause.mechanism).casefold(): cause for cause in reversed(causes)}.values())[::-1]


def _generic(mechanism: str, ending: str, why: str) -> MinedFailure:
    cause = Cause(mechanism=mechanism, root_cause=why, should_have="Read the trace by hand.", severity=2)
    return MinedFailure(what_failed=_cut(ending) or "the rollout failed", causes=[cause])


def _unexplained(ending: str, reason: str) -> MinedFailure:
    return _generic(UNEXPLAINED, ending, f"The failure miner gave no usable explanation ({_cut(reason)}).")


def _blind(ending: str) -> MinedFailure:
    """Nothing to read: a cause would be invented."""
    why = "The benchmark hands over no recording of a rollout, so nothing can be said of the cause."
    return _generic(BLIND, ending, why)


def _general(mechanism: str) -> str:
    """The mechanism without words that name an instance: any with a digit or an @."""
    words = [w for w in mechanism.strip(" .\"'").split() if not re.search(r"[\d@]", w)]
    return " ".join(words[:8])[:80].strip() or UNEXPLAINED


def _cut(text: str) -> str:
    flat = clean_line(text)
    return flat if len(flat) <= _TEXT else flat[: _TEXT - 4] + " ..."
