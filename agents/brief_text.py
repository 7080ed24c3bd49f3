"""A brief as the harness engineer reads it: the file, the failures with their recordings, and all that is known."""

from __future__ import annotations

from sigmaloop.agents.brief import REPLAYS, Brief, PastAttempt, ShownTrace
from sigmaloop.agents.prompt import SETTING_LIMIT, Prompt, quoted, render, unbroken
from sigmaloop.records import Cluster, FailureRecord

SHOWN_ATTEMPTS = 12
"""The latest; an older one can be searched for."""
SHOWN_LEARNINGS = 10
SHOWN_LINES = 20
"""Of what works, rates and other clusters each."""
_TRACE, _PASSING, _TOOLS, _POLICY, _DIFF = 12_000, 8_000, 10_000, 16_000, 2_500
"""Most characters of a failing recording, of the passing one, of the tools, the policies and a diff."""
ATTEMPT_TRACE = 6_000
"""Most characters of a recording with an earlier change."""


def brief_prompt(brief: Brief, *, setting: str, calls: int) -> Prompt:
    """The engineer's first messages; `setting` is the benchmark's, `calls` how many turns it has."""
    cluster = brief.cluster
    passing = [brief.passing] if brief.passing else []
    return render(
        "harness_engineer",
        setting=quoted(setting, SETTING_LIMIT),
        program=brief.program or "(none)",
        agent=unbroken(brief.agent),
        title=quoted(cluster.title, 200),
        root_cause=quoted(cluster.root_cause, 800),
        diagnosis=quoted(_diagnosis(cluster), 2_500) or "none yet",
        failures="\n".join(quoted(_failure(f), 1_500) for f in brief.failures) or "none",
        traces="\n\n".join(quoted(_recording(t), _TRACE + 500) for t in brief.traces) or "none",
        passing="\n\n".join(quoted(_recording(t), _PASSING + 500) for t in passing) or "none",
        tools=quoted(brief.tools, _TOOLS) or "(not shown)",
        policy=quoted(brief.policy, _POLICY) or "(not shown)",
        attempts="\n".join(map(_attempt, brief.attempts[-SHOWN_ATTEMPTS:])) or "none yet",
        works=_lines(brief.works[-SHOWN_LINES:], 400),
        rates=_lines(brief.rates[:SHOWN_LINES], 200),
        others=_lines(brief.others[:SHOWN_LINES], 300),
        learnings=_lines(brief.learnings[:SHOWN_LEARNINGS], 800),
        attempt=brief.attempt,
        advice=f" {brief.advice}" if brief.advice else "",
        size=len(brief.agent),
        size_limit=brief.size_limit,
        calls=calls,
        replays=REPLAYS,
    )


def _lines(texts: tuple[str, ...], limit: int) -> str:
    return "\n".join(quoted(f"- {text}", limit) for text in texts) or "none yet"


def _diagnosis(cluster: Cluster) -> str:
    found = cluster.diagnosis
    if found is None:
        return ""
    lines = {
        "common cause": found.common_cause,
        "where": found.where,
        "missing instruction": found.missing_instruction,
        "went well elsewhere": found.counter_examples,
    }
    return "\n".join(f"{name}: {text}" for name, text in lines.items() if text)


def _failure(failure: FailureRecord) -> str:
    quotes = "; ".join(f"step {e.step}: {e.quote}" for e in failure.evidence)
    return (
        f"- {failure.id} ({failure.request_type}, severity {failure.severity}): {failure.mechanism}\n"
        f"  what failed: {failure.what_failed}\n  root cause: {failure.root_cause}\n"
        f"  should have: {failure.should_have}\n  instruction: {failure.instruction}\n  evidence: {quotes or 'none'}"
    )


def _recording(shown: ShownTrace) -> str:
    ending = f" ended: {shown.ending}" if shown.ending else ""
    return f"== {shown.name}{ending}\n{shown.text}"


def _attempt(attempt: PastAttempt) -> str:
    """Kind, words and fate in the first line; below it what else is known, each part bounded."""
    outcome = "kept" if attempt.outcome == "kept" else f"rejected by {attempt.gate or 'the gate'}"
    at = f" (at another cluster: {attempt.at})" if attempt.at else ""
    name = f"{attempt.id} " if attempt.id else ""
    head = f"- {name}[{attempt.kind or 'nothing handed in'}] {attempt.summary} -> {outcome}{at}"
    parts = [quoted(head, 500)]
    parts += [quoted(f"  training: {text}", 300) for text in attempt.figures]
    parts += [quoted(f"  {word}: {text}", 900) for word, text in _words(attempt)]
    if attempt.diff:
        parts.append(f"  diff:\n{quoted(attempt.diff, _DIFF)}")
    if attempt.trace:
        parts.append(f"  a target with this change:\n{quoted(attempt.trace, ATTEMPT_TRACE + 500)}")
    return "\n".join(parts)


def _words(attempt: PastAttempt) -> list[tuple[str, str]]:
    word = "helped because" if attempt.outcome == "kept" else "failed because"
    return [(name, text) for name, text in ((word, attempt.because), ("next idea", attempt.next_idea)) if text]
