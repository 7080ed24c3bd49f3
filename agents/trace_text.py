"""A trace as text: one numbered line per event, for the specialists' prompts and for people."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sigmaloop.records import Step

_SPEAKERS = {"user": "USER", "say": "AGENT", "submit": "SUBMIT", "error": "FAULT", "model": "MODEL (not passed on)"}


def trace_text(trace: Sequence[Step], *, limit: int = 40_000, step_limit: int = 2_000) -> str:
    """`[3] CALL name {...}` and `[3] RESULT ...` for actions, `[4] AGENT: ...` for what was said.

    A call that the agent's own code refused is `[5] CALL` and `[5] REFUSED by the agent's code: ...`.

    Long texts are cut at `step_limit` characters; beyond `limit` the middle steps are left out, because a
    failure shows where a rollout begins or ends far more often than halfway.
    """
    lines = [_line(step, step_limit) for step in trace]
    if sum(map(len, lines)) <= limit:
        return "\n".join(lines)
    head, tail, size = 0, len(lines), 0
    while head < tail:
        nxt = lines[head] if head <= len(lines) - tail else lines[tail - 1]
        if size + len(nxt) > limit:
            break
        size += len(nxt)
        head, tail = (head + 1, tail) if head <= len(lines) - tail else (head, tail - 1)
    return "\n".join([*lines[:head], f"[... {tail - head} steps left out ...]", *lines[tail:]])


def step_text(step: Step) -> str:
    """Everything of a step that may be quoted as evidence."""
    if step.kind in ("act", "refused"):
        return f"{step.tool} {_arguments(step)} {step.text}"
    return step.text


def _line(step: Step, limit: int) -> str:
    if step.kind == "act":
        call = f"[{step.index}] CALL {step.tool} {_cut(_arguments(step), limit)}"
        unasked = f"\n[{step.index}] (made by the agent's code; the model had not asked for it)" if step.by_code else ""
        return f"{call}{unasked}\n[{step.index}] RESULT {_cut(step.text, limit)}"
    if step.kind == "refused":
        call = f"[{step.index}] CALL {step.tool} {_cut(_arguments(step), limit)}"
        return f"{call}\n[{step.index}] REFUSED by the agent's code: {_cut(step.text, limit)}"
    return f"[{step.index}] {_SPEAKERS[step.kind]}: {_cut(step.text, limit)}"


def _arguments(step: Step) -> str:
    return json.dumps(step.arguments, ensure_ascii=False, sort_keys=True)


def _cut(text: str, limit: int) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 4] + " ..."
