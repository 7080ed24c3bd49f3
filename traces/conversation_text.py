"""A trace as people read it: who said what, which calls were made with which result, and what the model was asked.

A kind of step that this file does not know is shown under its own name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from sigmaloop.records import ModelCall, Step, Trace
from sigmaloop.traces.columns import cells, cut, cut_line, pad, wrap

LINES = 12
"""Lines of one step that are shown unless everything is asked for."""
_SPEAKERS = {"user": "user", "say": "agent", "act": "call", "submit": "submit", "error": "error"}
_GUTTER = 14
"""Columns before what was said: number and speaker."""


class Part(NamedTuple):
    """A block of a conversation: a step, half of one, or model calls."""

    number: str
    speaker: str
    text: str


def conversation(trace: Trace, *, width: int, agent: str = "", place: str = "", full: bool = False) -> list[str]:
    """The lines of a whole trace, none longer than `width` columns.

    `agent` is a name for its agent, `place` the run that it is of. Long steps are cut unless `full`.
    """
    lines = [*header(trace, width=width, agent=agent, place=place), ""]
    for part in parts(trace):
        gutter = f"{part.number:>4} {part.speaker:<8} "
        shown = shortened(wrap(part.text, width - _GUTTER), full=full)
        lines += [f"{gutter if n == 0 else ' ' * _GUTTER}{line}".rstrip() for n, line in enumerate(shown)]
    return lines


def header(trace: Trace, *, width: int, agent: str = "", place: str = "") -> list[str]:
    """Which rollout it is, of what, how it ended and what it took."""
    rollout = trace.rollout
    reward = "no reward" if rollout.reward is None else f"reward {rollout.reward:.2f}"
    mark = "" if rollout.pass_at == 1 else f", passes from {rollout.pass_at:g}"
    usage = rollout.usage
    took = f"{len(trace.steps)} steps, {usage.calls} model calls, {usage.tokens:,} tokens, {rollout.wall_seconds:.1f} s"
    rows = {
        "rollout": f"{rollout.id}  {ending(trace)}, {reward}{mark}",
        "task": f"{rollout.task_id}, trial {rollout.key.trial}, {rollout.request_type or 'type unknown'}, "
        f"{rollout.split or 'split unknown'}",
        "agent": f"{agent + ', ' if agent else ''}{rollout.key.agent}{'  of ' + place if place else ''}",
        "took": took + (f", {moment(trace.written)}" if trace.written else ""),
        "ended": rollout.detail,
        "parts": ", ".join(f"{name} {value:g}" for name, value in rollout.components.items()),
    }
    lines = []
    for name, text in rows.items():
        wrapped = wrap(text, width - 9) if text else []
        lines += [f"{name if n == 0 else '':<8} {line}" for n, line in enumerate(wrapped)]
    return lines


def ending(trace: Trace) -> str:
    """How a rollout ended, in words."""
    return {"agent_error": "failed by an error of the agent", "infra": "no result: an infrastructure fault"}.get(
        trace.rollout.outcome, trace.rollout.outcome
    )


def moment(seconds: float) -> str:
    """A time by the clock here."""
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M:%S")


def parts(trace: Trace) -> Iterator[Part]:
    """The blocks of a conversation in their order, model calls before the step that followed them."""
    calls = list(trace.course.calls)
    for place, step in enumerate(trace.steps):
        while calls and calls[0].step <= place:
            yield Part("", "model", call_text(calls.pop(0)))
        yield from of_step(step)
    for call in calls:
        yield Part("", "model", call_text(call))


def of_step(step: Step) -> Iterator[Part]:
    """A step; a call is one block and its result another."""
    speaker = _SPEAKERS.get(step.kind, step.kind)
    if not step.tool:
        yield Part(f"{step.index}", speaker, step.text)
        return
    yield Part(f"{step.index}", speaker, f"{step.tool}({arguments(step.arguments)})")
    if step.text:
        yield Part("", "result", step.text)


def call_text(call: ModelCall) -> str:
    """What one model call was, in a line."""
    time = "answered before" if call.seconds is None else f"{call.seconds:.2f} s"
    name = f"{call.model}, " if call.model else ""
    return f"{name}{call.input_tokens:,} in, {call.output_tokens:,} out, {time}, prompt {call.prompt[:8]}"


def arguments(given: Mapping[str, object]) -> str:
    """Arguments of a call as people write them: name=value."""
    return ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in given.items())


def shortened(lines: list[str], *, full: bool) -> list[str]:
    if full or len(lines) <= LINES + 1:
        return lines
    return [*lines[:LINES], f"... {len(lines) - LINES} lines more; --full shows them"]


def listing(traces: list[Trace], *, width: int, names: Mapping[str, str]) -> list[str]:
    """A line for each trace, none longer than `width` columns. `names`: of agents, by their hash.

    Under 100 columns reward and steps are left out; the task has what the other columns leave.
    """
    wide = width >= 100
    rows = [_cells_of(trace, names, 20 if wide else 14) for trace in traces]
    columns = [name for name in _COLUMNS if wide or name not in ("reward", "steps")]
    widths = {name: max(cells(row[name]) for row in [*rows, {name: name for name in _COLUMNS}]) for name in columns}
    lines = []
    for row in [{name: name for name in (*_COLUMNS, "task")}, *rows]:
        texts = [
            f"{row[name]:>{widths[name]}}" if name in _NUMBERS else pad(row[name], widths[name]) for name in columns
        ]
        lines.append(cut_line("  ".join([*texts, row["task"]]), width))
    return lines


_COLUMNS = ("id", "split", "outcome", "reward", "agent", "steps", "tokens", "type")
_NUMBERS = frozenset({"reward", "steps", "tokens"})


def _cells_of(trace: Trace, names: Mapping[str, str], longest: int) -> dict[str, str]:
    rollout = trace.rollout
    return {
        "id": rollout.id[:8],
        "split": rollout.split or "?",
        "outcome": rollout.outcome,
        "reward": "-" if rollout.reward is None else f"{rollout.reward:.2f}",
        "agent": names.get(rollout.key.agent, rollout.key.agent[:8]),
        "steps": f"{rollout.steps}",
        "tokens": f"{rollout.usage.tokens:,}",
        "type": cut(rollout.request_type or "?", longest),
        "task": cut(f"{rollout.task_id} #{rollout.key.trial}", 80),
    }
